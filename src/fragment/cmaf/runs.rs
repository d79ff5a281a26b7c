//! The runs of samples (`trun`).

use super::MAX_EXPANDED;
use super::flags::{Flags, Form};
use crate::base::{Error, ErrorKind, FourCc, Limits, Sink};
use crate::bmff::{FullBox, Header, Tfhd, Trun};
use crate::fragment::samples::Defaults;
use crate::fragment::{Stored, Whereabouts};

/// The runs of a fragment, as they are written.
pub(super) struct Runs<'a> {
    stored: &'a Stored,
    /// Properties of samples that the runs do not have.
    defaults: Defaults,
    flags: Flags<'a>,
    /// True if the stored offsets are wrong, and the samples fill the `mdat`.
    follow_one_another: bool,
    /// Ticks that are subtracted from each composition offset.
    earlier: i32,
}

/// The form in which a run is written.
struct Layout {
    /// Flags of the fields that each entry has.
    fields: u32,
    first_sample_flags: Option<u32>,
    /// The entries are written as they are stored.
    is_copied: bool,
}

/// The fields of an entry.
const FIELDS: u32 = Trun::DURATION | Trun::SIZE | Trun::FLAGS | Trun::COMPOSITION_OFFSET;
const DATA_OFFSET: u32 = 0x1;
const FIRST_SAMPLE_FLAGS: u32 = 0x4;

impl<'a> Runs<'a> {
    /// Plans the runs of a fragment, whose composition offsets become `earlier` ticks less.
    pub(super) fn plan(
        stored: &'a Stored,
        defaults: Defaults,
        flags: Flags<'a>,
        whereabouts: Whereabouts,
        earlier: i128,
    ) -> Result<Self, Error> {
        let follow_one_another = match whereabouts {
            Whereabouts::Start | Whereabouts::Payload => false,
            Whereabouts::Elsewhere { fill: true } => true,
            Whereabouts::Elsewhere { fill: false } => {
                let outside = "samples outside of the fragment's `mdat`";
                return Err(ErrorKind::NotSliceable(outside).into());
            }
        };
        let too_large = ErrorKind::NotSliceable("a composition offset of more than 32 bits");
        let earlier = i32::try_from(earlier).map_err(|_| too_large.clone())?;
        let runs = Self { stored, defaults, flags, follow_one_another, earlier };
        let (mut expanded, mut fits) = (0, true);
        for (trun, is_first) in runs.iter() {
            if trun.entry_len() == 0 && runs.layout(trun, is_first).fields != 0 {
                expanded += u64::from(trun.sample_count);
            }
            if earlier != 0 && trun.full.has(Trun::COMPOSITION_OFFSET) {
                let mut offsets = trun.samples().filter_map(|sample| sample.composition_offset);
                fits &= offsets.all(|offset| offset.checked_sub(earlier).is_some());
            }
            fits &= 0_i32.checked_sub(earlier).is_some();
        }
        Limits::check("samples that are written one by one", expanded, MAX_EXPANDED)?;
        if fits { Ok(runs) } else { Err(too_large.into()) }
    }

    pub(super) fn len(&self) -> u64 {
        let of_run = |(trun, is_first)| {
            let body = self.layout(trun, is_first).body_len(trun);
            Header::new(FourCc(*b"trun")).around(body).len() + body
        };
        self.iter().map(of_run).sum()
    }

    /// Adds the defaults that the written runs depend on.
    pub(super) fn set_defaults(&self, tfhd: &mut Tfhd) {
        let (mut needs_duration, mut needs_size, mut needs_flags) = (false, false, false);
        for (trun, is_first) in self.iter().filter(|(trun, _)| trun.sample_count > 0) {
            let Layout { fields, first_sample_flags: first, .. } = self.layout(trun, is_first);
            needs_duration |= fields & Trun::DURATION == 0;
            needs_size |= fields & Trun::SIZE == 0;
            let others = trun.sample_count - u32::from(first.is_some());
            needs_flags |= fields & Trun::FLAGS == 0 && others > 0;
        }
        let set = |field: &mut Option<u32>, is_needed: bool, value: u32| {
            if is_needed {
                *field = Some(value);
            }
        };
        set(&mut tfhd.default_sample_duration, needs_duration, self.defaults.duration);
        set(&mut tfhd.default_sample_size, needs_size, self.defaults.size);
        let flags = match self.flags.form {
            Form::FirstAndOthers(_, others) => others,
            Form::Stored | Form::Each => self.defaults.flags,
        };
        if self.flags.form != Form::Stored {
            tfhd.default_sample_flags = None;
        }
        set(&mut tfhd.default_sample_flags, needs_flags, flags);
    }

    /// Writes the runs of a fragment whose head, with the header of the `mdat`, has `head_len`
    /// bytes.
    pub(super) fn write(&self, sink: &mut Sink, head_len: u64) -> Result<(), Error> {
        let payload = self.stored.payload;
        let (mut index, mut next, mut before) = (0, payload, None::<&Trun>);
        for (trun, is_first) in self.iter() {
            let bytes_before = before.map_or(0, |trun| self.defaults.bytes(trun));
            next = next.saturating_add(bytes_before);
            let from = match trun.data_offset {
                Some(offset) if !self.follow_one_another => {
                    // Only a run without bytes can be elsewhere, and then it may be anywhere.
                    let is_inside = |&from: &u64| (payload..=self.stored.len).contains(&from);
                    u64::try_from(offset).ok().filter(is_inside).unwrap_or(payload)
                }
                _ => next,
            };
            let offset = i32::try_from((from - payload).saturating_add(head_len))
                .map_err(|_| ErrorKind::NotSliceable("samples beyond 2 GiB"))?;
            self.write_run(sink, trun, is_first, offset, index);
            index += u64::from(trun.sample_count);
            (next, before) = (from, Some(trun));
        }
        Ok(())
    }

    fn write_run(&self, sink: &mut Sink, trun: &Trun, is_first: bool, offset: i32, index: u64) {
        let layout = self.layout(trun, is_first);
        let Layout { fields, first_sample_flags: first, is_copied } = layout;
        let first_flag = first.map_or(0, |_| FIRST_SAMPLE_FLAGS);
        let others = trun.full.flags & !(FIELDS | DATA_OFFSET | FIRST_SAMPLE_FLAGS);
        let has_offsets = fields & Trun::COMPOSITION_OFFSET != 0;
        let full = FullBox {
            // Version 0 has unsigned offsets.
            version: if has_offsets { 1 } else { 0 },
            flags: others | fields | DATA_OFFSET | first_flag,
        };
        Header::new(FourCc(*b"trun")).around(layout.body_len(trun)).write(sink);
        full.write(sink);
        sink.u32(trun.sample_count);
        sink.i32(offset);
        if let Some(flags) = first {
            sink.u32(flags);
        }
        if is_copied {
            sink.put(&trun.entries);
            return;
        }
        let first = trun.first_sample_flags;
        for (sample, number) in trun.samples().zip(0..) {
            if fields & Trun::DURATION != 0 {
                sink.u32(sample.duration.unwrap_or(0));
            }
            if fields & Trun::SIZE != 0 {
                sink.u32(sample.size.unwrap_or(0));
            }
            if fields & Trun::FLAGS != 0 {
                let first = first.filter(|_| number == 0);
                let stored = sample.flags.or(first).unwrap_or(self.defaults.flags);
                sink.u32(self.flags.of_sample(index + number, stored));
            }
            if has_offsets {
                // The plan has found that the difference fits.
                sink.i32(sample.composition_offset.unwrap_or(0).wrapping_sub(self.earlier));
            }
        }
    }

    /// Iterates over the runs, each with whether it has the first sample.
    fn iter(&self) -> impl Iterator<Item = (&'a Trun, bool)> {
        let mut is_begun = false;
        self.stored.traf.all::<Trun>().map(move |trun| {
            let is_first = !is_begun && trun.sample_count > 0;
            is_begun |= is_first;
            (trun, is_first)
        })
    }

    fn layout(&self, trun: &Trun, is_first: bool) -> Layout {
        let stored = trun.full.flags & FIELDS;
        let mut fields = stored;
        if self.earlier != 0 && trun.sample_count > 0 {
            fields |= Trun::COMPOSITION_OFFSET;
        }
        let has_flags = stored & Trun::FLAGS != 0;
        let first_sample_flags = match self.flags.form {
            // Not both may be there, and readers differ in which they take.
            _ if has_flags => None,
            Form::Stored => trun.first_sample_flags,
            Form::FirstAndOthers(first, others) => (is_first && first != others).then_some(first),
            Form::Each => {
                fields |= Trun::FLAGS;
                None
            }
        };
        let is_copied = fields == stored
            && (self.earlier == 0 || trun.sample_count == 0)
            && (!has_flags || self.flags.form == Form::Stored);
        Layout { fields, first_sample_flags, is_copied }
    }
}

impl Layout {
    /// Bytes after the header of the box.
    fn body_len(&self, trun: &Trun) -> u64 {
        let words = 2 + u64::from(self.first_sample_flags.is_some());
        let entry_words = u64::from(self.fields.count_ones());
        FullBox::LEN + 4 * words + 4 * entry_words * u64::from(trun.sample_count)
    }
}
