//! What all responses of one presentation have alike, made once.

#[cfg(feature = "compression")]
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

#[cfg(feature = "compression")]
use super::compression::Forms;
use super::conditions::whole_seconds;
use super::resource::etag;
use crate::base::Name;
use crate::presentation::Validator;

#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) surrogate_key: HeaderValue,
    pub(super) last_modified: Option<LastModified>,
    /// Of the manifest, plain and in each coding, once they are asked for.
    manifest_etags: [OnceLock<HeaderValue>; 3],
    #[cfg(feature = "compression")]
    pub(super) forms: Arc<Forms>,
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
    pub(super) fn new(name: &Name, modified: Option<SystemTime>) -> Self {
        let key: String = utf8_percent_encode(name.as_str(), IN_KEY).collect();
        Self {
            // Visible ASCII.
            surrogate_key: HeaderValue::from_maybe_shared(Bytes::from(key))
                .unwrap_or(HeaderValue::from_static("unnamed")),
            last_modified: modified.and_then(LastModified::new),
            manifest_etags: Default::default(),
            #[cfg(feature = "compression")]
            forms: Arc::default(),
        }
    }

    /// The ETag of the manifest, whose validator this is, in a coding.
    pub(super) fn manifest_etag(
        &self,
        validator: Validator,
        coding: Option<&'static str>,
    ) -> HeaderValue {
        let kept = match coding {
            None => &self.manifest_etags[0],
            Some("br") => &self.manifest_etags[1],
            Some(_) => &self.manifest_etags[2],
        };
        kept.get_or_init(|| etag(validator, coding)).clone()
    }
}

impl LastModified {
    /// `None` for a time that is still to come: no response may claim it (RFC 9110, 8.8.2.1).
    pub(super) fn new(modified: SystemTime) -> Option<Self> {
        let time = whole_seconds(modified).filter(|time| *time <= SystemTime::now())?;
        let field = HeaderValue::from_maybe_shared(Bytes::from(httpdate::fmt_http_date(time)));
        Some(Self { time, field: field.ok()? })
    }
}
