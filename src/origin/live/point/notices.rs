//! The last notices about a publishing point, for an operator who does not read the log.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::LivePoint;
use crate::live::{LiveEvent, Moment};

/// A notice about a publishing point, or a push to it that was refused, in the words of the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PastNotice {
    /// A sentence.
    pub text: Arc<str>,
    /// True if players lose something, or redundancy is lost, or a push was refused.
    pub is_warning: bool,
    /// Time since then.
    pub ago: Duration,
}

/// The last notices, the newest last. Whoever may send requests can have pushes refused: these take the place of no
/// notice.
#[derive(Debug, Default)]
pub(super) struct Notices {
    told: VecDeque<Told>,
    refused: VecDeque<Told>,
}

#[derive(Clone, Debug)]
struct Told {
    text: Arc<str>,
    is_warning: bool,
    at: Duration,
}

/// Notices that are kept, and refused pushes.
const NOTICES: usize = 16;
#[cfg(feature = "http")]
const REFUSED: usize = 4;

/// Characters of a sentence: clients choose parts of it.
const LONGEST: usize = 400;

impl LivePoint {
    /// The last 16 notices about the point and the last 4 pushes that were refused, the newest first.
    pub fn notices(&self) -> Vec<PastNotice> {
        let now = self.host().clock.now();
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = notices.told.iter().chain(&notices.refused).cloned().collect();
        drop(notices);
        // Those of one moment: the later one first.
        all.reverse();
        all.sort_by_key(|told| std::cmp::Reverse(told.at));
        let past = |Told { text, is_warning, at }| {
            let ago = now.saturating_sub(at);
            PastNotice { text, is_warning, ago }
        };
        all.into_iter().map(past).collect()
    }

    /// Keeps what an event says, if it is a notice.
    pub(super) fn note(&self, event: &LiveEvent, now: Moment) {
        let LiveEvent::Notice(notice) = event else { return };
        let (text, is_warning) = (shortened(&notice.to_string()), notice.kind.is_warning());
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        keep(&mut notices.told, Told { text, is_warning, at: now.monotonic }, NOTICES);
    }

    /// Keeps that a push was refused. The same refusal again takes the place of the last one.
    #[cfg(feature = "http")]
    pub(in crate::origin::live) fn note_refusal(&self, what: &str, status: u16, why: &str) {
        let text = shortened(&format!("a push ({what}) was refused with {status}: {why}"));
        let at = self.host().clock.now();
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.refused.retain(|told| told.text != text);
        keep(&mut notices.refused, Told { text, is_warning: true, at }, REFUSED);
    }
}

fn keep(list: &mut VecDeque<Told>, told: Told, most: usize) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(told);
}

fn shortened(text: &str) -> Arc<str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;
    use crate::live::{Notice, NoticeKind, PointOptions};
    use crate::origin::LivePoints;

    #[test]
    fn refusals_take_the_place_of_no_notice_and_are_not_repeated() {
        let points = LivePoints::default();
        let name = Name::new("news.isml").unwrap();
        let point = points.create(name, PointOptions::default()).unwrap();
        let at = |seconds| Moment {
            monotonic: Duration::from_secs(seconds),
            wall: Duration::from_secs(seconds),
        };
        for count in 0..20 {
            let notice = Notice::new(NoticeKind::Duplicate { count });
            point.note(&LiveEvent::Notice(notice), at(count));
        }
        let told = |point: &LivePoint| point.notices().iter().filter(|one| !one.is_warning).count();
        assert_eq!((told(&point), point.notices().len()), (16, 16));
        assert!(point.notices()[0].text.contains("19 so far"));
        assert!(point.notices()[15].text.contains("4 so far"));
        #[cfg(feature = "http")]
        {
            (0..9).for_each(|_| point.note_refusal("stream `a`", 401, "no token"));
            assert_eq!(point.notices().len(), 17);
            (0..9).for_each(|each| point.note_refusal(&"x".repeat(each * 100), 401, "no token"));
            assert_eq!((told(&point), point.notices().len()), (16, 20));
            assert!(point.notices().iter().all(|one| one.text.chars().count() <= LONGEST + 1));
        }
    }
}
