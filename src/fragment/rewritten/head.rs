//! The head of a rewritten fragment.

use std::borrow::Cow;

use bytes::Bytes;

use crate::base::{Error, ErrorKind, FourCc, Limits, Sink};
use crate::bmff::{AnyBox, Body, Boxes, FullBox, Header, Saio, Saiz, Senc, Tfdt, Tfhd, Trun, uuid};
use crate::fragment::samples::{Alike, Defaults};

/// A head that is planned.
pub(super) struct Head<'a> {
    tfhd: AnyBox,
    runs: &'a [(Defaults, &'a Trun)],
    /// Version and flags of the `trun`.
    full: FullBox,
    count: u64,
    first_flags: Option<u32>,
    tfdt: Option<&'a AnyBox>,
    others: Vec<Cow<'a, AnyBox>>,
    tfxd: Option<AnyBox>,
}

/// Maximum number of samples that take no bytes in the source, and some here.
const MAX_EXPANDED: u64 = 16_384;

const DATA_OFFSET: u32 = 0x1;
const FIRST_SAMPLE_FLAGS: u32 = 0x4;
const DURATION_IS_EMPTY: u32 = 0x1_0000;

/// Fields that all samples share.
#[derive(Default)]
struct Common {
    count: u64,
    ticks: u64,
    first_flags: Option<u32>,
    /// Flags of the second sample, and whether those of a later one differ.
    others: Option<u32>,
    vary: bool,
    has_offsets: bool,
    is_negative: bool,
    first_offset: i32,
}

impl Common {
    fn of(samples: impl Iterator<Item = Alike>) -> Self {
        let mut common = Self::default();
        for alike in samples.filter(|alike| alike.count > 0) {
            let sample = alike.sample;
            let mut flags = |flags: u32| match (common.first_flags, common.others) {
                (None, _) => common.first_flags = Some(flags),
                (_, None) => common.others = Some(flags),
                (_, Some(others)) => common.vary |= flags != others,
            };
            flags(sample.flags);
            if alike.count > 1 {
                flags(sample.flags);
            }
            if common.count == 0 {
                common.first_offset = sample.composition_offset;
            }
            common.has_offsets |= sample.composition_offset != 0;
            common.is_negative |= sample.composition_offset < 0;
            common.count += alike.count;
            common.ticks = common.ticks.saturating_add(alike.ticks());
        }
        common
    }
}

impl<'a> Head<'a> {
    /// Plans the head of a fragment that has the runs of these `traf`s, which are of one track.
    pub(super) fn plan(
        trafs: &[&'a Boxes],
        runs: &'a [(Defaults, &'a Trun)],
        limits: &Limits,
    ) -> Result<Self, Error> {
        let Some((&traf, more)) = trafs.split_first() else {
            let (what, clause) = ("`traf` of the track", "ISO/IEC 14496-12, 8.8.6");
            return Err(ErrorKind::Missing { what, clause }.into());
        };
        let is_open = |item: &AnyBox| item.header.total().is_none();
        if trafs.iter().any(|traf| traf.list.iter().any(is_open)) {
            let what =
                "a box of size 0 inside a `traf`, which would swallow what is written behind it";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let entry =
            |traf: &Boxes| traf.get::<Tfhd>().and_then(|tfhd| tfhd.sample_description_index);
        if more.iter().any(|other| entry(other) != entry(traf)) {
            let what = "a `moof` with several sample entries of one track";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let is_more = |item: &AnyBox| !is_replaced(item) && !matches!(item.body, Body::Tfdt(_));
        let has_more = |traf: &&Boxes| traf.list.iter().any(is_more);
        if !more.is_empty() && trafs.iter().any(has_more) {
            let what = "several `traf`s of one track with boxes that have an entry per sample";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let has_senc = traf.get::<Senc>().is_some() || traf.get::<uuid::PiffSenc>().is_some();
        let is_aux = |item: &&AnyBox| matches!(item.body, Body::Saiz(_) | Body::Saio(_));
        if !has_senc && (traf.get::<Saiz>().is_some() || traf.get::<Saio>().is_some()) {
            let what = "auxiliary information outside of `senc`";
            return Err(ErrorKind::NotSliceable(what).into());
        }

        let expanded = runs.iter().filter(|(_, trun)| trun.entry_len() == 0);
        let expanded = expanded.map(|(_, trun)| u64::from(trun.sample_count)).sum();
        Limits::check("samples without fields of their own", expanded, MAX_EXPANDED)?;
        let common = Common::of(runs.iter().flat_map(|(defaults, trun)| defaults.samples(trun)));
        Limits::check("samples of a fragment", common.count, limits.samples)?;
        let first = common.first_flags.unwrap_or(0);
        let others = common.others.unwrap_or(first);
        let first_flags = (!common.vary && first != others).then_some(first);
        let fields = [
            (DATA_OFFSET | Trun::DURATION | Trun::SIZE, true),
            (FIRST_SAMPLE_FLAGS, first_flags.is_some()),
            (Trun::FLAGS, common.vary),
            (Trun::COMPOSITION_OFFSET, common.has_offsets),
        ];
        let fields = fields.into_iter().filter(|(_, is_there)| *is_there);
        let flags = fields.map(|(flag, _)| flag).sum();

        let tfhd = traf.get::<Tfhd>().cloned().unwrap_or_default();
        let tfdt = traf.list.iter().find(|item| matches!(item.body, Body::Tfdt(_)));
        let time = traf.get::<Tfdt>().map(|tfdt| tfdt.base_media_decode_time);
        let time = time.filter(|_| traf.get::<uuid::Tfxd>().is_none());
        let tfxd = time.map(|time| {
            // A start before 0 is two's complement.
            let time = time.wrapping_add_signed(common.first_offset.into());
            let full = FullBox { version: 1, flags: 0 };
            AnyBox::new(uuid::Tfxd { full, time, duration: common.ticks })
        });
        let kept = traf.list.iter().filter(|item| is_more(item));
        let kept = kept.filter(|item| !(has_senc && is_aux(item)));
        let has_piff = traf.get::<uuid::PiffSenc>().is_some();
        let others_kept = kept.map(|item| if has_piff { Cow::Borrowed(item) } else { piff(item) });
        let others_kept = others_kept.collect();
        Ok(Self {
            tfhd: AnyBox::new(Tfhd {
                full: FullBox { version: 0, flags: tfhd.full.flags & DURATION_IS_EMPTY },
                track_id: tfhd.track_id,
                base_data_offset: None,
                sample_description_index: tfhd.sample_description_index,
                default_sample_duration: None,
                default_sample_size: None,
                default_sample_flags: (!common.vary).then_some(others),
            }),
            runs,
            full: FullBox { version: common.is_negative.into(), flags },
            count: common.count,
            first_flags,
            tfdt,
            others: others_kept,
            tfxd,
        })
    }

    /// Writes the `moof`, and the header of an `mdat` with so many bytes. `source` has the boxes beside
    /// the `traf`s. The head is allocated once.
    pub(super) fn write(&self, source: &Boxes, payload: u64) -> Result<Bytes, Error> {
        let source = source.inside(*b"moof").map_or(&[][..], |moof| &moof.list);
        let is_traf = |item: &&AnyBox| item.header.kind == *b"traf";
        let beside: u64 = source.iter().filter(|item| !is_traf(item)).map(AnyBox::len).sum();
        let fields = u64::from((self.full.flags & 0xf00).count_ones());
        let trun_body = 12 + self.first_flags.map_or(0, |_| 4) + 4 * fields * self.count;
        let trun = Header::new(FourCc(*b"trun")).around(trun_body);
        let traf_body = self.tfhd.len()
            + self.tfdt.map_or(0, AnyBox::len)
            + trun.len()
            + trun_body
            + self.others.iter().map(|item| item.len()).sum::<u64>()
            + self.tfxd.as_ref().map_or(0, AnyBox::len);
        let traf = Header::new(FourCc(*b"traf")).around(traf_body);
        let moof_body = beside + traf.len() + traf_body;
        let moof = Header::new(FourCc(*b"moof")).around(moof_body);
        let mdat = Header::new(FourCc(*b"mdat")).around(payload);
        let len = moof.len() + moof_body + mdat.len();
        let too_large = ErrorKind::NotSliceable("a fragment with a head of more than 2 GiB");
        let data_offset = i32::try_from(len).map_err(|_| too_large)?;

        let mut sink = Sink::with_len(len as usize);
        moof.write(&mut sink);
        let mut is_written = false;
        for item in source {
            if !is_traf(&item) {
                item.write(&mut sink);
                continue;
            }
            if std::mem::replace(&mut is_written, true) {
                continue;
            }
            traf.write(&mut sink);
            self.tfhd.write(&mut sink);
            if let Some(tfdt) = self.tfdt {
                tfdt.write(&mut sink);
            }
            trun.write(&mut sink);
            self.write_trun(&mut sink, data_offset);
            self.others.iter().for_each(|item| item.write(&mut sink));
            if let Some(tfxd) = &self.tfxd {
                tfxd.write(&mut sink);
            }
        }
        mdat.write(&mut sink);
        Ok(sink.finish())
    }

    fn write_trun(&self, sink: &mut Sink, data_offset: i32) {
        sink.u8(self.full.version);
        sink.u24(self.full.flags);
        // Fewer than the budget.
        sink.u32(self.count as u32);
        sink.i32(data_offset);
        if let Some(flags) = self.first_flags {
            sink.u32(flags);
        }
        let (has_flags, has_offsets) =
            (self.full.has(Trun::FLAGS), self.full.has(Trun::COMPOSITION_OFFSET));
        for alike in self.runs.iter().flat_map(|(defaults, trun)| defaults.samples(trun)) {
            let sample = alike.sample;
            for _ in 0..alike.count {
                sink.u32(sample.duration);
                sink.u32(sample.size);
                if has_flags {
                    sink.u32(sample.flags);
                }
                if has_offsets {
                    sink.i32(sample.composition_offset);
                }
            }
        }
    }
}

/// Returns PIFF's box in place of a `senc` that has IVs: most players of Smooth Streaming know no other.
fn piff(item: &AnyBox) -> Cow<'_, AnyBox> {
    match &item.body {
        Body::Senc(Senc(info)) if info.has_ivs() => {
            let rest = item.rest.clone();
            Cow::Owned(AnyBox { rest, ..AnyBox::new(uuid::PiffSenc(info.clone())) })
        }
        _ => Cow::Borrowed(item),
    }
}

/// Returns whether a box of a `traf` is written anew.
fn is_replaced(item: &AnyBox) -> bool {
    matches!(item.body, Body::Tfhd(_) | Body::Trun(_))
}
