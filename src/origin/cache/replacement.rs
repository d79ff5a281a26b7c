//! The losses of players if a new opening of a presentation is served in place of an old one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::base::{Error, Name};
use crate::manifest::StreamKind;
use crate::origin::Opened;
use crate::presentation::{FindingCode, Presentation, Severity, Track};

type Outcome = Result<Arc<Opened>, Error>;

/// Something that players miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// Announced tracks of this kind without media.
    Tracks(StreamKind),
    /// Announced chunks without media, in tracks of this kind.
    Chunks(StreamKind),
    /// Findings that are more than information.
    Findings(FindingCode),
}

/// Describes what players would lose by a new opening; `None` if nothing. Of a live presentation,
/// players always need the newest version, whatever is wrong with it.
pub(super) fn loss(old: &Outcome, new: &Outcome, rewritten: &[Name]) -> Option<String> {
    let was_live = old.as_ref().is_ok_and(|old| old.presentation().is_live());
    let is_served = new.as_ref().is_ok_and(|new| new.presentation().manifest().is_ok());
    if was_live && is_served { None } else { worse(old, new, rewritten) }
}

/// Describes what is worse about a new opening; `None` if nothing.
///
/// The amount that is wrong counts, not its place: file names, track names and messages may differ,
/// and information never counts. A new set that announces less is not worse for that: all that it
/// announces is there.
///
/// `rewritten` are the media files that were rewritten in place since the old opening. Their old
/// version can no longer be read, so their tracks count as lost before, and only the tracks of the
/// new opening count for these files.
pub(super) fn worse(old: &Outcome, new: &Outcome, rewritten: &[Name]) -> Option<String> {
    let (old, new) = match (old, new) {
        (Err(_), _) => return None,
        (Ok(_), Err(error)) => return Some(error.to_string()),
        (Ok(old), Ok(new)) => (old.presentation(), new.presentation()),
    };
    match (old.manifest(), new.manifest()) {
        (Err(_), _) => return None,
        (Ok(_), Err(error)) => return Some(error.to_string()),
        (Ok(_), Ok(_)) => {}
    }
    let now = account(new, |file| rewritten.contains(file), |_| false);
    let before = account(old, |file| rewritten.contains(file), |file| rewritten.contains(file));
    let gains = gains_tracks(&before, &now);
    let before = |wrong| before.get(wrong).copied().unwrap_or(0);
    // A file that has arrived may bring findings of its own: players lose nothing by them.
    let counts = |wrong: &Wrong| !(gains && matches!(wrong, Wrong::Findings(_)));
    let worse = now.iter().find(|&(wrong, &count)| counts(wrong) && count > before(wrong))?;
    let (wrong, count) = worse;
    Some(format!("{wrong}: {count}, before {}", before(wrong)))
}

/// Returns whether more tracks have media than before, and no kind of tracks has fewer with media.
fn gains_tracks(before: &BTreeMap<Wrong, usize>, now: &BTreeMap<Wrong, usize>) -> bool {
    let absent = |account: &BTreeMap<Wrong, usize>, kind| {
        account.get(&Wrong::Tracks(kind)).copied().unwrap_or(0)
    };
    let tracks = before.keys().chain(now.keys()).filter_map(|wrong| match wrong {
        Wrong::Tracks(kind) => Some(absent(now, *kind).cmp(&absent(before, *kind))),
        _ => None,
    });
    let changes: Vec<_> = tracks.collect();
    changes.contains(&Ordering::Less) && !changes.contains(&Ordering::Greater)
}

/// Counts the faults of each kind. If a file `is_left_out`, only its tracks count, and not its
/// findings and missing chunks; if it `is_lost`, its tracks count as absent.
fn account(
    presentation: &Presentation,
    is_left_out: impl Fn(&Name) -> bool,
    is_lost: impl Fn(&Name) -> bool,
) -> BTreeMap<Wrong, usize> {
    let file_of = |track: &Track| presentation.files().get(track.source()?.0.index());
    let mut account = BTreeMap::new();
    let mut add = |wrong, count| *account.entry(wrong).or_insert(0) += count;
    let findings = presentation.findings();
    let lacks_chunks = findings.iter().any(|f| f.code == FindingCode::ChunksWithoutMedia);
    for finding in findings.iter().filter(|finding| finding.severity() > Severity::Info) {
        let file = finding.file.as_deref().and_then(|file| Name::new(file).ok());
        if !file.is_some_and(|file| is_left_out(&file)) {
            add(Wrong::Findings(finding.code), 1);
        }
    }
    for stream in presentation.streams() {
        let chunks = stream.timeline().len();
        let (served, absent): (Vec<&Track>, Vec<_>) = stream
            .tracks()
            .iter()
            .partition(|track| track.is_served() && !file_of(track).is_some_and(&is_lost));
        add(Wrong::Tracks(stream.kind()), absent.len());
        // A track without media lacks all its chunks, so one that arrives incomplete is a gain.
        add(Wrong::Chunks(stream.kind()), absent.len() * chunks);
        if lacks_chunks {
            let lacking = |track: &Track| chunks.saturating_sub(track.fragment_count());
            let counted =
                served.into_iter().filter(|track| !file_of(track).is_some_and(&is_left_out));
            add(Wrong::Chunks(stream.kind()), counted.map(lacking).sum());
        }
    }
    account
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracks(kind) => write!(f, "{} tracks without media", kind.as_str()),
            Self::Chunks(kind) => write!(f, "{} chunks without media", kind.as_str()),
            Self::Findings(code) => write!(f, "findings `{code}`"),
        }
    }
}
