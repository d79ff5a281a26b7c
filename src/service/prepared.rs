//! What all responses of one presentation have alike, made once.

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
use crate::manifest::StreamKind;
use crate::presentation::{Content, ContentText, Presentation};

#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) surrogate_key: HeaderValue,
    pub(super) last_modified: Option<LastModified>,
    /// How ETags of its fragments begin.
    pub(super) content: ContentText,
    /// Header fields of the manifest, plain and in each coding, and of fragments of each kind, once
    /// they are asked for.
    fields: [OnceLock<(ServiceId, HeaderMap)>; KINDS],
    /// The same as lines of HTTP/1.1, for hosts that write heads themselves.
    lines: [OnceLock<(ServiceId, Box<[u8]>)>; KINDS],
    #[cfg(feature = "compression")]
    pub(super) forms: Arc<Forms>,
}

/// Tells services apart.
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

/// What divides the keys of a `Surrogate-Key` or a `Cache-Tag` field, and what no field can hold.
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
            fields: Default::default(),
            lines: Default::default(),
            #[cfg(feature = "compression")]
            forms: Arc::default(),
        }
    }

    /// The header fields of a content, as the service has described it before.
    pub(super) fn fields(
        &self,
        service: ServiceId,
        content: Content,
        coding: Option<&'static str>,
        describe: impl Fn() -> HeaderMap,
    ) -> HeaderMap {
        // A copy takes no more memory than it needs.
        let made = || (service, describe().clone());
        let (by, fields) = self.fields[kind(content, coding)].get_or_init(made);
        // Another service of the same origin has other policies.
        if *by == service { fields.clone() } else { describe() }
    }

    /// The header fields of a content as lines, as the service has written them before. `None` if
    /// another service has.
    pub(super) fn lines(
        &self,
        service: ServiceId,
        content: Content,
        coding: Option<&'static str>,
        write: impl FnOnce() -> Box<[u8]>,
    ) -> Option<&[u8]> {
        let lines = &self.lines[kind(content, coding)];
        let (by, lines) = lines.get_or_init(|| (service, write()));
        (*by == service).then_some(lines)
    }
}

const KINDS: usize = 6;

fn kind(content: Content, coding: Option<&'static str>) -> usize {
    match (content, coding) {
        (Content::Manifest | Content::File, None) => 0,
        (Content::Manifest | Content::File, Some("br")) => 1,
        (Content::Manifest | Content::File, Some(_)) => 2,
        (Content::Fragment(StreamKind::Video), _) => 3,
        (Content::Fragment(StreamKind::Audio), _) => 4,
        (Content::Fragment(StreamKind::Text), _) => 5,
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
