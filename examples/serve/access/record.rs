//! A request from its head to the last byte of its response.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use common::log::RequestId;
use http::header::{REFERER, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body;
use percent_encoding::percent_decode;
use smooth_origin::base::Name;
use smooth_origin::service::Failure;

use super::class::Class;
use super::line::{End, Line};
use super::{Client, Observers};

/// The record of a request. Its end, when the last byte of the response was given to the system or
/// the response was given up, is counted and logged.
pub(crate) struct Record {
    observers: Arc<Observers>,
    began: Instant,
    id: RequestId,
    class: Class,
    /// [`UNANSWERED`] until there is a response.
    status: u16,
    /// Length of the response's body.
    length: u64,
    /// Bytes of the body that the system has taken.
    sent: AtomicU64,
    has_failed: AtomicBool,
    /// The facts for the access log, if there is one.
    asked: Option<Asked>,
}

/// The status of a request whose client went away before there was a response, as nginx logs it.
const UNANSWERED: u16 = 499;

struct Asked {
    at: SystemTime,
    client: IpAddr,
    is_encrypted: bool,
    method: Method,
    uri: Uri,
    version: Version,
    referer: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    presentation: Presentation,
}

/// The presentation of a request.
enum Presentation {
    Unknown,
    /// The part of the path with this length names it.
    InPath(usize),
    Named(Name),
}

impl Record {
    pub(super) fn new<B>(
        observers: &Arc<Observers>,
        request: &Request<B>,
        client: &Client,
        id: RequestId,
    ) -> Self {
        let headers = request.headers();
        let (class, named) = Class::of(request.uri().path());
        let asked = observers.log.is_some().then(|| Asked {
            at: SystemTime::now(),
            client: observers.trust.address(headers, client),
            is_encrypted: client.is_encrypted,
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            referer: headers.get(REFERER).cloned(),
            user_agent: headers.get(USER_AGENT).cloned(),
            presentation: named.map_or(Presentation::Unknown, Presentation::InPath),
        });
        Self {
            observers: Arc::clone(observers),
            began: Instant::now(),
            id,
            class,
            status: UNANSWERED,
            length: 0,
            sent: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            asked,
        }
    }

    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    /// Notes the response. `class` is that of a part of the site other than the service.
    pub(crate) fn answered<B: Body>(
        &mut self,
        response: &Response<B>,
        class: Option<Class>,
        is_head: bool,
    ) {
        self.status = response.status().as_u16();
        self.class = class.unwrap_or(self.class);
        if !is_head {
            self.length = response.body().size_hint().lower();
        }
        let Some(asked) = &mut self.asked else { return };
        if let Some(failure) = response.extensions().get::<Failure>() {
            let name = failure.presentation().cloned();
            asked.presentation = name.map_or(Presentation::Unknown, Presentation::Named);
        } else if class.is_some() {
            asked.presentation = Presentation::Unknown;
        }
    }

    /// Notes bytes that the system has taken.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that the rest of the body cannot be read.
    pub(crate) fn failed(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    fn end(&self) -> End {
        match self.sent.load(Ordering::Relaxed) {
            _ if self.has_failed.load(Ordering::Relaxed) => End::Failed,
            sent if sent < self.length || self.status == UNANSWERED => End::Aborted,
            _ => End::Complete,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let (took, bytes, end) = (self.began.elapsed(), *self.sent.get_mut(), self.end());
        if let Some(meters) = &self.observers.meters {
            meters.request(self.class, self.status, bytes, took, end);
        }
        let (Some((form, lines)), Some(asked)) = (&self.observers.log, &self.asked) else { return };
        let decoded: Vec<u8>;
        let presentation = match &asked.presentation {
            Presentation::Unknown => None,
            Presentation::Named(name) => Some(name.as_str().as_bytes()),
            Presentation::InPath(length) => {
                let path = asked.uri.path().get(..*length).unwrap_or_default();
                let path = path.trim_start_matches('/').as_bytes();
                Some(match memchr::memchr(b'%', path) {
                    None => path,
                    Some(_) => {
                        decoded = percent_decode(path).collect();
                        &decoded
                    }
                })
            }
        };
        let line = Line {
            at: asked.at,
            client: asked.client,
            method: &asked.method,
            uri: &asked.uri,
            version: asked.version,
            is_encrypted: asked.is_encrypted,
            status: self.status,
            bytes,
            took,
            referer: asked.referer.as_ref(),
            user_agent: asked.user_agent.as_ref(),
            request: &self.id,
            presentation,
            end,
        };
        form.write(&line, |line| lines.add(line));
    }
}
