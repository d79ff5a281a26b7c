//! The boxes of a `moof` that have an entry per sample, cut down to the key samples.

use bytes::Bytes;

use super::Stored;
use super::key_samples::Key;
use crate::base::{Error, ErrorKind};
use crate::bmff::{
    AnyBox, Body, Boxes, Saio, Saiz, SampleEncryption, Sbgp, Senc, Subs, SubsEntry, Trun,
    TrunSample, uuid,
};

/// Returns the `moof` with every box that has an entry per sample reduced to the key samples.
pub(super) fn moof(
    stored: &Stored,
    keys: &[Key],
    lead: u64,
    mdat_header: u64,
) -> Result<Boxes, Error> {
    let mut moof = stored.tree();
    let aux_from = aux_offset(&moof);
    change_traf(&mut moof, |traf| {
        cut_runs(traf, keys, lead)?;
        traf.list.iter_mut().try_for_each(|item| cut_box(&mut item.body, keys))
    })?;
    // All boxes have their final lengths now, so offsets can be set.
    let data = moof.len() + mdat_header;
    let aux_to = aux_offset(&moof);
    change_traf(&mut moof, |traf| {
        set_data_offsets(traf, keys, data)?;
        move_aux_offset(traf, aux_from, aux_to)
    })?;
    Ok(moof)
}

fn change_traf(
    boxes: &mut Boxes,
    change: impl FnOnce(&mut Boxes) -> Result<(), Error>,
) -> Result<(), Error> {
    let traf = boxes.inside_mut(*b"moof").and_then(|moof| moof.inside_mut(*b"traf"));
    traf.map_or(Ok(()), change)
}

/// Reduces each run to its key samples and removes runs without any.
fn cut_runs(traf: &mut Boxes, keys: &[Key], lead: u64) -> Result<(), Error> {
    let mut runs = keys.chunk_by(|a, b| a.run == b.run).peekable();
    let (mut run, mut lead) = (0, lead);
    let mut result = Ok(());
    // The list is changed in place, because it may take more memory than the fragment.
    traf.list.retain_mut(|item| {
        let Body::Trun(trun) = &mut item.body else { return true };
        let of_run = runs.next_if(|keys| keys[0].run == run);
        run += 1;
        let Some(keys) = of_run else { return false };
        match cut_run(trun, keys, lead) {
            Ok(cut) => *trun = cut,
            Err(error) => result = Err(error),
        }
        lead = 0;
        true
    });
    result
}

/// Returns the run with only its key samples. The first of them is shown `lead` ticks after it is
/// decoded.
fn cut_run(trun: &Trun, keys: &[Key], lead: u64) -> Result<Trun, Error> {
    let too_long = |_| ErrorKind::NotSliceable("a key frame longer than 32 bits can express");
    let mut cut = trun.clone();
    cut.full.flags |= Trun::DURATION;
    if lead > 0 {
        cut.full.flags |= Trun::COMPOSITION_OFFSET;
        cut.full.version = 1;
    }
    cut.data_offset = Some(0);
    cut.first_sample_flags = cut.first_sample_flags.filter(|_| keys[0].first_of_run);
    let samples = keys.iter().enumerate().map(|(i, key)| {
        let lead = if i == 0 { i32::try_from(lead).map_err(too_long)? } else { 0 };
        Ok(TrunSample {
            duration: Some(u32::try_from(key.duration).map_err(too_long)?),
            size: Some(key.sample.size),
            flags: Some(key.sample.flags),
            composition_offset: Some(key.sample.composition_offset.saturating_add(lead)),
        })
    });
    Ok(cut.with_samples(&samples.collect::<Result<Vec<_>, Error>>()?))
}

/// Reduces a box that has an entry per sample.
fn cut_box(body: &mut Body, keys: &[Key]) -> Result<(), Error> {
    match body {
        // A box that is shorter than the run stays so.
        Body::Sdtp(sdtp) => sdtp.samples = of_keys(&sdtp.samples, keys),
        Body::Senc(senc) => cut_encryption(&mut senc.0, keys)?,
        Body::PiffSenc(senc) => cut_encryption(&mut senc.0, keys)?,
        Body::Saiz(saiz) => cut_saiz(saiz, keys),
        Body::Subs(subs) => cut_subs(subs, keys),
        Body::Sbgp(sbgp) => cut_sbgp(sbgp, keys),
        _ => {}
    }
    Ok(())
}

fn cut_encryption(info: &mut SampleEncryption, keys: &[Key]) -> Result<(), Error> {
    if !info.entries.is_empty() {
        let unclear = ErrorKind::NotSliceable("sample encryption of unclear layout");
        let entries = info.split_any().ok_or(unclear)?;
        let mut keys = keys.iter().map(|key| key.index).peekable();
        let kept = entries.enumerate().filter(|(i, _)| keys.next_if_eq(i).is_some());
        info.entries = kept.flat_map(|(_, entry)| entry).copied().collect();
    }
    info.sample_count = among(keys, info.sample_count as usize).len() as u32;
    Ok(())
}

/// Returns the key samples among the first `samples`. A box may have fewer entries than there are
/// samples, and there may be many such boxes.
fn among(keys: &[Key], samples: usize) -> &[Key] {
    &keys[..keys.partition_point(|key| key.index < samples)]
}

/// Returns the bytes of the key samples, where `bytes` has one byte per sample.
fn of_keys(bytes: &Bytes, keys: &[Key]) -> Bytes {
    among(keys, bytes.len()).iter().map(|key| bytes[key.index]).collect()
}

fn cut_saiz(saiz: &mut Saiz, keys: &[Key]) {
    if saiz.default_sample_info_size == 0 {
        saiz.sizes = of_keys(&saiz.sizes, keys);
    }
    saiz.sample_count = among(keys, saiz.sample_count as usize).len() as u32;
}

/// Reduces a `subs`, whose entries refer to a sample by its distance from the one before.
fn cut_subs(subs: &mut Subs, keys: &[Key]) {
    let (mut number, mut last) = (0_u64, 0_u64);
    let kept = subs.entries().filter_map(|entry| {
        number += u64::from(entry.sample_delta);
        let place = keys.binary_search_by_key(&number, |key| key.index as u64 + 1).ok()?;
        let place = place as u64 + 1;
        let sample_delta = (place - last) as u32;
        last = place;
        Some(SubsEntry { sample_delta, ..entry })
    });
    *subs = Subs::new(subs.full(), kept);
}

fn cut_sbgp(sbgp: &mut Sbgp, keys: &[Key]) {
    let (mut keys, mut end, mut entries) = (keys, 0_u64, Vec::new());
    for (samples, group) in sbgp.runs() {
        end += u64::from(samples);
        // Entries are not expanded: there may be many such boxes, each for all samples.
        let (of_run, others) = keys.split_at(keys.partition_point(|key| (key.index as u64) < end));
        keys = others;
        let kept = of_run.len() as u32;
        if kept > 0 {
            entries.extend(kept.to_be_bytes());
            entries.extend(group.to_be_bytes());
        }
    }
    sbgp.entries = entries.into();
}

/// Sets the offsets of the runs, whose samples follow one another after the header of the `mdat`.
fn set_data_offsets(traf: &mut Boxes, keys: &[Key], data: u64) -> Result<(), Error> {
    let runs = keys.chunk_by(|a, b| a.run == b.run);
    let truns = traf.list.iter_mut().filter_map(|item| match &mut item.body {
        Body::Trun(trun) => Some(trun),
        _ => None,
    });
    let mut offset = data;
    for (trun, keys) in truns.zip(runs) {
        let what = "key frames beyond 2 GiB";
        let at = i32::try_from(offset).map_err(|_| ErrorKind::NotSliceable(what))?;
        trun.data_offset = Some(at);
        offset += keys.iter().map(|key| u64::from(key.sample.size)).sum::<u64>();
    }
    Ok(())
}

/// Returns the offset of the sample encryption's entries from the first byte of the `moof`.
fn aux_offset(boxes: &Boxes) -> Option<u64> {
    let (moof, at) = offset_of(boxes, |item| item.header.kind == *b"moof")?;
    let Body::Boxes(inside) = &moof.body else { return None };
    let start = at + moof.header_len();
    let (traf, at) = offset_of(inside, |item| item.header.kind == *b"traf")?;
    let Body::Boxes(inside) = &traf.body else { return None };
    let start = start + at + traf.header_len();
    let (item, at) =
        offset_of(inside, |item| matches!(item.body, Body::Senc(_) | Body::PiffSenc(_)))?;
    let (Body::Senc(Senc(info)) | Body::PiffSenc(uuid::PiffSenc(info))) = &item.body else {
        return None;
    };
    Some(start + at + item.header_len() + info.entries_offset())
}

/// Returns the first box that satisfies `is`, and its offset in its list.
fn offset_of(boxes: &Boxes, is: impl Fn(&AnyBox) -> bool) -> Option<(&AnyBox, u64)> {
    let at = boxes.list.iter().position(is)?;
    Some((&boxes.list[at], boxes.list[..at].iter().map(AnyBox::len).sum()))
}

/// Updates `saio`, which points at the first IV, after the IV has moved.
fn move_aux_offset(traf: &mut Boxes, from: Option<u64>, to: Option<u64>) -> Result<(), Error> {
    let Some(saio) = traf.get_mut::<Saio>() else { return Ok(()) };
    match (&mut saio.offsets[..], from, to) {
        ([], ..) => Ok(()),
        ([offset], Some(from), Some(to)) if *offset == from => {
            *offset = to;
            Ok(())
        }
        _ => Err(ErrorKind::NotSliceable("auxiliary information outside of `senc`").into()),
    }
}
