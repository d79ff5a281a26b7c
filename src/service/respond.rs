//! From a request to a response: method, conditions, range, and what policies add.

mod plain;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};

use super::byte_ranges::{ByteRanges, content_range};
use super::conditions::{self, Current, IfRange, Verdict};
use super::cross_domain::CrossDomain;
use super::fields::{Description, TEXT_XML, content_type, decimal, set_own};
use super::files::{media_type_of, refused};
use super::head::Head;
use super::prepared::{LastModified, Prepared};
use super::problem::{METHODS, Problem};
use super::range::{Selection, select};
use super::resource::{self, Resource, etag, etag_after};
use super::{CacheClass, OriginService, ServiceBody};
use crate::base::{Error, ErrorKind, Name};
use crate::origin::{self, Answer, Identity, Opened, Served};
use crate::presentation::{Content, Liveness, Reply, Validator};

/// A browser takes a file for what it is said to be (Fetch, 3.5).
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A GET or a HEAD.
#[derive(Clone, Copy)]
struct Asked<'a> {
    is_head: bool,
    uri: &'a Uri,
    /// As the URL spells it.
    path: &'a str,
    headers: &'a HeaderMap,
    head: Head,
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

/// What header fields are made of.
struct Facts<'a> {
    reply: &'a Reply,
    opened: Option<&'a Opened>,
    /// When the file of the one fragment that the reply contains was changed, if it has one.
    own_file: Option<Option<SystemTime>>,
}

/// What came of conditions that could be judged before an answer was made.
enum Judged {
    /// 412.
    Failed,
    /// 304 with these fields.
    NotModified(HeaderMap),
    /// They are met. The ETag is `None` if they could not be judged.
    Met(Option<HeaderValue>),
}

impl OriginService {
    /// Answers a request; its body is not looked at.
    ///
    /// Failures are responses too, with the status of [`ErrorKind::status`] and a short JSON body
    /// (RFC 9457) whose `code` is that of [`ErrorKind::code`]; 405 for other methods, 412 for
    /// conditions that are not met, 416 for ranges that do not exist. Each has its
    /// [`Failure`](super::Failure) among its extensions.
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
                let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed");
                *response = self.finished(Ok(self.problem(&problem, path)), is_head, path, headers);
            }
            Err(fault) => {
                let problem = self.problem(&Problem::malformed(fault), path);
                *response = self.finished(Ok(problem), is_head, path, headers);
            }
        }
        None
    }

    /// The response to a request, with what every response has.
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

    /// OPTIONS, a browser's question among them.
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
        let begun = match self.inner.origin.ask_now(asked.path, asked.uri.query()) {
            Some(Ok(located)) => match located.ready() {
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

    /// Returns whether responses differ between the sites whose pages ask.
    fn asks_for_site(&self) -> bool {
        self.inner.options.cors.as_ref().is_some_and(|cors| cors.listed().is_some())
    }

    /// A response to a request for which files must be opened or read first.
    async fn respond_slowly(
        &self,
        begun: Option<Result<origin::Asked<'_>, Error>>,
        asked: &Asked<'_>,
    ) -> Result<Response<ServiceBody>, Error> {
        let Asked { uri, path, head: Head { conditions, has_range }, .. } = *asked;
        let target = uri.path_and_query().map_or(path, |target| target.as_str());
        let located = match begun {
            Some(located) => located,
            None => Box::pin(self.inner.origin.ask(target)).await,
        };
        let located = match located {
            Ok(located) => located,
            Err(error) => {
                return match Box::pin(self.file(path, &error)).await {
                    Some(resource) => self.respond_with(resource?, asked, conditions.any()),
                    None => Err(error),
                };
            }
        };
        let identity = if conditions.any() { located.identity() } else { None };
        let etag = match self.judge(located.opened(), identity, asked) {
            Judged::Failed => return Ok(self.precondition_failed(asked.path)),
            Judged::NotModified(fields) => return Ok(not_modified(fields)),
            Judged::Met(etag) => etag,
        };
        match located.answer_slowly().await? {
            Answer::Reply(served) => {
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
            Answer::Redirect(location) => self.redirect(location, uri.query(), path),
        }
    }

    /// Judges the conditions of a request for a fragment, whose media need not be looked at for that.
    /// A manifest may have another coding, and other answers are not known yet.
    fn judge(&self, opened: &Opened, identity: Option<Identity>, asked: &Asked<'_>) -> Judged {
        let fragment = identity.filter(|identity| identity.content() != Content::Manifest);
        let Some(identity) = fragment else { return Judged::Met(None) };
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
                self.add_policy(CacheClass::Fragment, asked.path, surrogate_key, &mut fields);
                Judged::NotModified(fields)
            }
        }
    }

    /// A resource under the range of a request, and under its conditions if they must be judged.
    fn respond_with(
        &self,
        resource: Resource,
        asked: &Asked<'_>,
        judge: bool,
    ) -> Result<Response<ServiceBody>, Error> {
        if judge {
            let present = asked.head.conditions;
            match conditions::evaluate(present, asked.headers, resource.current()) {
                Verdict::Failed => return Ok(self.precondition_failed(asked.path)),
                Verdict::NotModified => return Ok(not_modified(self.told_again(resource.fields))),
                Verdict::Met => {}
            }
        }
        let selection = match asked.head.has_range && !asked.is_head {
            true => selection(&resource, asked.headers, || self.inner.origin.wall_time()),
            // A range is defined for GET alone (RFC 9110, 14.2).
            false => Selection::Whole,
        };
        if selection == Selection::Unsatisfiable {
            return Ok(self.unsatisfiable(resource.content.length(), asked.path));
        }
        if !asked.is_head {
            resource.content.admit()?;
        }
        Ok(selected(resource, selection, asked.is_head))
    }

    /// What caches are told.
    fn add_policy(
        &self,
        class: CacheClass,
        path: &str,
        surrogate_key: Option<&HeaderValue>,
        fields: &mut HeaderMap,
    ) {
        self.add_class_policy(class, surrogate_key, fields);
        if let Some(control) = self.control_of(class, path) {
            fields.insert(CACHE_CONTROL, control.clone());
        }
    }

    /// What is said to caches of all paths alike.
    fn add_class_policy(
        &self,
        class: CacheClass,
        surrogate_key: Option<&HeaderValue>,
        fields: &mut HeaderMap,
    ) {
        let Some(caching) = &self.inner.options.caching else { return };
        fields.insert(CACHE_CONTROL, caching.of_class(class).clone());
        if let (Some(name), Some(key)) = (caching.surrogate_key_name(), surrogate_key) {
            fields.insert(name.clone(), key.clone());
        }
    }

    /// What is said to caches of this path and not of others.
    fn control_of(&self, class: CacheClass, path: &str) -> Option<&HeaderValue> {
        self.inner.options.caching.as_ref()?.of_path(class, path)
    }

    /// What a cache is told again with a 304 (RFC 9110, 15.4.5).
    fn told_again(&self, mut fields: HeaderMap) -> HeaderMap {
        let caching = self.inner.options.caching.as_ref();
        let mut again = HeaderMap::new();
        for name in [ETAG, VARY, CACHE_CONTROL] {
            again.extend(fields.remove(&name).map(|value| (name, value)));
        }
        if let Some(name) = caching.and_then(|caching| caching.surrogate_key_name()) {
            again.extend(fields.remove(name).map(|value| (name.clone(), value)));
        }
        again
    }

    /// Sets the header fields of a reply, most of which were made for the response before. Returns the
    /// time of its change, and its compressed form, if that is what is sent. `tag` is the ETag of a
    /// fragment, if it is known already.
    fn describe_in(
        &self,
        fields: &mut HeaderMap,
        facts: &Facts<'_>,
        tag: Option<HeaderValue>,
        asked: &Asked<'_>,
    ) -> (Option<SystemTime>, Option<Bytes>) {
        let Facts { reply, opened, own_file } = *facts;
        let content = reply.content();
        let is_manifest = content == Content::Manifest;
        let prepared = opened.and_then(prepared);
        let form = match is_manifest {
            true => self.compressed(reply, prepared, asked.headers),
            false => None,
        };
        let coding = form.as_ref().map(|(coding, _)| *coding);
        let length = form.as_ref().map_or(reply.length(), |(_, form)| form.len() as u64);
        let describe = || self.describe(reply, prepared, coding, length);
        *fields = match prepared {
            Some(prepared) => prepared.fields(self.inner.id, content, coding, describe),
            None => describe(),
        };
        if !is_manifest {
            let etag = tag.unwrap_or_else(|| tag_of(prepared, reply.validator()));
            set_own(fields, decimal(length), etag);
        }
        let class = class(content, reply.liveness());
        // Only the live edge differs between the fragments of a presentation.
        if class == CacheClass::LiveEdge
            && let Some(caching) = &self.inner.options.caching
        {
            fields.insert(CACHE_CONTROL, caching.of_class(class).clone());
        }
        if let Some(control) = self.control_of(class, asked.path) {
            fields.insert(CACHE_CONTROL, control.clone());
        }
        let modified = match own_file {
            Some(modified) => set_last_modified(fields, self.past(modified), reply.liveness()),
            None => prepared.and_then(|prepared| Some(prepared.last_modified.as_ref()?.time)),
        };
        (modified, form.map(|(_, form)| form))
    }

    /// The header fields of a reply in a coding, as they are for every path and every page.
    fn describe(
        &self,
        reply: &Reply,
        prepared: Option<&Prepared>,
        coding: Option<&'static str>,
        length: u64,
    ) -> HeaderMap {
        let content = reply.content();
        let is_manifest = content == Content::Manifest;
        let mut fields = Description {
            content_type: match is_manifest && self.inner.options.text_xml {
                true => TEXT_XML,
                false => content_type(content),
            },
            length: if is_manifest { decimal(length) } else { HeaderValue::from_static("0") },
            etag: match is_manifest {
                true => etag(reply.validator(), coding),
                false => HeaderValue::from_static("\"\""),
            },
            last_modified: prepared.and_then(|prepared| prepared.last_modified.as_ref()),
            coding,
            varies: is_manifest && self.compresses(),
        }
        .fields();
        let liveness = match reply.liveness() {
            Liveness::Ahead => Liveness::Live,
            liveness => liveness,
        };
        self.add_class_policy(
            class(content, liveness),
            prepared.map(|p| &p.surrogate_key),
            &mut fields,
        );
        if let Some(cors) = &self.inner.options.cors {
            cors.allow_all(&mut fields);
        }
        fields
    }

    #[cfg(feature = "compression")]
    fn compresses(&self) -> bool {
        self.inner.options.compression
    }

    #[cfg(not(feature = "compression"))]
    fn compresses(&self) -> bool {
        false
    }

    /// A manifest in the coding that the request wants most of those that there are.
    #[cfg(feature = "compression")]
    fn compressed(
        &self,
        reply: &Reply,
        prepared: Option<&Prepared>,
        headers: &HeaderMap,
    ) -> Option<(&'static str, Bytes)> {
        use super::content_coding::ContentCoding;

        self.compressed_in(reply, prepared, ContentCoding::accepted(headers))
    }

    /// A manifest in the first of these codings that it has a form in.
    #[cfg(feature = "compression")]
    fn compressed_in(
        &self,
        reply: &Reply,
        prepared: Option<&Prepared>,
        accepted: impl Iterator<Item = super::content_coding::ContentCoding>,
    ) -> Option<(&'static str, Bytes)> {
        use crate::presentation::Piece;

        if !self.compresses() {
            return None;
        }
        let prepared = prepared?;
        let [Piece::Bytes(text)] = reply.pieces() else { return None };
        let mut accepted = accepted.peekable();
        if accepted.peek().is_some() {
            self.inner.compressor.ask(text, &prepared.forms);
        }
        accepted.find_map(|coding| Some((coding.name(), prepared.forms.get(coding)?.clone())))
    }

    #[cfg(not(feature = "compression"))]
    fn compressed(
        &self,
        _: &Reply,
        _: Option<&Prepared>,
        _: &HeaderMap,
    ) -> Option<(&'static str, Bytes)> {
        None
    }

    /// The file that a path asks for, if it asks for no presentation and files are served.
    async fn file(&self, path: &str, error: &Error) -> Option<Result<Resource, Error>> {
        let files = self.inner.options.files.as_ref()?;
        if !matches!(error.kind, ErrorKind::NotAddressed) {
            return None;
        }
        let name = match files.name(path) {
            Ok(name) => name,
            Err(error) => return Some(Err(error)),
        };
        if files.may_be_media(&name) && self.inner.origin.is_media(&name).await {
            return Some(Err(refused()));
        }
        Some(self.inner.origin.file(&name).await.map(|served| self.passed(served, &name, path)))
    }

    async fn cross_domain(&self, policy: CrossDomain, path: &str) -> Result<Resource, Error> {
        let name = Name::new(policy.file_name())?;
        let mut resource = match self.inner.origin.file(&name).await {
            Ok(served) => self.passed(served, &name, path),
            Err(error) if matches!(error.kind, ErrorKind::NoFile) => {
                let cors = self.inner.options.cors.as_ref();
                let cors = cors.ok_or_else(|| Error::request("path", ErrorKind::NoFile))?;
                self.generated(policy.generate(cors), path)
            }
            Err(error) => return Err(error),
        };
        // The plug-ins take no other media type.
        resource.fields.insert(CONTENT_TYPE, TEXT_XML);
        Ok(resource)
    }

    /// A time of change, unless it is still to come.
    fn past(&self, modified: Option<SystemTime>) -> Option<SystemTime> {
        modified.filter(|modified| *modified <= self.inner.origin.wall_time())
    }

    /// A file, whose name says what it is.
    fn passed(&self, served: Served, name: &Name, path: &str) -> Resource {
        let media_type = media_type_of(name).unwrap_or(Content::File.media_type());
        let last_modified = self.past(served.modified()).and_then(LastModified::new);
        let description = Description {
            content_type: HeaderValue::from_static(media_type),
            length: decimal(served.reply().length()),
            etag: etag(served.reply().validator(), None),
            last_modified: last_modified.as_ref(),
            coding: None,
            varies: false,
        };
        let mut fields = description.fields();
        fields.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        self.add_policy(CacheClass::File, path, None, &mut fields);
        let modified = last_modified.map(|modified| modified.time);
        Resource { fields, modified, content: resource::Content::Served(served) }
    }

    fn generated(&self, text: String, path: &str) -> Resource {
        let description = Description {
            content_type: TEXT_XML,
            length: decimal(text.len() as u64),
            etag: resource::etag_of_text(&text),
            last_modified: None,
            coding: None,
            varies: false,
        };
        let mut fields = description.fields();
        fields.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        self.add_policy(CacheClass::File, path, None, &mut fields);
        Resource { fields, modified: None, content: resource::Content::Text(text.into()) }
    }

    /// The query goes along: it may hold what lets the client in.
    fn redirect(
        &self,
        location: String,
        query: Option<&str>,
        path: &str,
    ) -> Result<Response<ServiceBody>, Error> {
        let location = query.map(|query| format!("{location}?{query}")).unwrap_or(location);
        let malformed = |_| ErrorKind::Malformed("its query cannot stand in a header field");
        let location = HeaderValue::from_str(&location)
            .map_err(malformed)
            .map_err(|kind| Error::request("query", kind))?;
        let mut response = Response::new(ServiceBody::empty());
        *response.status_mut() = StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert(LOCATION, location);
        headers.insert(CONTENT_LENGTH, 0.into());
        self.add_policy(CacheClass::Manifest, path, None, headers);
        Ok(response)
    }

    pub(super) fn problem(&self, problem: &Problem, path: &str) -> Response<ServiceBody> {
        let mut response = problem.response();
        if let Some(class) = problem.class() {
            self.add_policy(class, path, None, response.headers_mut());
        } else {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }

    fn precondition_failed(&self, path: &str) -> Response<ServiceBody> {
        let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed");
        self.problem(&problem, path)
    }

    fn unsatisfiable(&self, length: u64, path: &str) -> Response<ServiceBody> {
        let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable");
        let mut response = self.problem(&problem, path);
        if let Ok(range) = HeaderValue::from_maybe_shared(format!("bytes */{length}")) {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        response
    }
}

/// The ETag of a reply in no coding.
#[inline]
fn tag_of(prepared: Option<&Prepared>, validator: Validator) -> HeaderValue {
    match prepared {
        Some(prepared) => etag_after(&prepared.content, validator),
        None => etag(validator, None),
    }
}

fn prepared(opened: &Opened) -> Option<&Prepared> {
    let prepare = |modified| Prepared::new(opened.presentation(), modified);
    opened.attachment(prepare)
}

/// The range that is asked for, if it is one of this version.
fn selection(
    resource: &Resource,
    headers: &HeaderMap,
    now: impl FnOnce() -> SystemTime,
) -> Selection {
    match select(headers, resource.content.length()) {
        Selection::Whole => Selection::Whole,
        selection => match IfRange::of(headers) {
            Some(condition) if !condition.is_met(resource.current(), now()) => Selection::Whole,
            _ => selection,
        },
    }
}

/// 200 or 206.
fn selected(resource: Resource, selection: Selection, is_head: bool) -> Response<ServiceBody> {
    let Resource { mut fields, content, .. } = resource;
    let total = content.length();
    let mut response = Response::new(ServiceBody::empty());
    let length = match selection {
        _ if is_head => total,
        Selection::Whole | Selection::Unsatisfiable => {
            *response.body_mut() = content.into_body();
            total
        }
        Selection::One(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let field = HeaderValue::from_maybe_shared(content_range(&range, total));
            fields.extend(field.ok().map(|field| (CONTENT_RANGE, field)));
            *response.body_mut() = content.range(range.clone()).into();
            range.end - range.start
        }
        Selection::Many(ranges) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let part = |range| content.range(range);
            let (of, etag) = (&fields[CONTENT_TYPE], fields[ETAG].as_bytes());
            let parts = ByteRanges::new(ranges, total, of, etag, part);
            *response.body_mut() = parts.body;
            fields.insert(CONTENT_TYPE, parts.content_type);
            parts.length
        }
    };
    if length != total {
        fields.insert(CONTENT_LENGTH, decimal(length));
    }
    *response.headers_mut() = fields;
    response
}

fn not_modified(fields: HeaderMap) -> Response<ServiceBody> {
    let mut response = Response::new(ServiceBody::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = fields;
    response
}

fn class(content: Content, liveness: Liveness) -> CacheClass {
    match (content, liveness) {
        (Content::Manifest, Liveness::Final) => CacheClass::Manifest,
        (Content::Manifest, Liveness::Live | Liveness::Ahead) => CacheClass::LiveManifest,
        (Content::Fragment(_), Liveness::Final) => CacheClass::Fragment,
        (Content::Fragment(_), Liveness::Live) => CacheClass::LiveFragment,
        (Content::Fragment(_), Liveness::Ahead) => CacheClass::LiveEdge,
        (Content::File, _) => CacheClass::File,
    }
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
