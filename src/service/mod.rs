//! Floor 8: an origin in the types of the HTTP ecosystem, ready for a CDN.
//!
//! One concern per file: conditions, ranges, caching, cross-origin pages, cross-domain policies, files
//! beside the presentations, compressed manifests, failures.

mod allowed_origin;
#[cfg(feature = "axum")]
mod axum;
mod body;
mod byte_ranges;
mod caching;
#[cfg(feature = "compression")]
mod compression;
mod conditions;
#[cfg(feature = "compression")]
mod content_coding;
mod cors;
mod cross_domain;
mod failure;
mod fields;
mod files;
mod head;
#[cfg(feature = "live")]
mod ingest;
mod json;
mod kept_links;
mod media_type;
mod passed_file;
mod pattern;
mod policy;
mod precondition;
mod prepared;
mod problem;
mod range;
mod redirect;
mod redirects;
mod reply_fields;
mod requested;
mod resource;
mod respond;
mod selection;
mod store_redirect;
#[cfg(feature = "tower")]
mod tower;

use std::sync::Arc;

pub use allowed_origin::InvalidOrigin;
pub use body::ServiceBody;
pub use caching::{CacheClass, CacheControl, Caching};
pub use cors::Cors;
pub use failure::Failure;
pub use files::PassedFiles;
#[cfg(feature = "live")]
pub use ingest::{IngestRequest, IngestService, Peer, Verdict};
pub use pattern::Pattern;
pub use redirects::{InvalidLife, Redirects};
pub use requested::Requested;

use http::HeaderName;

use crate::origin::Origin;
use crate::output::Outputs;

/// Answers `http::Request`s for presentations, their manifests and fragments, and the files beside
/// them: GET, HEAD and OPTIONS, conditions and ranges, by RFC 9110.
///
/// With the feature `tower` it is a `tower_service::Service` as well, for hyper, axum and tonic.
/// Cheap to clone.
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use smooth_origin::origin::{Origin, block_on};
/// # use smooth_origin::storage::LocalStore;
/// use smooth_origin::service::OriginService;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// let service = OriginService::new(Origin::new(LocalStore::new(root)?));
/// let request = http::Request::get("http://localhost/ffmpeg/ffmpeg.ism/Manifest").body(())?;
/// let response = block_on(service.respond(&request));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers()["content-type"], "application/vnd.ms-sstr+xml");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct OriginService {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: prepared::ServiceId,
    origin: Origin,
    options: ServiceOptions,
    /// Set if clients are redirected to the store.
    links: Option<kept_links::KeptLinks>,
    #[cfg(feature = "compression")]
    compressor: compression::Compressor,
}

/// Options of a service.
///
/// ```
/// use smooth_origin::service::{Cors, PassedFiles, ServiceOptions};
/// let options = ServiceOptions::default()
///     .cors(Cors::any())
///     .cross_domain_policies(true)
///     .files(PassedFiles::matching(["*.jpg"]));
/// ```
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    caching: Option<Caching>,
    cors: Option<Cors>,
    cross_domain: bool,
    files: Option<PassedFiles>,
    text_xml: bool,
    sparse_pointers: Option<HeaderName>,
    requested: bool,
    outputs: Outputs,
    redirects: Option<Redirects>,
    #[cfg(feature = "compression")]
    compression: bool,
}

impl OriginService {
    /// A service for the presentations of an origin, with [`ServiceOptions::default`].
    pub fn new(origin: Origin) -> Self {
        Self::with_options(origin, ServiceOptions::default())
    }

    /// A service for the presentations of an origin, with options.
    pub fn with_options(origin: Origin, options: ServiceOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: prepared::ServiceId::next(),
                #[cfg(feature = "compression")]
                compressor: compression::Compressor::new(origin.offload().clone()),
                origin,
                links: options.redirects.clone().map(kept_links::KeptLinks::new),
                options,
            }),
        }
    }

    /// The origin whose presentations it serves.
    pub fn origin(&self) -> &Origin {
        &self.inner.origin
    }
}

impl Default for ServiceOptions {
    /// [`Caching::default`], and nothing else that HTTP does not require.
    fn default() -> Self {
        Self {
            caching: Some(Caching::default()),
            cors: None,
            cross_domain: false,
            files: None,
            text_xml: false,
            sparse_pointers: None,
            requested: false,
            outputs: Outputs::ALL,
            redirects: None,
            #[cfg(feature = "compression")]
            compression: false,
        }
    }
}

impl ServiceOptions {
    /// Sets how long caches may keep responses; default [`Caching::default`].
    pub fn caching(mut self, caching: Caching) -> Self {
        self.caching = Some(caching);
        self
    }

    /// Leaves the header fields for caches out of responses, except `no-store` for 405, 412 and 416, and
    /// the `max-age` of redirects to the store: for a host that adds `Cache-Control` itself.
    pub fn no_caching(mut self) -> Self {
        self.caching = None;
        self
    }

    /// Sets which sites' pages may read the responses; default none.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Sets whether `/clientaccesspolicy.xml` and `/crossdomain.xml` are answered: by the files of
    /// these names, else by the policy that [`cors`](Self::cors) gives; default no.
    pub fn cross_domain_policies(mut self, answered: bool) -> Self {
        self.cross_domain = answered;
        self
    }

    /// Sets which files beside the presentations are served; default none.
    pub fn files(mut self, files: PassedFiles) -> Self {
        self.files = Some(files);
        self
    }

    /// Sets whether manifests of Smooth Streaming are called `text/xml`, as IIS did, and not
    /// `application/vnd.ms-sstr+xml`; default no, because Shaka Player refuses `text/xml`.
    pub fn text_xml(mut self, text_xml: bool) -> Self {
        self.text_xml = text_xml;
        self
    }

    /// Sets the header field with which fragments of live Smooth Streaming point to those of its sparse
    /// streams, such as events and captions, so that players learn of them without a manifest; default none,
    /// because players have to know the name. `Content-Type` is possible, as in IIS: the pointer follows the
    /// media type.
    ///
    /// The field is no part of what the `ETag` stands for, and a 304 does not have it. A cache may keep a
    /// response that does not know of a fragment which came late: the responses after it point to that, too.
    ///
    /// Spec: [MS-SSTR] 2.2.5.
    pub fn sparse_pointers(mut self, field: Option<HeaderName>) -> Self {
        self.sparse_pointers = field;
        self
    }

    /// Sets whether responses carry the name of their presentation or file for the host: see
    /// [`Requested`]. Default no, because extensions take memory for each response.
    pub fn requested(mut self, requested: bool) -> Self {
        self.requested = requested;
        self
    }

    /// Redirects clients to the store in place of sending bytes, where a response is all of one object;
    /// default no: see [`Redirects`].
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = Some(redirects);
        self
    }

    /// Sets whether Smooth Streaming is served; default yes. If not, its manifest is answered with 415
    /// (`not-served`), its fragments with 404.
    pub fn smooth(mut self, served: bool) -> Self {
        self.outputs.smooth = served;
        self
    }

    /// Sets whether DASH is served; default yes. If not, its manifest is answered with 415
    /// (`not-served`). Its segments are those of HLS: they are answered with 404 if neither is served.
    #[cfg(feature = "dash")]
    pub fn dash(mut self, served: bool) -> Self {
        self.outputs.dash = served;
        self
    }

    /// Sets whether HLS is served; default yes. If not, its playlists are answered with 415
    /// (`not-served`). Its segments are those of DASH: they are answered with 404 if neither is served.
    #[cfg(feature = "hls")]
    pub fn hls(mut self, served: bool) -> Self {
        self.outputs.hls = served;
        self
    }

    /// Sets whether manifests are sent in brotli or gzip to clients that accept it; default no. Each
    /// manifest is compressed once, in the threads of the origin's
    /// [`offload`](crate::origin::OriginBuilder::offload), or by default in a thread of the service.
    /// Until that is done, it is sent plain.
    #[cfg(feature = "compression")]
    pub fn compression(mut self, compression: bool) -> Self {
        self.compression = compression;
        self
    }
}
