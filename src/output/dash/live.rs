//! Times of an MPD that only an event has.

use super::elements::{descriptor, iso_duration};
use crate::base::Timescale;
use crate::manifest::{StreamKind, XmlWriter};
use crate::presentation::{Date, Listed, Live, Moment, Presentation};

/// Scheme of a clock whose time is in the MPD itself.
///
/// The time is that of the snapshot by the clock of the event, so that a player's clock is late by the age of the MPD, at
/// most by about a segment unless encoders are silent, and stays with what the MPD lists while their clocks drift.
/// The other schemes need a page that tells the time (`http-xsdate`), or a `Date` field that scripts of another
/// site may read and that no cache has stored (`http-head`), and tell the time of a host. An origin in front of which
/// there are caches has neither.
///
/// Spec: ISO/IEC 23009-1, 5.8.5.7.
const DIRECT: &str = "urn:mpeg:dash:utc:direct:2014";

/// Segments that a player stays behind what is announced: one that it plays, one that it has, and one that
/// the next MPD announces.
const BEHIND: u64 = 3;

/// A stream that is so far behind the others, in ticks of 100 ns, does not say how far back players can go.
const LATE: u64 = 300_000_000;

/// Ticks of 100 ns of a segment if no length is known.
const USUAL: u64 = 20_000_000;

/// Writes the attributes of a live event, whose times count from `begin`.
///
/// Spec: ISO/IEC 23009-1, 5.3.1.2, table 3.
pub(super) fn attributes(
    xml: &mut XmlWriter,
    presentation: &Presentation,
    live: &Live,
    begin: Moment,
    listed: &[Listed<'_>],
) {
    let segment = media(listed).map(longest).max().filter(|&ticks| ticks > 0).unwrap_or(USUAL);
    xml.attribute("type", "dynamic");
    xml.attribute("availabilityStartTime", &presentation.shown_at(begin).to_string());
    xml.attribute("publishTime", &date(live).to_string());
    xml.attribute("minimumUpdatePeriod", &iso_duration(segment));
    let window = live.window.map(|window| u64::try_from(window.as_nanos() / 100));
    let window = window.map(|ticks| ticks.unwrap_or(u64::MAX));
    // A window has its length give or take a segment.
    let there = left(listed, begin)
        .filter(|there| window.is_none_or(|window| there.saturating_add(segment) < window));
    let depth = there.or(window);
    if let Some(depth) = depth {
        xml.attribute("timeShiftBufferDepth", &iso_duration(depth));
    }
    let delay = segment.saturating_mul(u64::from(live.look_ahead).saturating_add(BEHIND));
    // What is behind the window is gone soon.
    let most = depth.map_or(u64::MAX, |depth| depth / 4 * 3);
    xml.attribute("suggestedPresentationDelay", &iso_duration(delay.min(most)));
}

/// Writes by which clock players find the live edge.
pub(super) fn clock(
    xml: &mut XmlWriter,
    presentation: &Presentation,
    live: &Live,
    listed: &[Listed<'_>],
) {
    let latest = latest(presentation, live, listed).unwrap_or(i128::MAX);
    let time = Date::new(i128::from(live.clock).min(latest));
    descriptor(xml, "UTCTiming", DIRECT, &time.to_string());
}

/// Returns the latest time by which players find what is listed: by the delay that is suggested, they play what is behind
/// the look-ahead and [`BEHIND`] segments. One of these is for the time until the next MPD, and one to spare. `None`
/// if there is neither picture nor sound.
///
/// Spec: ISO/IEC 23009-1, 5.3.9.5.3.
fn latest(presentation: &Presentation, live: &Live, listed: &[Listed<'_>]) -> Option<i128> {
    let media = || listed.iter().filter(|of| of.stream.kind() != StreamKind::Text);
    let end = |of: &Listed<'_>| Moment {
        ticks: of.stream.timeline().end(),
        timescale: of.stream.timescale(),
    };
    let newest = media().map(|of| end(of).rescaled(Timescale::SMOOTH)).max()?;
    let segment = media().map(longest).max().filter(|&ticks| ticks > 0).unwrap_or(USUAL);
    let ahead = u128::from(segment) * u128::from(u64::from(live.look_ahead) + BEHIND - 2);
    let ahead = i128::try_from(ahead).ok()?;
    let media = i128::from(newest) + i128::from(presentation.delay()) + ahead;
    Some(i128::from(live.epoch) + media)
}

fn date(live: &Live) -> Date {
    // No more than 96 bits.
    Date::new(i128::try_from(live.published.as_nanos() / 100).unwrap_or(i128::MAX))
}

fn media<'a>(listed: &'a [Listed<'a>]) -> impl Iterator<Item = &'a Listed<'a>> {
    listed.iter().filter(|of| of.stream.kind() != StreamKind::Text)
}

/// Returns ticks of 100 ns of the longest segment that is listed of a stream. One that has left the window delays no
/// player any more.
fn longest(of: &Listed<'_>) -> u64 {
    let ticks = of.stream.segments().map(|segment| segment.lasts).max().unwrap_or(0);
    Moment { ticks, timescale: of.stream.timescale() }.rescaled(Timescale::SMOOTH)
}

/// Returns ticks of 100 ns from the first segment that is listed to the end of the last one, if the event had others
/// before them. They are fewer than the window has while it has become longer, and if players asked for a delay of an
/// event that is in memory alone.
fn left(listed: &[Listed<'_>], begin: Moment) -> Option<u64> {
    let first = first_left(listed).filter(|&first| first > begin)?;
    let newest = media(listed).map(end).max()?;
    Some(newest.saturating_sub(first.rescaled(Timescale::SMOOTH)))
}

/// Returns the start of the first segment that is listed of an event, if others were before it. The last chunk of a
/// stream that has stopped stays, and does not count.
fn first_left(listed: &[Listed<'_>]) -> Option<Moment> {
    let newest = media(listed).map(end).max()?;
    let going_on = media(listed).filter(|of| end(of).saturating_add(LATE) >= newest);
    let has_left = media(listed).any(|of| of.stream.window.before() > 0);
    going_on.map(Listed::begin).min().filter(|_| has_left)
}

/// Returns the end of a stream in ticks of 100 ns.
fn end(of: &Listed<'_>) -> u64 {
    let (ticks, timescale) = (of.stream.timeline().end(), of.stream.timescale());
    Moment { ticks, timescale }.rescaled(Timescale::SMOOTH)
}
