//! A fragment as it is stored: where it ends, which track it belongs to, and whether it can be
//! served.

use std::ops::Range;

use bytes::Bytes;

use super::media_data::{Behind, HEADER, header_at, mdat_behind, total};
use super::samples::{Defaults, count};
use super::{Noun, OtherTime};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::{AnyBox, Body, Boxes, Senc, Tfdt, Tfhd, Trun, uuid};

/// A fragment whose `moof` has been read and whose `mdat` has been found.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// The whole `moof`, as stored.
    pub(crate) moof: Bytes,
    /// The boxes in its one `traf`.
    pub(crate) traf: Boxes,
    /// First byte of the `mdat`'s payload, from the first byte of the `moof`.
    pub(crate) payload: u64,
    /// Bytes from the first of the `moof` to the last of the `mdat`, or to the last of the `moof`
    /// if the fragment has neither samples nor an `mdat`.
    pub(crate) len: u64,
    /// The `moof` as a tree, with an empty `traf` in place of the one above.
    others: Boxes,
}

/// The lengths of a fragment: what is kept of it once it has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Bytes of the `moof`.
    pub(crate) moof: u64,
    /// Bytes before the payload of the `mdat`.
    pub(crate) payload: u64,
    /// Bytes of the fragment.
    pub(crate) len: u64,
}

impl Lengths {
    /// Returns the lengths of a fragment of which these are all bytes, without a look into its `moof`.
    ///
    /// # Errors
    /// Errors if the bytes are not one `moof` and what follows it up to the end of an `mdat`.
    #[cfg(feature = "live")]
    pub(crate) fn of_whole(bytes: &Bytes) -> Result<Self, Error> {
        let room = bytes.len() as u64;
        let missing = |what| Error::from(ErrorKind::Missing { what, clause: "[MS-SSTR] 2.2.4" });
        let header = header_at(bytes, 0, 0, room)?.filter(|header| header.kind == *b"moof");
        let header = header.ok_or_else(|| missing("`moof` of a fragment"))?;
        let moof = total(&header, 0, 0, room)?;
        match mdat_behind(bytes, 0, moof, room)? {
            Behind::Mdat { payload, len } if len == room => Ok(Self { moof, payload, len }),
            _ => Err(missing("end of the fragment behind its `mdat`")),
        }
    }

    /// Returns the bytes of the fragment that a noun asks for, if they are stored as they are.
    #[inline]
    pub(crate) fn part(self, noun: Noun) -> Range<u64> {
        match noun {
            Noun::Fragments | Noun::KeyFrames => 0..self.len,
            Noun::FragmentInfo => 0..self.moof,
            Noun::RawFragments => self.payload..self.len,
        }
    }
}

/// The error of an index entry that leads to something else.
pub(super) fn misled(what: String) -> Error {
    ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.10" }.into()
}

/// The result of looking at the first bytes of a fragment.
pub(crate) enum Parsed {
    /// Its head is there.
    Whole(Box<Stored>),
    /// This many bytes are needed, counted from its start.
    Needs(u64),
}

impl Stored {
    /// Reads the head of the fragment that begins at byte `start` of its file, of which `block`
    /// holds the first bytes, and which ends before byte `bound`.
    ///
    /// # Errors
    /// Errors if there is no `moof`, or no `mdat` behind one with samples, or if one of them reaches
    /// beyond `bound`; [`ErrorKind::NotSliceable`] if it cannot be cut out of its file.
    pub(crate) fn parse(
        block: &Bytes,
        start: u64,
        bound: u64,
        limits: &Limits,
    ) -> Result<Parsed, Error> {
        let room = bound.saturating_sub(start);
        let Some(header) = header_at(block, start, 0, room)? else {
            return Ok(Parsed::Needs(HEADER));
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
            return Ok(Parsed::Needs(moof_len + HEADER));
        }
        let behind = match mdat_behind(block, start, moof_len, room) {
            Ok(Behind::Needs(len)) => return Ok(Parsed::Needs(len)),
            Ok(Behind::Mdat { payload, len }) => Ok((payload, len)),
            Err(error) => Err(error),
        };
        let moof = block.slice(..moof_len as usize);
        if let Err(error) = &behind
            && !matches!(error.kind, ErrorKind::Missing { .. })
        {
            return Err(error.clone());
        }
        let mut others = Boxes::parse(&moof, start, limits)?;
        let traf = only_traf(&mut others)
            .map_err(|kind| Error::at(start, kind).inside(FourCc(*b"moof")))?;
        let (payload, len) = match behind {
            Ok(found) => found,
            Err(_) if is_without_bytes(&traf) => (moof_len, moof_len),
            Err(error) => return Err(error),
        };
        Ok(Parsed::Whole(Box::new(Self { moof, traf, payload, len, others })))
    }

    /// A fragment of a `moof` that has other `traf`s beside this one.
    pub(super) fn part(moof: &Bytes, traf: Boxes, payload: u64, len: u64) -> Self {
        Self { moof: moof.clone(), traf, payload, len, others: Boxes::default() }
    }

    /// Describes a part of the `moof` that cannot be read and that slicing does not need.
    pub(crate) fn unread(&self) -> Option<String> {
        self.others.unread().or_else(|| self.traf.unread_in(FourCc(*b"traf")))
    }

    /// Returns the `moof` as a tree.
    pub(crate) fn tree(&self) -> Boxes {
        let mut tree = self.others.clone();
        let traf = tree.inside_mut(*b"moof").and_then(|moof| moof.inside_mut(*b"traf"));
        if let Some(traf) = traf {
            traf.clone_from(&self.traf);
        }
        tree
    }

    /// Returns the boxes in the `moof`, of which the `traf` is empty.
    pub(super) fn moof_boxes(&self) -> &[AnyBox] {
        self.others.inside(*b"moof").map_or(&[], |moof| &moof.list)
    }

    /// Returns whether it has no samples.
    pub(crate) fn is_empty(&self) -> bool {
        is_empty(&self.traf)
    }

    /// Returns the number of samples that its runs claim.
    pub(crate) fn samples(&self) -> u64 {
        self.traf.all::<Trun>().map(|trun| u64::from(trun.sample_count)).sum()
    }

    /// The track it belongs to.
    pub(crate) fn track_id(&self) -> Option<u32> {
        self.traf.get::<Tfhd>().map(|tfhd| tfhd.track_id)
    }

    /// Its start as it says itself, in ticks of the track: `tfxd`, else `tfdt` and the first
    /// sample's composition offset. Most on-demand files say nothing. A start before 0 is stored
    /// in two's complement.
    pub(crate) fn time(&self) -> Option<i64> {
        if let Some(tfxd) = self.traf.get::<uuid::Tfxd>() {
            return Some(tfxd.time as i64);
        }
        let decoded = self.decode_time()?;
        let first = self.traf.get::<Trun>().and_then(|trun| trun.samples().next());
        let offset = first.and_then(|sample| sample.composition_offset).unwrap_or(0);
        Some(decoded.wrapping_add(offset.into()))
    }

    /// The box that says its start has only 32 bits for it.
    pub(crate) fn has_short_time(&self) -> bool {
        let version = match self.traf.get::<uuid::Tfxd>() {
            Some(tfxd) => Some(tfxd.full.version),
            None => self.traf.get::<Tfdt>().map(|tfdt| tfdt.full.version),
        };
        version == Some(0)
    }

    /// Returns the time at which its first sample is decoded, by `tfdt`.
    fn decode_time(&self) -> Option<i64> {
        Some(self.traf.get::<Tfdt>()?.base_media_decode_time as i64)
    }

    /// Returns its lengths.
    pub(crate) fn lengths(&self) -> Lengths {
        Lengths { moof: self.moof.len() as u64, payload: self.payload, len: self.len }
    }

    /// Sum of its samples' durations, in ticks of the track.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] beyond [`Limits::samples`].
    pub(crate) fn duration(&self, defaults: Defaults, limits: &Limits) -> Result<u64, Error> {
        count(&self.traf, limits)?;
        let defaults = self.defaults(defaults);
        let ticks = self.traf.all::<Trun>().map(|trun| defaults.ticks(trun));
        Ok(ticks.fold(0, u64::saturating_add))
    }

    /// Returns true if a sample lasts so long that its duration must be a negative one: muxers write such where times go
    /// back.
    #[cfg(feature = "live")]
    pub(crate) fn has_negative_duration(&self, defaults: Defaults) -> bool {
        let defaults = self.defaults(defaults);
        let is_negative = |ticks: u32| ticks > i32::MAX.unsigned_abs();
        let mut runs = self.traf.all::<Trun>();
        runs.any(|trun| defaults.samples(trun).any(|of| is_negative(of.sample.duration)))
    }

    /// Returns whether its samples have IVs in the way of CMAF, and it has nothing of Smooth Streaming.
    pub(crate) fn is_encrypted_cmaf(&self) -> bool {
        let has_piff = self.traf.get::<uuid::PiffSenc>().is_some();
        let is_smooth = has_piff || self.traf.get::<uuid::Tfxd>().is_some();
        !is_smooth && self.traf.get::<Senc>().is_some_and(|senc| senc.0.has_ivs())
    }

    /// Bytes of its samples.
    pub(crate) fn bytes(&self, defaults: Defaults) -> u64 {
        let defaults = self.defaults(defaults);
        let bytes = self.traf.all::<Trun>().map(|trun| defaults.bytes(trun));
        bytes.fold(0, u64::saturating_add)
    }

    /// Checks that it belongs to the track that the index says.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it belongs to another: it must not be served under this name.
    pub(crate) fn check_track(&self, track_id: u32) -> Result<(), Error> {
        let found = self.track_id();
        if found == Some(track_id) {
            return Ok(());
        }
        let found = found.map_or("none".into(), |id| id.to_string());
        Err(misled(format!("a fragment of track {found} where the index says {track_id}")))
    }

    /// Compares the start that it says with `time`, in ticks of the track, give or take
    /// `tolerance`. `None` if they agree, or if it does not say when it starts.
    pub(crate) fn other_time(&self, time: i64, tolerance: u64) -> Option<OtherTime> {
        let found = self.time()?;
        let decoded = self.decode_time();
        // ffmpeg writes a start before 0 into `tfxd` as it is, and into `tfra` as 0. Bento4 writes
        // the time of decoding into `tfra`.
        let said = [Some(found), Some(found.max(0)), decoded];
        let agrees = said.into_iter().flatten().any(|said| said.abs_diff(time) <= tolerance);
        (!agrees).then_some(OtherTime { found, decoded, time })
    }
}

/// Returns whether a `traf` has no samples: an empty duration (ISO/IEC 14496-12, 8.8.7) or nothing
/// to show.
fn is_empty(traf: &Boxes) -> bool {
    traf.all::<Trun>().all(|trun| trun.sample_count == 0)
}

/// Returns whether the samples of a `traf`, if it has any, are known to have no bytes.
fn is_without_bytes(traf: &Boxes) -> bool {
    // Sizes that the fragment leaves to the file's header are not known here.
    let unknown = Defaults { size: u32::MAX, ..Defaults::default() };
    let defaults = traf.get::<Tfhd>().map_or(unknown, |tfhd| unknown.of(tfhd));
    traf.all::<Trun>().all(|trun| defaults.bytes(trun) == 0)
}

/// Takes the boxes out of the one `traf`.
fn only_traf(boxes: &mut Boxes) -> Result<Boxes, ErrorKind> {
    let moof = boxes.inside_mut(*b"moof").map(|moof| moof.list.as_mut_slice());
    let mut trafs = moof.unwrap_or_default().iter_mut().filter_map(|item| match &mut item.body {
        Body::Boxes(traf) if item.header.kind == *b"traf" => Some(traf),
        _ => None,
    });
    let missing = ErrorKind::Missing { what: "`traf`", clause: "[MS-SSTR] 2.2.4" };
    let traf = trafs.next().map(std::mem::take).ok_or(missing)?;
    if trafs.next().is_some() {
        return Err(ErrorKind::NotSliceable("a `moof` of several tracks"));
    }
    Ok(traf)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bmff::{FullBox, Mfhd};

    pub(in crate::fragment) fn traf(boxes: impl IntoIterator<Item = AnyBox>) -> AnyBox {
        let tfhd = AnyBox::new(Tfhd { track_id: 2, ..Tfhd::default() });
        AnyBox::container(*b"traf", [tfhd].into_iter().chain(boxes))
    }

    pub(in crate::fragment) fn moof(trafs: impl IntoIterator<Item = AnyBox>) -> AnyBox {
        let mfhd = AnyBox::new(Mfhd::default());
        AnyBox::container(*b"moof", [mfhd].into_iter().chain(trafs))
    }

    #[test]
    fn samples_without_bytes_need_no_mdat() {
        let trun = |size: u32| {
            let full = FullBox { version: 0, flags: Trun::SIZE };
            let entries = size.to_be_bytes().to_vec().into();
            AnyBox::new(Trun { full, sample_count: 1, entries, ..Trun::default() })
        };
        let stored = whole(&bytes([moof([traf([trun(0)])])]));
        assert_eq!(stored.payload, stored.len);
        for samples in [trun(1), sample()] {
            let bytes = bytes([moof([traf([samples])])]);
            assert!(parse(&bytes, bytes.len() as u64).is_err());
        }
    }

    fn sample() -> AnyBox {
        AnyBox::new(Trun { sample_count: 1, ..Trun::default() })
    }

    pub(in crate::fragment) fn mdat() -> AnyBox {
        AnyBox::other(*b"mdat", vec![7; 40])
    }

    pub(in crate::fragment) fn bytes(boxes: impl IntoIterator<Item = AnyBox>) -> Bytes {
        boxes.into_iter().collect::<Boxes>().to_bytes()
    }

    fn parse(bytes: &Bytes, bound: u64) -> Result<Parsed, Error> {
        Stored::parse(bytes, 100, 100 + bound, &Limits::default())
    }

    pub(in crate::fragment) fn whole(bytes: &Bytes) -> Stored {
        match parse(bytes, bytes.len() as u64).unwrap() {
            Parsed::Whole(stored) => *stored,
            Parsed::Needs(len) => panic!("needs {len}"),
        }
    }

    fn refused(bytes: &Bytes) -> String {
        parse(bytes, bytes.len() as u64).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_fragment_ends_with_its_mdat_and_not_where_the_next_begins() {
        let free = || AnyBox::other(*b"free", vec![0; 9]);
        let stored = whole(&bytes([moof([traf([])]), mdat(), free()]));
        assert_eq!(
            (stored.len, stored.payload),
            (stored.moof.len() as u64 + 48, stored.moof.len() as u64 + 8)
        );
        let between = whole(&bytes([moof([traf([])]), free(), mdat()]));
        assert_eq!((between.len, between.payload), (stored.len + 17, stored.payload + 17));
    }

    #[test]
    fn any_prefix_asks_for_what_is_missing_and_then_gives_the_same() {
        let all = bytes([moof([traf([])]), AnyBox::other(*b"free", vec![0; 50]), mdat()]);
        let expected = whole(&all);
        for len in 0..all.len() {
            let mut have = len;
            let stored = loop {
                match parse(&all.slice(..have), all.len() as u64).unwrap() {
                    Parsed::Whole(stored) => break stored,
                    Parsed::Needs(needs) => {
                        assert!(needs > have as u64, "asked again for what was there");
                        have = (needs as usize).min(all.len());
                    }
                }
            };
            assert_eq!((stored.len, stored.payload), (expected.len, expected.payload));
        }
    }

    #[test]
    fn a_fragment_without_samples_ends_with_its_moof_unless_an_mdat_follows() {
        let without = [moof([traf([])]), moof([traf([AnyBox::new(Trun::default())])])];
        for empty in without {
            let len = empty.len();
            let free = || AnyBox::other(*b"free", vec![0; 9]);
            for behind in [vec![], vec![free()], vec![free(), moof([traf([sample()])]), mdat()]] {
                let stored = whole(&bytes([vec![empty.clone()], behind].concat()));
                assert_eq!((stored.payload, stored.len), (len, len));
            }
            let stored = whole(&bytes([empty, mdat()]));
            assert_eq!((stored.payload, stored.len), (len + 8, len + 48));
        }
    }

    #[test]
    fn what_is_no_fragment_is_refused_with_its_place() {
        for (boxes, says) in [
            (vec![mdat()], "at byte 100: a box `mdat` where the index says `moof`"),
            (vec![moof([traf([sample()])])], "no `mdat` behind its `moof`"),
            (vec![moof([traf([sample()])]), moof([]), mdat()], "no `mdat` behind its `moof`"),
            (vec![moof([]), mdat()], "moof at byte 100: no `traf`"),
            (vec![moof([traf([]), traf([])]), mdat()], "a `moof` of several tracks"),
        ] {
            let error = refused(&bytes(boxes));
            assert!(error.contains(says), "{error}");
        }
        let all = bytes([moof([traf([])]), mdat()]);
        let short = parse(&all, all.len() as u64 - 1).map(|_| ()).unwrap_err();
        assert!(short.to_string().contains("mdat at byte 148: needs 48 bytes, has 47"), "{short}");
        let mut open_end = all.to_vec();
        open_end[48..52].fill(0);
        assert!(refused(&open_end.into()).contains("reaches to the end of its file"));
    }

    #[test]
    fn a_fragment_of_another_track_or_time_is_found_out() {
        let tfxd = |time| {
            AnyBox::new(uuid::Tfxd { full: FullBox { version: 1, flags: 0 }, time, duration: 5 })
        };
        let of_time = |time| whole(&bytes([moof([traf([tfxd(time)])]), mdat()]));
        let stored = of_time(1000);
        assert!(stored.check_track(2).is_ok() && stored.other_time(1003, 3).is_none());
        let error = stored.check_track(1).unwrap_err().to_string();
        assert!(error.contains("of track 2 where the index says 1"), "{error}");
        let error = stored.other_time(1004, 3).unwrap().misled().to_string();
        assert!(error.contains("of time 1000 where the index says 1004"), "{error}");
        let early = of_time(-213_333_i64 as u64);
        assert!(early.other_time(-213_333, 0).is_none() && early.other_time(0, 0).is_none());
        let silent = whole(&bytes([moof([traf([])]), mdat()]));
        assert!(silent.other_time(5, 0).is_none());
    }
}
