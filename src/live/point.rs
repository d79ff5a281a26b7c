//! A publishing point: what encoders push becomes a presentation.

mod event;
mod pushes;

use std::collections::HashMap;
use std::sync::Arc;

use super::broadcast::Broadcast;
use super::intake::Intake;
use super::journal::{Restored, RestoredHeader};
use super::moment::Duration;
use super::push::{Push, Source};
use super::remembered::Remembered;
use super::told::Told;
use super::{LiveEvent, Moment, PointOptions, PointState, PointStatus, PushId};
use crate::base::{Error, Name};
use crate::presentation::Presentation;

/// A publishing point (`.isml`): encoders push streams to it, and it publishes snapshots of a live
/// presentation, which becomes a film at its end.
///
/// It does no input or output and knows no clock.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::Name;
/// use smooth_origin::live::{Moment, PointOptions, PointState, PublishingPoint};
///
/// let now = Moment { monotonic: Duration::ZERO, wall: Duration::from_secs(1_700_000_000) };
/// let mut point = PublishingPoint::new(Name::new("a.isml").unwrap(), PointOptions::default());
/// // An encoder tries whether it may push: an empty body.
/// let push = point.begin(None, "video", "10.0.0.1", now).unwrap();
/// point.end(push, now).unwrap();
/// assert_eq!(point.state(), PointState::Idle);
/// ```
pub struct PublishingPoint {
    name: Name,
    options: PointOptions,
    state: PointState,
    /// The operator has stopped the point.
    is_shut: bool,
    /// The newest event.
    broadcast: Option<Broadcast>,
    pushes: HashMap<PushId, Push>,
    begun: u64,
    /// Headers of sources, for pushes that bring none.
    known: Remembered,
    /// Headers of sources that were reported for the journal of the event.
    told: Told,
    /// Identifiers of events that have ended, in lower case.
    past: Vec<String>,
    events: Vec<LiveEvent>,
    snapshot: Option<Arc<Presentation>>,
    /// Number of the event that it is of.
    snapshot_of: u64,
    /// Number of the newest snapshot.
    published: u64,
    /// Number of the last event of an earlier process.
    before: u64,
    now: Duration,
}

impl PublishingPoint {
    /// Creates a publishing point that is idle.
    pub fn new(name: Name, options: PointOptions) -> Self {
        Self {
            name,
            options,
            state: PointState::Idle,
            is_shut: false,
            broadcast: None,
            pushes: HashMap::new(),
            begun: 0,
            known: Remembered::default(),
            told: Told::default(),
            past: Vec::new(),
            events: Vec::new(),
            snapshot: None,
            snapshot_of: 0,
            published: 0,
            before: 0,
            now: Duration::ZERO,
        }
    }

    /// Creates a publishing point that goes on with an event that another process has begun, or that knows of
    /// one that has ended.
    ///
    /// # Errors
    /// What was restored contradicts itself.
    pub(crate) fn restored(
        name: Name,
        options: PointOptions,
        restored: Restored,
        now: Moment,
    ) -> Result<Self, Error> {
        let mut point = Self::new(name, options);
        point.past.clone_from(&restored.past);
        if restored.is_ended {
            if point.options.restart_on_encoder_reconnect {
                // A push of the last event begins the next one of its name, as it did before the restart.
                let last = restored.event.as_deref().map(str::to_lowercase);
                point.past.retain(|past| Some(past) != last.as_ref());
            }
            point.before = restored.number;
            point.is_shut = restored.is_shut;
            if restored.is_shut || !restored.is_open {
                point.state = PointState::Stopped;
            }
            return Ok(point);
        }
        point.restore_headers(&restored);
        let broadcast = Broadcast::restored(&point.name, &point.options, restored, now)?;
        let is_started = broadcast.is_started;
        point.broadcast = Some(broadcast);
        point.collect();
        point.set_state(if is_started { PointState::Started } else { PointState::Starting });
        Ok(point)
    }

    /// Has pushes go on with the headers of an earlier process.
    fn restore_headers(&mut self, restored: &Restored) {
        for header in &restored.headers {
            let RestoredHeader { stream, encoder, is_named, boxes } = header;
            let event = restored.event.as_deref().filter(|_| *is_named);
            let source = Source::new(event, stream, encoder);
            if let Some(known) = Intake::read_header(boxes, &self.options.limits) {
                self.told.is_new(restored.number, &source, &known);
                self.known.remember(source, known);
            }
        }
    }

    /// Ends the event: what was held back is published, and the presentation becomes a film. No push is
    /// accepted until [`start`](Self::start).
    pub fn stop(&mut self, now: Moment) {
        self.now = now.monotonic;
        self.is_shut = true;
        self.finish(now);
        self.set_state(PointState::Stopped);
    }

    /// Lets encoders push again after the event has ended: the next header begins a new event.
    pub fn start(&mut self, now: Moment) {
        self.now = now.monotonic;
        self.is_shut = false;
        if self.state == PointState::Stopped {
            self.past.clear();
            self.set_state(PointState::Idle);
        }
    }

    /// Changes the window; see [`PointOptions::window`]. A longer one is reached again as time passes.
    pub fn set_window(&mut self, window: Option<Duration>, now: Moment) {
        self.now = now.monotonic;
        self.options.window = window;
        self.keep(None, now);
    }

    /// Has the event keep no more than this, whatever the window and [`PointOptions::start_over`] are; `None`: as much as
    /// they say, as after [`set_window`](Self::set_window).
    pub fn keep(&mut self, longest: Option<Duration>, now: Moment) {
        self.now = now.monotonic;
        self.options.longest = longest;
        if let Some(broadcast) = &mut self.broadcast {
            let PointOptions { window, longest, .. } = self.options;
            (broadcast.options.window, broadcast.options.longest) = (window, longest);
            broadcast.show_again(now);
            broadcast.narrow_film(now);
        }
        self.collect();
    }

    /// Returns true if the operator has stopped the point, and has not started it again.
    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// Does what is due: to be called about each second, also if nothing was pushed.
    pub fn tick(&mut self, now: Moment) {
        self.now = now.monotonic;
        self.advance(now);
    }

    /// Returns what has happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<LiveEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the newest snapshot, if anything was published. It changes with each publication. When a new
    /// event begins, the film of the one before stays until the new one publishes.
    pub fn snapshot(&self) -> Option<&Arc<Presentation>> {
        self.snapshot.as_ref()
    }

    /// Returns the number of the event that the newest snapshot is of.
    pub(crate) fn snapshot_of(&self) -> u64 {
        self.snapshot_of
    }

    /// Returns the number of the newest snapshot; 0 before the first one.
    pub(crate) fn published(&self) -> u64 {
        self.published
    }

    /// Returns the state.
    pub fn state(&self) -> PointState {
        self.state
    }

    /// Returns the bytes of memory of fragments that are not published yet, of bodies that arrive, and of headers. A
    /// header counts for each that knows it, though they may share it.
    pub(crate) fn memory(&self) -> u64 {
        let of_push = |push: &Push| push.intake.memory() + push.intake.header_memory();
        let arriving: u64 = self.pushes.values().map(of_push).sum();
        let of_event = |of: &Broadcast| of.held_bytes() + of.stray_bytes() + of.header_bytes();
        arriving + self.known.memory() + self.broadcast.as_ref().map_or(0, of_event)
    }

    /// Returns the window that the options set.
    pub(crate) fn window(&self) -> Option<Duration> {
        self.options.shown()
    }

    /// Returns the name of the point.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the status, for a page or metrics.
    pub fn status(&self) -> PointStatus {
        let broadcast = self.broadcast.as_ref();
        PointStatus {
            state: self.state,
            event: broadcast.and_then(|of| of.event.clone()),
            number: self.number(),
            streams: broadcast.map(|of| of.stream_statuses(self.now)).unwrap_or_default(),
            encoders: broadcast.map(|of| of.encoders(self.now)).unwrap_or_default(),
            held_bytes: broadcast.map_or(0, Broadcast::held_bytes),
            published: self.published,
            drift: broadcast.and_then(|of| of.drift.seconds()),
            missing: broadcast.map(Broadcast::missing).unwrap_or_default(),
        }
    }

    fn set_state(&mut self, state: PointState) {
        if self.state != state {
            self.state = state;
            self.events.push(LiveEvent::State(state));
        }
    }
}
