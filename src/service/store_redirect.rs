//! Responses that send a client to the store.

use std::io;
use std::time::SystemTime;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, IF_RANGE, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::head::Head;
use super::kept_links::{Known, LinkKey, Target};
use super::reply_fields::prepared;
use super::resource::{Content, Resource};
use super::{CacheClass, OriginService, ServiceBody, caching};
use crate::base::Name;
use crate::origin::{self, Opened, Served};
use crate::presentation::Liveness;

/// The way to answer a request for a fragment.
pub(super) enum Way {
    /// With a redirect that is known already.
    Redirect(Box<Response<ServiceBody>>),
    /// With a redirect, if a URL can be made for the file.
    Link(LinkKey),
    /// With bytes.
    Bytes,
}

/// Returns whether a GET may be answered with a redirect. A client asks the store for its range once more;
/// but the ETags and times of its conditions are those of this origin.
pub(super) fn may_redirect(head: &Head, headers: &HeaderMap) -> bool {
    let is_of_version = head.has_range && headers.contains_key(IF_RANGE);
    !head.conditions.any() && !is_of_version
}

impl OriginService {
    /// Decides how a GET is answered, that may be redirected, before anything is read for it.
    pub(super) fn way_of(&self, located: &origin::Asked<'_>, path: &str) -> Way {
        let Some(kept) = &self.inner.links else { return Way::Bytes };
        if !kept.redirects().fragments {
            return Way::Bytes;
        }
        let Some(file) = located.own_file() else { return Way::Bytes };
        let opened = located.opened();
        let version = opened.presentation().validator();
        let key = LinkKey { version, name: file.clone() };
        match kept.known(&key, self.inner.origin.wall_time()) {
            Known::Target(target) => {
                Way::Redirect(Box::new(self.to_fragment(target, opened, path)))
            }
            Known::None => Way::Bytes,
            Known::Nothing => Way::Link(key),
        }
    }

    /// Returns the redirect to a fragment's file, which was looked at; `None` if its bytes must be sent.
    pub(super) async fn redirect_to_fragment(
        &self,
        key: LinkKey,
        served: &Served,
        path: &str,
    ) -> Option<Response<ServiceBody>> {
        let target = self.target_of(key, served).await?;
        Some(self.to_fragment(target, served.opened()?, path))
    }

    /// Returns the redirect to a file beside the presentations; `None` if its bytes must be sent.
    pub(super) async fn redirect_to_file(
        &self,
        name: &Name,
        resource: &Resource,
        path: &str,
    ) -> Option<Response<ServiceBody>> {
        let Content::Served(served) = &resource.content else { return None };
        let kept = self.inner.links.as_ref()?;
        if !kept.redirects().files {
            return None;
        }
        let key = LinkKey { version: served.reply().validator(), name: name.clone() };
        let target = match kept.known(&key, self.inner.origin.wall_time()) {
            Known::Target(target) => target,
            Known::None => return None,
            Known::Nothing => self.target_of(key, served).await?,
        };
        Some(self.to_store(target, CacheClass::File, path, None))
    }

    /// Makes the URL of a file that is all of a reply.
    async fn target_of(&self, key: LinkKey, served: &Served) -> Option<Target> {
        let (kept, origin) = (self.inner.links.as_ref()?, &self.inner.origin);
        let source = served.whole_file()?;
        let made: SystemTime = origin.wall_time();
        let linked = origin.within(kept.link(source)).await;
        let linked = linked.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        match kept.keep(key, made, linked) {
            Known::Target(target) => Some(target),
            Known::None | Known::Nothing => None,
        }
    }

    fn to_fragment(&self, target: Target, opened: &Opened, path: &str) -> Response<ServiceBody> {
        let surrogate_key = prepared(opened).map(|prepared| &prepared.surrogate_key);
        let class = match opened.presentation().liveness() {
            Liveness::Final => CacheClass::Fragment,
            Liveness::Live | Liveness::Ahead => CacheClass::LiveFragment,
        };
        self.to_store(target, class, path, surrogate_key)
    }

    fn to_store(
        &self,
        target: Target,
        class: CacheClass,
        path: &str,
        surrogate_key: Option<&HeaderValue>,
    ) -> Response<ServiceBody> {
        let mut response = Response::new(ServiceBody::empty());
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        let fields = response.headers_mut();
        fields.insert(LOCATION, target.location);
        fields.insert(CONTENT_LENGTH, 0.into());
        self.add_policy(class, path, surrogate_key, fields);
        let control = caching::within(fields.get(CACHE_CONTROL), target.fresh_for);
        fields.insert(CACHE_CONTROL, control);
        response
    }
}
