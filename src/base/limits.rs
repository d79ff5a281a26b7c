//! Budgets for everything that content or requests can make large.

use super::ErrorKind;

/// Largest amounts that content may have before it is refused.
///
/// Content beyond a limit gives [`ErrorKind::Budget`] or a finding; the
/// rest of the presentation is still served. To change a limit, assign its field after
/// [`Limits::default`]:
///
/// ```
/// let mut limits = smooth_origin::base::Limits::default();
/// limits.samples = 10_000;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a server manifest; default 1 MiB.
    pub server_manifest: u64,
    /// Bytes of a client manifest, read or written; default 16 MiB.
    pub client_manifest: u64,
    /// Depth of nested elements in a manifest; default 64.
    pub xml_depth: usize,
    /// Attributes of one element, and parameters of one track; default 256. Bounds the search for
    /// duplicates and for an attribute of a given name.
    pub xml_attributes: usize,
    /// Custom attributes of one quality, or of the presentation; default 32. Each is compared with
    /// the parameters of the tracks in the server manifest.
    pub custom_attributes: usize,
    /// Tracks of a server manifest, streams and qualities of a client manifest; default 1,024.
    pub tracks: usize,
    /// Tracks of a server manifest that may name the same track of a file; default 4. Each of them
    /// keeps a list of its fragments.
    pub uses_of_track: usize,
    /// Bytes of a `moov`; default 16 MiB.
    pub moov: u64,
    /// Samples of all tracks of progressive files of a presentation; default 33,554,432. Needed because
    /// samples of one size and duration take no bytes in a `moov`.
    pub progressive_samples: u64,
    /// Bytes of an `mfra`; default 64 MiB.
    pub mfra: u64,
    /// Bytes of a `moof`; default 32 MiB.
    pub moof: u64,
    /// Boxes in one `moov`, `moof` or `mfra`; default 65,536.
    pub boxes: usize,
    /// Depth of nested boxes; default 16.
    pub box_depth: usize,
    /// Bytes of `moov` and `mfra` read in one opening, over all its files; default 256 MiB.
    pub opening: u64,
    /// Fragments of all tracks of a presentation; default 4,194,304. Each is kept in 16 bytes.
    pub fragments: u64,
    /// Reads of the walks through the files of an opening that have no index, about one per
    /// fragment; default 262,144.
    pub scan_reads: u64,
    /// Bytes that these walks read, over all files of an opening; default 1 GiB.
    pub scan_bytes: u64,
    /// Names of files that are looked at in the folders of a folder of fragments; default
    /// 1,048,576.
    pub listed_names: u64,
    /// Samples of one fragment; default 1,048,576. Needed because samples may take no bytes at all.
    pub samples: u64,
    /// Chunks of one stream; default 16,777,216. Needed because a `c` element with `r` stands for
    /// any number of chunks.
    pub chunks: u64,
    /// Bytes of the captions (TTML) of one fragment; default 4 MiB.
    pub caption_document: u64,
    /// Texts and line breaks of the captions of one fragment; default 65,536.
    pub caption_texts: usize,
    /// Cues and samples that the captions of one fragment become; default 16,384. Needed because captions
    /// that overlap become one cue for each set of them that is shown together.
    pub cues: usize,
    /// Bytes that the captions of one fragment become; default 4 MiB.
    pub caption_bytes: u64,
    /// Steps backwards in the times of one stream; default 64. Each costs one search per request.
    pub backward_steps: usize,
    /// Findings kept per opening, and again as many for those that requests add later; default
    /// 1,000. The gravest are kept, and one more finding says that others were left out.
    pub findings: usize,
    /// Bytes of memory for these findings; default 256 KiB.
    pub finding_bytes: usize,
}

impl Limits {
    /// Compares a number with its limit. The caller adds the place to the error.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] if `found` is more than `limit`.
    #[inline(always)]
    pub(crate) fn check(what: &'static str, found: u64, limit: u64) -> Result<(), ErrorKind> {
        if found > limit { Err(beyond(what, found, limit)) } else { Ok(()) }
    }
}

#[cold]
fn beyond(what: &'static str, found: u64, limit: u64) -> ErrorKind {
    ErrorKind::Budget { what, found, limit }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            server_manifest: 1 << 20,
            client_manifest: 16 << 20,
            xml_depth: 64,
            xml_attributes: 256,
            custom_attributes: 32,
            tracks: 1024,
            uses_of_track: 4,
            moov: 16 << 20,
            progressive_samples: 32 << 20,
            mfra: 64 << 20,
            moof: 32 << 20,
            boxes: 65_536,
            box_depth: 16,
            opening: 256 << 20,
            fragments: 4 << 20,
            scan_reads: 1 << 18,
            scan_bytes: 1 << 30,
            listed_names: 1 << 20,
            samples: 1 << 20,
            chunks: 16 << 20,
            caption_document: 4 << 20,
            caption_texts: 65_536,
            cues: 16_384,
            caption_bytes: 4 << 20,
            backward_steps: 64,
            findings: 1000,
            finding_bytes: 256 << 10,
        }
    }
}
