//! Compressed forms of manifests and playlists, made once each: in the background, or at once if they are of a live
//! presentation, which has others a second later.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use super::content_coding::ContentCoding;
use crate::origin::Offload;
use crate::presentation::compressed_forms;

/// The compressed forms of one text, as far as they are made.
#[derive(Debug, Default)]
pub(super) struct Forms {
    forms: [OnceLock<Option<Bytes>>; ContentCoding::ALL.len()],
    /// Bytes of them.
    taken: AtomicUsize,
    /// Set once they are made, or are being made.
    asked: AtomicBool,
    /// Set once a client has asked for a form of a long text of a live presentation.
    wanted: AtomicBool,
}

/// Compresses texts in the threads of the host, or in a thread of its own, which starts with the first
/// text.
#[derive(Debug)]
pub(super) struct Compressor {
    offload: Offload,
    own: Mutex<Option<SyncSender<Job>>>,
}

/// A text to compress.
#[derive(Debug)]
struct Job {
    text: Bytes,
    forms: Arc<Forms>,
}

/// Most texts that wait to be compressed. Others are tried again at their next request.
const QUEUE: usize = 64;

/// A shorter text gains nothing.
const SHORT: usize = 256;

/// Texts of a live presentation up to this length are compressed at once, in the coding that the client prefers alone:
/// that takes up to eight million instructions, and two million for the playlist of ten minutes.
const AT_ONCE: usize = 64 << 10;

/// Levels of `gzip -6` and `brotli -5`: higher levels take many times longer for a tenth less.
const GZIP_LEVEL: u32 = 6;
const BROTLI_LEVEL: i32 = 5;
const BROTLI_WINDOW: i32 = 20;

impl Forms {
    /// Returns the form in a coding; `None` while it is not made, and if it is not shorter.
    pub(super) fn get(&self, coding: ContentCoding) -> Option<&Bytes> {
        self.forms[coding as usize].get()?.as_ref()
    }

    /// Makes the form in a coding, if it was not made. Threads that do it at one time wait for one of them. All forms
    /// together take no more memory than was set aside for them.
    fn make(&self, coding: ContentCoding, text: &[u8]) {
        let room = compressed_forms(text.len());
        let has_room = |form: &Bytes| {
            let all = |taken: usize| Some(taken + form.len()).filter(|all| *all <= room);
            self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, all).is_ok()
        };
        self.forms[coding as usize].get_or_init(|| compress(coding, text).filter(has_room));
    }

    fn make_all(&self, text: &[u8]) {
        ContentCoding::ALL.into_iter().for_each(|coding| self.make(coding, text));
    }
}

impl Job {
    fn run(self) {
        self.forms.make_all(&self.text);
    }
}

/// A job that was dropped before it was done is tried again at the next request.
impl Drop for Job {
    fn drop(&mut self) {
        let is_made = self.forms.forms.iter().all(|form| form.get().is_some());
        if !is_made && !std::thread::panicking() {
            self.forms.asked.store(false, Ordering::Relaxed);
        }
    }
}

impl Compressor {
    /// A compressor that uses the threads of the host, if there are any.
    pub(super) fn new(offload: Offload) -> Self {
        Self { offload, own: Mutex::default() }
    }

    /// Makes the form of a text of a live presentation, which has another one a second later: at once if it is short. The
    /// forms of a long one are made in the background, when a second client asks for one: for a single client they would
    /// come too late.
    pub(super) fn ask_at_once(&self, text: &Bytes, forms: &Arc<Forms>, coding: ContentCoding) {
        if text.len() < SHORT || forms.get(coding).is_some() {
            return;
        }
        if text.len() <= AT_ONCE {
            forms.make(coding, text);
        } else if forms.wanted.swap(true, Ordering::Relaxed) {
            self.ask(text, forms);
        }
    }

    /// Starts making the forms of a text, unless that was done before.
    pub(super) fn ask(&self, text: &Bytes, forms: &Arc<Forms>) {
        if text.len() < SHORT || forms.asked.swap(true, Ordering::Relaxed) {
            return;
        }
        self.begin(text, forms);
    }

    #[cold]
    fn begin(&self, text: &Bytes, forms: &Arc<Forms>) {
        let job = Job { text: text.clone(), forms: Arc::clone(forms) };
        if self.offload.has_threads() {
            return self.offload.try_run(move || job.run());
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_none() {
            *own = start();
        }
        if let Some(jobs) = &*own {
            // A job for which there is no room comes back with the error, and is dropped.
            let _ = jobs.try_send(job);
        }
    }
}

/// Starts a thread, which ends when the service is dropped. On targets without threads, nothing is
/// compressed.
fn start() -> Option<SyncSender<Job>> {
    let (sender, jobs) = sync_channel::<Job>(QUEUE);
    let work = move || jobs.into_iter().for_each(Job::run);
    std::thread::Builder::new().name("smooth-compress".into()).spawn(work).ok()?;
    Some(sender)
}

fn compress(coding: ContentCoding, text: &[u8]) -> Option<Bytes> {
    let room = Vec::with_capacity(text.len() / 4);
    let form = match coding {
        ContentCoding::Gzip => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            // Without a time: every machine makes the same bytes.
            let mut encoder = flate2::GzBuilder::new().write(room, level);
            encoder.write_all(text).ok()?;
            encoder.finish().ok()?
        }
        ContentCoding::Brotli => {
            let mut form = room;
            let params = brotli::enc::BrotliEncoderParams {
                quality: BROTLI_LEVEL,
                lgwin: BROTLI_WINDOW,
                size_hint: text.len(),
                ..Default::default()
            };
            brotli::BrotliCompress(&mut &*text, &mut form, &params).ok()?;
            form
        }
    };
    // In a piece of its own length: it is kept for long, and may be much shorter than its room.
    (form.len() < text.len()).then(|| Bytes::copy_from_slice(&form))
}

/// Returns the text of a form, for tests.
#[cfg(test)]
pub(super) fn decompress(coding: &str, form: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match coding {
        "gzip" => {
            let mut decoder = flate2::read::GzDecoder::new(form);
            std::io::Read::read_to_end(&mut decoder, &mut text).unwrap();
        }
        "br" => brotli::BrotliDecompress(&mut &*form, &mut text).unwrap(),
        other => panic!("{other}"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A playlist of so many segments.
    fn playlist(segments: u64) -> Bytes {
        let segment = |number: u64| {
            let ticks = 17_954_784_000_000_000 + number * 20_000_000;
            format!("#EXTINF:2.0000000,\nvideo-3000000/{ticks}.m4s\n")
        };
        (0..segments).map(segment).collect::<String>().into()
    }

    #[test]
    fn a_short_text_of_a_live_presentation_is_compressed_for_the_client_that_asks_first() {
        let compressor = Compressor::new(Offload::default());
        let (text, forms) = (playlist(300), Arc::<Forms>::default());
        for coding in ContentCoding::ALL {
            // Only what a client asks for is made.
            assert!(forms.get(coding).is_none());
            compressor.ask_at_once(&text, &forms, coding);
            let form = forms.get(coding).unwrap();
            assert_eq!(decompress(coding.name(), form), text);
            assert!(form.len() * 6 < text.len(), "{coding:?}: {} of {}", form.len(), text.len());
        }
        assert!(!forms.asked.load(Ordering::Relaxed), "nothing is left for the background");
        let none = Arc::<Forms>::default();
        compressor.ask_at_once(&Bytes::from_static(b"#EXTM3U"), &none, ContentCoding::Gzip);
        assert!(none.get(ContentCoding::Gzip).is_none());
    }

    #[test]
    fn a_long_text_of_a_live_presentation_is_compressed_when_a_second_client_asks() {
        let compressor = Compressor::new(Offload::default());
        let (text, forms) = (playlist(2000), Arc::<Forms>::default());
        for is_asked in [false, true] {
            compressor.ask_at_once(&text, &forms, ContentCoding::Brotli);
            assert_eq!(forms.asked.load(Ordering::Relaxed), is_asked);
        }
        // In a thread of its own, which ends with the compressor once it has made them.
        let began = std::time::Instant::now();
        while forms.get(ContentCoding::Gzip).is_none() {
            assert!(began.elapsed() < std::time::Duration::from_secs(20));
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}
