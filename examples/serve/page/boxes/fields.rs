//! The fields of boxes, with their values.

use std::fmt::Write;

use bytes::Bytes;
use smooth_origin::bmff::{
    AnyBox, Body, FullBox, Saio, Saiz, SampleEncryption, Sdtp, Tfra, Trun, TrunSample,
};

use super::names;
use super::table::{Field, field, rows};

/// Maximum bytes that are shown.
const MOST_SHOWN: usize = 64;

/// Writes bytes as pairs of hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (place, byte) in bytes.iter().take(MOST_SHOWN).enumerate() {
        let space = if place > 0 { " " } else { "" };
        // A String takes everything.
        let _ = write!(text, "{space}{byte:02x}");
    }
    if bytes.len() > MOST_SHOWN {
        text.push_str(" …");
    }
    text
}

/// Adds the fields in front of the boxes inside a box.
pub(super) fn before(kind: &[u8; 4], body: &[u8], fields: &mut Vec<Field>) {
    let u16_at = |at: usize| body.get(at..)?.first_chunk().map(|&bytes| u16::from_be_bytes(bytes));
    let mut add = |name, at| fields.extend(u16_at(at).map(|value| field(name, value)));
    match kind {
        b"stsd" | b"dref" => add("entries", 6),
        kind if names::is_of_pictures(kind) => {
            add("data reference index", 6);
            add("width", 24);
            add("height", 26);
        }
        kind if names::is_of_sound(kind) => {
            add("data reference index", 6);
            add("channels", 16);
            add("sample size", 18);
            add("sampling rate", 24);
        }
        _ => {}
    }
}

/// Adds the fields of a box without boxes inside.
pub(super) fn of(item: &AnyBox, body: &Bytes, fields: &mut Vec<Field>) {
    let mut add = |name, value: String| fields.push(Field { name, value });
    match &item.body {
        Body::Ftyp(ftyp) => {
            add("major brand", ftyp.major_brand.to_string());
            add("minor version", ftyp.minor_version.to_string());
            let brands = ftyp.compatible_brands.iter();
            let count = ftyp.compatible_brands.len();
            rows(fields, "compatible brand", count, brands.map(ToString::to_string));
        }
        Body::Mvhd(mvhd) => {
            add("timescale", mvhd.timescale.to_string());
            add("duration", mvhd.duration.to_string());
            full(mvhd.full, fields);
        }
        Body::Tkhd(tkhd) => {
            add("track id", tkhd.track_id.to_string());
            add("duration", tkhd.duration.to_string());
            add("width", fixed(tkhd.width));
            add("height", fixed(tkhd.height));
            full(tkhd.full, fields);
        }
        Body::Mdhd(mdhd) => {
            add("timescale", mdhd.timescale.to_string());
            add("duration", mdhd.duration.to_string());
            add("language", mdhd.language().unwrap_or_default());
            full(mdhd.full, fields);
        }
        Body::Hdlr(hdlr) => {
            add("handler type", hdlr.handler_type.to_string());
            add("name", String::from_utf8_lossy(&item.rest[..item.rest.len().min(256)]).into());
        }
        Body::Mehd(mehd) => add("fragment duration", mehd.fragment_duration.to_string()),
        Body::Trex(trex) => {
            add("track id", trex.track_id.to_string());
            add("default sample description", trex.default_sample_description_index.to_string());
            add("default sample duration", trex.default_sample_duration.to_string());
            add("default sample size", trex.default_sample_size.to_string());
            add("default sample flags", flags(trex.default_sample_flags));
        }
        Body::Stsz(stsz) => {
            add("sample size", stsz.sample_size.to_string());
            add("samples", stsz.sample_count.to_string());
        }
        Body::Mfhd(mfhd) => add("sequence number", mfhd.sequence_number.to_string()),
        Body::Tfhd(tfhd) => {
            add("track id", tfhd.track_id.to_string());
            let numbers = [
                ("base data offset", tfhd.base_data_offset),
                ("sample description", tfhd.sample_description_index.map(u64::from)),
                ("default sample duration", tfhd.default_sample_duration.map(u64::from)),
                ("default sample size", tfhd.default_sample_size.map(u64::from)),
            ];
            for (name, number) in numbers {
                number.iter().for_each(|number| add(name, number.to_string()));
            }
            tfhd.default_sample_flags.iter().for_each(|of| add("default sample flags", flags(*of)));
            full(tfhd.full, fields);
        }
        Body::Tfdt(tfdt) => {
            add("base media decode time", tfdt.base_media_decode_time.to_string());
            full(tfdt.full, fields);
        }
        Body::Trun(trun) => of_trun(trun, fields),
        Body::Sdtp(sdtp) => of_sdtp(sdtp, fields),
        Body::Senc(senc) => of_senc(&senc.0, fields),
        Body::PiffSenc(senc) => of_senc(&senc.0, fields),
        Body::Saiz(saiz) => of_saiz(saiz, fields),
        Body::Saio(saio) => of_saio(saio, fields),
        Body::Sbgp(sbgp) => {
            add("grouping type", sbgp.grouping_type.to_string());
            let count = sbgp.entries.len() / 8;
            let run = |(samples, group)| format!("{samples} samples of group {group}");
            rows(fields, "run", count, sbgp.runs().map(run));
        }
        Body::Tfra(tfra) => of_tfra(tfra, fields),
        Body::Mfro(mfro) => add("size of the mfra", mfro.size.to_string()),
        Body::Frma(frma) => add("original format", frma.data_format.to_string()),
        Body::Schm(schm) => {
            add("scheme", schm.scheme_type.to_string());
            add("scheme version", format!("{:#x}", schm.scheme_version));
        }
        Body::Tenc(tenc) => {
            add("is protected", tenc.is_protected.to_string());
            add("size of initialization vectors", tenc.iv_size.to_string());
            add("key", tenc.key_id.to_string());
            add("pattern", format!("{} encrypted, {} clear", tenc.pattern >> 4, tenc.pattern & 15));
            tenc.constant_iv.iter().for_each(|iv| add("constant vector", hex(iv)));
        }
        Body::PiffTenc(tenc) => {
            add("algorithm", tenc.algorithm_id.to_string());
            add("size of initialization vectors", tenc.iv_size.to_string());
            add("key", tenc.key_id.to_string());
        }
        Body::Pssh(pssh) => {
            add("system", pssh.system_id.to_string());
            add("data", format!("{} bytes: {}", pssh.data.len(), hex(&pssh.data)));
            let keys = pssh.key_ids.iter().map(ToString::to_string);
            rows(fields, "key", pssh.key_ids.len(), keys);
        }
        Body::PiffPssh(pssh) => {
            add("system", pssh.system_id.to_string());
            add("data", format!("{} bytes: {}", pssh.data.len(), hex(&pssh.data)));
        }
        Body::Tfxd(tfxd) => {
            add("time", tfxd.time.to_string());
            add("duration", tfxd.duration.to_string());
            full(tfxd.full, fields);
        }
        Body::Tfrf(tfrf) => {
            let next = |of: &smooth_origin::bmff::uuid::TfrfEntry| {
                format!("time {}, duration {}", of.time, of.duration)
            };
            rows(fields, "fragment", tfrf.entries.len(), tfrf.entries.iter().map(next));
        }
        Body::AvcC(avcc) => {
            add("profile", avcc.profile.to_string());
            add("compatibility", format!("{:#04x}", avcc.compatibility));
            add("level", avcc.level.to_string());
            add("bytes of a length", avcc.nal_length_size().to_string());
            add("bytes", hex(body));
        }
        Body::HvcC(hvcc) => {
            add("bytes of a length", hvcc.nal_length_size().to_string());
            add("bytes", hex(body));
        }
        Body::Esds(esds) => {
            if let Ok(Some(config)) = esds.decoder_config() {
                add("object type", format!("{:#04x}", config.object_type));
                add("maximum bitrate", config.max_bitrate.to_string());
                add("average bitrate", config.average_bitrate.to_string());
                add("decoder configuration", hex(&config.specific));
            }
        }
        _ => add("bytes", hex(body)),
    }
    if !item.rest.is_empty() && !matches!(item.body, Body::Hdlr(_)) {
        fields.push(field("bytes after the last field", hex(&item.rest)));
    }
}

fn full(full: FullBox, fields: &mut Vec<Field>) {
    fields.push(field("version", full.version));
    fields.push(field("flags", format_args!("{:#08x}", full.flags)));
}

/// A number of 16 bits and a fraction of 16 bits.
fn fixed(number: u32) -> String {
    (f64::from(number) / 65_536.0).to_string()
}

/// Flags of a sample: in digits and in words.
///
/// Spec: ISO/IEC 14496-12, 8.8.3.1.
fn flags(flags: u32) -> String {
    let depends = match flags >> 24 & 3 {
        1 => ", depends on others",
        2 => ", depends on no other",
        _ => "",
    };
    let sync = if flags & 0x1_0000 == 0 { ", sync" } else { ", not sync" };
    format!("{flags:#010x}{depends}{sync}")
}

fn of_trun(trun: &Trun, fields: &mut Vec<Field>) {
    fields.push(field("samples", trun.sample_count));
    fields.extend(trun.data_offset.map(|offset| field("data offset", offset)));
    fields.extend(trun.first_sample_flags.map(|of| field("first sample flags", flags(of))));
    full(trun.full, fields);
    // Samples without fields take no bytes: there may be four billion.
    if trun.entry_len() > 0 {
        rows(fields, "sample", trun.sample_count as usize, trun.samples().map(of_sample));
    }
}

fn of_sample(sample: TrunSample) -> String {
    let TrunSample { duration, size, flags: of, composition_offset } = sample;
    let parts = [
        duration.map(|duration| format!("duration {duration}")),
        size.map(|size| format!("size {size}")),
        composition_offset.map(|offset| format!("composition offset {offset}")),
        of.map(|of| format!("flags {}", flags(of))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn of_sdtp(sdtp: &Sdtp, fields: &mut Vec<Field>) {
    let sample = |&byte: &u8| {
        let words = match Sdtp::is_independent(byte) {
            Some(true) => ", depends on no other",
            Some(false) => ", depends on others",
            None => "",
        };
        format!("{byte:#04x}{words}")
    };
    rows(fields, "sample", sdtp.samples.len(), sdtp.samples.iter().map(sample));
}

fn of_senc(senc: &SampleEncryption, fields: &mut Vec<Field>) {
    fields.push(field("samples", senc.sample_count));
    if let Some((algorithm, key)) = senc.track_override {
        fields.push(field("algorithm", algorithm >> 8));
        fields.push(field("size of initialization vectors", algorithm & 0xff));
        fields.push(field("key", key));
    }
    full(senc.full, fields);
    match senc.split_any() {
        Some(entries) => {
            let count = senc.sample_count as usize;
            rows(fields, "sample", count, entries.take(count).map(hex));
        }
        None => fields.push(field("entries", hex(&senc.entries))),
    }
}

fn of_saiz(saiz: &Saiz, fields: &mut Vec<Field>) {
    fields.push(field("default size", saiz.default_sample_info_size));
    fields.push(field("samples", saiz.sample_count));
    rows(fields, "size", saiz.sizes.len(), saiz.sizes.iter().map(ToString::to_string));
}

fn of_saio(saio: &Saio, fields: &mut Vec<Field>) {
    rows(fields, "offset", saio.offsets.len(), saio.offsets.iter().map(ToString::to_string));
}

fn of_tfra(tfra: &Tfra, fields: &mut Vec<Field>) {
    fields.push(field("track id", tfra.track_id));
    fields.push(field("entries", tfra.count()));
    full(tfra.full, fields);
    let entries = tfra.entries().map(|entry| {
        let (traf, trun, sample) = (entry.traf_number, entry.trun_number, entry.sample_number);
        let place = format!("moof at byte {}", entry.moof_offset);
        format!("time {}, {place}, traf {traf}, trun {trun}, sample {sample}", entry.time)
    });
    rows(fields, "entry", tfra.count(), entries);
}
