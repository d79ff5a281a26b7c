//! Header fields of a reply, and its compressed form.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields::{Description, TEXT_XML, content_type, decimal, set_own};
use super::policy::class_of;
use super::prepared::{LastModified, Prepared, Text};
use super::resource::{etag, etag_after};
use super::respond::Asked;
use super::{CacheClass, OriginService};
use crate::origin::Opened;
use crate::output::mss::FragmentRequest;
use crate::presentation::{Liveness, MediaType, Presentation, Reply, ReplyClass, Validator};

/// The facts from which the header fields of a reply are made.
pub(super) struct Facts<'a> {
    pub(super) reply: &'a Reply,
    pub(super) opened: Option<&'a Opened>,
    /// Time of change of the file of the one fragment that the reply contains, if it has one.
    pub(super) own_file: Option<Option<SystemTime>>,
}

impl OriginService {
    /// Sets the header fields of a reply, most of which were made for the response before. Returns the
    /// time of its change, and its compressed form, if that is what is sent. `tag` is the ETag of
    /// media, if it is known already.
    pub(super) fn describe_in(
        &self,
        fields: &mut HeaderMap,
        facts: &Facts<'_>,
        tag: Option<HeaderValue>,
        asked: &Asked<'_>,
    ) -> (Option<SystemTime>, Option<Bytes>) {
        let Facts { reply, opened, own_file } = *facts;
        let representation = reply.representation();
        let is_text = representation.class() == ReplyClass::Text;
        let prepared = opened.and_then(prepared);
        let text = match prepared {
            Some(prepared) if is_text => prepared.text(representation),
            _ => None,
        };
        let form = text.and_then(|text| self.compressed(reply, text, asked.headers));
        let coding = form.as_ref().map(|(coding, _)| *coding);
        let length = form.as_ref().map_or(reply.length(), |(_, form)| form.len() as u64);
        let describe = || self.describe(reply, prepared, coding, length);
        let id = self.inner.id;
        *fields = match (text, prepared) {
            (Some(text), _) => text.fields(id, coding, describe),
            (None, Some(prepared)) if !is_text => {
                prepared.media_fields(id, representation, describe)
            }
            _ => describe(),
        };
        if !is_text {
            let etag = tag.unwrap_or_else(|| tag_of(prepared, reply.validator()));
            set_own(fields, decimal(length), etag);
        }
        let class = class_of(representation);
        // Only the live edge differs between the fragments of a presentation.
        if class == CacheClass::LiveEdge
            && let Some(caching) = &self.inner.options.caching
        {
            fields.insert(CACHE_CONTROL, caching.of_class(class).clone());
        }
        if let Some(control) = self.control_of(class, asked.path) {
            fields.insert(CACHE_CONTROL, control.clone());
        }
        if let Some(name) = &self.inner.options.sparse_pointers
            && let Some(opened) = opened.filter(|_| !is_text)
        {
            add_sparse_pointer(fields, name, opened.presentation(), asked.path);
        }
        let modified = match own_file {
            Some(modified) => set_last_modified(fields, self.past(modified), reply.liveness()),
            None => prepared.and_then(|prepared| Some(prepared.last_modified.as_ref()?.time)),
        };
        (modified, form.map(|(_, form)| form))
    }

    /// Makes the header fields of a reply in a coding, as they are for every path and every page.
    /// Those of media lack their length and ETag.
    pub(super) fn describe(
        &self,
        reply: &Reply,
        prepared: Option<&Prepared>,
        coding: Option<&'static str>,
        length: u64,
    ) -> HeaderMap {
        let representation = reply.representation();
        let is_text = representation.class() == ReplyClass::Text;
        let is_smooth = representation.media_type_id() == MediaType::SmoothManifest;
        let mut fields = Description {
            content_type: match is_smooth && self.inner.options.text_xml {
                true => TEXT_XML,
                false => content_type(representation),
            },
            length: if is_text { decimal(length) } else { HeaderValue::from_static("0") },
            etag: match is_text {
                true => etag(reply.validator(), coding),
                false => HeaderValue::from_static("\"\""),
            },
            last_modified: prepared.and_then(|prepared| prepared.last_modified.as_ref()),
            coding,
            varies: is_text && self.compresses(),
        }
        .fields();
        let class = match class_of(representation) {
            CacheClass::LiveEdge => CacheClass::LiveFragment,
            class => class,
        };
        self.add_class_policy(class, prepared.map(|p| &p.surrogate_key), &mut fields);
        if let Some(cors) = &self.inner.options.cors {
            cors.allow_all(&mut fields);
        }
        fields
    }

    /// Returns whether texts may be sent in a coding.
    #[cfg(feature = "compression")]
    fn compresses(&self) -> bool {
        self.inner.options.compression
    }

    #[cfg(not(feature = "compression"))]
    fn compresses(&self) -> bool {
        false
    }

    /// Returns a text in the coding that the request prefers among those that are made.
    #[cfg(feature = "compression")]
    fn compressed(
        &self,
        reply: &Reply,
        text: Text<'_>,
        headers: &HeaderMap,
    ) -> Option<(&'static str, Bytes)> {
        use super::content_coding::ContentCoding;

        self.compressed_in(reply, text, ContentCoding::accepted(headers))
    }

    /// Returns a text in the first of these codings in which it is made. A short one of a live presentation is made.
    #[cfg(feature = "compression")]
    pub(super) fn compressed_in(
        &self,
        reply: &Reply,
        text: Text<'_>,
        accepted: impl Iterator<Item = super::content_coding::ContentCoding>,
    ) -> Option<(&'static str, Bytes)> {
        use crate::presentation::Piece;

        if !self.compresses() {
            return None;
        }
        let [Piece::Bytes(plain)] = reply.pieces() else { return None };
        let mut accepted = accepted.peekable();
        let preferred = *accepted.peek()?;
        let forms = text.forms(plain.len())?;
        let compressor = &self.inner.compressor;
        match reply.liveness() {
            Liveness::Final => compressor.ask(plain, forms),
            Liveness::Live | Liveness::Ahead => compressor.ask_at_once(plain, forms, preferred),
        }
        accepted.find_map(|coding| Some((coding.name(), forms.get(coding)?.clone())))
    }

    #[cfg(not(feature = "compression"))]
    fn compressed(&self, _: &Reply, _: Text<'_>, _: &HeaderMap) -> Option<(&'static str, Bytes)> {
        None
    }
}

/// Adds the field that points from a fragment to those of sparse streams, behind the value that it has.
fn add_sparse_pointer(fields: &mut HeaderMap, name: &HeaderName, of: &Presentation, path: &str) {
    let mut parts = path.trim_end_matches('/').rsplitn(3, '/');
    let (Some(fragment), Some(quality)) = (parts.next(), parts.next()) else { return };
    let path = format!("{quality}/{fragment}");
    let Ok(request) = FragmentRequest::parse(&path) else { return };
    let Some(pointer) = of.sparse_pointer(&request.stream, request.time) else { return };
    let value = match fields.get(name) {
        Some(own) => [own.as_bytes(), b";", pointer.as_bytes()].concat(),
        None => pointer.into_bytes(),
    };
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        fields.insert(name.clone(), value);
    }
}

/// Returns the ETag of a reply in no coding.
#[inline]
pub(super) fn tag_of(prepared: Option<&Prepared>, validator: Validator) -> HeaderValue {
    match prepared {
        Some(prepared) => etag_after(&prepared.content, validator),
        None => etag(validator, None),
    }
}

/// Returns the parts that all responses of a presentation share.
#[inline]
pub(super) fn prepared(opened: &Opened) -> Option<&Prepared> {
    let prepare = |modified| Prepared::new(opened.presentation(), modified);
    opened.attachment(prepare)
}

/// Sets the time of change of a fragment in a file of its own. A live encoder may rewrite such a
/// file twice in a second, which this time cannot distinguish, so live fragments have none.
fn set_last_modified(
    fields: &mut HeaderMap,
    modified: Option<SystemTime>,
    liveness: Liveness,
) -> Option<SystemTime> {
    let is_final = liveness == Liveness::Final;
    let modified = modified.filter(|_| is_final).and_then(LastModified::new);
    match modified {
        Some(LastModified { time, field }) => {
            fields.insert(LAST_MODIFIED, field);
            Some(time)
        }
        None => {
            fields.remove(LAST_MODIFIED);
            None
        }
    }
}
