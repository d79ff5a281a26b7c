//! The noun `KeyFrames`: a fragment of those samples that can be decoded on their own.

use std::ops::Range;

use bytes::Bytes;

use super::key_samples::{Rule, each_part, keep_first, keys, ranges};
use super::sample_boxes::moof;
use super::samples::{Defaults, count};
use super::{Stored, Whereabouts};
use crate::base::{Error, FourCc, Limits, Sink};
use crate::bmff::Header;

/// A fragment cut down to its key samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyFrames {
    /// The written `moof` and the header of the `mdat`.
    pub(crate) head: Bytes,
    /// The samples, as parts of the stored fragment.
    pub(crate) samples: Vec<Range<u64>>,
}

/// The key samples that a cut keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All of them: the noun `KeyFrames` of Smooth Streaming.
    All,
    /// The first one, which then lasts as long as the fragment.
    #[cfg_attr(not(any(feature = "dash", feature = "hls", test)), allow(dead_code))]
    First,
}

/// Key samples of a fragment that has others too. They may take no bytes there, and take some here.
const MAX_KEYS: u64 = 4096;

impl KeyFrames {
    /// Cuts a fragment; `None` when every sample is kept, or when a cut might give the wrong bytes, so
    /// that the stored fragment is the answer.
    ///
    /// Each sample's duration is stretched to the next key sample, so that the fragment begins and
    /// ends when it did. A key sample that is not the fragment's first is shown no earlier.
    ///
    /// Spec: [MS-SSTR] 2.2.3 and 3.2.5.
    ///
    /// # Errors
    /// [`NotSliceable`](crate::base::ErrorKind::NotSliceable) if the fragment cannot be cut.
    pub(crate) fn cut(
        stored: &Stored,
        keep: Keep,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        let total = count(&stored.traf, limits)?;
        let whereabouts = stored.check_samples(defaults, limits)?;
        if stored.unread().is_some() || stored.is_absolute() {
            // What cannot be read may have an entry per sample; an absolute offset stays wrong.
            return Ok(None);
        }
        if stored.moof.starts_with(&[0; 4]) {
            // A `moof` that reaches to the end leaves no room for an `mdat` after it.
            return Ok(None);
        }
        let mended;
        let stored = match whereabouts {
            Whereabouts::Start | Whereabouts::Payload => stored,
            Whereabouts::Elsewhere { fill: false } => return Ok(None),
            Whereabouts::Elsewhere { fill: true } => {
                mended = stored.without_offsets();
                &mended
            }
        };
        if stored.len > stored.payload && stored.runs(defaults).all(|run| run.bytes == 0) {
            // The sizes are nowhere: the file's `trex` is missing or cannot be read.
            return Ok(None);
        }
        let rule = Rule::of(stored, defaults, total);
        let mut found = 0;
        each_part(stored, defaults, rule, |part| {
            found += if part.is_key { part.alike.count } else { 0 };
        })?;
        let kept = if keep == Keep::First { found.min(1) } else { found };
        if kept == total {
            return Ok(None);
        }
        Limits::check("key samples of a fragment", found, MAX_KEYS)?;
        let (mut keys, lead) = keys(stored, defaults, rule)?;
        if keep == Keep::First {
            keep_first(&mut keys);
        }
        let samples = ranges(&keys);
        let payload: u64 = samples.iter().map(|range| range.end - range.start).sum();
        let mdat = Header::new(FourCc(*b"mdat")).around(payload);
        let moof = moof(stored, &keys, lead, mdat.len())?;
        let mut sink = Sink::with_len((moof.len() + mdat.len()) as usize);
        moof.write(&mut sink);
        mdat.write(&mut sink);
        Ok(Some(Self { head: sink.finish(), samples }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Guid;
    use crate::bmff::uuid::PiffSenc;
    use crate::bmff::{
        AnyBox, Body, Boxes, FullBox, Mfhd, Saio, Saiz, SampleEncryption, Sbgp, Sdtp, Senc, Subs,
        SubsEntry, Tfhd, Trun, TrunSample,
    };
    use crate::fragment::Parsed;

    const I: u8 = 0x24;
    const P: u8 = 0x14;

    /// Sizes and composition offsets of four samples of 10 ticks each.
    const SAMPLES: [(u32, i32); 4] = [(4, 0), (1, 20), (2, -10), (3, 5)];

    fn trun(samples: &[(u32, i32)]) -> Trun {
        let fields = Trun::DURATION | Trun::SIZE | Trun::COMPOSITION_OFFSET;
        let samples: Vec<_> = samples
            .iter()
            .map(|&(size, offset)| TrunSample {
                duration: Some(10),
                size: Some(size),
                flags: None,
                composition_offset: Some(offset),
            })
            .collect();
        Trun { full: FullBox { version: 1, flags: fields }, ..Trun::default() }
            .with_samples(&samples)
    }

    /// A fragment of these boxes and a payload of 0, 1, 2, …; the first run's offset is set.
    fn fragment(mut boxes: Vec<AnyBox>, payload: u8) -> (Bytes, Stored) {
        let tfhd = Tfhd { track_id: 1, ..Tfhd::default() };
        boxes.insert(0, AnyBox::new(tfhd));
        let moof = |boxes: &[AnyBox]| {
            let traf = AnyBox::container(*b"traf", boxes.to_vec());
            AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf])
        };
        let with_offset = |boxes: &mut Vec<AnyBox>, offset| {
            let first = boxes.iter_mut().find_map(|item| match &mut item.body {
                Body::Trun(trun) => Some(trun),
                _ => None,
            });
            first.unwrap().data_offset = Some(offset);
        };
        with_offset(&mut boxes, 0);
        let offset = moof(&boxes).len() + 8;
        with_offset(&mut boxes, offset as i32);
        let mdat = AnyBox::other(*b"mdat", (0..payload).collect::<Vec<u8>>());
        let bytes = Boxes::from_iter([moof(&boxes), mdat]).to_bytes();
        let stored = parse(&bytes);
        (bytes, stored)
    }

    fn parse(bytes: &Bytes) -> Stored {
        match Stored::parse(bytes, 0, bytes.len() as u64, &Limits::default()).unwrap() {
            Parsed::Whole(stored) => *stored,
            Parsed::Needs(_) => panic!("the whole fragment is there"),
        }
    }

    /// The cut fragment with its samples, as a client gets it.
    fn cut(bytes: &Bytes, stored: &Stored) -> (Bytes, Stored) {
        let cut = KeyFrames::cut(stored, Keep::All, Defaults::default(), &Limits::default())
            .unwrap()
            .unwrap();
        let samples =
            cut.samples.iter().map(|range| &bytes[range.start as usize..range.end as usize]);
        let bytes: Bytes = [&cut.head[..]].into_iter().chain(samples).flatten().copied().collect();
        let stored = parse(&bytes);
        assert_eq!(stored.len, bytes.len() as u64);
        let whereabouts = stored.check_samples(Defaults::default(), &Limits::default()).unwrap();
        assert_eq!(whereabouts, Whereabouts::Start);
        (bytes, stored)
    }

    fn samples(stored: &Stored) -> Vec<(u32, u32, i32)> {
        let runs = stored.runs(Defaults::default());
        let samples = runs.flat_map(|run| run.samples().map(|alike| alike.sample));
        samples.map(|s| (s.duration, s.size, s.composition_offset)).collect()
    }

    fn sdtp(bytes: &'static [u8]) -> AnyBox {
        AnyBox::new(Sdtp { full: FullBox::default(), samples: Bytes::from_static(bytes) })
    }

    #[test]
    fn dropped_samples_give_their_time_to_the_key_frame_before_them() {
        let boxes = vec![AnyBox::new(trun(&SAMPLES)), sdtp(&[I, P, I, P])];
        let (bytes, stored) = fragment(boxes, 10);
        let (cut, parsed) = cut(&bytes, &stored);
        assert_eq!(samples(&parsed), [(20, 4, 0), (20, 2, -10)]);
        assert_eq!(cut[parsed.payload as usize..], [0, 1, 2, 3, 5, 6]);
        assert_eq!(parsed.traf.get::<Sdtp>().unwrap().samples, [I, I][..]);
    }

    #[test]
    fn the_first_key_frame_alone_lasts_as_long_as_the_fragment() {
        let first = |types: &'static [u8]| {
            let (bytes, stored) = fragment(vec![AnyBox::new(trun(&SAMPLES)), sdtp(types)], 10);
            let limits = Limits::default();
            let cut = KeyFrames::cut(&stored, Keep::First, Defaults::default(), &limits);
            let cut = cut.unwrap().unwrap();
            let taken =
                cut.samples.iter().map(|range| &bytes[range.start as usize..range.end as usize]);
            let bytes: Bytes =
                [&cut.head[..]].into_iter().chain(taken).flatten().copied().collect();
            samples(&parse(&bytes))
        };
        assert_eq!(first(&[I, P, I, P]), [(40, 4, 0)]);
        assert_eq!(first(&[I, I, I, I]), [(40, 4, 0)]);
        assert_eq!(first(&[P, P, I, I]), [(40, 2, 10)]);
    }

    #[test]
    fn a_fragment_whose_moof_reaches_to_the_end_is_not_cut() {
        let (mut trun, sizes) = (trun(&SAMPLES), [0; 4].map(|size| (size, 0)));
        trun = Trun { full: trun.full, ..self::trun(&sizes) };
        let traf = [
            AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() }),
            AnyBox::new(trun),
            sdtp(&[I, P, I, P]),
        ];
        let traf = AnyBox::container(*b"traf", traf);
        let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
        let bytes = Boxes::from_iter([moof]).to_bytes();
        let cut = |bytes: &Bytes| {
            KeyFrames::cut(&parse(bytes), Keep::All, Defaults::default(), &Limits::default())
                .unwrap()
        };
        assert!(cut(&bytes).is_some());
        let to_end = Bytes::from([&[0; 4], &bytes[4..]].concat());
        assert_eq!(cut(&to_end), None);
    }

    #[test]
    fn a_late_key_frame_is_shown_no_earlier_and_the_fragment_begins_when_it_did() {
        let boxes = vec![AnyBox::new(trun(&SAMPLES)), sdtp(&[P, P, I, P])];
        let (bytes, stored) = fragment(boxes, 10);
        let (_, parsed) = cut(&bytes, &stored);
        assert_eq!(samples(&parsed), [(40, 2, 10)]);
    }

    #[test]
    fn flags_decide_without_sdtp_and_the_first_sample_where_they_say_nothing() {
        let with_flags = |first: u32, others: u32| {
            let mut trun = trun(&SAMPLES);
            trun.first_sample_flags = Some(first);
            let tfhd = Tfhd { track_id: 1, default_sample_flags: Some(others), ..Tfhd::default() };
            let (bytes, mut stored) = fragment(vec![AnyBox::new(trun)], 10);
            *stored.traf.get_mut::<Tfhd>().unwrap() = tfhd;
            KeyFrames::cut(&stored, Keep::All, Defaults::default(), &Limits::default())
                .map(|cut| (bytes, cut))
        };
        let of_ffmpeg = with_flags(0x0200_0000, 0x0101_0000).unwrap().1.unwrap();
        let of_expression_encoder = with_flags(0x4002, 0x4001).unwrap().1.unwrap();
        for cut in [of_ffmpeg, of_expression_encoder] {
            assert_eq!(cut.samples.iter().map(|range| range.end - range.start).sum::<u64>(), 4);
        }
        assert_eq!(with_flags(0x0200_0000, 0x0200_0000).unwrap().1, None, "all are key frames");
    }

    #[test]
    fn encryption_is_cut_with_the_samples_and_its_offset_moves() {
        let iv = |i: u8| [0xa0 + i; 8];
        let entries: Vec<u8> = (0..4).flat_map(iv).collect();
        let info =
            SampleEncryption { sample_count: 4, entries: entries.into(), ..Default::default() };
        let saiz = Saiz { default_sample_info_size: 8, sample_count: 4, ..Saiz::default() };
        for protection in [AnyBox::new(Senc(info.clone())), AnyBox::new(PiffSenc(info))] {
            let boxes = |offset| {
                vec![
                    AnyBox::new(trun(&SAMPLES)),
                    sdtp(&[I, P, P, I]),
                    protection.clone(),
                    AnyBox::new(saiz.clone()),
                    AnyBox::new(Saio { offsets: vec![offset], ..Saio::default() }),
                ]
            };
            let at = |bytes: &Bytes| bytes.windows(8).position(|w| w == iv(0)).unwrap() as u64;
            let offset = at(&fragment(boxes(0), 10).0);
            let (bytes, stored) = fragment(boxes(offset), 10);
            let (cut, parsed) = cut(&bytes, &stored);
            assert_eq!(parsed.traf.get::<Saio>().unwrap().offsets, [at(&cut)]);
            assert_eq!(parsed.traf.get::<Saiz>().unwrap().sample_count, 2);
            let (senc, piff) = (parsed.traf.get::<Senc>(), parsed.traf.get::<PiffSenc>());
            let info = senc.map(|senc| &senc.0).or(piff.map(|senc| &senc.0)).unwrap();
            assert_eq!(info.sample_count, 2);
            assert_eq!(info.entries, [iv(0), iv(3)].concat());

            let (_, astray) = fragment(boxes(offset + 1), 10);
            assert!(
                KeyFrames::cut(&astray, Keep::All, Defaults::default(), &Limits::default())
                    .is_err()
            );
        }
    }

    #[test]
    fn groups_and_subsamples_follow_their_samples() {
        let run = |samples: u32, group: u32| [samples.to_be_bytes(), group.to_be_bytes()].concat();
        let sbgp = Sbgp {
            full: FullBox::default(),
            grouping_type: FourCc(*b"seig"),
            grouping_type_parameter: None,
            entries: [run(1, 7), run(1, 8), run(2, 9)].concat().into(),
        };
        let entry =
            |sample_delta, byte: u8| SubsEntry { sample_delta, subsamples: vec![byte; 8].into() };
        let subs = Subs::new(FullBox::default(), [entry(1, 1), entry(1, 2), entry(2, 4)]);
        let boxes = vec![
            AnyBox::new(trun(&SAMPLES)),
            sdtp(&[I, P, P, I]),
            AnyBox::new(sbgp),
            AnyBox::new(subs),
        ];
        let (bytes, stored) = fragment(boxes, 10);
        let (_, parsed) = cut(&bytes, &stored);
        assert_eq!(parsed.traf.get::<Sbgp>().unwrap().runs().collect::<Vec<_>>(), [(1, 7), (1, 9)]);
        let subs = parsed.traf.get::<Subs>().unwrap();
        assert_eq!(subs.entries().collect::<Vec<_>>(), [entry(1, 1), entry(1, 4)]);
    }

    #[test]
    fn several_runs_are_cut_one_by_one_and_empty_ones_go() {
        let runs = [&SAMPLES[..1], &SAMPLES[1..2], &SAMPLES[2..]];
        let mut boxes: Vec<_> = runs.iter().map(|samples| AnyBox::new(trun(samples))).collect();
        boxes.push(sdtp(&[I, P, P, I]));
        let (bytes, stored) = fragment(boxes, 10);
        let (cut, parsed) = cut(&bytes, &stored);
        assert_eq!(parsed.traf.all::<Trun>().count(), 2);
        assert_eq!(samples(&parsed), [(30, 4, 0), (10, 3, 5)]);
        assert_eq!(cut[parsed.payload as usize..], [0, 1, 2, 3, 7, 8, 9]);
    }

    #[test]
    fn samples_that_take_no_bytes_are_counted_before_they_are_made() {
        let mut claim = trun(&[]);
        (claim.full.flags, claim.sample_count) = (0, u32::MAX);
        let (_, stored) = fragment(vec![AnyBox::new(claim.clone())], 0);
        let error = KeyFrames::cut(&stored, Keep::All, Defaults::default(), &Limits::default())
            .unwrap_err();
        assert!(error.to_string().contains("samples of a fragment: 4294967295 is more"), "{error}");

        // One sample that is no key frame, then a million that are.
        let mut first = trun(&SAMPLES[..1]);
        first.first_sample_flags = Some(0x0101_0000);
        claim.sample_count = 1_000_000;
        let (_, stored) = fragment(vec![AnyBox::new(first), AnyBox::new(claim)], 4);
        let defaults = Defaults { flags: 0x0200_0000, ..Defaults::default() };
        let error = KeyFrames::cut(&stored, Keep::All, defaults, &Limits::default()).unwrap_err();
        assert!(
            error.to_string().contains("key samples of a fragment: 1000000 is more"),
            "{error}"
        );
    }

    #[test]
    fn a_claim_of_samples_takes_as_many_steps_as_it_has_bytes_and_is_cut_as_one() {
        let mut first = trun(&SAMPLES[..1]);
        first.first_sample_flags = Some(0x0200_0000);
        let full = FullBox { version: 0, flags: 0 };
        let claim = Trun { full, sample_count: 1_000_000, ..Trun::default() };
        let boxes = vec![AnyBox::new(first), AnyBox::new(claim)];
        let (_, stored) = fragment(boxes.clone(), 4);
        let defaults = Defaults { duration: 3, flags: 0x0101_0000, ..Defaults::default() };
        for rule in [Rule::Flags, Rule::First, Rule::Sdtp(&[I])] {
            assert_eq!(each_part(&stored, defaults, rule, |_| ()).unwrap(), 2);
        }
        let many = [P; 1000];
        assert_eq!(each_part(&stored, defaults, Rule::Sdtp(&many), |_| ()).unwrap(), 1001);

        let (keys, lead) = keys(&stored, defaults, Rule::Flags).unwrap();
        let [key] = &keys[..] else { panic!("one key sample") };
        assert_eq!((key.duration, lead), (3_000_010, 0));

        // The claim's samples come one by one where `sdtp` tells them apart.
        let boxes = [boxes, vec![sdtp(&[P, P, I, P, I])]].concat();
        let (bytes, stored) = fragment(boxes, 4);
        let cut =
            KeyFrames::cut(&stored, Keep::All, defaults, &Limits::default()).unwrap().unwrap();
        assert!(cut.samples.is_empty(), "{bytes:?}");
        let stored = parse(&cut.head);
        assert_eq!(samples(&stored).iter().map(|s| s.0).collect::<Vec<_>>(), [19, 2_999_991]);
    }

    #[test]
    fn a_key_id_in_the_fragment_stays_where_it_was() {
        let info = SampleEncryption {
            full: FullBox { version: 0, flags: 1 },
            track_override: Some((0x0000_0108, Guid::from_u128(5))),
            sample_count: 4,
            entries: vec![9; 32].into(),
        };
        let boxes =
            vec![AnyBox::new(trun(&SAMPLES)), sdtp(&[I, P, P, P]), AnyBox::new(PiffSenc(info))];
        let (bytes, stored) = fragment(boxes, 10);
        let (_, parsed) = cut(&bytes, &stored);
        let info = &parsed.traf.get::<PiffSenc>().unwrap().0;
        assert_eq!(
            (info.track_override, info.entries.len()),
            (Some((0x108, Guid::from_u128(5))), 8)
        );
    }
}
