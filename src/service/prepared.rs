//! Parts that all responses of one presentation share, made once.

#[cfg(feature = "compression")]
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

#[cfg(feature = "compression")]
use super::compression::Forms;
use super::conditions::whole_seconds;
#[cfg(feature = "compression")]
use crate::presentation::compressed_forms;
use crate::presentation::{
    ContentText, MediaType, Presentation, Representation, RepresentationId, RepresentationMap,
};

/// The parts that all responses of one presentation share.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) surrogate_key: HeaderValue,
    pub(super) last_modified: Option<LastModified>,
    /// Beginning of the ETags of its media.
    pub(super) content: ContentText,
    /// Header fields of media by their media type, once they are asked for.
    media: [PreparedFields; MediaType::COUNT],
    /// The manifest of Smooth Streaming.
    manifest: PreparedText,
    /// Manifests and playlists of other outputs, once they are asked for.
    texts: RepresentationMap<PreparedText>,
}

/// Header fields that responses share, as the service that made them first describes them.
#[derive(Debug, Default)]
struct PreparedFields {
    fields: OnceLock<(ServiceId, HeaderMap)>,
    /// The fields as lines of HTTP/1.1, for hosts that write heads themselves.
    lines: OnceLock<(ServiceId, Box<[u8]>)>,
}

/// The parts that all responses with one text share.
#[derive(Debug, Default)]
struct PreparedText {
    /// Header fields, plain and in each coding, once they are asked for.
    fields: [PreparedFields; FORMS],
    #[cfg(feature = "compression")]
    forms: Arc<Forms>,
    /// Set to whether there was room for the compressed forms.
    #[cfg(feature = "compression")]
    has_room_for_forms: OnceLock<bool>,
}

/// A text with the budget of what is kept about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    prepared: &'a PreparedText,
    /// `None` for the manifest of Smooth Streaming, for which there always is room.
    room: Option<&'a RepresentationMap<PreparedText>>,
}

/// Forms of a text: plain, brotli, gzip.
const FORMS: usize = 3;

/// Bytes of memory that the header fields of one form take at most.
const FIELDS: usize = 2 << 10;

/// Distinguishes services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServiceId(u64);

impl ServiceId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A time of change in whole seconds, and as `Last-Modified` has it.
#[derive(Clone, Debug)]
pub(super) struct LastModified {
    pub(super) time: SystemTime,
    pub(super) field: HeaderValue,
}

/// Characters that separate the keys of a `Surrogate-Key` or a `Cache-Tag` field, and characters that
/// no field can hold.
const IN_KEY: &AsciiSet = &CONTROLS.add(b' ').add(b',').add(b'%');

impl Prepared {
    pub(super) fn new(presentation: &Presentation, modified: Option<SystemTime>) -> Self {
        let name = presentation.name();
        let key: String = utf8_percent_encode(name.as_str(), IN_KEY).collect();
        Self {
            // Visible ASCII.
            surrogate_key: HeaderValue::from_maybe_shared(Bytes::from(key))
                .unwrap_or(HeaderValue::from_static("unnamed")),
            last_modified: modified.and_then(LastModified::new),
            content: presentation.validator().content_text(),
            media: Default::default(),
            manifest: PreparedText::default(),
            texts: RepresentationMap::new(presentation.text_budget().clone()),
        }
    }

    /// Returns the header fields of media, or of an initialization segment, as the service described
    /// them before. All of one media type share them, except for their length and ETag.
    #[inline]
    pub(super) fn media_fields(
        &self,
        service: ServiceId,
        representation: &Representation,
        describe: impl Fn() -> HeaderMap,
    ) -> HeaderMap {
        self.media[representation.media_type_id() as usize].kept(service, describe)
    }

    /// Returns the header fields of media as lines, as the service wrote them before. `None` if another
    /// service has written them.
    #[inline]
    pub(super) fn media_lines(
        &self,
        service: ServiceId,
        representation: &Representation,
        write: impl FnOnce() -> Box<[u8]>,
    ) -> Option<&[u8]> {
        self.media[representation.media_type_id() as usize].kept_lines(service, write)
    }

    /// Returns the place of a text. `None` if there is no room to keep anything about it, and for a clip:
    /// clients choose its times, and could fill any room.
    #[inline]
    pub(super) fn text(&self, representation: &Representation) -> Option<Text<'_>> {
        match representation.validator().id() {
            _ if representation.is_of_clip() => None,
            None => Some(Text { prepared: &self.manifest, room: None }),
            Some(id) => self.text_with_id(id),
        }
    }

    #[inline(never)]
    fn text_with_id(&self, id: RepresentationId) -> Option<Text<'_>> {
        let prepared = self.texts.get_or_make(&id, 0, PreparedText::default)?;
        Some(Text { prepared, room: Some(&self.texts) })
    }
}

impl<'a> Text<'a> {
    /// Returns the header fields of the text in a coding, as the service described them before.
    #[inline]
    pub(super) fn fields(
        &self,
        service: ServiceId,
        coding: Option<&'static str>,
        describe: impl Fn() -> HeaderMap,
    ) -> HeaderMap {
        let place = self.place(coding);
        match self.room {
            Some(room) if place.fields.get().is_none() && !room.take(FIELDS) => describe(),
            _ => place.kept(service, describe),
        }
    }

    /// Returns the header fields of the text in a coding as lines, as the service wrote them before.
    /// `None` if another service has written them, or if there is no room for them.
    #[inline]
    pub(super) fn lines(
        &self,
        service: ServiceId,
        coding: Option<&'static str>,
        write: impl FnOnce() -> Box<[u8]>,
    ) -> Option<&'a [u8]> {
        let place = self.place(coding);
        match self.room {
            Some(room) if place.lines.get().is_none() && !room.take(FIELDS) => None,
            _ => place.kept_lines(service, write),
        }
    }

    #[inline]
    fn place(&self, coding: Option<&'static str>) -> &'a PreparedFields {
        let form = match coding {
            None => 0,
            Some("br") => 1,
            Some(_) => 2,
        };
        &self.prepared.fields[form]
    }

    /// Returns the compressed forms of the text, which is of `len` bytes. `None` if there is no room
    /// for them.
    #[cfg(feature = "compression")]
    #[inline]
    pub(super) fn forms(&self, len: usize) -> Option<&'a Arc<Forms>> {
        let has_room = match self.room {
            None => true,
            Some(room) => {
                let has_room = || room.take(compressed_forms(len));
                *self.prepared.has_room_for_forms.get_or_init(has_room)
            }
        };
        has_room.then_some(&self.prepared.forms)
    }
}

impl PreparedFields {
    /// Returns the header fields as the service described them before.
    #[inline]
    fn kept(&self, service: ServiceId, describe: impl Fn() -> HeaderMap) -> HeaderMap {
        // A copy takes no more memory than it needs.
        let made = || (service, describe().clone());
        let (by, fields) = self.fields.get_or_init(made);
        // Another service of the same origin has other policies.
        if *by == service { fields.clone() } else { describe() }
    }

    /// Returns the lines as the service wrote them before; `None` if another service has.
    #[inline]
    fn kept_lines(&self, service: ServiceId, write: impl FnOnce() -> Box<[u8]>) -> Option<&[u8]> {
        let (by, lines) = self.lines.get_or_init(|| (service, write()));
        (*by == service).then_some(lines)
    }
}

impl LastModified {
    /// The time must not be still to come: no response may claim it (RFC 9110, 8.8.2.1).
    pub(super) fn new(modified: SystemTime) -> Option<Self> {
        let time = whole_seconds(modified)?;
        let field = HeaderValue::from_maybe_shared(Bytes::from(httpdate::fmt_http_date(time)));
        Some(Self { time, field: field.ok()? })
    }
}
