//! Compressed forms of manifests and playlists, made once each in the background.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Set once they are made, or are being made.
    asked: AtomicBool,
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

/// Levels of `gzip -6` and `brotli -5`: higher levels take many times longer for a tenth less.
const GZIP_LEVEL: u32 = 6;
const BROTLI_LEVEL: i32 = 5;
const BROTLI_WINDOW: i32 = 20;

impl Forms {
    /// Returns the form in a coding; `None` while it is not made, and if it is not shorter.
    pub(super) fn get(&self, coding: ContentCoding) -> Option<&Bytes> {
        self.forms[coding as usize].get()?.as_ref()
    }

    /// Makes those forms that together take no more memory than was set aside for them.
    fn make(&self, text: &Bytes) {
        let mut room = compressed_forms(text.len());
        for coding in ContentCoding::ALL {
            let form = compress(coding, text).filter(|form| form.len() <= room);
            room -= form.as_ref().map_or(0, Bytes::len);
            let _ = self.forms[coding as usize].set(form);
        }
    }
}

impl Job {
    fn run(self) {
        self.forms.make(&self.text);
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
