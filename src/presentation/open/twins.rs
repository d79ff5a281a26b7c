//! Elements of the server manifest that give one track number to several tracks of a file.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::evidence::{Coding, are_other_sizes, said_private_data, said_size};
use super::media::MediaFile;
use super::resolve::Named;
use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::{FileId, Limits};
use crate::codec::Description;
use crate::manifest::{
    ClientManifest, QualityLevel, ServerManifest, ServerTrack, StreamIndex, StreamKind,
};
use crate::presentation::finding::FindingCode;

/// The track of an element that shares its track number with another element.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) media: Result<&'a MediaTrack, Trouble>,
    /// The code and message of a finding if the track is not the one of that number.
    pub(super) doubt: Option<(FindingCode, String)>,
}

/// Finds the tracks of elements of one kind that have the number of the same track, if their file
/// has tracks of that kind that no element names. Returns them by the number of the element.
///
/// If the file has no such tracks, all elements have the same media on purpose.
pub(super) fn tell_apart<'a>(
    server: &ServerManifest,
    client: Option<&ClientManifest>,
    named: &[Named],
    files: &HashMap<FileId, &'a MediaFile>,
    limits: &Limits,
) -> HashMap<usize, Told<'a>> {
    let mut told = HashMap::new();
    if !may_have_twins(server, named) {
        return told;
    }
    let mut unnumbered: HashMap<Scope, usize> = HashMap::new();
    let mut groups: HashMap<Scope, HashMap<u32, Vec<usize>>> = HashMap::new();
    for (number, (track, named)) in server.tracks.iter().zip(named).enumerate() {
        let Some((file, media)) = named.file.and_then(|file| Some((file, *files.get(&file)?)))
        else {
            continue;
        };
        let Ok(tracks) = &media.tracks else { continue };
        let scope = (file, track.kind);
        let id = match track.track_id() {
            Some(id) => id,
            None if media.unread_track.is_some() => continue,
            None => {
                let nth = unnumbered.entry(scope).or_default();
                let media = tracks.iter().filter(|m| m.kind == Some(track.kind)).nth(*nth);
                *nth += 1;
                let Some(media) = media else { continue };
                media.track_id
            }
        };
        groups.entry(scope).or_default().entry(id).or_default().push(number);
    }
    let mut qualities = None;
    for ((file, kind), by_id) in &groups {
        let Some(media) = files.get(file) else { continue };
        let Ok(tracks) = &media.tracks else { continue };
        if by_id.values().all(|elements| elements.len() < 2) {
            continue;
        }
        let candidate = |media| Candidate { media, coding: Coding::shown(*kind, media, limits) };
        let is_free =
            |media: &&MediaTrack| media.kind == Some(*kind) && !by_id.contains_key(&media.track_id);
        // Each of them is parsed once, however many elements there are.
        let mut free: Vec<Candidate<'a>> =
            tracks.iter().filter(is_free).take(MOST).map(candidate).collect();
        let mut ids: Vec<_> = by_id.iter().filter(|(_, elements)| elements.len() > 1).collect();
        ids.sort_unstable();
        for (id, elements) in ids {
            let own = tracks.iter().find(|media| {
                media.track_id == *id && media.kind.is_none_or(|found| found == *kind)
            });
            let Some(own) = own.filter(|_| !free.is_empty()) else { continue };
            let qualities = qualities.get_or_insert_with(|| Qualities::of(client));
            let candidates = std::iter::once(candidate(own)).chain(free.iter().cloned()).collect();
            let known = |&number: &usize| {
                let track = server.tracks.get(number)?;
                Some((number, Known::of(track, qualities)))
            };
            let elements: Vec<_> = elements.iter().filter_map(known).collect();
            let group = Group { id: *id, kind: *kind, elements, candidates };
            let group = group.tell(media.unread_track.is_none());
            // Tracks that were found belong to no other number.
            let found: HashSet<u32> = group
                .iter()
                .filter_map(|(_, told)| Some(told.media.as_ref().ok()?.track_id))
                .collect();
            free.retain(|candidate| !found.contains(&candidate.media.track_id));
            told.extend(group);
        }
    }
    told
}

/// A file, and a kind of its tracks.
type Scope = (FileId, StreamKind);

/// At most this many tracks or elements are compared with each other.
const MOST: usize = 64;

/// Returns whether elements of one file and kind have the same number, or only some have one.
fn may_have_twins(server: &ServerManifest, named: &[Named]) -> bool {
    let mut ids = HashSet::new();
    let (mut with, mut without) = (HashSet::new(), HashSet::new());
    for (track, named) in server.tracks.iter().zip(named) {
        let scope = (named.file, track.kind);
        match track.track_id() {
            Some(id) if !ids.insert((scope, id)) => return true,
            Some(_) => with.insert(scope),
            None => without.insert(scope),
        };
    }
    !with.is_disjoint(&without)
}

/// The qualities of the client manifest by kind and bitrate.
struct Qualities<'a>(HashMap<(StreamKind, u32), Vec<(&'a StreamIndex, &'a QualityLevel)>>);

impl<'a> Qualities<'a> {
    fn of(client: Option<&'a ClientManifest>) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for stream in client.iter().flat_map(|client| &client.streams) {
            for quality in &stream.qualities {
                all.entry((stream.kind, quality.bitrate)).or_default().push((stream, quality));
            }
        }
        Self(all)
    }

    /// Returns the only quality that an element can mean.
    fn only(&self, track: &ServerTrack) -> Option<(&'a StreamIndex, &'a QualityLevel)> {
        let mut found = self.0.get(&(track.kind, track.bitrate()?))?.clone();
        if found.len() > MOST {
            return None;
        }
        let mut narrow = |is_meant: &dyn Fn(&StreamIndex) -> bool| {
            if found.iter().any(|(stream, _)| is_meant(stream)) {
                found.retain(|(stream, _)| is_meant(stream));
            }
        };
        narrow(&|stream| {
            let name = track.track_name();
            name.is_some_and(|name| stream.name() == name || stream.name.as_deref() == Some(name))
        });
        narrow(&|stream| {
            let languages = stream.language.as_deref().zip(track.language());
            languages.is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
        });
        if let [only] = found[..] { Some(only) } else { None }
    }
}

/// Properties of the media of an element that the manifests declare.
struct Known<'a> {
    private_data: Option<Bytes>,
    size: Option<(u32, u32)>,
    language: Option<&'a str>,
    bitrate: Option<u32>,
}

impl<'a> Known<'a> {
    /// Players have their decoder configurations and picture sizes from the client manifest.
    fn of(track: &'a ServerTrack, qualities: &Qualities<'a>) -> Self {
        let announced = qualities.only(track);
        let private_data = announced.and_then(|(stream, quality)| {
            let described = Description::of(stream, quality).ok()?;
            Some(described.private_data).filter(|data| !data.is_empty())
        });
        let size = announced.and_then(|(_, quality)| quality.max_width.zip(quality.max_height));
        let language = announced.and_then(|(stream, _)| stream.language.as_deref());
        Self {
            private_data: private_data.or_else(|| said_private_data(track)),
            size: size.or_else(|| said_size(track)).filter(|size| size.0 > 0 && size.1 > 0),
            language: track.language().or(language),
            bitrate: track.bitrate(),
        }
    }
}

/// A track that an element may mean.
#[derive(Clone)]
struct Candidate<'a> {
    media: &'a MediaTrack,
    coding: Coding,
}

/// The strength of the evidence that a track is the one of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    has_private_data: bool,
    has_language: bool,
    has_size: bool,
}

impl Likeness {
    /// Compares what is known; `None` if a picture size or a language differs.
    fn of(known: &Known<'_>, candidate: &Candidate<'_>) -> Option<Self> {
        let Coding { private_data, size } = &candidate.coding;
        let is_other_size = known.size.zip(*size).map(|(one, other)| are_other_sizes(one, other));
        let languages = known.language.zip(candidate.media.language.as_deref());
        let is_same_language = languages.and_then(|(tag, code)| is_same_language(tag, code));
        if is_other_size == Some(true) || is_same_language == Some(false) {
            return None;
        }
        Some(Self {
            has_private_data: private_data.is_some() && *private_data == known.private_data,
            has_language: is_same_language.is_some(),
            has_size: is_other_size.is_some(),
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self { has_private_data: true, .. } => "decoder configuration",
            Self { has_language: true, .. } => "language",
            _ => "picture size",
        }
    }
}

/// The elements that have one number, and the tracks that they may mean.
struct Group<'a, 'b> {
    id: u32,
    kind: StreamKind,
    /// With their numbers.
    elements: Vec<(usize, Known<'b>)>,
    /// The track of the number is the first one; no element names the others.
    candidates: Vec<Candidate<'a>>,
}

/// The way in which the track of an element was found.
#[derive(Clone, Copy)]
enum How {
    Likeness(Likeness),
    OnlyOne,
    Rank,
    /// Its number, because no other element has a better claim.
    Number,
}

impl<'a> Group<'a, '_> {
    /// Finds the track of each element. Nothing may be guessed unless `is_whole`: a track that
    /// cannot be read may be the one that is meant.
    fn tell(self, is_whole: bool) -> Vec<(usize, Told<'a>)> {
        let compared = self.elements.len().min(MOST);
        let likenesses: Vec<Vec<Option<Likeness>>> =
            self.elements.iter().take(compared).map(|(_, known)| self.likenesses(known)).collect();
        let mut found: Vec<Option<(usize, How)>> = vec![None; self.elements.len()];
        let mut taken: HashSet<usize> = HashSet::new();
        for (found, likenesses) in found.iter_mut().zip(&likenesses) {
            if let Some((candidate, likeness)) = only_best(likenesses)
                && likeness > Likeness::default()
            {
                *found = Some((candidate, How::Likeness(likeness)));
                taken.insert(candidate);
            }
        }
        if is_whole && compared == self.elements.len() {
            self.find_only_ones(&likenesses, &mut found, &mut taken);
            self.find_by_rank(&likenesses, &mut found, &mut taken);
        }
        // The first element that may have the number has it.
        let is_own =
            |likenesses: &Vec<Option<Likeness>>| likenesses.first().is_some_and(Option::is_some);
        let first = found.iter().zip(&likenesses).position(|(f, l)| f.is_none() && is_own(l));
        if let Some(found) = first.filter(|_| !taken.contains(&0)).and_then(|n| found.get_mut(n)) {
            *found = Some((0, How::Number));
        }
        let told = self.elements.iter().zip(found);
        told.map(|((number, _), found)| (*number, self.told(found))).collect()
    }

    /// Compares an element with all candidates. If some have its decoder configuration, the others
    /// are not meant.
    fn likenesses(&self, known: &Known<'_>) -> Vec<Option<Likeness>> {
        let mut all: Vec<_> = self.candidates.iter().map(|c| Likeness::of(known, c)).collect();
        if all.iter().flatten().any(|likeness| likeness.has_private_data) {
            for likeness in &mut all {
                *likeness = likeness.filter(|likeness| likeness.has_private_data);
            }
        }
        all
    }

    /// Gives an element the only track that remains for it, if it remains for no other element.
    fn find_only_ones(
        &self,
        likenesses: &[Vec<Option<Likeness>>],
        found: &mut [Option<(usize, How)>],
        taken: &mut HashSet<usize>,
    ) {
        let mut only: HashMap<usize, Vec<usize>> = HashMap::new();
        for (element, likenesses) in likenesses.iter().enumerate() {
            if found.get(element).is_some_and(Option::is_some) {
                continue;
            }
            let fits = |(candidate, likeness): (usize, &Option<Likeness>)| {
                (likeness.is_some() && !taken.contains(&candidate)).then_some(candidate)
            };
            let mut fits = likenesses.iter().enumerate().filter_map(fits);
            if let (Some(candidate), None) = (fits.next(), fits.next()) {
                only.entry(candidate).or_default().push(element);
            }
        }
        for (candidate, elements) in only {
            if let [element] = elements[..]
                && let Some(found) = found.get_mut(element)
            {
                *found = Some((candidate, How::OnlyOne));
                taken.insert(candidate);
            }
        }
    }

    /// Gives the elements that are left the tracks that are left, if there are as many: the more
    /// bytes, the higher the bitrate.
    fn find_by_rank(
        &self,
        likenesses: &[Vec<Option<Likeness>>],
        found: &mut [Option<(usize, How)>],
        taken: &mut HashSet<usize>,
    ) {
        let open = found.iter().zip(&self.elements).enumerate();
        let open = open.filter(|(_, (found, _))| found.is_none());
        let elements: Option<Vec<(u32, usize)>> =
            open.map(|(number, (_, (_, known)))| Some((known.bitrate?, number))).collect();
        let left = self.candidates.iter().enumerate().filter(|(number, _)| !taken.contains(number));
        let tracks: Option<Vec<(u64, usize)>> =
            left.map(|(number, candidate)| Some((bytes_of(candidate.media)?, number))).collect();
        let (Some(mut elements), Some(mut tracks)) = (elements, tracks) else { return };
        elements.sort_unstable();
        tracks.sort_unstable();
        let ascends = elements.is_sorted_by(|one, next| one.0 < next.0)
            && tracks.is_sorted_by(|one, next| one.0 < next.0);
        let fits = |(element, track): (&(u32, usize), &(u64, usize))| {
            likenesses.get(element.1).and_then(|l| l.get(track.1)).is_some_and(Option::is_some)
        };
        if elements.len() == tracks.len() && ascends && elements.iter().zip(&tracks).all(fits) {
            for ((_, element), (_, track)) in elements.into_iter().zip(tracks) {
                if let Some(found) = found.get_mut(element) {
                    *found = Some((track, How::Rank));
                    taken.insert(track);
                }
            }
        }
    }

    fn told(&self, found: Option<(usize, How)>) -> Told<'a> {
        let (id, kind) = (self.id, self.kind);
        let shared = format!("trackID {id} is that of several {kind} elements");
        let candidate =
            |(number, how): (usize, How)| Some((number, self.candidates.get(number)?.media, how));
        let Some((number, media, how)) = found.and_then(candidate) else {
            let message = format!(
                "{shared}, and no language, picture size, CodecPrivateData or bitrate identifies the track of this one among those that no element names"
            );
            let trouble = Trouble::new(FindingCode::TrackMissing, message);
            return Told { media: Err(trouble), doubt: None };
        };
        let used = media.track_id;
        let doubt = match how {
            How::Likeness(_) | How::OnlyOne | How::Number if number == 0 => None,
            How::Likeness(likeness) => Some((
                FindingCode::ManifestsDisagree,
                format!("{shared}; track {used}, which none names, has its {}", likeness.as_str()),
            )),
            How::Rank => Some((
                FindingCode::TrackGuessed,
                format!("{shared}: track {used} is used, by the order of bitrates"),
            )),
            How::OnlyOne | How::Number => Some((
                FindingCode::TrackGuessed,
                format!("{shared}: track {used} is used, because no other remains"),
            )),
        };
        Told { media: Ok(media), doubt }
    }
}

/// Returns the candidate that is more alike than all others.
fn only_best(likenesses: &[Option<Likeness>]) -> Option<(usize, Likeness)> {
    let best = likenesses.iter().flatten().max()?;
    let mut all = likenesses.iter().enumerate().filter(|(_, likeness)| **likeness == Some(*best));
    let (number, _) = all.next()?;
    all.next().is_none().then_some((number, *best))
}

/// Returns the number of bytes of the fragments of a track, if they are known.
fn bytes_of(media: &MediaTrack) -> Option<u64> {
    let fragments = media.fragments.as_ref().ok()?;
    fragments.iter().try_fold(0_u64, |sum, f| sum.checked_add(f.bound.checked_sub(f.start)?))
}

/// Returns whether a language tag is that of a code of ISO 639-2 in a file; `None` if that is
/// unknown because the tag has two letters.
fn is_same_language(tag: &str, code: &str) -> Option<bool> {
    let tag = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    let code = code.to_ascii_lowercase();
    if tag == code || (tag.len() == 2 && code.starts_with(&tag)) {
        return Some(true);
    }
    if tag.len() != 3 || code.len() != 3 || tag == "und" {
        return None;
    }
    let is_pair = |(one, other): &(&str, &str)| {
        (*one == tag && *other == code) || (*other == tag && *one == code)
    };
    Some(TWO_CODES.iter().any(is_pair))
}

/// The languages that have a bibliographic and a terminological code. Spec: ISO 639-2.
const TWO_CODES: [(&str, &str); 20] = [
    ("alb", "sqi"),
    ("arm", "hye"),
    ("baq", "eus"),
    ("bur", "mya"),
    ("chi", "zho"),
    ("cze", "ces"),
    ("dut", "nld"),
    ("fre", "fra"),
    ("geo", "kat"),
    ("ger", "deu"),
    ("gre", "ell"),
    ("ice", "isl"),
    ("mac", "mkd"),
    ("mao", "mri"),
    ("may", "msa"),
    ("per", "fas"),
    ("rum", "ron"),
    ("slo", "slk"),
    ("tib", "bod"),
    ("wel", "cym"),
];
