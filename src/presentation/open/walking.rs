//! An opening whose files without a usable index are walked through, a read per fragment.

use std::collections::VecDeque;

use super::announced::Announced;
use super::media::MediaFile;
use super::resolve::resolve;
use super::trouble::Trouble;
use super::walk::files_to_walk;
use super::{Opening, Outcome};
use crate::base::{Error, FileId, Got, Limits, Name, Step, Then, Want};
use crate::index::{Scan, Spent};
use crate::manifest::Stored;
use crate::presentation::Presentation;
use crate::presentation::finding::Findings;

/// Files that are walked through at one time.
const WALKS: usize = 4;

/// An opening whose files without a usable index are walked through.
pub(super) struct Walking {
    opening: Opening,
    media: Vec<(FileId, MediaFile)>,
    /// Walks that are not at their end. The first few have each asked for bytes.
    walks: VecDeque<Walk>,
    ended: Vec<Walk>,
    spent: Spent,
}

/// A walk through one file, by its place among the media files.
pub(super) struct Walk {
    number: usize,
    scan: Scan,
}

impl Opening {
    /// The walks to be made.
    pub(super) fn walks(
        &self,
        media: &[(FileId, MediaFile)],
        client: Option<&Stored<'_>>,
    ) -> VecDeque<Walk> {
        let (server, limits) = (&self.server, &self.options.limits);
        let resolved = resolve(server, &self.named, media, limits, &mut Findings::none());
        let files = files_to_walk(server, client.map(|client| &client.manifest), &resolved, limits);
        let is_wanted =
            |file: FileId| files.binary_search(&file).is_ok() || self.is_distrusted(file);
        let walk = |(number, (file, media)): (usize, &(FileId, MediaFile))| {
            let scan = is_wanted(*file).then(|| media.scan()).flatten()?;
            Some(Walk { number, scan })
        };
        media.iter().enumerate().filter_map(walk).collect()
    }
}

impl Opening {
    /// What the client manifest announces of each track.
    fn announced(&self, media: &[(FileId, MediaFile)], client: Option<&Stored<'_>>) -> Announced {
        let (server, limits) = (&self.server, &self.options.limits);
        let Some(client) = client else { return Announced::default() };
        let resolved = resolve(server, &self.named, media, limits, &mut Findings::none());
        Announced::new(&client.manifest, server, &resolved, limits)
    }
}

impl Walking {
    pub(super) fn new(
        opening: Opening,
        media: Vec<(FileId, MediaFile)>,
        walks: VecDeque<Walk>,
    ) -> Self {
        Self { opening, media, walks, ended: Vec::new(), spent: Spent::default() }
    }

    /// One read of some files in a batch, until all have been walked through.
    pub(super) fn read_on(mut self: Box<Self>) -> Step<Presentation> {
        let Self { opening, media, walks, ended, spent } = &mut *self;
        let limits = &opening.options.limits;
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
        let Self { mut opening, mut media, mut ended, .. } = self;
        ended.sort_by_key(|walk| walk.number);
        let text = opening.client_text.clone();
        let limits = opening.options.limits.clone();
        let client = text.as_deref().map(|text| Stored::parse(text, &limits));
        let is_asked = |walk: &Walk| media[walk.number].1.has_index() || walk.scan.has_choice();
        let stored = client.as_ref().and_then(|client| client.as_ref().ok());
        let stored = stored.filter(|_| ended.iter().any(is_asked));
        let announced = opening.announced(&media, stored);
        for Walk { number, scan } in ended {
            let (file, media) = &mut media[number];
            let is_distrusted = opening.is_distrusted(*file);
            for finding in media.walked(scan.finish(), is_distrusted, &announced) {
                let name = opening.files.get(file.index()).map_or("", Name::as_str);
                opening.findings.push(finding.in_file(name));
            }
            opening.walked.push(*file);
        }
        opening.conclude(media, client)
    }
}

impl Then<Presentation> for Walking {
    fn go_on(mut self: Box<Self>, got: Vec<Outcome>) -> Result<Step<Presentation>, Error> {
        let Self { opening, media, walks, .. } = &mut *self;
        let mut has_failed = false;
        for (Walk { number, scan }, got) in walks.iter_mut().zip(got) {
            match got {
                Ok(Got::Range(bytes)) => scan.feed(&bytes, &opening.options.limits),
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
    /// What it has to read next, if it is not at its end.
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
