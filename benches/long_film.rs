//! Progressive films of hours, in files that have holes where their samples are.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::presentation::Presentation;
use smooth_origin::storage::LocalStore;
use testkit::film::ism;
use testkit::progressive::{Film, Track};

use crate::open_with;

/// A server manifest, and one file with pictures and perhaps sound.
pub struct Progressive {
    pub folder: PathBuf,
    /// Place of the `moov`, which ends the file.
    pub moov: Range<u64>,
    pub samples: usize,
}

impl Progressive {
    /// Writes a film with pictures of so many ticks a second and ticks each, and with sound if it says how
    /// many of its frames are together. `together` is the number of pictures.
    pub fn new(hours: u32, rate: (u32, u32), together: usize, sound: Option<usize>) -> Self {
        let seconds = hours * 3600;
        let gop = (2 * rate.0 / rate.1) as usize;
        let video = Track::video(rate, seconds, gop, 3_500_000, 7);
        let mut tracks = vec![Track { together, is_large: true, ..video }];
        if let Some(together) = sound {
            let sound = Track::sound(seconds, 128_000, 9);
            tracks.push(Track { together, is_large: true, ..sound });
        }
        let film = Film::of(tracks);
        let name = format!("smooth-origin-bench-{}-progressive", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        film.write_sparse(&folder.join("film.mp4")).unwrap();
        let (_, start, end) = film.moov();
        let named =
            [("video", "film.mp4", 3_500_000, 1, ""), ("audio", "film.mp4", 128_000, 2, "")];
        std::fs::write(folder.join("film.ism"), ism(None, &named[..film.tracks.len()])).unwrap();
        let samples = film.tracks.iter().map(|track| track.samples.len()).sum();
        Self { folder, moov: start..end, samples }
    }

    /// Reads the `moov`.
    pub fn read(&self) -> Bytes {
        let file = File::open(self.folder.join("film.mp4")).unwrap();
        let mut bytes = vec![0; (self.moov.end - self.moov.start) as usize];
        file.read_exact_at(&mut bytes, self.moov.start).unwrap();
        bytes.into()
    }

    /// All that has to be done at least: the `moov` is read, and each of its words is looked at.
    pub fn pass(&self) -> u32 {
        let moov = self.read();
        let words = moov.as_chunks().0.iter();
        words.fold(0, |sum: u32, word| sum.wrapping_add(u32::from_be_bytes(*word)))
    }

    pub fn open(&self) -> Arc<Presentation> {
        let opened = open_with(LocalStore::new(&self.folder).unwrap());
        Arc::clone(opened.presentation())
    }
}

impl Drop for Progressive {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
