//! The live server manifest: what an encoder says of the tracks that it pushes.

use bytes::Bytes;

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::{Content, FullBox};

/// The server manifest of a pushed stream, before its `moov`.
///
/// Spec: [MS-SSTR] 2.2.7.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveServerManifest {
    /// Version 0.
    pub full: FullBox,
    /// The document: SMIL in UTF-8 or UTF-16, which
    /// [`ServerManifest`](crate::manifest::ServerManifest) reads.
    pub document: Bytes,
}

impl LiveServerManifest {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0xa5d40b30_e814_11dd_ba2f_0800200c9a66);
}

impl Content for LiveServerManifest {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { full: FullBox::parse(body)?, document: body.rest() })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + self.document.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.put(&self.document);
    }
}
