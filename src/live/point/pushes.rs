//! The pushes of a publishing point: what each brings is given to the event that it is for.

use bytes::Bytes;

use super::PublishingPoint;
use crate::base::{Error, ErrorKind};
use crate::live::broadcast::{Registered, Stray, Taken, other_codec};
use crate::live::intake::{Arrived, BodyEnd, HeaderTrack, Intake, Unit};
use crate::live::moment::Duration;
use crate::live::push::{Push, Source};
use crate::live::{LiveEvent, Moment, PointState, PushId};
use crate::manifest::StreamManifest;

/// Tracks of a push that are remembered.
const TRACKS: usize = 256;
/// Bytes of the identifier of a stream that is announced, and streams that a push may announce.
const LONGEST_ID: usize = 256;
const ANNOUNCED: usize = 256;
/// Fragments that are taken before what is due is published.
const AT_ONCE: usize = 256;

impl PublishingPoint {
    /// Returns the streams, in lower case, of which this encoder has brought headers.
    #[cfg(feature = "http")]
    pub(crate) fn known_streams(&self, event: Option<&str>, encoder: &str) -> Vec<String> {
        let event = event.map(str::to_lowercase);
        let is_its = |source: &&Source| source.event == event && &*source.encoder == encoder;
        self.known.sources().filter(is_its).map(|source| source.stream.clone()).collect()
    }

    /// Returns true if this encoder has brought the header of a stream, so that a push may go on with it.
    #[cfg(feature = "http")]
    pub(crate) fn knows_stream(&self, event: Option<&str>, stream: &str, encoder: &str) -> bool {
        self.known.get(&Source::new(event, stream, encoder)).is_some()
    }

    /// Returns the pushes of an encoder to some streams that run.
    #[cfg(feature = "http")]
    pub(crate) fn pushes_of(
        &self,
        event: Option<&str>,
        streams: &[String],
        encoder: &str,
    ) -> Vec<PushId> {
        let sources: Vec<_> =
            streams.iter().map(|stream| Source::new(event, stream, encoder)).collect();
        let of_these = self.pushes.iter().filter(|(_, push)| sources.contains(&push.source));
        of_these.map(|(id, _)| *id).collect()
    }

    /// Begins a push: an encoder (a name that the host gives it, such as its address) begins to send a body
    /// for a stream of an event, as its URL names them. Letter case of the two identifiers does not matter.
    /// An empty body changes nothing.
    ///
    /// A push takes the place of a running one of the same three names if it brings a header of the same
    /// track, or a fragment of the same track while the other one is silent.
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
        let (heard, tracks) = (now.monotonic, Vec::new());
        let push = Push {
            intake,
            event,
            stream,
            source,
            feed: None,
            begun_in,
            tracks,
            heard,
            announced: None,
            refused: None,
            has_fragments: false,
        };
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
            Some(push) => {
                push.heard = now.monotonic;
                push.intake.push(bytes, &mut units)
            }
            None => return Err(no_push()),
        };
        let taken = self.take(push, units, now).and(read);
        self.tell_events(push);
        if let Err(error) = &taken {
            self.refuse(push, error);
        }
        self.advance(now);
        taken
    }

    /// The body of a push has ended as its encoder wanted.
    ///
    /// # Errors
    /// The body is not whole, its end cannot be used, or none of its fragments can.
    pub fn end(&mut self, push: PushId, now: Moment) -> Result<(), Error> {
        self.now = now.monotonic;
        let Some(of) = self.pushes.get_mut(&push) else { return Err(no_push()) };
        let mut units = Vec::new();
        // A body may be a header alone, of which the next one has the fragments.
        of.intake.settle(&mut units);
        // The last fragment may begin an event, which needs the tracks.
        let next = match of.intake.known() {
            Some(known) => Intake::continuing(&self.options.limits, known.clone()),
            None => Intake::new(&self.options.limits),
        };
        let end = std::mem::replace(&mut of.intake, next).end(&mut units);
        let taken = self.take(push, units, now);
        let ended = match end {
            BodyEnd::Cut { bytes } => {
                let what = format!("a body that ends {bytes} bytes into a box or a fragment");
                Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.7" }.into())
            }
            BodyEnd::Empty | BodyEnd::Complete => Ok(()),
        };
        let taken = taken.and(ended);
        // It was reported when it came.
        let failure = self.pushes.get_mut(&push).and_then(Push::failure);
        match &taken {
            Err(error) => self.refuse(push, error),
            Ok(()) => self.remove(push, false),
        }
        self.advance(now);
        taken.and(failure.map_or(Ok(()), Err))
    }

    /// The connection of a push is lost. The event goes on.
    pub fn lost(&mut self, push: PushId, now: Moment) {
        self.now = now.monotonic;
        self.remove(push, true);
        self.advance(now);
    }

    /// Returns the number of pushes that run.
    pub(crate) fn running(&self) -> usize {
        self.pushes.len()
    }

    /// Returns true if the push still runs: no other one has taken its place.
    pub(crate) fn is_running(&self, push: PushId) -> bool {
        self.pushes.contains_key(&push)
    }

    fn take(&mut self, push: PushId, units: Vec<Unit>, now: Moment) -> Result<(), Error> {
        if units.is_empty() {
            return Ok(());
        }
        // What is taken of one call and is not settled: the call may have any number of fragments.
        let (mut count, mut bytes) = (0, 0);
        for unit in units {
            match unit {
                Unit::StreamManifest(manifest) => self.announce(push, manifest, now)?,
                Unit::Header(header) => {
                    let is_first = |push: &Push| push.tracks.is_empty();
                    let is_first = self.pushes.get(&push).is_some_and(is_first);
                    self.register(push, &header.tracks, now)?;
                    // What cannot be used before it is its manifest: the `moov` says what is needed.
                    if let Some(push) = self.pushes.get_mut(&push).filter(|_| is_first) {
                        push.refused = None;
                    }
                }
                Unit::Fragment(arrived) => {
                    self.arrive(push, &arrived, now)?;
                    if let Some(push) = self.pushes.get_mut(&push) {
                        push.has_fragments = true;
                    }
                    (count, bytes) = (count + 1, bytes + arrived.bytes.len() as u64);
                    if count >= AT_ONCE || bytes >= self.options.held_bytes / 8 {
                        (count, bytes) = (0, 0);
                        self.publish(now);
                    }
                }
                Unit::Refused { error, .. } => self.leave_out(push, error, now)?,
                // Nothing ends that has not begun.
                Unit::EndOfStream if !self.is_of_this_event(push) => {}
                Unit::EndOfStream => {
                    let feed = self.enter(push, now)?;
                    if let Some(broadcast) = &mut self.broadcast {
                        broadcast.stream_ended(feed, now.monotonic);
                    }
                }
            }
            self.collect();
        }
        self.tell_header(push);
        Ok(())
    }

    /// Reports messages of a push that were passed over, once it is part of the event.
    fn tell_events(&mut self, push: PushId) {
        let number = self.number();
        let Some(push) = self.pushes.get_mut(&push) else { return };
        if let Some((of, feed)) = push.feed
            && of == number
            && let Some(broadcast) = &mut self.broadcast
        {
            broadcast.events_passed(feed, push.intake.take_events());
        }
    }

    /// Reports the header of a push that has become part of the event, for pushes that go on with it after a restart.
    fn tell_header(&mut self, push: PushId) {
        let Some(push) = self.pushes.get(&push) else { return };
        let (Some((number, _)), Some(known)) = (push.feed, push.intake.known()) else { return };
        if self.told.is_new(number, &push.source, known) {
            let (stream, encoder) = (push.stream.clone(), push.source.encoder.clone());
            let (is_named, boxes) = (push.source.event.is_some(), known.boxes().clone());
            self.events.push(LiveEvent::Header { stream, encoder, is_named, boxes });
        }
    }

    /// Takes the streams that a push announces. They begin no event: a header does.
    fn announce(
        &mut self,
        push: PushId,
        mut manifest: StreamManifest,
        now: Moment,
    ) -> Result<(), Error> {
        // No push has a longer identifier.
        manifest.streams.retain(|of| of.stream.len() <= LONGEST_ID);
        manifest.streams.truncate(ANNOUNCED);
        manifest.streams.shrink_to_fit();
        manifest.metas = Vec::new();
        if self.is_of_this_event(push) {
            self.enter(push, now)?;
            if let Some(broadcast) = &mut self.broadcast {
                broadcast.announce(&manifest);
            }
        } else if let Some(push) = self.pushes.get_mut(&push) {
            push.announced = Some(manifest);
        }
        Ok(())
    }

    /// Reports a part of a push that cannot be used. It begins no event.
    fn leave_out(&mut self, push: PushId, error: Error, now: Moment) -> Result<(), Error> {
        if self.is_of_this_event(push) {
            let feed = self.enter(push, now)?;
            if let Some(broadcast) = &mut self.broadcast {
                broadcast.push_refused(feed, error.clone());
            }
        }
        if let Some(push) = self.pushes.get_mut(&push) {
            push.refused.get_or_insert(error);
        }
        Ok(())
    }

    /// Takes the header of a push.
    fn register(&mut self, push: PushId, tracks: &[HeaderTrack], now: Moment) -> Result<(), Error> {
        let feed = self.enter(push, now)?;
        let tracks_of = tracks.iter().map(|track| track.track_id);
        self.replace_others(push, tracks_of.collect(), Duration::ZERO);
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
        let is_first = |of: &Push| !of.tracks.contains(&arrived.track_id);
        if self.pushes.get(&push).is_some_and(is_first) {
            // Of a body without a header. Others of the source may be fragments of the same track on their way.
            self.replace_others(push, vec![arrived.track_id], self.options.gap_wait);
        }
        let Some(broadcast) = &mut self.broadcast else { return Ok(()) };
        match broadcast.arrive(feed, push, arrived, now) {
            Taken::Done => Ok(()),
            Taken::OtherCodec => Err(other_codec()),
            Taken::Restart => {
                // Those that showed it are of the new event.
                let first = broadcast.take_strays(feed);
                let feed = self.restart(push, now)?;
                if let Some(broadcast) = &mut self.broadcast {
                    for of in first {
                        broadcast.arrive(feed, of.push, &of.arrived, of.at);
                    }
                    broadcast.arrive(feed, push, arrived, now);
                }
                Ok(())
            }
        }
    }

    /// Returns the fragments of other streams of the encoder of a push that wait for the next one, with their sources. They do so no
    /// longer.
    pub(super) fn take_beside(&mut self, push: PushId) -> Vec<(Source, Stray)> {
        let Some(push) = self.pushes.get(&push) else { return Vec::new() };
        let (Some((number, feed)), event) = (push.feed, push.source.event.as_deref()) else {
            return Vec::new();
        };
        let Some(broadcast) = self.broadcast.as_mut().filter(|of| of.number == number) else {
            return Vec::new();
        };
        let strays = broadcast.take_strays_beside(feed).into_iter();
        let with_source = strays.map(|of| {
            let feed = &broadcast.feeds[of.feed];
            (Source::new(event, &feed.key, &feed.encoder), of)
        });
        with_source.collect()
    }

    /// Takes fragments that came before the event did, whose encoder began it. Their pushes may have ended.
    pub(super) fn bring_again(&mut self, beside: Vec<(Source, Stray)>) {
        for (source, of) in beside {
            if self.pushes.contains_key(&of.push) {
                // It is told of the others.
                let _ = self.arrive(of.push, &of.arrived, of.at);
                continue;
            }
            let (Some(known), Some(broadcast)) = (self.known.get(&source), &mut self.broadcast)
            else {
                continue;
            };
            let tracks = &known.header().tracks;
            if let Some(feed) = broadcast.feed(&source.stream, &source.encoder)
                && broadcast.register(feed, tracks, of.at).is_ok()
            {
                broadcast.arrive(feed, of.push, &of.arrived, of.at);
            }
        }
    }

    /// Returns the number of the feed of a push in the event that it is for, which may begin with it.
    fn enter(&mut self, id: PushId, now: Moment) -> Result<usize, Error> {
        let number = self.number();
        let Some(push) = self.pushes.get(&id) else { return Err(no_push()) };
        if let Some((of, feed)) = push.feed
            && of == number
            && self.is_on()
        {
            return Ok(feed);
        }
        let (event, begun_in) = (push.event.clone(), push.begun_in);
        let key = push.source.event.clone();
        self.check_event(key.as_deref(), begun_in)?;
        if !self.is_on() || !self.is_current(key.as_deref()) {
            self.begin_event(event, now);
        }
        self.join(id, now)
    }

    /// Returns true if a push is one of the event that runs.
    fn is_of_this_event(&self, id: PushId) -> bool {
        let push = self.pushes.get(&id);
        self.is_on() && push.is_some_and(|push| self.is_current(push.source.event.as_deref()))
    }

    /// Makes a push part of the newest event, with the tracks that it or its source has announced.
    pub(super) fn join(&mut self, id: PushId, now: Moment) -> Result<usize, Error> {
        let Some(push) = self.pushes.get_mut(&id) else { return Err(no_push()) };
        let Some(broadcast) = &mut self.broadcast else { return Err(no_push()) };
        let Some(feed) = broadcast.feed(&push.stream, &push.source.encoder) else {
            return Err(ErrorKind::Busy("too many encoders have pushed to this event").into());
        };
        let is_first = push.feed.replace((broadcast.number, feed)).is_none();
        broadcast.feeds[feed].open += 1;
        broadcast.feeds[feed].pushes += 1;
        if let Some(manifest) = push.announced.take() {
            broadcast.announce(&manifest);
        }
        if let Some(error) = push.refused.as_ref().filter(|_| is_first) {
            broadcast.push_refused(feed, error.clone());
        }
        if let Some(known) = push.intake.known() {
            let tracks = &known.header().tracks;
            if broadcast.register(feed, tracks, now)? == Registered::Restart {
                return self.restart(id, now);
            }
        }
        if self.state == PointState::Idle {
            self.collect();
            self.set_state(PointState::Starting);
        }
        Ok(feed)
    }

    /// Ends the pushes whose place a push takes: those of the same source with a same track, which have been silent
    /// for so long.
    fn replace_others(&mut self, id: PushId, tracks: Vec<u32>, silent: Duration) {
        let now = self.now;
        let Some(push) = self.pushes.get(&id) else { return };
        let source = push.source.clone();
        let is_replaced = |(other, push): (&PushId, &Push)| {
            let shares = push.tracks.iter().any(|track| tracks.contains(track));
            let is_silent = now.saturating_sub(push.heard) >= silent;
            (*other < id && push.source == source && shares && is_silent).then_some(*other)
        };
        let replaced: Vec<_> = self.pushes.iter().filter_map(is_replaced).collect();
        for other in replaced {
            self.remove(other, false);
        }
        if let Some(push) = self.pushes.get_mut(&id) {
            let new = tracks.into_iter().filter(|track| !push.tracks.contains(track));
            push.tracks.extend(new.collect::<Vec<_>>());
            // An encoder that numbers its tracks anew with each header.
            push.tracks.drain(..push.tracks.len().saturating_sub(TRACKS));
        }
    }

    /// Forgets a push that has ended.
    fn remove(&mut self, id: PushId, is_lost: bool) {
        let Some(push) = self.pushes.remove(&id) else { return };
        if let Some(known) = push.intake.known() {
            self.known.remember(push.source, known.clone());
        }
        if let Some((number, feed)) = push.feed
            && let Some(broadcast) = &mut self.broadcast
            && broadcast.number == number
        {
            broadcast.push_ended(feed, is_lost, self.now);
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
}

fn no_push() -> Error {
    ErrorKind::NotAccepting("the push has ended, or another one of its encoder took its place")
        .into()
}
