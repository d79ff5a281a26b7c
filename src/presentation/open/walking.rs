//! An opening whose files without a usable index are walked through, a read per fragment.

use std::collections::VecDeque;

use super::Outcome;
use super::announced::Announced;
use super::complete::Complete;
use super::media::MediaFile;
use super::trouble::Trouble;
use crate::base::{Error, FileId, Got, Limits, Name, Step, Then, Want};
use crate::index::{Scan, Spent};
use crate::presentation::Presentation;
use crate::presentation::finding::Findings;

/// Files that are walked through at one time.
const WALKS: usize = 4;

/// An opening whose files without a usable index are walked through.
pub(super) struct Walking {
    complete: Complete,
    /// Tracks of files, per stream of the client manifest.
    announced: Vec<Vec<(FileId, u32)>>,
    /// Walks that are not at their end. The first few have each asked for bytes.
    walks: VecDeque<Walk>,
    ended: Vec<Walk>,
    spent: Spent,
    findings: Findings,
}

/// A walk through one file, by its place among the media files.
pub(super) struct Walk {
    number: usize,
    scan: Scan,
}

impl Walking {
    pub(super) fn new(
        complete: Complete,
        scans: Vec<(usize, Scan)>,
        announced: Vec<Vec<(FileId, u32)>>,
        findings: Findings,
    ) -> Box<Self> {
        let walks = scans.into_iter().map(|(number, scan)| Walk { number, scan }).collect();
        let (ended, spent) = (Vec::new(), Spent::default());
        Box::new(Self { complete, announced, walks, ended, spent, findings })
    }

    /// One read of some files in a batch, until all have been walked through.
    pub(super) fn read_on(mut self: Box<Self>) -> Step<Presentation> {
        let Self { complete, walks, ended, spent, .. } = &mut *self;
        let (media, limits) = (&complete.media, &complete.listed.options.limits);
        let mut wants = Vec::with_capacity(WALKS);
        // A window is as long as a `moof` may be: not one of every file at a time.
        while wants.len() < WALKS {
            let Some(walk) = walks.get_mut(wants.len()) else { break };
            match walk.want(media, limits, spent) {
                Some(want) => wants.push(want),
                None => ended.extend(walks.remove(wants.len())),
            }
        }
        if wants.is_empty() {
            // What is left takes long, and the last read may have been short.
            return Step::read(wants, move |_| Ok(Step::Ready(self.conclude())));
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
        let Complete { listed, media, walked, .. } = &mut complete;
        for Walk { number, scan } in ended {
            let (file, media) = &mut media[number];
            let is_distrusted = listed.is_distrusted(*file);
            for finding in media.walked(scan.finish(), is_distrusted, &announced) {
                let name = listed.files.get(file.index()).map_or("", Name::as_str);
                findings.push(finding.in_file(name));
            }
            walked.push(*file);
        }
        complete.conclude(findings)
    }
}

impl Then<Presentation> for Walking {
    fn go_on(mut self: Box<Self>, got: Vec<Outcome>) -> Result<Step<Presentation>, Error> {
        let Self { complete, walks, .. } = &mut *self;
        let Complete { listed, media, .. } = complete;
        let mut has_failed = false;
        for (Walk { number, scan }, got) in walks.iter_mut().zip(got) {
            match got {
                Ok(Got::Range(bytes)) => scan.feed(&bytes, &listed.options.limits),
                Ok(Got::Opened(_) | Got::Listed(_)) => {}
                Err(error) => {
                    media[*number].1.tracks = Err(Trouble::unreadable(&error));
                    has_failed = true;
                }
            }
        }
        if has_failed {
            walks.retain(|walk| media[walk.number].1.tracks.is_ok());
        }
        Ok(self.read_on())
    }
}

impl Walk {
    /// Returns the range to read next, unless the walk is at its end.
    fn want(
        &mut self,
        media: &[(FileId, MediaFile)],
        limits: &Limits,
        spent: &mut Spent,
    ) -> Option<Want> {
        let range = self.scan.wanted(limits, spent)?;
        Some(Want::Range { file: media[self.number].0, range })
    }
}
