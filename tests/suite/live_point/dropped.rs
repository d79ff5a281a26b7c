//! Fragments that are taken and dropped later.

use std::time::Duration;

use smooth_origin::Name;
use smooth_origin::live::journal::{ArchiveWrite, Journal};
use smooth_origin::live::{Moment, PointOptions, PublishingPoint};
use testkit::name;

use super::LONG;
use super::encoder::{header, video};

#[test]
fn what_is_dropped_is_not_kept_for_the_archive() {
    // Nothing of the second quality is at a time of the first one, or only its first fragment.
    for aligned in [0, 1] {
        let specs = [video(1, 4_000_000), video(1, 1_000_000)];
        let mut now =
            Moment { monotonic: Duration::from_secs(7), wall: Duration::from_secs(1_700_000_000) };
        let mut point = PublishingPoint::new(name("live/a.isml"), PointOptions::default());
        let mut journal = Journal::new(point.name());
        // Far fewer than come.
        journal.keep_in_memory(8);
        let ids = ["high", "low"].map(|stream| point.begin(None, stream, "a", now).unwrap());
        for (id, spec) in ids.into_iter().zip(&specs) {
            point.push(id, &header(std::slice::from_ref(spec)), now).unwrap();
        }
        let held = |writes: &[ArchiveWrite], journal: &Journal| {
            let is_of_held = |name: &Name| journal.held_name() == Some(name);
            let is_held = |write: &&ArchiveWrite| match write {
                ArchiveWrite::Append { name, .. } => is_of_held(name),
                _ => false,
            };
            writes.iter().filter(is_held).map(ArchiveWrite::len).sum::<u64>()
        };
        let mut written = 0;
        for number in 0..100 {
            now = now.after(Duration::from_secs(2));
            for (at, (id, spec)) in ids.into_iter().zip(&specs).enumerate() {
                let is_off = at == 1 && number >= aligned;
                let time = number * i64::from(LONG) + if is_off { 5_000_000 } else { 0 };
                point.push(id, &spec.fragment(time, LONG, 0), now).unwrap();
            }
            point.tick(now);
            let writes = journal.take(&point.take_events(), None, now);
            written += held(&writes, &journal);
        }
        assert!(point.status().streams[0].tracks[1].dropped > 90);
        let waiting = held(&journal.hold(), &journal);
        let one = specs[0].fragment(0, LONG, 0).len() as u64;
        assert!(written < 10 * one, "{written} bytes of dropped fragments were written");
        assert!(waiting < 10 * one, "{waiting} bytes are held");
    }
}
