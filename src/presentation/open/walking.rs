//! An opening whose files without a usable index are walked through, a read per fragment: one read
//! after the other, or many at once if reads are slow.

use std::collections::VecDeque;
use std::time::Duration;

use super::Outcome;
use super::announced::Announced;
use super::complete::Complete;
use super::media::MediaFile;
use super::messages;
use super::trouble::Trouble;
use crate::base::{Error, FileId, Got, Limits, Name, ReadError, Step, Then, Want};
use crate::index::{IndexReader, Scan, Share, Spent};
use crate::presentation::Presentation;
use crate::presentation::finding::Findings;

/// Files that are walked through at one time, and the same if reads are slow.
const WALKS: usize = 4;
const SLOW_WALKS: usize = 16;

/// Reads at one time if reads are slow, over all files: fewer than an origin makes at one time
/// (`max_reads`).
const READS: usize = 240;

/// Ranges of one file that a driver gets in one operation, or a multiple of their number.
const TOGETHER: usize = 16;

/// Bytes that may be asked for at one time, in addition to the next window of each of a few files.
const BYTES: u64 = 16 << 20;

/// Index files that are in memory at one time.
const INDEX_FILES: usize = 16;

/// Boxes that were seen ahead of the walks: a hundred bytes of memory each.
const BOXES: usize = 128 << 10;

/// After so many failures, a walk makes one read after the other.
const FAILURES: u8 = 3;

/// An opening whose files without a usable index are walked through.
pub(super) struct Walking {
    complete: Complete,
    /// Tracks of files, per stream of the client manifest.
    announced: Vec<Vec<(FileId, u32)>>,
    /// Walks that are not at their end. The first few have each asked for bytes.
    walks: VecDeque<Walk>,
    ended: Vec<Walk>,
    spent: Spent,
    pace: Pace,
    findings: Findings,
}

/// The time that the first batches of reads took.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    batches: u32,
    time: Duration,
}

impl Pace {
    /// Batches that show whether reads are slow.
    const BATCHES: u32 = 4;

    /// Reads that take longer are slow: a disk is faster, a network is not.
    const SLOW: Duration = Duration::from_millis(4);

    fn is_slow(self) -> bool {
        self.batches >= Self::BATCHES && self.time / self.batches >= Self::SLOW
    }
}

/// A walk through one file, by its place among the media files.
pub(super) struct Walk {
    number: usize,
    scan: Scan,
    /// Number of ranges that it has asked for.
    asked: usize,
    /// True if a read has just failed while others were made at the same time: the walk tries again
    /// alone.
    is_alone: bool,
    /// Number of times that this happened.
    failures: u8,
    /// True if an index file had the fragments.
    is_by_index_file: bool,
}

impl Walking {
    pub(super) fn new(
        complete: Complete,
        scans: Vec<(usize, Scan)>,
        announced: Vec<Vec<(FileId, u32)>>,
        findings: Findings,
    ) -> Box<Self> {
        let walks = scans.into_iter().map(|(number, scan)| Walk::new(number, scan)).collect();
        let (ended, spent, pace) = (Vec::new(), Spent::default(), Pace::default());
        Box::new(Self { complete, announced, walks, ended, spent, pace, findings })
    }

    /// Gets the index files of earlier openings, if there may be some, and walks through what they do
    /// not have.
    pub(super) fn start(mut self: Box<Self>) -> Step<Presentation> {
        if !self.complete.listed.options.has_index_files {
            return self.read_on();
        }
        self.walks.iter_mut().for_each(|walk| walk.scan.keep_trail());
        self.get_index_files(0)
    }

    /// Gets the index files of some walks, from this number on.
    fn get_index_files(mut self: Box<Self>, first: usize) -> Step<Presentation> {
        let Self { complete: Complete { listed, media, .. }, walks, .. } = &mut *self;
        let some = walks.iter_mut().skip(first).take(INDEX_FILES);
        let next = first + some.len();
        // One that was found to lie is not used again.
        let trusted = some.filter(|walk| !listed.is_distrusted(media[walk.number].0));
        let want = |walk: &mut Walk| {
            walk.asked = 1;
            Want::Index { file: media[walk.number].0 }
        };
        let wants: Vec<Want> = trusted.map(want).collect();
        if wants.is_empty() {
            return if next < walks.len() { self.get_index_files(next) } else { self.read_on() };
        }
        Step::read(wants, move |got| {
            let asked = self.walks.iter_mut().skip(first).filter(|walk| walk.asked > 0);
            for (walk, got) in asked.zip(got) {
                walk.asked = 0;
                if let Ok(Got::Range(bytes)) = got {
                    walk.is_by_index_file = walk.scan.replay(IndexReader::new(bytes));
                }
            }
            Ok(if next < self.walks.len() { self.get_index_files(next) } else { self.read_on() })
        })
    }

    /// Some reads of some files in a batch, until all have been walked through.
    pub(super) fn read_on(mut self: Box<Self>) -> Step<Presentation> {
        let Self { complete, walks, ended, spent, pace, .. } = &mut *self;
        let (media, limits) = (&complete.media, &complete.listed.options.limits);
        let share = share(walks.len(), pace.is_slow());
        let most = if pace.is_slow() { SLOW_WALKS } else { WALKS };
        let mut wants = Vec::with_capacity(WALKS);
        let (mut number, mut bytes) = (0, 0);
        // A window is as long as a `moof` may be: not one of every file at a time.
        while number < WALKS || number < most && bytes < BYTES {
            let Some(walk) = walks.get_mut(number) else { break };
            bytes += walk.want(media, &share, limits, spent, &mut wants);
            match walk.asked {
                0 => ended.extend(walks.remove(number)),
                _ => number += 1,
            }
        }
        walks.iter_mut().skip(number).take(SLOW_WALKS).for_each(|walk| walk.asked = 0);
        if wants.is_empty() {
            // What is left takes long, and the last read may have been short.
            return Step::read(wants, move |_| Ok(messages::read(self.conclude())));
        }
        Step::read_briefly_for(wants, self)
    }

    fn conclude(self) -> Presentation {
        let Self { mut complete, announced, mut ended, mut findings, .. } = self;
        ended.sort_by_key(|walk| walk.number);
        let media = &complete.media;
        let is_asked = |walk: &Walk| media[walk.number].1.has_index() || walk.scan.has_choice();
        let client = complete.client().filter(|_| ended.iter().any(is_asked));
        let limits = &complete.listed.options.limits;
        let announced = client.map(|of| Announced::new(of.manifest(), &announced, limits));
        let announced = announced.unwrap_or_default();
        let Complete { listed, media, walked, trails, .. } = &mut complete;
        for Walk { number, mut scan, is_by_index_file, .. } in ended {
            let (file, media) = &mut media[number];
            trails.extend(scan.take_trail().map(|trail| (*file, trail)));
            let is_distrusted = listed.is_distrusted(*file);
            for finding in media.walked(scan.finish(), is_distrusted, &announced) {
                let name = listed.files.get(file.index()).map_or("", Name::as_str);
                findings.push(finding.in_file(name));
            }
            if is_by_index_file {
                // The fragments were not looked at.
                media.unsettle();
            } else {
                walked.push(*file);
            }
        }
        complete.conclude(findings)
    }
}

impl Then<Presentation> for Walking {
    fn go_on(mut self: Box<Self>, got: Vec<Outcome>) -> Result<Step<Presentation>, Error> {
        let Self { complete, walks, .. } = &mut *self;
        let Complete { listed, media, .. } = complete;
        let mut has_failed = false;
        let mut got = got.into_iter();
        for walk in walks.iter_mut().take_while(|walk| walk.asked > 0) {
            let outcomes = got.by_ref().take(walk.asked);
            if let Err(error) = walk.feed(outcomes, &listed.options.limits) {
                media[walk.number].1.tracks = Err(Trouble::unreadable(&error));
                has_failed = true;
            }
        }
        if has_failed {
            walks.retain(|walk| media[walk.number].1.tracks.is_ok());
        }
        Ok(self.read_on())
    }

    fn took(&mut self, time: Duration) {
        if !self.pace.is_slow() {
            self.pace.batches += 1;
            self.pace.time += time;
        }
    }
}

/// Returns the share of each of some walks.
fn share(walks: usize, is_slow: bool) -> Share {
    if !is_slow {
        return Share { reads: 1, bytes: 0, boxes: 0 };
    }
    let walks = walks.clamp(1, SLOW_WALKS);
    let reads = READS / walks / TOGETHER * TOGETHER;
    Share { reads: reads.max(1), bytes: BYTES / walks as u64, boxes: BOXES / walks }
}

impl Walk {
    fn new(number: usize, scan: Scan) -> Self {
        Self { number, scan, asked: 0, is_alone: false, failures: 0, is_by_index_file: false }
    }

    /// Adds the ranges to read next to `wants`, unless the walk is at its end. Returns how many
    /// bytes these are.
    fn want(
        &mut self,
        media: &[(FileId, MediaFile)],
        share: &Share,
        limits: &Limits,
        spent: &mut Spent,
        wants: &mut Vec<Want>,
    ) -> u64 {
        let (file, before, mut bytes) = (media[self.number].0, wants.len(), 0);
        let share = Share { reads: if self.is_alone { 1 } else { share.reads }, ..*share };
        self.scan.wanted_at_once(&share, limits, spent, |range| {
            bytes += range.end - range.start;
            wants.push(Want::Range { file, range });
        });
        self.asked = wants.len() - before;
        bytes
    }

    /// Takes the outcomes of the ranges that it wanted.
    fn feed(
        &mut self,
        got: impl Iterator<Item = Outcome>,
        limits: &Limits,
    ) -> Result<(), ReadError> {
        let mut windows = Vec::new();
        for outcome in got {
            match outcome {
                Ok(Got::Range(bytes)) if self.asked == 1 => {
                    self.is_alone = self.failures >= FAILURES;
                    self.scan.feed(&bytes, limits);
                }
                Ok(Got::Range(bytes)) => windows.push(bytes),
                Ok(Got::Opened(_) | Got::Listed(_)) => {}
                // The range that the walk needs may have failed only because others did.
                Err(_) if self.asked > 1 => self.is_alone = true,
                Err(error) => return Err(error),
            }
        }
        if self.is_alone && self.asked > 1 {
            self.failures += 1;
        } else if self.asked > 1 {
            self.scan.feed_at_once(windows, limits);
        }
        Ok(())
    }
}
