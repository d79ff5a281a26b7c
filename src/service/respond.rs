//! The way from a request to a response.

mod plain;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, ETAG};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};

use super::conditions::{self, Current, Verdict};
use super::cross_domain::CrossDomain;
use super::head::Head;
use super::precondition::Judged;
use super::problem::{METHODS, Problem};
use super::range::first_bytes;
use super::reply_fields::Facts;
use super::resource::{self, Resource};
use super::selection::not_modified;
use super::store_redirect::{Way, may_redirect};
use super::{OriginService, Requested, ServiceBody};
use crate::base::Error;
use crate::origin::{self, Answer, Identity, Opened, Served};
use crate::presentation::Reply;

/// A GET or a HEAD.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) is_head: bool,
    pub(super) uri: &'a Uri,
    /// The path as the URL spells it.
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) head: Head,
}

/// A response for which files must be opened or read first.
type Waiting<'a> = Pin<Box<dyn Future<Output = Response<ServiceBody>> + Send + 'a>>;

/// A request that is being answered. Most are answered when they are polled first.
struct Responding<'a> {
    service: &'a OriginService,
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    waiting: Option<Waiting<'a>>,
}

impl Future for Responding<'_> {
    type Output = Response<ServiceBody>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiting.is_none() {
            // It is made in place: a response is large.
            let mut response = Response::new(ServiceBody::empty());
            match self.service.begin(&self, &mut response) {
                None => return Poll::Ready(response),
                waiting => self.waiting = waiting,
            }
        }
        match &mut self.waiting {
            Some(waiting) => waiting.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl OriginService {
    /// Answers a request. The body of the request is not read.
    ///
    /// Failures are responses too, with the status of [`ErrorKind::status`] and a short JSON body
    /// (RFC 9457) whose `code` is that of [`ErrorKind::code`]; 405 for other methods, 412 for
    /// conditions that are not met, 416 for ranges that do not exist. Each has its
    /// [`Failure`](super::Failure) among its extensions.
    ///
    /// [`ErrorKind::status`]: crate::base::ErrorKind::status
    /// [`ErrorKind::code`]: crate::base::ErrorKind::code
    ///
    /// A request of HTTP/1.1 needs a `Host` field, or an authority in its URI: a request without both
    /// is answered with 400, and so is one with two `Host` or `Content-Length` fields. Note that
    /// [`Request::builder`] makes requests of HTTP/1.1.
    pub fn respond<'a, B>(
        &'a self,
        request: &'a Request<B>,
    ) -> impl Future<Output = Response<ServiceBody>> + Send + use<'a, B> {
        Responding {
            service: self,
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            waiting: None,
        }
    }

    /// Makes the response, if there is nothing to wait for.
    #[inline]
    fn begin<'a>(
        &'a self,
        request: &Responding<'a>,
        response: &mut Response<ServiceBody>,
    ) -> Option<Waiting<'a>> {
        let Responding { method, uri, version, headers, .. } = *request;
        let is_head = *method == Method::HEAD;
        let path = uri.path();
        match Head::read(version, uri, headers) {
            Ok(head) if is_head || *method == Method::GET => {
                let asked = Asked { is_head, uri, path, headers, head };
                return self.retrieve(asked, response);
            }
            Ok(_) if *method == Method::OPTIONS => *response = self.options(headers),
            Ok(_) => {
                let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
                    .because(format!("the method is `{method}`"));
                *response = self.finished(Ok(self.problem(&problem, path)), is_head, path, headers);
            }
            Err(fault) => {
                let problem = self.problem(&Problem::malformed(fault), path);
                *response = self.finished(Ok(problem), is_head, path, headers);
            }
        }
        None
    }

    /// Adds the fields that every response has, or makes the response of an error.
    fn finished(
        &self,
        response: Result<Response<ServiceBody>, Error>,
        is_head: bool,
        path: &str,
        headers: &HeaderMap,
    ) -> Response<ServiceBody> {
        let mut response = response.unwrap_or_else(|error| self.failed(error, path));
        if let Some(cors) = &self.inner.options.cors {
            cors.allow(headers, response.headers_mut());
        }
        if is_head {
            *response.body_mut() = ServiceBody::empty();
        }
        response
    }

    /// Responds to OPTIONS, including preflight requests of browsers.
    fn options(&self, headers: &HeaderMap) -> Response<ServiceBody> {
        let mut response = Response::new(ServiceBody::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(ALLOW, METHODS);
        if let Some(cors) = &self.inner.options.cors {
            cors.preflight(headers, response.headers_mut());
        }
        response
    }

    #[inline]
    fn retrieve<'a>(
        &'a self,
        asked: Asked<'a>,
        response: &mut Response<ServiceBody>,
    ) -> Option<Waiting<'a>> {
        if self.inner.options.cross_domain
            && let Some(policy) = CrossDomain::at(asked.path)
        {
            return Some(Box::pin(self.retrieve_policy(policy, asked)));
        }
        let outputs = self.inner.options.outputs;
        let begun = match self.inner.origin.ask_now(asked.path, asked.uri.query(), outputs) {
            // Names of presentations are added to the others.
            Some(Ok(located)) if !self.inner.options.requested => match located.ready() {
                Ok((opened, reply)) => {
                    self.respond_now(opened, reply, &asked, response);
                    return None;
                }
                Err(located) => Some(Ok(located)),
            },
            begun => begun,
        };
        Some(Box::pin(self.retrieve_slowly(begun, asked)))
    }

    async fn retrieve_policy(
        &self,
        policy: CrossDomain,
        asked: Asked<'_>,
    ) -> Response<ServiceBody> {
        let response = match self.cross_domain(policy, asked.path).await {
            Ok(resource) => self.respond_with(resource, &asked, asked.head.conditions.any()),
            Err(error) => Err(error),
        };
        self.finished(response, asked.is_head, asked.path, asked.headers)
    }

    async fn retrieve_slowly(
        &self,
        begun: Option<Result<origin::Asked<'_>, Error>>,
        asked: Asked<'_>,
    ) -> Response<ServiceBody> {
        let response = self.respond_slowly(begun, &asked).await;
        self.finished(response, asked.is_head, asked.path, asked.headers)
    }

    /// Responds with a reply that is known without a read.
    #[inline]
    fn respond_now(
        &self,
        opened: Arc<Opened>,
        reply: Reply,
        asked: &Asked<'_>,
        response: &mut Response<ServiceBody>,
    ) {
        let other = match self.respond_known(opened, reply, asked, response) {
            // What pages of all sites need is among the prepared fields.
            Ok(None) if !self.asks_for_site() => return,
            Ok(None) => Ok(std::mem::take(response)),
            Ok(Some(other)) => Ok(other),
            Err(error) => Err(error),
        };
        *response = self.finished(other, asked.is_head, asked.path, asked.headers);
    }

    /// Makes the response with all of a reply in its place, or returns another.
    #[inline]
    fn respond_known(
        &self,
        opened: Arc<Opened>,
        reply: Reply,
        asked: &Asked<'_>,
        response: &mut Response<ServiceBody>,
    ) -> Result<Option<Response<ServiceBody>>, Error> {
        let Asked { is_head, head: Head { conditions, has_range }, headers, .. } = *asked;
        let judged = match conditions.any() {
            true => self.judge(&opened, Some(Identity::of(&reply)), asked),
            false => Judged::Met(None),
        };
        let etag = match judged {
            Judged::Failed => return Ok(Some(self.precondition_failed(asked.path))),
            Judged::NotModified(fields) => return Ok(Some(not_modified(fields))),
            Judged::Met(etag) => etag,
        };
        let judge = conditions.any() && etag.is_none();
        let facts = Facts { reply: &reply, opened: Some(&opened), own_file: None };
        let fields = response.headers_mut();
        let (modified, form) = self.describe_in(fields, &facts, etag, asked);
        let content = |form: Option<Bytes>| match form {
            Some(form) => resource::Content::Text(form),
            None => resource::Content::Served(Served::of(opened, reply)),
        };
        if has_range && !is_head {
            let (fields, content) = (std::mem::take(fields), content(form));
            let resource = Resource { fields, modified, content };
            return self.respond_with(resource, asked, judge).map(Some);
        }
        if judge {
            let etag = fields.get(ETAG).map_or(&b""[..], HeaderValue::as_bytes);
            match conditions::evaluate(conditions, headers, Current { etag, modified }) {
                Verdict::Failed => return Ok(Some(self.precondition_failed(asked.path))),
                Verdict::NotModified => {
                    let fields = std::mem::take(fields);
                    return Ok(Some(not_modified(self.told_again(fields))));
                }
                Verdict::Met => {}
            }
        }
        if !is_head {
            let content = content(form);
            content.admit()?;
            *response.body_mut() = content.into_body();
        }
        Ok(None)
    }

    /// Returns whether responses differ between the sites of the requesting pages.
    fn asks_for_site(&self) -> bool {
        self.inner.options.cors.as_ref().is_some_and(|cors| cors.listed().is_some())
    }

    /// Returns whether the client may be redirected to the store.
    fn redirects(&self, asked: &Asked<'_>) -> bool {
        self.inner.links.is_some() && !asked.is_head && may_redirect(&asked.head, asked.headers)
    }

    /// Responds to a request for which files must be opened or read first.
    async fn respond_slowly(
        &self,
        begun: Option<Result<origin::Asked<'_>, Error>>,
        asked: &Asked<'_>,
    ) -> Result<Response<ServiceBody>, Error> {
        let Asked { uri, path, head: Head { conditions, .. }, .. } = *asked;
        let target = uri.path_and_query().map_or(path, |target| target.as_str());
        let located = match begun {
            Some(located) => located,
            None => Box::pin(self.inner.origin.ask_for(target, self.inner.options.outputs)).await,
        };
        match located {
            Ok(located) => {
                let requested = self.requested(located.opened());
                let mut response = self.respond_located(located, asked).await?;
                if let Some(requested) = requested {
                    requested.attach(&mut response);
                }
                Ok(response)
            }
            Err(error) => match Box::pin(self.file(path, &error)).await {
                Some(file) => {
                    let (name, resource) = file?;
                    let redirect = match self.redirects(asked) {
                        true => Box::pin(self.redirect_to_file(&name, &resource, path)).await,
                        false => None,
                    };
                    let mut response = match redirect {
                        Some(redirect) => redirect,
                        None => self.respond_with(resource, asked, conditions.any())?,
                    };
                    if self.inner.options.requested {
                        Requested::File(name).attach(&mut response);
                    }
                    Ok(response)
                }
                None => Err(error),
            },
        }
    }

    /// Responds to a request that was located in a presentation.
    async fn respond_located(
        &self,
        located: origin::Asked<'_>,
        asked: &Asked<'_>,
    ) -> Result<Response<ServiceBody>, Error> {
        let Asked { uri, path, head: Head { conditions, has_range }, .. } = *asked;
        let identity = if conditions.any() { located.identity() } else { None };
        let etag = match self.judge(located.opened(), identity, asked) {
            Judged::Failed => return Ok(self.precondition_failed(asked.path)),
            Judged::NotModified(fields) => return Ok(not_modified(fields)),
            Judged::Met(etag) => etag,
        };
        let first = if asked.is_head { Some(0) } else { first_bytes(asked.headers) };
        let mut located = match first {
            Some(first) => located.first_bytes(first),
            None => located,
        };
        let way = if self.redirects(asked) { self.way_of(&located, path) } else { Way::Bytes };
        let link = match way {
            Way::Redirect(redirect) => return Ok(*redirect),
            Way::Link(key) => {
                located.look_briefly();
                Some(key)
            }
            Way::Bytes => None,
        };
        match located.answer_slowly().await? {
            Answer::Reply(served) => {
                if let Some(key) = link
                    && let Some(redirect) =
                        Box::pin(self.redirect_to_fragment(key, &served, path)).await
                {
                    return Ok(redirect);
                }
                let judge = conditions.any() && etag.is_none();
                let own_file = served.has_own_file().then(|| served.modified());
                let opened = served.opened().map(|opened| &**opened);
                let facts = Facts { reply: served.reply(), opened, own_file };
                let mut response = Response::new(ServiceBody::empty());
                let fields = response.headers_mut();
                let (modified, form) = self.describe_in(fields, &facts, etag, asked);
                let content = match form {
                    Some(form) => resource::Content::Text(form),
                    None => resource::Content::Served(served),
                };
                if judge || has_range {
                    let fields = std::mem::take(fields);
                    return self.respond_with(Resource { fields, modified, content }, asked, judge);
                }
                if !asked.is_head {
                    content.admit()?;
                    *response.body_mut() = content.into_body();
                }
                Ok(response)
            }
            Answer::Redirect(redirect) => self.redirect(redirect.to_string(), uri.query(), path),
        }
    }
}

#[cfg(test)]
mod tests;
