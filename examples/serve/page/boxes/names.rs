//! The names of box types, and which of them enclose others.

use smooth_origin::bmff::Header;
use smooth_origin::bmff::uuid::{PiffPssh, PiffSenc, PiffTenc, Tfrf, Tfxd};

/// Names by ISO/IEC 14496-12, ISO/IEC 14496-15, ISO/IEC 23001-7 and others.
const NAMES: &[([u8; 4], &str)] = &[
    (*b"ftyp", "File Type"),
    (*b"styp", "Segment Type"),
    (*b"moov", "Movie"),
    (*b"mvhd", "Movie Header"),
    (*b"trak", "Track"),
    (*b"tkhd", "Track Header"),
    (*b"tref", "Track Reference"),
    (*b"edts", "Edit"),
    (*b"elst", "Edit List"),
    (*b"mdia", "Media"),
    (*b"mdhd", "Media Header"),
    (*b"hdlr", "Handler Reference"),
    (*b"minf", "Media Information"),
    (*b"vmhd", "Video Media Header"),
    (*b"smhd", "Sound Media Header"),
    (*b"nmhd", "Null Media Header"),
    (*b"sthd", "Subtitle Media Header"),
    (*b"dinf", "Data Information"),
    (*b"dref", "Data Reference"),
    (*b"url ", "Data Entry URL"),
    (*b"stbl", "Sample Table"),
    (*b"stsd", "Sample Description"),
    (*b"stts", "Time to Sample"),
    (*b"ctts", "Composition Offset"),
    (*b"stsc", "Sample to Chunk"),
    (*b"stsz", "Sample Size"),
    (*b"stco", "Chunk Offset"),
    (*b"co64", "Chunk Large Offset"),
    (*b"stss", "Sync Sample"),
    (*b"mvex", "Movie Extends"),
    (*b"mehd", "Movie Extends Header"),
    (*b"trex", "Track Extends"),
    (*b"moof", "Movie Fragment"),
    (*b"mfhd", "Movie Fragment Header"),
    (*b"traf", "Track Fragment"),
    (*b"tfhd", "Track Fragment Header"),
    (*b"tfdt", "Track Fragment Decode Time"),
    (*b"trun", "Track Fragment Run"),
    (*b"sdtp", "Sample Dependency Type"),
    (*b"sbgp", "Sample to Group"),
    (*b"sgpd", "Sample Group Description"),
    (*b"subs", "Sub-Sample Information"),
    (*b"saiz", "Sample Auxiliary Information Sizes"),
    (*b"saio", "Sample Auxiliary Information Offsets"),
    (*b"senc", "Sample Encryption"),
    (*b"mdat", "Media Data"),
    (*b"mfra", "Movie Fragment Random Access"),
    (*b"tfra", "Track Fragment Random Access"),
    (*b"mfro", "Movie Fragment Random Access Offset"),
    (*b"sidx", "Segment Index"),
    (*b"prft", "Producer Reference Time"),
    (*b"emsg", "Event Message"),
    (*b"pssh", "Protection System Specific Header"),
    (*b"sinf", "Protection Scheme Information"),
    (*b"frma", "Original Format"),
    (*b"schm", "Scheme Type"),
    (*b"schi", "Scheme Information"),
    (*b"tenc", "Track Encryption"),
    (*b"free", "Free Space"),
    (*b"skip", "Free Space"),
    (*b"udta", "User Data"),
    (*b"meta", "Metadata"),
    (*b"uuid", "Extended Type"),
    (*b"avc1", "AVC Sample Entry"),
    (*b"avc3", "AVC Sample Entry"),
    (*b"hvc1", "HEVC Sample Entry"),
    (*b"hev1", "HEVC Sample Entry"),
    (*b"dvh1", "Dolby Vision Sample Entry"),
    (*b"dvhe", "Dolby Vision Sample Entry"),
    (*b"vc-1", "VC-1 Sample Entry"),
    (*b"ovc1", "VC-1 Sample Entry"),
    (*b"mp4a", "MPEG-4 Audio Sample Entry"),
    (*b"ac-3", "AC-3 Sample Entry"),
    (*b"ec-3", "E-AC-3 Sample Entry"),
    (*b"Opus", "Opus Sample Entry"),
    (*b"wma ", "WMA Sample Entry"),
    (*b"owma", "WMA Sample Entry"),
    (*b"stpp", "XML Subtitle Sample Entry"),
    (*b"wvtt", "WebVTT Sample Entry"),
    (*b"encv", "Encrypted Video Sample Entry"),
    (*b"enca", "Encrypted Audio Sample Entry"),
    (*b"enct", "Encrypted Text Sample Entry"),
    (*b"avcC", "AVC Configuration"),
    (*b"hvcC", "HEVC Configuration"),
    (*b"dvcC", "Dolby Vision Configuration"),
    (*b"dvvC", "Dolby Vision Configuration"),
    (*b"dvc1", "VC-1 Configuration"),
    (*b"esds", "Elementary Stream Descriptor"),
    (*b"dac3", "AC-3 Configuration"),
    (*b"dec3", "E-AC-3 Configuration"),
    (*b"dOps", "Opus Configuration"),
    (*b"wfex", "WAVEFORMATEX"),
    (*b"vttC", "WebVTT Configuration"),
    (*b"pasp", "Pixel Aspect Ratio"),
    (*b"colr", "Colour Information"),
    (*b"btrt", "Bit Rate"),
    (*b"clap", "Clean Aperture"),
    (*b"fiel", "Field Handling"),
];

/// Sample entries with the fields of pictures, and of sound.
const PICTURES: [[u8; 4]; 9] =
    [*b"avc1", *b"avc3", *b"hvc1", *b"hev1", *b"dvh1", *b"dvhe", *b"vc-1", *b"ovc1", *b"encv"];
const SOUND: [[u8; 4]; 7] = [*b"mp4a", *b"ac-3", *b"ec-3", *b"Opus", *b"wma ", *b"owma", *b"enca"];

/// Returns the name of a type; empty if it is not known.
pub(super) fn of(header: &Header) -> &'static str {
    match header.extended {
        Some(kind) if kind == Tfxd::UUID => return "Track Fragment Extended Header (tfxd)",
        Some(kind) if kind == Tfrf::UUID => return "Track Fragment Reference (tfrf)",
        Some(kind) if kind == PiffSenc::UUID => return "Sample Encryption (PIFF)",
        Some(kind) if kind == PiffTenc::UUID => return "Track Encryption (PIFF)",
        Some(kind) if kind == PiffPssh::UUID => {
            return "Protection System Specific Header (PIFF)";
        }
        _ => {}
    }
    let known = NAMES.iter().find(|(kind, _)| header.kind.0 == *kind);
    known.map_or("", |(_, name)| name)
}

/// Returns the bytes before the boxes inside a box of this type; `None` if it encloses none.
pub(super) fn children(kind: &[u8; 4], body: &[u8]) -> Option<usize> {
    match kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"dinf" | b"edts" | b"mvex" | b"moof"
        | b"traf" | b"mfra" | b"sinf" | b"schi" | b"udta" => Some(0),
        b"stsd" | b"dref" => Some(8),
        // QuickTime's has no version.
        b"meta" => Some(if body.get(4..8) == Some(b"hdlr") { 0 } else { 4 }),
        // A table of another version of QuickTime's sound is longer.
        kind if SOUND.contains(kind) => match body.get(8..10) {
            Some([0, 0]) => Some(28),
            _ => None,
        },
        kind if PICTURES.contains(kind) => Some(78),
        _ => None,
    }
}

/// Returns whether a sample entry has the fields of pictures.
pub(super) fn is_of_pictures(kind: &[u8; 4]) -> bool {
    PICTURES.contains(kind)
}

/// Returns whether a sample entry has the fields of sound.
pub(super) fn is_of_sound(kind: &[u8; 4]) -> bool {
    SOUND.contains(kind)
}
