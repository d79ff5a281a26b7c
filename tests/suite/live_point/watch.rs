//! A publishing point, watched: all that it promises is checked with each publication.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::FileId;
use smooth_origin::bmff::Boxes;
use smooth_origin::bmff::uuid::Tfrf;
use smooth_origin::live::intake::{Arrived, Intake, Unit};
use smooth_origin::live::{
    LiveEvent, LiveLimits, Moment, NoticeKind, PointOptions, PointState, PublishingPoint, PushId,
};
use smooth_origin::presentation::Presentation;
use smooth_origin::{Error, Limits};
use testkit::name;

/// The name of a file, and the chunks of its fragments.
pub type Published = (String, Vec<(u64, u64)>);

pub struct Watch {
    pub point: PublishingPoint,
    pub now: Moment,
    /// Files of all events, by the number of the event.
    pub files: BTreeMap<(u64, FileId), Vec<u8>>,
    /// By the number of the event, and the file.
    pub published_chunks: BTreeMap<(u64, FileId), Published>,
    event: u64,
    pub notices: Vec<String>,
    pub kinds: Vec<&'static str>,
    pub states: Vec<PointState>,
    published: u64,
    look_ahead: usize,
    has_window: bool,
}

impl Watch {
    pub fn new(options: PointOptions) -> Self {
        Self::with(options, 2)
    }

    pub fn with(options: PointOptions, look_ahead: usize) -> Self {
        let now =
            Moment { monotonic: Duration::from_secs(7), wall: Duration::from_secs(1_700_000_000) };
        Self {
            point: PublishingPoint::new(name("live/a.isml"), options.look_ahead(look_ahead as u32)),
            now,
            files: BTreeMap::new(),
            published_chunks: BTreeMap::new(),
            event: 0,
            notices: Vec::new(),
            kinds: Vec::new(),
            states: Vec::new(),
            published: 0,
            look_ahead,
            has_window: false,
        }
    }

    pub fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }

    pub fn begin(&mut self, stream: &str, encoder: &str) -> PushId {
        self.point.begin(None, stream, encoder, self.now).unwrap()
    }

    pub fn push(&mut self, push: PushId, bytes: &[u8]) -> Result<(), Error> {
        let pushed = self.point.push(push, &Bytes::copy_from_slice(bytes), self.now);
        self.look();
        pushed
    }

    pub fn tick(&mut self) {
        self.point.tick(self.now);
        self.look();
    }

    pub fn end(&mut self, push: PushId) -> Result<(), Error> {
        let ended = self.point.end(push, self.now);
        self.look();
        ended
    }

    pub fn lost(&mut self, push: PushId) {
        self.point.lost(push, self.now);
        self.look();
    }

    pub fn stop(&mut self) {
        self.point.stop(self.now);
        self.look();
    }

    pub fn set_window(&mut self, window: Option<Duration>) {
        self.has_window = true;
        self.point.set_window(window, self.now);
        self.look();
    }

    pub fn keep(&mut self, longest: Option<Duration>) {
        self.has_window = true;
        self.point.keep(longest, self.now);
        self.look();
    }

    pub fn presentation(&self) -> &Presentation {
        self.point.snapshot().expect("a snapshot")
    }

    /// Starts of the chunks of a stream, in milliseconds.
    pub fn times(&self, stream: &str) -> Vec<u64> {
        self.chunks(stream).into_iter().map(|(time, _)| time / 10_000).collect()
    }

    pub fn chunks(&self, stream: &str) -> Vec<(u64, u64)> {
        let Some(presentation) = self.point.snapshot() else { return Vec::new() };
        let found = presentation.streams().iter().find(|of| of.name() == stream);
        found.map(|of| of.timeline().iter().collect()).unwrap_or_default()
    }

    pub fn count(&self, kind: &str) -> usize {
        self.kinds.iter().filter(|of| **of == kind).count()
    }

    /// Takes the events, and checks the promises.
    pub fn look(&mut self) {
        let mut is_published = false;
        for event in self.point.take_events() {
            assert!(!event.to_string().is_empty());
            self.kinds.push(event.kind());
            match event {
                LiveEvent::Began { number, .. } => {
                    assert_eq!(number, self.event + 1);
                    self.event = number;
                }
                LiveEvent::Append { file, name, offset, bytes, chunk, .. } => {
                    assert!(name.as_str().starts_with("live/a"), "{name}");
                    let content = self.files.entry((self.event, file)).or_default();
                    assert_eq!(offset, content.len() as u64, "{name} has a hole");
                    content.extend_from_slice(&bytes);
                    let published = self.published_chunks.entry((self.event, file));
                    let of = published.or_insert_with(|| (name.to_string(), Vec::new()));
                    of.1.extend(chunk);
                }
                LiveEvent::Published { number, .. } => {
                    assert!(number > self.published, "numbers of snapshots ascend");
                    (self.published, is_published) = (number, true);
                }
                LiveEvent::Notice(notice) => {
                    if let NoticeKind::Dropped { why, .. } = notice.kind {
                        assert!(!why.is_empty());
                    }
                    self.notices.push(notice.to_string());
                }
                LiveEvent::State(state) => self.states.push(state),
                LiveEvent::Forget { .. } => self.has_window = true,
                _ => {}
            }
        }
        if is_published {
            self.check_timelines();
        }
    }

    /// Times ascend, and no chunk overlaps another one.
    pub fn check_timelines(&self) {
        for stream in self.presentation().streams() {
            let chunks: Vec<_> = stream.timeline().iter().collect();
            // The older ones were checked before.
            let last = &chunks[chunks.len().saturating_sub(16)..];
            for pair in last.windows(2) {
                let (time, duration) = pair[0];
                assert!(pair[1].0 > time, "{}: {pair:?} does not ascend", stream.name());
                let is_text = stream.kind() == smooth_origin::manifest::StreamKind::Text;
                assert!(
                    is_text || pair[1].0 >= time + duration,
                    "{}: {pair:?} overlaps",
                    stream.name()
                );
            }
            let tracks = stream.tracks().iter().map(|track| track.fragment_count());
            assert!(tracks.max().unwrap_or(0) <= chunks.len().max(1));
        }
    }

    /// The fragments of a file of the newest event.
    pub fn fragments(&self, file: u32) -> Vec<Arrived> {
        let bytes = &self.files[&(self.event, FileId::new(file))];
        let mut units = Vec::new();
        let mut intake = Intake::new(&LiveLimits::default());
        intake.push(&Bytes::copy_from_slice(bytes), &mut units).unwrap();
        let fragment = |unit| match unit {
            Unit::Fragment(arrived) => Some(arrived),
            Unit::Header(_) => None,
            other => panic!("{other:?}"),
        };
        units.into_iter().filter_map(fragment).collect()
    }

    /// Checks the files of the newest event, which has ended: fragments ascend, are among the `pushed` ones
    /// but for `tfrf`, and announce the real next chunks.
    pub fn check_files(&self, pushed: &[Bytes]) {
        let presentation = self.presentation();
        assert!(!presentation.is_live(), "the event has not ended");
        let pushed: std::collections::HashSet<&[u8]> =
            pushed.iter().map(|bytes| &bytes[..]).collect();
        for stream in presentation.streams() {
            let chunks: Vec<_> = stream.timeline().iter().collect();
            for pair in chunks.windows(2) {
                assert!(pair[1].0 >= pair[0].0 + pair[0].1, "{}: {pair:?}", stream.name());
            }
            for track in stream.tracks() {
                let (file, _) = track.source().unwrap();
                let fragments = self.fragments(file.index() as u32);
                let mut before = -1;
                for fragment in &fragments {
                    assert!(fragment.time > before, "fragments of a file ascend");
                    before = fragment.time;
                    let bare = fragment.announcing(&[], &LiveLimits::default()).unwrap();
                    assert!(
                        pushed.contains(&bare.bytes[..]),
                        "{} was not pushed so",
                        fragment.time
                    );
                    if self.has_window {
                        continue;
                    }
                    let at = chunks.binary_search_by_key(&(fragment.time as u64), |chunk| chunk.0);
                    let at = at.unwrap_or_else(|_| panic!("{} is no chunk", fragment.time));
                    let next = announced(&fragment.bytes);
                    assert!(next.len() <= self.look_ahead);
                    let real = &chunks[at + 1..][..next.len()];
                    assert_eq!(next, real, "{} at {}", stream.name(), fragment.time);
                    let is_last = at + 1 + self.look_ahead > chunks.len();
                    let is_text = stream.kind() == smooth_origin::manifest::StreamKind::Text;
                    assert!(is_last || is_text || next.len() == self.look_ahead);
                }
                if !self.has_window {
                    assert_eq!(track.fragment_count(), fragments.len());
                }
            }
        }
    }
}

/// Times and durations of `tfrf`.
pub fn announced(fragment: &Bytes) -> Vec<(u64, u64)> {
    let boxes = Boxes::parse(fragment, 0, &Limits::default()).unwrap();
    let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
    let of = |tfrf: &Tfrf| tfrf.entries.iter().map(|entry| (entry.time, entry.duration)).collect();
    traf.get::<Tfrf>().map(of).unwrap_or_default()
}
