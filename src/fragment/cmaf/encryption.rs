//! Sample encryption: PIFF's box or `senc`, to the `senc`, `saiz` and `saio` of Common Encryption.

use super::other_boxes::is_encryption;
use super::track::Track;
use crate::base::{Error, ErrorKind, FourCc, Guid, Sink};
use crate::bmff::{
    AnyBox, Body, FullBox, Header, Saio, SampleEncryption, Sbgp, Senc, uuid::PiffSenc,
};
use crate::fragment::Stored;

/// The encryption of a fragment's samples, as it is written.
pub(super) struct Encryption<'a> {
    info: Info<'a>,
    group: Option<Group>,
}

/// The source of the samples' IVs.
enum Info<'a> {
    /// The samples have none.
    None,
    /// A box with an entry per sample.
    Senc { info: &'a SampleEncryption, sizes: Sizes },
    /// Entries in the `mdat`, by `saiz` and `saio`.
    InPayload { list: &'a [AnyBox], payload: u64 },
}

/// The sizes of a `senc`'s entries, for `saiz`.
#[derive(Clone, Copy)]
enum Sizes {
    /// There are no entries, or one is longer than the 255 bytes that `saiz` can say.
    Unsaid,
    /// All have this size.
    Equal(u8),
    /// They differ; IVs have this size.
    Each { iv_size: usize },
}

/// A key of the fragment's own, as a sample group (`seig`).
struct Group {
    samples: u32,
    iv_size: u8,
    /// `None` if the samples are not encrypted.
    key_id: Option<Guid>,
}

/// The algorithms of PIFF.
const CLEAR: u32 = 0;
const AES_CTR: u32 = 1;

/// The group in the fragment's own list (ISO/IEC 14496-12, 8.9.4).
const FIRST_OF_FRAGMENT: u32 = 0x1_0001;

impl<'a> Encryption<'a> {
    pub(super) fn plan(stored: &'a Stored, track: &Track, total: u64) -> Result<Self, Error> {
        let list = &stored.traf.list[..];
        let unread = |item: &AnyBox| is_encryption(item) && matches!(item.body, Body::Other(_));
        if list.iter().any(unread) {
            return Err(ErrorKind::NotSliceable("sample encryption that cannot be read").into());
        }
        let (senc, piff) = (stored.traf.get::<Senc>(), stored.traf.get::<PiffSenc>());
        let Some(info) = senc.map(|senc| &senc.0).or(piff.map(|senc| &senc.0)) else {
            return Self::in_payload(stored);
        };
        let group = match info.track_override {
            Some(own) => group(own, track, total)?,
            None => None,
        };
        // A group of the file's own says more than the flag of PIFF.
        let has_group = stored.traf.all::<Sbgp>().any(|sbgp| sbgp.grouping_type == *b"seig");
        let group = group.filter(|_| !has_group);
        if group.as_ref().is_some_and(|group| group.key_id.is_none()) {
            return Ok(Self { info: Info::None, group });
        }
        let own = info.track_override.map(|(word, _)| word as u8);
        let sizes = sizes(info, own.or(track.iv_size))?;
        Ok(Self { info: Info::Senc { info, sizes }, group })
    }

    /// Plans for entries that are in the `mdat`, if there are any.
    fn in_payload(stored: &'a Stored) -> Result<Self, Error> {
        let list = &stored.traf.list[..];
        let is_inside = |&offset: &u64| (stored.payload..=stored.len).contains(&offset);
        for saio in stored.traf.all::<Saio>() {
            if stored.is_absolute() || !saio.offsets.iter().all(is_inside) {
                let outside = "auxiliary information outside of the `mdat`";
                return Err(ErrorKind::NotSliceable(outside).into());
            }
        }
        let info = match list.iter().any(is_encryption) {
            true => Info::InPayload { list, payload: stored.payload },
            false => Info::None,
        };
        Ok(Self { info, group: None })
    }

    pub(super) fn len(&self) -> u64 {
        let info = match &self.info {
            Info::None => 0,
            Info::Senc { info, sizes } => {
                let senc = Header::new(FourCc(*b"senc")).around(senc_len(info));
                let (saiz, saio) = match sizes.saiz_len(info) {
                    0 => (0, 0),
                    saiz => (Header::new(FourCc(*b"saiz")).around(saiz).len() + saiz, SAIO_LEN),
                };
                senc.len() + senc_len(info) + saiz + saio
            }
            Info::InPayload { list, .. } => {
                list.iter().filter(|item| is_encryption(item)).map(AnyBox::len).sum()
            }
        };
        info + self.group.as_ref().map_or(0, |_| GROUP_LEN)
    }

    /// Writes the boxes, of which the first begins at byte `at` of the `moof`. The head of the
    /// fragment has `head_len` bytes.
    pub(super) fn write(&self, sink: &mut Sink, at: u64, head_len: u64) -> Result<(), Error> {
        match &self.info {
            Info::None => {}
            Info::Senc { info, sizes } => write_senc(sink, info, *sizes, at)?,
            Info::InPayload { list, payload } => {
                for item in list.iter().filter(|item| is_encryption(item)) {
                    write_moved(sink, item, *payload, head_len)?;
                }
            }
        }
        if let Some(group) = &self.group {
            group.write(sink);
        }
        Ok(())
    }
}

/// Returns the group for samples with a key of their own, if it differs from the track's.
fn group(own: (u32, Guid), track: &Track, total: u64) -> Result<Option<Group>, Error> {
    let (word, key_id) = own;
    let (algorithm, iv_size) = (word >> 8, word as u8);
    let key_id = match algorithm {
        CLEAR => None,
        AES_CTR => Some(key_id),
        _ => {
            let other = "samples encrypted by an algorithm that Common Encryption does not have";
            return Err(ErrorKind::NotSliceable(other).into());
        }
    };
    if key_id.is_some() && key_id == track.key_id && Some(iv_size) == track.iv_size {
        return Ok(None);
    }
    // The budget of samples fits into 32 bits unless a host has set a larger one.
    let samples = u32::try_from(total).unwrap_or(u32::MAX);
    let iv_size = if key_id.is_some() { iv_size } else { 0 };
    Ok(Some(Group { samples, iv_size, key_id }))
}

/// Finds the sizes of the entries, whose IVs have probably `iv_size` bytes.
fn sizes(info: &SampleEncryption, iv_size: Option<u8>) -> Result<Sizes, Error> {
    if info.entries.is_empty() {
        return Ok(Sizes::Unsaid);
    }
    let has_subsamples = info.full.has(SampleEncryption::SUBSAMPLES);
    let sizes = iv_size.map(usize::from).into_iter().chain([8, 16, 0]);
    let mut sizes = sizes.filter(|&size| size > 0 || has_subsamples);
    let unclear = ErrorKind::NotSliceable("sample encryption of unclear layout");
    let fits = |&iv_size: &usize| info.split(iv_size).is_some();
    let iv_size = sizes.find(fits).ok_or(unclear)?;
    let mut lens = info.split(iv_size).into_iter().flatten().map(<[u8]>::len);
    let Some(first) = lens.next() else { return Ok(Sizes::Unsaid) };
    let (mut longest, mut are_equal) = (first, true);
    for len in lens {
        (longest, are_equal) = (longest.max(len), are_equal && len == first);
    }
    Ok(match u8::try_from(longest) {
        Err(_) => Sizes::Unsaid,
        Ok(len) if are_equal => Sizes::Equal(len),
        Ok(_) => Sizes::Each { iv_size },
    })
}

impl Sizes {
    /// Bytes of a `saiz` after its header; 0 if there is none.
    fn saiz_len(self, info: &SampleEncryption) -> u64 {
        match self {
            Self::Unsaid => 0,
            Self::Equal(_) => FullBox::LEN + 5,
            Self::Each { .. } => FullBox::LEN + 5 + u64::from(info.sample_count),
        }
    }
}

/// Bytes of a `senc` after its header, and of its fields before the entries.
fn senc_len(info: &SampleEncryption) -> u64 {
    SENC_FIELDS + info.entries.len() as u64
}

const SENC_FIELDS: u64 = FullBox::LEN + 4;

/// Bytes of a `saio` of one offset.
const SAIO_LEN: u64 = 20;

fn write_senc(
    sink: &mut Sink,
    info: &SampleEncryption,
    sizes: Sizes,
    at: u64,
) -> Result<(), Error> {
    let header = Header::new(FourCc(*b"senc")).around(senc_len(info));
    header.write(sink);
    let flags = info.full.flags & SampleEncryption::SUBSAMPLES;
    FullBox { version: 0, flags }.write(sink);
    sink.u32(info.sample_count);
    sink.put(&info.entries);

    let saiz_len = sizes.saiz_len(info);
    if saiz_len == 0 {
        return Ok(());
    }
    Header::new(FourCc(*b"saiz")).around(saiz_len).write(sink);
    FullBox::default().write(sink);
    match sizes {
        Sizes::Equal(len) => {
            sink.u8(len);
            sink.u32(info.sample_count);
        }
        Sizes::Each { iv_size } => {
            sink.u8(0);
            sink.u32(info.sample_count);
            // The plan has found that each is below 256.
            let lens = info.split(iv_size).into_iter().flatten().map(|entry| entry.len() as u8);
            lens.for_each(|len| sink.u8(len));
        }
        Sizes::Unsaid => {}
    }

    let what = ErrorKind::NotSliceable("sample encryption beyond 4 GiB");
    let offset = u32::try_from(at + header.len() + SENC_FIELDS).map_err(|_| what)?;
    Header::new(FourCc(*b"saio")).around(SAIO_LEN - 8).write(sink);
    FullBox::default().write(sink);
    sink.u32(1);
    sink.u32(offset);
    Ok(())
}

/// Writes a box about entries in the `mdat`, whose payload moves with the length of the head.
fn write_moved(sink: &mut Sink, item: &AnyBox, payload: u64, head_len: u64) -> Result<(), Error> {
    let Body::Saio(saio) = &item.body else {
        item.write(sink);
        return Ok(());
    };
    let mut moved = saio.clone();
    for offset in &mut moved.offsets {
        *offset = (*offset - payload).saturating_add(head_len);
    }
    let moved = AnyBox { body: Body::Saio(moved), ..item.clone() };
    match moved.len() == item.len() {
        true => moved.write(sink),
        false => return Err(ErrorKind::NotSliceable("sample encryption beyond 4 GiB").into()),
    }
    Ok(())
}

/// Bytes of an `sgpd` and an `sbgp` with one group of all samples.
const GROUP_LEN: u64 = SGPD_LEN + SBGP_LEN;
const SGPD_LEN: u64 = 24 + GROUP_ENTRY;
const SBGP_LEN: u64 = 28;

/// Bytes of the description of a group.
const GROUP_ENTRY: u64 = 20;

impl Group {
    /// Spec: ISO/IEC 14496-12, 8.9.2 and 8.9.3; ISO/IEC 23001-7, 6.
    fn write(&self, sink: &mut Sink) {
        let seig = FourCc(*b"seig");
        Header::new(FourCc(*b"sgpd")).around(SGPD_LEN - 8).write(sink);
        FullBox { version: 1, flags: 0 }.write(sink);
        sink.four_cc(seig);
        sink.u32(GROUP_ENTRY as u32);
        sink.u32(1);
        sink.u16(0);
        sink.u8(self.key_id.is_some().into());
        sink.u8(self.iv_size);
        sink.guid(self.key_id.unwrap_or(Guid::from_u128(0)));

        Header::new(FourCc(*b"sbgp")).around(SBGP_LEN - 8).write(sink);
        FullBox::default().write(sink);
        sink.four_cc(seig);
        sink.u32(1);
        sink.u32(self.samples);
        sink.u32(FIRST_OF_FRAGMENT);
    }
}
