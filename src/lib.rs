//! A Microsoft Smooth Streaming origin for any server. It opens presentations in place (an `.ism`
//! and the files that it names, or a folder of fragments as `ffmpeg -f smoothstreaming` writes it)
//! and serves their manifests and fragments. Fragments are served byte for byte as they are stored; those
//! of progressive MP4s are made of the samples, whose bytes stay as they are. With the features `dash`
//! and `hls`, the same files are also served as DASH and HLS.
//!
//! ```text
//!  HTTP request                                                                    HTTP response
//!       │                                                                                ▲
//!  [8 service]   method, headers ──► path, conditions             Reply ──► status, headers, body
//!       │                                                                                │
//!  [7 origin]    which presentation? cached ──► Arc<Opened>            drives Step<T>: gets, feeds
//!       │              Event ──► the host's log       long parsing ──► the host's threads (offload)
//!       │                                                                                │
//!  [5 output | package | live]  parse path, locate chunk ──► Step::Read / Ready(Reply{head, pieces, length})
//!       │   mss | dash, hls, cmaf                    │                  ▲
//!  [4 presentation]     streams, tracks, timeline    │                  │ pieces: Bytes made here,
//!  [3 index]     chunk ─► its place, or its samples  │                  │ or (file, range) to pass on
//!  [2 fragment | codec | captions]   views, cuts, ◄──┴── bytes read ────┘
//!                                    rewrites
//!  [1 bmff | manifest]      bytes and XML ◄─► types
//!  [0 base]      FourCc Guid Timescale Cursor Name Error FileId Step     [6 storage] ── opens, reads ranges:
//!                                                            MemoryStore, LocalStore, Bucket, Mounts
//! ```
//!
//! A module names only lower floors, and modules on one floor do not know each other. Floors 0 to 5
//! are pure: they do no input or output and use no clock and no runtime. They ask for the bytes that
//! they need with a [`Step`](base::Step). Floors 6 to 8 are the shell.
//!
//! - Floor 5 has a module per format. An MPD and playlists are text that is written once and kept;
//!   they name the same segments of CMAF, each a written `moof` and a range of the stored file. Beside
//!   them are publishing points, to which encoders push, and the packager, which writes presentations that
//!   floor 4 opens, and mends them.
//! - Floor 6 has the stores, and the archives of live events (`LocalArchive`, `BucketArchive`). A local
//!   store can ignore letter case (`ignore_case`), `Bucket` reads an object store,
//!   [`Resilience`](storage::Resilience) tries again what failed in passing, and
//!   [`Mounts`](storage::Mounts) puts several stores below prefixes.
//! - Floor 7 keeps opened presentations and popular fragments, within budgets of memory, reads and
//!   time. It drives publishing points, and follows those that another process writes. It reports each
//!   [`Event`](origin::Event) to the host, and runs long parsing on the host's threads
//!   ([`offload`](origin::OriginBuilder::offload)).
//! - Floor 8 is HTTP.
//!
//! # Where to start
//!
//! - To serve: [`Origin`] over a [`Store`](storage::Store), and with the feature
//!   `http` an `OriginService` around it. The `manual` describes the responses of the service and
//!   the meaning of each finding.
//! - To inspect a presentation: [`Presentation`](presentation::Presentation).
//! - To bring your own input and output: [`presentation::open`] and [`output::mss::answer`].
//!
//! The words that every host needs are at the root: [`Origin`], [`Name`], [`Limits`], [`Error`] and
//! [`ErrorKind`].
//!
//! ```
//! use smooth_origin::origin::{Answer, block_on};
//! use smooth_origin::storage::MemoryStore;
//! use smooth_origin::{ErrorKind, Origin};
//!
//! let origin = Origin::new(MemoryStore::default());
//! match block_on(origin.answer("/film.ism/Manifest")) {
//!     Ok(Answer::Reply(served)) => println!("{} bytes", served.body().remaining()),
//!     Ok(_) => println!("it is elsewhere"),
//!     Err(error) => assert!(matches!(error.kind, ErrorKind::NoPresentation)),
//! }
//! ```
//!
//! # Features
//!
//! | Feature | Adds | Default |
//! |---|---|---|
//! | none | opening and answering, the memory store, an async and a blocking driver | always |
//! | `fs` | local files, opened beneath a root | yes |
//! | `http` | the service: `http::Request` in, `http::Response` out | no |
//! | `tower` | the service as a `tower_service::Service`; includes `http` | no |
//! | `axum` | an axum router with the service below a path; includes `tower` | no |
//! | `dash` | DASH: an MPD for each title, and its segments of CMAF | no |
//! | `hls` | HLS: playlists for each title, and the same segments of CMAF; text as WebVTT | no |
//! | `live` | publishing points: encoders push, and players get a live presentation | no |
//! | `package` | the packager: MP4s and captions become a presentation, and a broken one is mended | no |
//! | `object-store` | any store of the crate `object_store` as a store of an origin; no runtime, no network | no |
//! | `s3`, `azure`, `gcs`, `http-store` | object stores and web servers by a location, with credentials from the environment | no |
//! | `disk-cache` | ranges of objects in a cache on local disk | no |
//! | `compression` | manifests in brotli and gzip, for the service; includes `http` | no |
//! | `tracing` | [events](origin::Event) as events of `tracing` | no |
//! | `metrics` | [numbers](origin::OriginStats) as metrics of the `metrics` facade | no |
//! | `unstable-formats` | what is below the model: boxes (`bmff`), codecs (`codec`), `base::Cursor`, runs of chunks | no |
//!
//! `unstable-formats` is for inspectors, packagers, tests and fuzzers. It makes items public and changes
//! no behaviour. Those items may change in any release; everything else follows semantic versioning.
//!
//! "Smooth Streaming" is a term of Microsoft's. This project is not affiliated with Microsoft.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unreachable_pub)]

pub mod base;
#[cfg(feature = "unstable-formats")]
pub mod bmff;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod bmff;
#[cfg(all(
    feature = "unstable-formats",
    any(feature = "dash", feature = "hls", feature = "package")
))]
pub mod captions;
#[cfg(all(
    not(feature = "unstable-formats"),
    any(feature = "dash", feature = "hls", feature = "package")
))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod captions;
#[cfg(feature = "unstable-formats")]
pub mod codec;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod codec;
#[cfg(feature = "unstable-formats")]
pub mod fragment;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod fragment;
#[cfg(feature = "unstable-formats")]
pub mod index;
#[cfg(not(feature = "unstable-formats"))]
mod index;
#[cfg(feature = "live")]
pub mod live;
pub mod manifest;
pub mod origin;
pub mod output;
#[cfg(feature = "package")]
pub mod package;
pub mod presentation;
#[cfg(feature = "http")]
pub mod service;
pub mod storage;

#[doc(inline)]
pub use base::{Error, ErrorKind, Limits, Name};
#[doc(inline)]
pub use origin::Origin;

/// The guides of the repository: how to operate the service, and what each finding means.
#[cfg(doc)]
pub mod manual {
    #[doc = include_str!("../docs/operating.md")]
    pub mod operating {}

    #[doc = include_str!("../docs/findings.md")]
    pub mod findings {}

    #[cfg(feature = "live")]
    #[doc = include_str!("../docs/live-ingest.md")]
    pub mod live_ingest {}

    #[cfg(feature = "live")]
    #[doc = include_str!("../docs/live.md")]
    pub mod live {}
}
