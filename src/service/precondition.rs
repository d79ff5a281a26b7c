//! Conditions that can be judged before an answer is made.

use http::header::ETAG;
use http::{HeaderMap, HeaderValue};

use super::OriginService;
use super::conditions::{self, Current, Verdict};
use super::policy::class_of;
use super::reply_fields::{prepared, tag_of};
use super::respond::Asked;
use crate::origin::{Identity, Opened};
use crate::presentation::ReplyClass;

/// The outcome of conditions that could be judged before an answer was made.
pub(super) enum Judged {
    /// 412.
    Failed,
    /// 304 with these fields.
    NotModified(HeaderMap),
    /// They are met. The ETag is `None` if they could not be judged.
    Met(Option<HeaderValue>),
}

impl OriginService {
    /// Judges the conditions of a request for media, which need not be looked at for that. A text may
    /// have another coding, and other answers are not known yet.
    pub(super) fn judge(
        &self,
        opened: &Opened,
        identity: Option<Identity>,
        asked: &Asked<'_>,
    ) -> Judged {
        let is_media = |identity: &Identity| identity.representation().class() != ReplyClass::Text;
        let Some(identity) = identity.filter(is_media) else { return Judged::Met(None) };
        let prepared = prepared(opened);
        let etag = tag_of(prepared, identity.validator());
        if !asked.head.conditions.any() {
            return Judged::Met(Some(etag));
        }
        let last_modified = prepared.and_then(|prepared| prepared.last_modified.as_ref());
        let modified = last_modified.map(|modified| modified.time);
        let current = Current { etag: etag.as_bytes(), modified };
        match conditions::evaluate(asked.head.conditions, asked.headers, current) {
            Verdict::Met => Judged::Met(Some(etag)),
            Verdict::Failed => Judged::Failed,
            Verdict::NotModified => {
                let mut fields = HeaderMap::new();
                fields.insert(ETAG, etag);
                let surrogate_key = prepared.map(|prepared| &prepared.surrogate_key);
                let class = class_of(identity.representation());
                self.add_policy(class, asked.path, surrogate_key, &mut fields);
                Judged::NotModified(fields)
            }
        }
    }
}
