//! Floor 1: the server manifest (`.ism`) and the client manifest (`.ismc`), as values.
//!
//! Both are XML in whatever encoding their producer chose, read with every dialect that is met,
//! and written in the safest form. Attributes that are not known here are kept.
//!
//! Spec: [MS-SSTR] 2.2.2; the server manifest by Microsoft's documentation of IIS Media Services.

mod characters;
mod client;
mod encoding;
mod instruction;
mod kind;
mod language;
mod mending;
mod names;
mod plain_element;
#[cfg(feature = "live")]
mod publishing_point;
mod server;
#[cfg(feature = "live")]
mod stream_manifest;
mod stream_names;
mod xml;

#[cfg(feature = "unstable-formats")]
pub use client::runs;
#[cfg(not(feature = "unstable-formats"))]
pub(crate) use client::runs;
pub use client::{
    Chunk, ChunkDetails, ClientManifest, CustomAttribute, FragmentData, Layout, OtherAttributes,
    ProtectionHeader, QualityLevel, StreamIndex,
};
pub(crate) use client::{ClientDocument, Edit, Spans, Stored};
pub(crate) use encoding::Decoded;
pub use kind::StreamKind;
pub use language::language_tag;
#[cfg(feature = "live")]
pub use publishing_point::{PublishingPointFile, SourceType};
pub use server::{ServerManifest, ServerTrack};
#[cfg(feature = "live")]
pub use stream_manifest::{ExpectedStream, StreamManifest};
pub(crate) use stream_names::stream_names;
#[cfg(feature = "dash")]
pub(crate) use xml::Writer as XmlWriter;
#[cfg(any(feature = "dash", feature = "hls", feature = "package"))]
pub(crate) use xml::{Element, Part, Reader};

/// Attributes or parameters that are not understood here, by name, in document order.
pub type Attributes = Vec<(String, String)>;
