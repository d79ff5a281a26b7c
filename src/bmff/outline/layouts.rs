//! The layout of each type: its fields in order, and whether boxes follow them.

use super::fields::Fields;
use crate::base::{Error, Guid};
use crate::bmff::table::{Body, CONTAINERS};
use crate::bmff::{Header, Trun};

/// The content of a box behind its fields.
pub(super) enum Inside {
    /// Nothing that is outlined.
    Nothing,
    /// Boxes up to its end.
    Boxes,
}

/// The column of a `trun` that has the size of a sample.
pub(super) const SAMPLE_SIZE: &str = "sample_size";

/// Returns the name of an extended type.
pub(super) fn extended_name(extended: Option<Guid>) -> Option<&'static str> {
    Body::typed_name(&Header::extended(extended?))
}

/// Reads the fields of a box.
///
/// # Errors
/// [`Truncated`](crate::base::ErrorKind::Truncated) if the box ends within its fields.
pub(super) fn read(header: &Header, f: &mut Fields<'_>) -> Result<Inside, Error> {
    if CONTAINERS.contains(&header.kind.0) {
        return Ok(Inside::Boxes);
    }
    match &header.kind.0 {
        b"dinf" | b"udta" => return Ok(Inside::Boxes),
        b"dref" | b"stsd" => {
            f.full()?;
            f.u32("entry_count")?;
            return Ok(Inside::Boxes);
        }
        b"avc1" | b"avc3" | b"hvc1" | b"hev1" | b"encv" | b"dvh1" | b"dvhe" | b"dvav" | b"dva1"
        | b"vc-1" | b"ovc1" | b"mp4v" | b"av01" | b"vp09" => {
            visual(f)?;
            return Ok(Inside::Boxes);
        }
        b"mp4a" | b"enca" | b"ac-3" | b"ec-3" | b"Opus" | b"wma " | b"owma" | b"alac" | b"fLaC" => {
            audio(f)?;
            return Ok(Inside::Boxes);
        }
        b"uuid" => match extended_name(header.extended) {
            Some("tfxd") => tfxd(f)?,
            Some("tfrf") => tfrf(f)?,
            Some("piff_senc") => senc(f)?,
            Some("piff_tenc") => piff_tenc(f)?,
            Some("piff_pssh") => {
                f.full()?;
                f.guid("SystemID")?;
                f.u32("DataSize")?;
            }
            Some("live_server_manifest" | "stream_manifest") => {
                f.full()?;
            }
            _ => {}
        },
        b"ftyp" | b"styp" => {
            f.four_cc("major_brand")?;
            f.u32("minor_version")?;
            f.words("compatible_brands")?;
        }
        b"mvhd" => {
            let wide = times(f)?;
            f.u32("timescale")?;
            f.word("duration", wide)?;
            f.skip(76)?;
            f.u32("next_track_ID")?;
        }
        b"tkhd" => {
            let wide = times(f)?;
            f.u32("track_ID")?;
            f.skip(4)?;
            f.word("duration", wide)?;
            f.skip(52)?;
            f.fixed("width")?;
            f.fixed("height")?;
        }
        b"mdhd" => {
            let wide = times(f)?;
            f.u32("timescale")?;
            f.word("duration", wide)?;
            f.language("language")?;
        }
        b"hdlr" => {
            f.full()?;
            f.skip(4)?;
            f.four_cc("handler_type")?;
            f.skip(12)?;
            f.text("name")?;
        }
        b"elst" => {
            let wide = f.full()?.wide();
            let (count, len) = (f.u32("entry_count")?, if wide { 8 } else { 4 });
            let columns = [("segment_duration", len), ("media_time", len), ("media_rate", 4)];
            f.table("edit", count, &columns)?;
        }
        b"stts" => list(f, "run", &[("sample_count", 4), ("sample_delta", 4)])?,
        b"ctts" => list(f, "run", &[("sample_count", 4), ("sample_offset", 4)])?,
        b"stsc" => {
            let run =
                [("first_chunk", 4), ("samples_per_chunk", 4), ("sample_description_index", 4)];
            list(f, "run", &run)?;
        }
        b"stco" => list(f, "chunk", &[("chunk_offset", 4)])?,
        b"co64" => list(f, "chunk", &[("chunk_offset", 8)])?,
        b"stss" => list(f, "key sample", &[("sample_number", 4)])?,
        b"stsz" => {
            f.full()?;
            let (all, count) = (f.u32(SAMPLE_SIZE)?, f.u32("sample_count")?);
            if all == 0 {
                f.table("sample", count, &[("entry_size", 4)])?;
            }
        }
        b"mehd" => {
            let wide = f.full()?.wide();
            f.word("fragment_duration", wide)?;
        }
        b"trex" => {
            f.full()?;
            f.u32("track_ID")?;
            f.u32("default_sample_description_index")?;
            f.u32("default_sample_duration")?;
            f.u32("default_sample_size")?;
            f.flags("default_sample_flags")?;
        }
        b"sidx" => sidx(f)?,
        b"mfhd" => {
            f.full()?;
            f.u32("sequence_number")?;
        }
        b"tfhd" => tfhd(f)?,
        b"tfdt" => {
            let wide = f.full()?.wide();
            f.word("baseMediaDecodeTime", wide)?;
        }
        b"trun" => trun(f)?,
        b"sdtp" => {
            f.full()?;
            f.rest("sample", &[("dependencies", 1)])?;
        }
        b"senc" => senc(f)?,
        b"saiz" => {
            aux_info(f)?;
            let (all, count) = (f.u8("default_sample_info_size")?, f.u32("sample_count")?);
            if all == 0 {
                f.table("sample", count, &[("sample_info_size", 1)])?;
            }
        }
        b"saio" => {
            let wide = aux_info(f)?;
            let count = f.u32("entry_count")?;
            f.table("entry", count, &[("offset", if wide { 8 } else { 4 })])?;
        }
        b"tfra" => tfra(f)?,
        b"mfro" => {
            f.full()?;
            f.u32("size")?;
        }
        b"pssh" => pssh(f)?,
        b"tenc" => tenc(f)?,
        b"frma" => f.four_cc("data_format").map(drop)?,
        b"schm" => {
            f.full()?;
            f.four_cc("scheme_type")?;
            f.flags("scheme_version")?;
        }
        b"avcC" => {
            f.u8("configurationVersion")?;
            f.u8("AVCProfileIndication")?;
            f.u8("profile_compatibility")?;
            f.u8("AVCLevelIndication")?;
        }
        b"btrt" => {
            f.u32("bufferSizeDB")?;
            f.u32("maxBitrate")?;
            f.u32("avgBitrate")?;
        }
        b"pasp" => {
            f.u32("hSpacing")?;
            f.u32("vSpacing")?;
        }
        _ => {}
    }
    Ok(Inside::Nothing)
}

/// Reads version, flags and the two times with which headers begin. Returns whether times are wide.
fn times(f: &mut Fields<'_>) -> Result<bool, Error> {
    let wide = f.full()?.wide();
    f.skip(if wide { 16 } else { 8 })?;
    Ok(wide)
}

/// Reads a full box that is a list.
fn list(
    f: &mut Fields<'_>,
    entry: &'static str,
    columns: &[(&'static str, u64)],
) -> Result<(), Error> {
    f.full()?;
    let count = f.u32("entry_count")?;
    f.table(entry, count, columns)
}

/// Spec: ISO/IEC 14496-12, 12.1.3.
fn visual(f: &mut Fields<'_>) -> Result<(), Error> {
    f.skip(6)?;
    f.u16("data_reference_index")?;
    f.skip(16)?;
    f.u16("width")?;
    f.u16("height")?;
    f.skip(50)
}

/// Spec: ISO/IEC 14496-12, 12.2.3; versions 1 and 2 are those of QuickTime.
fn audio(f: &mut Fields<'_>) -> Result<(), Error> {
    f.skip(6)?;
    f.u16("data_reference_index")?;
    let version = f.u16("version")?;
    f.skip(6)?;
    f.u16("channelcount")?;
    f.u16("samplesize")?;
    f.skip(4)?;
    f.fixed("samplerate")?;
    f.skip(match version {
        1 => 16,
        2 => 36,
        _ => 0,
    })
}

fn sidx(f: &mut Fields<'_>) -> Result<(), Error> {
    let wide = f.full()?.wide();
    f.u32("reference_ID")?;
    f.u32("timescale")?;
    f.word("earliest_presentation_time", wide)?;
    f.word("first_offset", wide)?;
    f.skip(2)?;
    let count = f.u16("reference_count")?;
    let columns = [("referenced_size", 4), ("subsegment_duration", 4), ("SAP", 4)];
    f.table("reference", count.into(), &columns)
}

fn tfhd(f: &mut Fields<'_>) -> Result<(), Error> {
    let full = f.full()?;
    f.u32("track_ID")?;
    if full.has(0x1) {
        f.u64("base_data_offset")?;
    }
    for (flag, name) in [
        (0x2, "sample_description_index"),
        (0x8, "default_sample_duration"),
        (0x10, "default_sample_size"),
    ] {
        if full.has(flag) {
            f.u32(name)?;
        }
    }
    if full.has(0x20) {
        f.flags("default_sample_flags")?;
    }
    Ok(())
}

fn trun(f: &mut Fields<'_>) -> Result<(), Error> {
    let full = f.full()?;
    let count = f.u32("sample_count")?;
    if full.has(0x1) {
        f.i32("data_offset")?;
    }
    if full.has(0x4) {
        f.flags("first_sample_flags")?;
    }
    let columns: Vec<_> = [
        (Trun::DURATION, "sample_duration"),
        (Trun::SIZE, SAMPLE_SIZE),
        (Trun::FLAGS, "sample_flags"),
        (Trun::COMPOSITION_OFFSET, "sample_composition_time_offset"),
    ]
    .into_iter()
    .filter(|&(flag, _)| full.has(flag))
    .map(|(_, name)| (name, 4))
    .collect();
    f.table("sample", count, &columns)
}

/// Spec: ISO/IEC 23001-7, 7.2; PIFF 1.1, 5.3.2.1.
fn senc(f: &mut Fields<'_>) -> Result<(), Error> {
    if f.full()?.has(0x1) {
        f.u24("AlgorithmID")?;
        f.u8("IV_size")?;
        f.guid("KID")?;
    }
    f.u32("sample_count").map(drop)
}

/// Returns whether offsets are wide.
fn aux_info(f: &mut Fields<'_>) -> Result<bool, Error> {
    let full = f.full()?;
    if full.has(0x1) {
        f.four_cc("aux_info_type")?;
        f.u32("aux_info_type_parameter")?;
    }
    Ok(full.wide())
}

fn tfra(f: &mut Fields<'_>) -> Result<(), Error> {
    let wide = f.full()?.wide();
    f.u32("track_ID")?;
    let widths = f.u32("lengths")?;
    let count = f.u32("number_of_entry")?;
    let (word, len) = (if wide { 8 } else { 4 }, |shift: u32| u64::from(widths >> shift & 3) + 1);
    let columns = [
        ("time", word),
        ("moof_offset", word),
        ("traf_number", len(4)),
        ("trun_number", len(2)),
        ("sample_number", len(0)),
    ];
    f.table("entry", count, &columns)
}

fn pssh(f: &mut Fields<'_>) -> Result<(), Error> {
    let full = f.full()?;
    f.guid("SystemID")?;
    if full.version > 0 {
        let count = f.u32("KID_count")?;
        f.table("key", count, &[("KID", 16)])?;
    }
    f.u32("DataSize").map(drop)
}

fn tenc(f: &mut Fields<'_>) -> Result<(), Error> {
    f.full()?;
    f.skip(2)?;
    f.u8("default_isProtected")?;
    f.u8("default_Per_Sample_IV_Size")?;
    f.guid("default_KID")
}

fn piff_tenc(f: &mut Fields<'_>) -> Result<(), Error> {
    f.full()?;
    f.u24("default_AlgorithmID")?;
    f.u8("default_IV_size")?;
    f.guid("default_KID")
}

/// Spec: [MS-SSTR] 2.2.4.4.
fn tfxd(f: &mut Fields<'_>) -> Result<(), Error> {
    let wide = f.full()?.wide();
    f.word("fragment_absolute_time", wide)?;
    f.word("fragment_duration", wide).map(drop)
}

/// Spec: [MS-SSTR] 2.2.4.5.
fn tfrf(f: &mut Fields<'_>) -> Result<(), Error> {
    let word = if f.full()?.wide() { 8 } else { 4 };
    let count = f.u8("fragment_count")?;
    let columns = [("fragment_absolute_time", word), ("fragment_duration", word)];
    f.table("fragment", count.into(), &columns)
}
