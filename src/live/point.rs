//! A publishing point: what encoders push becomes a presentation.

use std::sync::Arc;

use bytes::Bytes;

use super::moment::Duration;
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
    events: Vec<LiveEvent>,
    snapshot: Option<Arc<Presentation>>,
    pushes: u64,
}

impl PublishingPoint {
    /// Creates a publishing point that is idle.
    pub fn new(name: Name, options: PointOptions) -> Self {
        let state = PointState::Idle;
        Self { name, options, state, events: Vec::new(), snapshot: None, pushes: 0 }
    }

    /// Begins a push: an encoder (a name that the host gives it, such as its address) begins to send a body
    /// for a stream of an event, as its URL names them. Letter case of the two identifiers does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::NotAccepting`](crate::ErrorKind::NotAccepting) if the event has ended.
    pub fn begin(
        &mut self,
        _event: Option<&str>,
        _stream: &str,
        _encoder: &str,
        _now: Moment,
    ) -> Result<PushId, Error> {
        self.pushes += 1;
        Ok(PushId(self.pushes))
    }

    /// Takes the next bytes of a push.
    ///
    /// # Errors
    /// The push is refused; the host answers with the status of the error and closes the connection.
    pub fn push(&mut self, _push: PushId, _bytes: &Bytes, _now: Moment) -> Result<(), Error> {
        Ok(())
    }

    /// The body of a push has ended as its encoder wanted.
    ///
    /// # Errors
    /// The body is not whole.
    pub fn end(&mut self, _push: PushId, _now: Moment) -> Result<(), Error> {
        Ok(())
    }

    /// The connection of a push is lost. The event goes on.
    pub fn lost(&mut self, _push: PushId, _now: Moment) {}

    /// Ends the event: what was held back is published, and the presentation becomes a film.
    pub fn stop(&mut self, _now: Moment) {}

    /// Lets encoders push again after a stop: the next push begins a new event.
    pub fn start(&mut self, _now: Moment) {}

    /// Changes the window; see [`PointOptions::window`].
    pub fn set_window(&mut self, window: Option<Duration>, _now: Moment) {
        self.options.window = window;
    }

    /// Does what is due: to be called about each second, also if nothing was pushed.
    pub fn tick(&mut self, _now: Moment) {}

    /// Returns what has happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<LiveEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the newest snapshot, if anything was published. It changes with each publication.
    pub fn snapshot(&self) -> Option<&Arc<Presentation>> {
        self.snapshot.as_ref()
    }

    /// Returns the state.
    pub fn state(&self) -> PointState {
        self.state
    }

    /// Returns the name of the point.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the status, for a page or metrics.
    pub fn status(&self) -> PointStatus {
        PointStatus {
            state: self.state,
            event: None,
            number: 0,
            streams: Vec::new(),
            encoders: Vec::new(),
            held_bytes: 0,
            published: 0,
            missing: Vec::new(),
        }
    }
}
