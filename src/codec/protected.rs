//! Encrypted sample entries: `encv`, `enca`, `enct` and `encu`, and the clear entries behind them.

use bytes::Bytes;

use super::missing;
use crate::base::{Cursor, Error, FourCc, Guid, Limits};
use crate::bmff::uuid::PiffTenc;
use crate::bmff::{
    AnyBox, AudioSampleEntry, Boxes, Frma, FullBox, Header, SampleEntry, Schm, Tenc,
    VisualSampleEntry,
};
use crate::manifest::StreamKind;

/// The encryption of the samples of a track, unless a fragment has its own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encryption {
    /// The scheme.
    pub scheme: EncryptionScheme,
    /// The identifier of the key; `None` if samples are clear by default, or if the track does not
    /// say.
    pub key_id: Option<Guid>,
    /// Number of bytes of the initialization vector of each sample: 8, 16, or 0 if all samples
    /// share one.
    pub iv_size: u8,
    /// The initialization vector that all samples share.
    pub constant_iv: Option<Bytes>,
    /// Numbers of encrypted and of clear blocks of 16 bytes that take turns; both 0 if all blocks
    /// are encrypted.
    pub pattern: (u8, u8),
}

/// The schemes of Common Encryption.
///
/// Spec: ISO/IEC 23001-7, 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptionScheme {
    /// AES-CTR. PIFF has the same as its algorithm 1.
    Cenc,
    /// AES-CTR with a pattern.
    Cens,
    /// AES-CBC. PIFF has the same as its algorithm 2.
    Cbc1,
    /// AES-CBC with a pattern.
    Cbcs,
}

impl EncryptionScheme {
    /// The four letters: `cenc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Cens => "cens",
            Self::Cbc1 => "cbc1",
            Self::Cbcs => "cbcs",
        }
    }

    fn of(scheme: FourCc) -> Option<Self> {
        let all = [Self::Cenc, Self::Cens, Self::Cbc1, Self::Cbcs];
        all.into_iter().find(|one| scheme.0 == one.as_str().as_bytes())
    }

    fn of_algorithm(id: u32) -> Self {
        if id == AES_CBC { Self::Cbc1 } else { Self::Cenc }
    }

    fn schm(self) -> Schm {
        let scheme_type = FourCc(match self {
            Self::Cenc => *b"cenc",
            Self::Cens => *b"cens",
            Self::Cbc1 => *b"cbc1",
            Self::Cbcs => *b"cbcs",
        });
        Schm { full: FullBox::default(), scheme_type, scheme_version: 0x0001_0000 }
    }
}

/// `AlgorithmID` of PIFF.
const AES_CBC: u32 = 2;

/// Returns how the samples of a sample entry are encrypted: by its `sinf`, of Common Encryption or
/// of PIFF. `None` if the entry is not encrypted.
pub(crate) fn encryption(entry: &SampleEntry, limits: &Limits) -> Option<Encryption> {
    let boxes = boxes(entry, limits).ok()??;
    let clear = |scheme| Encryption {
        scheme,
        key_id: None,
        iv_size: 0,
        constant_iv: None,
        pattern: (0, 0),
    };
    let Some(sinf) = boxes.inside(*b"sinf") else { return Some(clear(EncryptionScheme::Cenc)) };
    let named = sinf.get::<Schm>().and_then(|schm| EncryptionScheme::of(schm.scheme_type));
    let schi = sinf.inside(*b"schi");
    let cenc = schi.and_then(|schi| schi.get::<Tenc>()).filter(|tenc| tenc.is_protected != 0);
    let piff = schi.and_then(|schi| schi.get::<PiffTenc>());
    Some(match (cenc, piff) {
        (Some(tenc), _) => Encryption {
            scheme: named.unwrap_or(EncryptionScheme::Cenc),
            key_id: Some(tenc.key_id),
            iv_size: tenc.iv_size,
            constant_iv: tenc.constant_iv.as_ref().map(|iv| Bytes::copy_from_slice(iv)),
            pattern: (tenc.pattern >> 4, tenc.pattern & 0xf),
        },
        (None, Some(tenc)) => Encryption {
            key_id: Some(tenc.key_id),
            iv_size: tenc.iv_size,
            ..clear(EncryptionScheme::of_algorithm(tenc.algorithm_id))
        },
        (None, None) => clear(named.unwrap_or(EncryptionScheme::Cenc)),
    })
}

/// Returns an encrypted entry as players of Common Encryption know it: with `schm` and `tenc` in
/// place of PIFF's boxes. Other bytes stay as they are. An entry that is not encrypted, or whose
/// boxes cannot be read, is returned unchanged.
///
/// Chromium 156, Firefox 153 and ffmpeg 8.1 refuse an initialization segment with PIFF's boxes.
pub(super) fn common(entry: &SampleEntry, limits: &Limits) -> SampleEntry {
    let Ok(Some(mut boxes)) = boxes(entry, limits) else { return entry.clone() };
    let before = entry.body.len() - boxes.len() as usize;
    let format = original(entry, limits).ok().map(|original| original.format());
    let scheme = encryption(entry, limits).map(|encryption| encryption.scheme);
    let (Some(sinf), Some(format), Some(scheme)) = (boxes.inside_mut(*b"sinf"), format, scheme)
    else {
        return entry.clone();
    };
    if sinf.get::<Frma>().is_none_or(|frma| frma.data_format != format) {
        sinf.list.retain(|item| item.header.kind != *b"frma");
        sinf.list.insert(0, AnyBox::new(Frma { data_format: format }));
    }
    match sinf.get_mut::<Schm>() {
        Some(schm) if EncryptionScheme::of(schm.scheme_type).is_none() => *schm = scheme.schm(),
        Some(_) => {}
        None => sinf.list.insert(1, AnyBox::new(scheme.schm())),
    }
    let piff = sinf.inside(*b"schi").and_then(|schi| schi.get::<PiffTenc>()).cloned();
    if let (Some(schi), Some(piff)) = (sinf.inside_mut(*b"schi"), piff) {
        schi.list.retain(|item| item.header.extended != Some(PiffTenc::UUID));
        if schi.get::<Tenc>().is_none() {
            schi.list.push(AnyBox::new(tenc(piff.algorithm_id > 0, piff.iv_size, piff.key_id)));
        }
    }
    let body = [&entry.body[..before], &boxes.to_bytes()].concat();
    SampleEntry { body: body.into(), ..entry.clone() }
}

/// Returns a clear entry as the entry of samples that are encrypted with AES-CTR, each with an
/// initialization vector of 8 bytes. `None` for timed text of a kind that has no encrypted form.
pub(super) fn encrypted(
    entry: &SampleEntry,
    kind: StreamKind,
    key_id: Guid,
) -> Option<SampleEntry> {
    let format = match (kind, &entry.format().0) {
        (StreamKind::Video, _) => *b"encv",
        (StreamKind::Audio, _) => *b"enca",
        (StreamKind::Text, b"stpp") => *b"encu",
        (StreamKind::Text, b"wvtt") => *b"enct",
        (StreamKind::Text, _) => return None,
    };
    let schi = AnyBox::container(*b"schi", [AnyBox::new(tenc(true, 8, key_id))]);
    let frma = AnyBox::new(Frma { data_format: entry.format() });
    let schm = AnyBox::new(EncryptionScheme::Cenc.schm());
    let sinf = Boxes::from_iter([AnyBox::container(*b"sinf", [frma, schm, schi])]);
    let body = [&entry.body[..], &sinf.to_bytes()].concat();
    let header = Header { kind: FourCc(format), ..entry.header };
    Some(SampleEntry { header, body: body.into(), ..entry.clone() })
}

fn tenc(is_protected: bool, iv_size: u8, key_id: Guid) -> Tenc {
    Tenc {
        full: FullBox::default(),
        reserved: 0,
        pattern: 0,
        is_protected: is_protected.into(),
        iv_size,
        key_id,
        constant_iv: None,
    }
}

/// Returns the boxes of an encrypted entry; `None` if the entry is not encrypted.
fn boxes(entry: &SampleEntry, limits: &Limits) -> Result<Option<Boxes>, Error> {
    Ok(Some(match &entry.format().0 {
        b"encv" => VisualSampleEntry::parse(entry, limits)?.boxes,
        b"enca" => AudioSampleEntry::parse(entry, limits)?.boxes,
        b"enct" => text(entry, 0, limits)?,
        // Subtitles of XML: namespace, schema location and auxiliary types come first.
        b"encu" => text(entry, 3, limits)?,
        _ => return Ok(None),
    }))
}

/// Returns the entry under the name that it had before it was encrypted; an entry that is not
/// encrypted is returned unchanged.
///
/// Its boxes stay, `sinf` with them: what a codec needs lies beside it, in the clear.
///
/// Spec: ISO/IEC 14496-12, 8.12; PIFF 1.1 and ISO/IEC 23001-7 alike.
///
/// If `frma` is missing, is misspelled (`mfra`), or names an encrypted entry again, the decoder
/// configuration shows which entry it was.
///
/// # Errors
/// Errors of a broken entry, and [`Missing`](crate::base::ErrorKind::Missing) if neither `frma` nor
/// a configuration identifies the entry.
pub(super) fn original(entry: &SampleEntry, limits: &Limits) -> Result<SampleEntry, Error> {
    let Some(boxes) = boxes(entry, limits)? else { return Ok(entry.clone()) };
    let frma = boxes.inside(*b"sinf").and_then(|sinf| sinf.get::<Frma>());
    let named = frma.map(|frma| frma.data_format).filter(|named| !ENCRYPTED.contains(&named.0));
    let Some(kind) = named.or_else(|| by_configuration(&boxes)).or(frma.map(|f| f.data_format))
    else {
        return Err(missing(
            entry,
            "`frma` in the sample entry's `sinf`",
            "ISO/IEC 14496-12, 8.12.2",
        ));
    };
    let header = Header { kind, ..entry.header };
    Ok(SampleEntry { header, ..entry.clone() })
}

/// Types of encrypted entries.
const ENCRYPTED: [[u8; 4]; 4] = [*b"encv", *b"enca", *b"enct", *b"encu"];

/// Boxes of decoder configurations, each with the entry that contains it.
const CONFIGURATIONS: [([u8; 4], [u8; 4]); 9] = [
    (*b"avcC", *b"avc1"),
    (*b"hvcC", *b"hvc1"),
    (*b"dvc1", *b"vc-1"),
    (*b"esds", *b"mp4a"),
    (*b"dac3", *b"ac-3"),
    (*b"dec3", *b"ec-3"),
    (*b"dOps", *b"Opus"),
    (*b"wfex", *b"owma"),
    (*b"vttC", *b"wvtt"),
];

/// Returns the entry type for the first decoder configuration among these boxes.
fn by_configuration(boxes: &Boxes) -> Option<FourCc> {
    boxes.list.iter().find_map(|item| {
        let of_item = CONFIGURATIONS.iter().find(|(name, _)| item.header.kind == *name);
        of_item.map(|&(_, entry)| FourCc(entry))
    })
}

/// The boxes behind some strings that end with a zero.
fn text(entry: &SampleEntry, strings: usize, limits: &Limits) -> Result<Boxes, Error> {
    let read = || {
        let mut body = Cursor::new(&entry.body, entry.offset);
        for _ in 0..strings {
            while body.u8()? != 0 {}
        }
        Boxes::parse_in(&mut body, limits)
    };
    read().map_err(|error: Error| error.inside(entry.format()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecTag, Description, Format};

    fn sinf(data_format: &[u8; 4]) -> AnyBox {
        let frma = Frma { data_format: FourCc(*data_format) };
        AnyBox::container(*b"sinf", [AnyBox::new(frma)])
    }

    fn described(format: &[u8; 4], body: Vec<u8>) -> Result<CodecTag, Error> {
        let entry = SampleEntry::new(FourCc(*format), body.into());
        let described = Description::of_entry(StreamKind::Text, &entry, &Limits::default());
        described.map(|described| described.tag)
    }

    #[test]
    fn text_is_announced_by_the_format_behind_its_protection() {
        let boxes = |format| Boxes::from_iter([sinf(format)]).to_bytes();
        let plain = boxes(b"wvtt").to_vec();
        assert_eq!(described(b"enct", plain.clone()).unwrap(), CodecTag::WVTT);
        let behind = [&b"http://www.w3.org/ns/ttml\0\0\0"[..], &boxes(b"stpp")].concat();
        assert_eq!(described(b"encu", behind.clone()).unwrap(), CodecTag::TTML);
        assert!(described(b"encu", plain).is_err());
        for len in 0..behind.len() {
            assert!(described(b"encu", behind[..len].to_vec()).is_err(), "{len}");
        }
    }

    #[test]
    fn an_entry_without_its_original_format_says_what_is_missing_and_where() {
        let mut entry = SampleEntry::new(FourCc(*b"enct"), Bytes::new());
        entry.offset = 600;
        let error = original(&entry, &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "enct at byte 600: no `frma` in the sample entry's `sinf` (ISO/IEC 14496-12, 8.12.2)"
        );
    }

    #[test]
    fn an_entry_whose_original_format_is_misspelled_or_missing_is_known_by_its_configuration() {
        let format = Format::Audio {
            sampling_rate: 44_100,
            channels: 2,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: 255,
        };
        let data = Bytes::from_static(&[0x12, 0x10]);
        let clear = Description::new(CodecTag::AACL, data, format);
        let entry = clear.sample_entry().unwrap();
        let misspelled = AnyBox::other(*b"mfra", &b"mp4a"[..]);
        let without = AnyBox::other(*b"schm", &[0; 12][..]);
        for sinf in [
            Some(AnyBox::container(*b"sinf", [misspelled])),
            Some(AnyBox::container(*b"sinf", [without])),
            Some(sinf(b"enca")),
            None,
        ] {
            let sinf = Boxes::from_iter(sinf).to_bytes();
            let body = [&entry.body[..], &sinf].concat();
            let encrypted = SampleEntry::new(FourCc(*b"enca"), body.into());
            let described =
                Description::of_entry(StreamKind::Audio, &encrypted, &Limits::default());
            assert_eq!(described.unwrap(), clear);
        }
    }

    #[test]
    fn protection_that_names_itself_ends() {
        let body = Boxes::from_iter([sinf(b"enct")]).to_bytes().to_vec();
        assert_eq!(described(b"enct", body).unwrap().as_str(), "ENCT");
    }

    fn video() -> SampleEntry {
        let format = Format::Video { width: 480, height: 270, nal_length_size: 4 };
        let sets = "0000000167640015ACD941E08FEB011000003E90000EA600F162D9600000000168EBECB22C";
        let data = crate::codec::hex(sets).unwrap();
        Description::new(CodecTag::H264, data, format).sample_entry().unwrap()
    }

    const KEY: Guid = Guid::from_u128(0x09e36702_8f33_436c_a5dd_60ffe6671e70);

    /// The entry as PIFF 1.1 stores it.
    fn of_piff(algorithm_id: u32) -> SampleEntry {
        let clear = video();
        let tenc = PiffTenc { full: FullBox::default(), algorithm_id, iv_size: 8, key_id: KEY };
        let (scheme_type, scheme_version) = (FourCc(*b"piff"), 0x0001_0001);
        let schm = Schm { full: FullBox::default(), scheme_type, scheme_version };
        let sinf = [
            AnyBox::new(Frma { data_format: FourCc(*b"avc1") }),
            AnyBox::new(schm),
            AnyBox::container(*b"schi", [AnyBox::new(tenc)]),
        ];
        let sinf = Boxes::from_iter([AnyBox::container(*b"sinf", sinf)]).to_bytes();
        SampleEntry::new(FourCc(*b"encv"), [&clear.body[..], &sinf].concat().into())
    }

    #[test]
    fn encryption_of_piff_is_read_and_written_as_common_encryption() {
        let limits = Limits::default();
        for (algorithm, scheme) in [(1, EncryptionScheme::Cenc), (2, EncryptionScheme::Cbc1)] {
            let piff = of_piff(algorithm);
            let found = encryption(&piff, &limits).unwrap();
            assert_eq!((found.scheme, found.key_id, found.iv_size), (scheme, Some(KEY), 8));
            let common = common(&piff, &limits);
            assert_eq!(encryption(&common, &limits), Some(found));
            let boxes = boxes(&common, &limits).unwrap().unwrap();
            let sinf = boxes.inside(*b"sinf").unwrap();
            assert_eq!(sinf.get::<Schm>(), Some(&scheme.schm()));
            let schi = sinf.inside(*b"schi").unwrap();
            assert_eq!((schi.list.len(), schi.get::<Tenc>().unwrap().key_id), (1, KEY));
            // All else stays.
            let len = video().body.len();
            assert_eq!(common.body[..len], piff.body[..len]);
            assert_eq!(super::common(&common, &limits), common);
        }
    }

    #[test]
    fn a_clear_entry_can_be_encrypted_and_is_known_behind_it() {
        let limits = Limits::default();
        assert_eq!((encryption(&video(), &limits), common(&video(), &limits)), (None, video()));
        let made = encrypted(&video(), StreamKind::Video, KEY).unwrap();
        assert_eq!(encryption(&made, &limits).unwrap().key_id, Some(KEY));
        assert_eq!(original(&made, &limits).unwrap().format(), *b"avc1");
        assert_eq!(common(&made, &limits), made);
        let text = SampleEntry::new(FourCc(*b"dfxp"), Bytes::new());
        assert_eq!(encrypted(&text, StreamKind::Text, KEY), None);
    }

    #[test]
    fn encrypted_entries_that_are_cut_give_no_panic() {
        let whole = of_piff(1);
        for len in 0..whole.body.len() {
            let cut = SampleEntry { body: whole.body.slice(..len), ..whole.clone() };
            let _ = (encryption(&cut, &Limits::default()), common(&cut, &Limits::default()));
        }
    }
}
