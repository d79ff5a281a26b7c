//! An opening whose headers and indexes have been read.

#[cfg(any(feature = "dash", feature = "hls"))]
use crate::presentation::segmented::Segmented;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

use super::assign::{Assignment, assign};
use super::listed::Listed;
use super::media::MediaFile;
use super::messages;
use super::protection;
use super::resolve::{Resolved, resolve};
use super::served::Served;
use super::walk::files_to_walk;
use super::walking::Walking;
use crate::base::{Error, FileId, Step};
use crate::index::IndexWriter;
use crate::manifest::ClientDocument;
use crate::presentation::finding::Findings;
use crate::presentation::probe::SMALL;
use crate::presentation::representation_map::RepresentationMap;
use crate::presentation::role::settle;
use crate::presentation::validator::ContentHash;
use crate::presentation::{Presentation, Stream};

/// An opening whose headers and indexes have been read.
pub(super) struct Complete {
    pub(super) listed: Listed,
    pub(super) client_text: Option<Bytes>,
    /// The client manifest, or why it cannot be used.
    pub(super) client: Option<Result<ClientDocument, Error>>,
    pub(super) media: Vec<(FileId, MediaFile)>,
    /// Files that were walked through.
    pub(super) walked: Vec<FileId>,
    /// The boxes that these walks passed, for index files.
    pub(super) trails: Vec<(FileId, IndexWriter)>,
}

/// The tracks of the manifests and of the files, in pairs.
pub(super) struct Pairs<'a> {
    /// One per track of the server manifest.
    pub(super) resolved: Vec<Resolved<'a>>,
    /// `None` if there is no client manifest that can be used.
    pub(super) assignment: Option<Assignment>,
}

impl Pairs<'_> {
    /// Returns the tracks of files that each stream of the client manifest announces: the number of
    /// the track in each file.
    fn announced(&self) -> Vec<Vec<(FileId, u32)>> {
        let track = |number: usize| {
            let media = self.resolved.get(number)?.media.as_ref().ok()?;
            Some((media.file, media.track_id))
        };
        let streams = self.assignment.iter().flatten();
        streams.map(|tracks| tracks.iter().flatten().copied().filter_map(track).collect()).collect()
    }
}

impl Complete {
    /// Walks through the files that need it, or ends the opening.
    pub(super) fn finish(self, before: Findings) -> Step<Presentation> {
        // A walk changes what there is to report.
        let mut findings = before.clone();
        let pairs = self.pairs(&mut findings);
        let (listed, client) = (&self.listed, self.client());
        let files = files_to_walk(client, &pairs, &listed.options.limits);
        let is_wanted =
            |file: FileId| files.binary_search(&file).is_ok() || listed.is_distrusted(file);
        let scan = |(number, (file, media)): (usize, &(FileId, MediaFile))| {
            Some((number, is_wanted(*file).then(|| media.scan()).flatten()?))
        };
        let scans: Vec<_> = self.media.iter().enumerate().filter_map(scan).collect();
        if scans.is_empty() {
            let served = self.served(pairs, &mut findings);
            return messages::read(self.presentation(served, findings));
        }
        let announced = pairs.announced();
        Walking::new(self, scans, announced, before).start()
    }

    /// Ends the opening, after the walks.
    pub(super) fn conclude(self, mut findings: Findings) -> Presentation {
        let pairs = self.pairs(&mut findings);
        let served = self.served(pairs, &mut findings);
        self.presentation(served, findings)
    }

    /// Returns the client manifest, if it can be used.
    pub(super) fn client(&self) -> Option<&ClientDocument> {
        self.client.as_ref().and_then(|client| client.as_ref().ok())
    }

    fn pairs(&self, findings: &mut Findings) -> Pairs<'_> {
        let Listed { server, named, options, .. } = &self.listed;
        let (client, limits) = (self.client().map(ClientDocument::manifest), &options.limits);
        let resolved = resolve(server, client, named, &self.media, limits, findings);
        let assignment = client.map(|client| assign(client, server, &resolved, limits, findings));
        Pairs { resolved, assignment }
    }

    fn presentation(self, mut served: Served, findings: Findings) -> Presentation {
        let content = self.content();
        let headers = self.client().map(|client| &*client.manifest().protection);
        let headers = headers.unwrap_or_default();
        let of_files: Vec<_> = self.media.iter().flat_map(|(_, file)| &file.protection).collect();
        let protection = protection::systems(headers, &of_files);
        settle(&mut served.streams);
        let ended = self.listed.ended();
        if ended.is_some_and(|ended| ended.is_at_point) {
            served.streams.iter_mut().for_each(Stream::keep_window);
        }
        let Self { listed, walked, trails, .. } = self;
        let limits = listed.options.limits;
        Presentation {
            #[cfg(any(feature = "dash", feature = "hls"))]
            segmented: Segmented::new(&served.streams),
            heads: OnceLock::new(),
            clips: OnceLock::new(),
            whole: SMALL,
            name: listed.name,
            files: listed.files,
            streams: served.streams,
            client_manifest: served.manifest,
            protection,
            content,
            epoch: listed.options.epoch.into(),
            is_live: false,
            grown: None,
            ended,
            messages: Arc::default(),
            clip: None,
            is_folder: false,
            findings: findings.sorted(),
            kept: RepresentationMap::new(listed.options.text_budget),
            late: Arc::new(Mutex::new(Findings::new(&limits))),
            walked,
            trails: Mutex::new(trails),
            lying: Mutex::default(),
            limits,
        }
    }

    /// Returns the hash of what the validators stand for.
    fn content(&self) -> u128 {
        let mut hash = ContentHash::new(&self.listed.options.epoch);
        hash.part(Some(&self.listed.server_text));
        hash.part(self.client_text.as_deref());
        for (_, file) in &self.media {
            hash.number(file.size);
            hash.part(Some(&file.moov));
            hash.part(Some(&file.mfra));
            file.sidx.iter().for_each(|sidx| hash.part(Some(sidx)));
            if let Some(version) = &file.version {
                hash.part(Some(version));
            }
        }
        hash.finish()
    }
}
