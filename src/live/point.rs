//! A publishing point: what encoders push becomes a presentation.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::broadcast::{Broadcast, Registered, Taken};
use super::intake::{Arrived, BodyEnd, HeaderTrack, Intake, Known, Unit};
use super::journal::Restored;
use super::moment::Duration;
use super::push::{Push, Source};
use super::{LiveEvent, Moment, PointOptions, PointState, PointStatus, PushId};
use crate::base::{Error, ErrorKind, Name};
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
    known: HashMap<Source, Known>,
    /// Identifiers of events that have ended, in lower case.
    past: Vec<String>,
    events: Vec<LiveEvent>,
    snapshot: Option<Arc<Presentation>>,
    /// Number of the newest snapshot.
    published: u64,
    /// Number of the last event of an earlier process.
    before: u64,
    now: Duration,
}

/// Headers of sources that are remembered, and events that have ended.
const REMEMBERED: usize = 256;

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
            known: HashMap::new(),
            past: Vec::new(),
            events: Vec::new(),
            snapshot: None,
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
        if restored.is_ended {
            point.before = restored.number;
            point.past.extend(restored.event.as_deref().map(str::to_lowercase));
            return Ok(point);
        }
        let broadcast = Broadcast::restored(&point.name, &point.options, restored, now)?;
        let is_started = broadcast.is_started;
        point.broadcast = Some(broadcast);
        point.collect();
        point.set_state(if is_started { PointState::Started } else { PointState::Starting });
        Ok(point)
    }

    /// Begins a push: an encoder (a name that the host gives it, such as its address) begins to send a body
    /// for a stream of an event, as its URL names them. Letter case of the two identifiers does not matter.
    /// An empty body changes nothing.
    ///
    /// A push takes the place of a running one of the same three names if it brings a header of the same
    /// track.
    ///
    /// # Errors
    /// [`ErrorKind::NotAccepting`] if the event has ended; [`ErrorKind::Busy`] if too many pushes run.
    pub fn begin(
        &mut self,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
        now: Moment,
    ) -> Result<PushId, Error> {
        self.now = now.monotonic;
        let source = Source::new(event, stream, encoder);
        let begun_in = self.number();
        self.check_event(source.event.as_deref(), begun_in)?;
        if self.pushes.len() >= self.options.pushes {
            return Err(ErrorKind::Busy("too many pushes run at this publishing point").into());
        }
        self.begun += 1;
        let id = PushId(self.begun);
        let intake = match self.known.get(&source) {
            Some(known) => Intake::continuing(&self.options.limits, known.clone()),
            None => Intake::new(&self.options.limits),
        };
        let event = event.map(Into::into);
        let stream = stream.into();
        let push = Push { intake, event, stream, source, feed: None, begun_in, tracks: Vec::new() };
        self.pushes.insert(id, push);
        Ok(id)
    }

    /// Takes the next bytes of a push.
    ///
    /// # Errors
    /// The push is refused and has ended; the host answers with the status of the error and closes the
    /// connection. What came before is used.
    pub fn push(&mut self, push: PushId, bytes: &Bytes, now: Moment) -> Result<(), Error> {
        self.now = now.monotonic;
        let mut units = Vec::new();
        let read = match self.pushes.get_mut(&push) {
            Some(push) => push.intake.push(bytes, &mut units),
            None => return Err(no_push()),
        };
        let taken = self.take(push, units, now).and(read);
        if let Err(error) = &taken {
            self.refuse(push, error);
        }
        self.advance(now);
        taken
    }

    /// The body of a push has ended as its encoder wanted.
    ///
    /// # Errors
    /// The body is not whole, or its end cannot be used.
    pub fn end(&mut self, push: PushId, now: Moment) -> Result<(), Error> {
        self.now = now.monotonic;
        let Some(of) = self.pushes.get_mut(&push) else { return Err(no_push()) };
        let mut units = Vec::new();
        // A body may be a header alone, of which the next one has the fragments.
        of.intake.settle(&mut units);
        let intake = std::mem::replace(&mut of.intake, Intake::new(&self.options.limits));
        let known = intake.known().cloned();
        let end = intake.end(&mut units);
        let source = of.source.clone();
        if let Some(known) = known {
            self.remember(source, known);
        }
        let taken = self.take(push, units, now);
        let ended = match end {
            BodyEnd::Cut { bytes } => {
                let what = format!("a body that ends {bytes} bytes into a box or a fragment");
                Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.7" }.into())
            }
            BodyEnd::Empty | BodyEnd::Complete => Ok(()),
        };
        let taken = taken.and(ended);
        match &taken {
            Err(error) => self.refuse(push, error),
            Ok(()) => self.remove(push, false),
        }
        self.advance(now);
        taken
    }

    /// The connection of a push is lost. The event goes on.
    pub fn lost(&mut self, push: PushId, now: Moment) {
        self.now = now.monotonic;
        self.remove(push, true);
        self.advance(now);
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
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.options.window = window;
            broadcast.show_again(now);
        }
        self.collect();
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

    /// Returns the state.
    pub fn state(&self) -> PointState {
        self.state
    }

    /// Returns the number of pushes that run.
    pub(crate) fn running(&self) -> usize {
        self.pushes.len()
    }

    /// Returns true if the push still runs: no other one has taken its place.
    pub(crate) fn is_running(&self, push: PushId) -> bool {
        self.pushes.contains_key(&push)
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
            streams: broadcast.map(Broadcast::stream_statuses).unwrap_or_default(),
            encoders: broadcast.map(|of| of.encoders(self.now)).unwrap_or_default(),
            held_bytes: broadcast.map_or(0, Broadcast::held_bytes),
            published: self.published,
            missing: broadcast.map(Broadcast::missing).unwrap_or_default(),
        }
    }

    fn number(&self) -> u64 {
        self.broadcast.as_ref().map_or(self.before, |broadcast| broadcast.number)
    }

    /// Returns true if the identifier is that of the newest event. A push without one is of any event.
    fn is_current(&self, event: Option<&str>) -> bool {
        let current = self.broadcast.as_ref().and_then(|broadcast| broadcast.event.as_deref());
        match (event, current) {
            (Some(event), Some(current)) => event == current.to_lowercase(),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Checks that a push of an event may be used, if it began when the newest event was number
    /// `begun_in`.
    fn check_event(&self, event: Option<&str>, begun_in: u64) -> Result<(), Error> {
        let refused = |why| Err(ErrorKind::NotAccepting(why).into());
        if self.is_shut {
            return refused("the publishing point is stopped");
        }
        if event.is_some_and(|event| self.past.iter().any(|past| past == event)) {
            return refused("the event has ended; push with another EventID");
        }
        if self.state.accepts() || !self.is_current(event) {
            return Ok(());
        }
        match self.options.restart_on_encoder_reconnect && begun_in == self.number() {
            true => Ok(()),
            false => {
                refused("the event has ended; start the publishing point, or push with an EventID")
            }
        }
    }

    fn take(&mut self, push: PushId, units: Vec<Unit>, now: Moment) -> Result<(), Error> {
        for unit in units {
            match unit {
                Unit::StreamManifest(manifest) => {
                    self.enter(push, now)?;
                    if let Some(broadcast) = &mut self.broadcast {
                        broadcast.announce(&manifest);
                    }
                }
                Unit::Header(header) => self.register(push, &header.tracks, now)?,
                Unit::Fragment(arrived) => self.arrive(push, &arrived, now)?,
                Unit::Refused { error, .. } => {
                    let feed = self.enter(push, now)?;
                    if let Some(broadcast) = &mut self.broadcast {
                        broadcast.push_refused(feed, error);
                    }
                }
                // Nothing ends that has not begun.
                Unit::EndOfStream if !self.is_of_this_event(push) => {}
                Unit::EndOfStream => {
                    let feed = self.enter(push, now)?;
                    if let Some(broadcast) = &mut self.broadcast {
                        broadcast.stream_ended(feed);
                    }
                }
            }
            self.collect();
        }
        Ok(())
    }

    /// Takes the header of a push.
    fn register(&mut self, push: PushId, tracks: &[HeaderTrack], now: Moment) -> Result<(), Error> {
        let feed = self.enter(push, now)?;
        self.replace_others(push, tracks);
        let registered = match &mut self.broadcast {
            Some(broadcast) => broadcast.register(feed, tracks, now)?,
            None => Registered::Done,
        };
        if registered == Registered::Restart {
            let feed = self.restart(push, now)?;
            if let Some(broadcast) = &mut self.broadcast {
                broadcast.register(feed, tracks, now)?;
            }
        }
        if self.state == PointState::Idle {
            self.collect();
            self.set_state(PointState::Starting);
        }
        Ok(())
    }

    fn arrive(&mut self, push: PushId, arrived: &Arrived, now: Moment) -> Result<(), Error> {
        let feed = self.enter(push, now)?;
        let Some(broadcast) = &mut self.broadcast else { return Ok(()) };
        if broadcast.arrive(feed, push, arrived, now) == Taken::Restart {
            let feed = self.restart(push, now)?;
            if let Some(broadcast) = &mut self.broadcast {
                broadcast.arrive(feed, push, arrived, now);
            }
        }
        Ok(())
    }

    /// Returns the number of the feed of a push in the event that it is for, which may begin with it.
    fn enter(&mut self, id: PushId, now: Moment) -> Result<usize, Error> {
        let number = self.number();
        let Some(push) = self.pushes.get(&id) else { return Err(no_push()) };
        if let Some((of, feed)) = push.feed
            && of == number
            && self.state.accepts()
        {
            return Ok(feed);
        }
        let (event, begun_in) = (push.event.clone(), push.begun_in);
        let key = push.source.event.clone();
        self.check_event(key.as_deref(), begun_in)?;
        let goes_on = self.state.accepts() && self.state != PointState::Idle;
        if !goes_on || !self.is_current(key.as_deref()) {
            self.begin_event(event, now);
        }
        self.join(id, now)
    }

    /// Returns true if a push is one of the event that runs.
    fn is_of_this_event(&self, id: PushId) -> bool {
        let is_running = self.state.accepts() && self.state != PointState::Idle;
        let push = self.pushes.get(&id);
        is_running && push.is_some_and(|push| self.is_current(push.source.event.as_deref()))
    }

    /// Makes a push part of the newest event, with the tracks that it or its source has announced.
    fn join(&mut self, id: PushId, now: Moment) -> Result<usize, Error> {
        let Some(push) = self.pushes.get_mut(&id) else { return Err(no_push()) };
        let Some(broadcast) = &mut self.broadcast else { return Err(no_push()) };
        let Some(feed) = broadcast.feed(&push.stream, &push.source.encoder) else {
            return Err(ErrorKind::Busy("too many encoders have pushed to this event").into());
        };
        push.feed = Some((broadcast.number, feed));
        broadcast.feeds[feed].open += 1;
        broadcast.feeds[feed].pushes += 1;
        if let Some(known) = push.intake.known() {
            broadcast.register(feed, &known.header().tracks.clone(), now)?;
        }
        if self.state == PointState::Idle {
            self.collect();
            self.set_state(PointState::Starting);
        }
        Ok(feed)
    }

    /// A new event begins in the place of the one that runs, if one does.
    fn begin_event(&mut self, event: Option<Arc<str>>, now: Moment) {
        let before = self.broadcast.as_ref().and_then(|of| of.event.clone());
        if let Some(before) = before
            && event.as_ref().is_none_or(|event| !event.eq_ignore_ascii_case(&before))
        {
            self.past.push(before.to_lowercase());
            if self.past.len() > REMEMBERED {
                self.past.remove(0);
            }
        }
        self.finish(now);
        let number = self.number() + 1;
        self.broadcast =
            Some(Broadcast::new(&self.name, &self.options, event, number, self.published));
        self.collect();
        self.set_state(PointState::Idle);
    }

    /// A new event begins because an encoder began anew.
    fn restart(&mut self, push: PushId, now: Moment) -> Result<usize, Error> {
        self.collect();
        let event = self.broadcast.as_ref().and_then(|broadcast| broadcast.event.clone());
        self.begin_event(event, now);
        let feed = self.join(push, now)?;
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.restarted(feed);
        }
        Ok(feed)
    }

    /// Ends the pushes whose place a push takes: those of the same source with a header of a same track.
    fn replace_others(&mut self, id: PushId, tracks: &[HeaderTrack]) {
        let Some(push) = self.pushes.get_mut(&id) else { return };
        push.tracks.extend(tracks.iter().map(|track| track.track_id));
        let (source, tracks) = (push.source.clone(), push.tracks.clone());
        let is_replaced = |(other, push): (&PushId, &Push)| {
            let shares = push.tracks.iter().any(|track| tracks.contains(track));
            (*other < id && push.source == source && shares).then_some(*other)
        };
        let replaced: Vec<_> = self.pushes.iter().filter_map(is_replaced).collect();
        for other in replaced {
            self.remove(other, false);
        }
    }

    /// Forgets a push that has ended.
    fn remove(&mut self, id: PushId, is_lost: bool) {
        let Some(push) = self.pushes.remove(&id) else { return };
        if let Some(known) = push.intake.known() {
            self.remember(push.source, known.clone());
        }
        if let Some((number, feed)) = push.feed
            && let Some(broadcast) = &mut self.broadcast
            && broadcast.number == number
        {
            broadcast.push_ended(feed, is_lost);
        }
        self.collect();
    }

    fn refuse(&mut self, id: PushId, error: &Error) {
        let feed = self.pushes.get(&id).and_then(|push| push.feed);
        if let Some((number, feed)) = feed
            && let Some(broadcast) = &mut self.broadcast
            && broadcast.number == number
        {
            broadcast.push_refused(feed, error.clone());
        }
        self.remove(id, true);
    }

    fn remember(&mut self, source: Source, known: Known) {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&source) {
            self.known.clear();
        }
        self.known.insert(source, known);
    }

    /// Publishes what is due, and ends the event if all streams have ended.
    fn advance(&mut self, now: Moment) {
        let Some(broadcast) = &mut self.broadcast else { return self.collect() };
        if matches!(self.state, PointState::Starting | PointState::Started) {
            broadcast.advance(now);
            let (is_started, has_ended) = (broadcast.is_started, broadcast.has_ended(now));
            if is_started && self.state == PointState::Starting {
                self.set_state(PointState::Started);
            }
            self.collect();
            if has_ended {
                self.finish(now);
            }
        }
        self.collect();
    }

    /// Ends the event that runs, if one does.
    fn finish(&mut self, now: Moment) {
        self.collect();
        if !matches!(self.state, PointState::Starting | PointState::Started) {
            return;
        }
        self.set_state(PointState::Stopping);
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.finish(now);
        }
        self.collect();
        self.set_state(PointState::Stopped);
    }

    fn set_state(&mut self, state: PointState) {
        if self.state != state {
            self.state = state;
            self.events.push(LiveEvent::State(state));
        }
    }

    /// Takes over what the event reports.
    fn collect(&mut self) {
        let Some(broadcast) = &mut self.broadcast else { return };
        self.events.append(&mut broadcast.log);
        self.published = self.published.max(broadcast.published);
        if let Some(snapshot) = broadcast.snapshot.take() {
            self.snapshot = Some(snapshot);
        }
    }
}

fn no_push() -> Error {
    ErrorKind::NotAccepting("the push has ended, or another one of its encoder took its place")
        .into()
}
