//! A `moof` as it is stored, with the `traf`s of one or more tracks.

use bytes::Bytes;

use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Body, Boxes, Tfhd};
use crate::fragment::Stored;
use crate::fragment::media_data::{Behind, HEADER, header_at, mdat_behind, total};

/// A `moof` that may have several `traf`s, and the `mdat` behind it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The `moof` as a tree, whose `traf`s are empty.
    pub(super) others: Boxes,
    /// The boxes in its `traf`s.
    pub(super) trafs: Vec<Boxes>,
    /// First byte of the `moof` in its file.
    pub(super) start: u64,
    /// First byte of the `mdat`'s payload, from the first byte of the `moof`.
    pub(super) payload: u64,
    /// Bytes from the first of the `moof` to the last of the `mdat`.
    pub(super) len: u64,
    moof: Bytes,
}

/// The result of looking at the first bytes of a fragment.
pub(crate) enum SharedParsed {
    /// Its head is there.
    Whole(Box<Shared>),
    /// This many bytes are needed, counted from its start.
    Needs(u64),
}

impl Shared {
    /// Reads the head of the fragment that begins at byte `start` of its file, of which `block`
    /// holds the first bytes, and which ends before byte `bound`.
    ///
    /// # Errors
    /// Errors if there is no `moof`, or no `mdat` behind it, or if one of them reaches beyond `bound`.
    pub(crate) fn parse(
        block: &Bytes,
        start: u64,
        bound: u64,
        limits: &Limits,
    ) -> Result<SharedParsed, Error> {
        let room = bound.saturating_sub(start);
        let Some(header) = header_at(block, start, 0, room)? else {
            return Ok(SharedParsed::Needs(HEADER));
        };
        if header.kind != *b"moof" {
            let what = format!("a box `{}` where the index says `moof`", header.kind);
            let clause = "ISO/IEC 14496-12, 8.8.10";
            return Err(Error::at(start, ErrorKind::Invalid { what, clause }));
        }
        let moof_len = total(&header, start, 0, room)?;
        Limits::check("bytes of a `moof`", moof_len, limits.moof)
            .map_err(|kind| Error::at(start, kind))?;
        if moof_len > block.len() as u64 {
            return Ok(SharedParsed::Needs(moof_len + HEADER));
        }
        let (payload, len) = match mdat_behind(block, start, moof_len, room)? {
            Behind::Needs(len) => return Ok(SharedParsed::Needs(len)),
            Behind::Mdat { payload, len } => (payload, len),
        };
        let moof = block.slice(..moof_len as usize);
        let mut others = Boxes::parse(&moof, start, limits)?;
        let list = others.inside_mut(*b"moof").map(|moof| moof.list.as_mut_slice());
        let trafs = list.unwrap_or_default().iter_mut().filter_map(|item| match &mut item.body {
            Body::Boxes(traf) if item.header.kind == *b"traf" => Some(std::mem::take(traf)),
            _ => None,
        });
        let trafs = trafs.collect();
        Ok(SharedParsed::Whole(Box::new(Self { others, trafs, start, payload, len, moof })))
    }

    /// Returns the fragments that it would be if each `traf` had a `moof` of its own. Only what they say
    /// of their samples holds: they cannot be cut out.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Stored> + '_ {
        let part = |traf: &Boxes| Stored::part(&self.moof, traf.clone(), self.payload, self.len);
        self.trafs.iter().map(part)
    }
}

/// Returns whether a `traf` is of this track.
pub(super) fn is_of(traf: &Boxes, track_id: u32) -> bool {
    traf.get::<Tfhd>().is_some_and(|tfhd| tfhd.track_id == track_id)
}
