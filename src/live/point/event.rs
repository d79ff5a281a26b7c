//! The events of a publishing point, one after the other: their beginning, what they publish, and their end.

use std::sync::Arc;

use super::PublishingPoint;
use crate::base::{Error, ErrorKind};
use crate::live::broadcast::Broadcast;
use crate::live::journal::Began;
use crate::live::{Moment, PointState, PushId};

/// Events that have ended and are remembered.
const PAST: usize = 256;

impl PublishingPoint {
    pub(super) fn number(&self) -> u64 {
        self.broadcast.as_ref().map_or(self.before, |broadcast| broadcast.number)
    }

    /// Returns true if the identifier is that of the newest event. A push without one is of any event.
    pub(super) fn is_current(&self, event: Option<&str>) -> bool {
        let current = self.broadcast.as_ref().and_then(|broadcast| broadcast.event.as_deref());
        match (event, current) {
            (Some(event), Some(current)) => event == current.to_lowercase(),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Checks that a push of an event may be used, if it began when the newest event was number
    /// `begun_in`.
    pub(super) fn check_event(&self, event: Option<&str>, begun_in: u64) -> Result<(), Error> {
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

    /// Returns true if an event has begun and not ended.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.state, PointState::Starting | PointState::Started)
    }

    /// A new event begins in the place of the one that runs, if one does.
    pub(super) fn begin_event(&mut self, event: Option<Arc<str>>, now: Moment) {
        let before = self.broadcast.as_ref().and_then(|of| of.event.clone());
        if let Some(before) = before
            && event.as_ref().is_none_or(|event| !event.eq_ignore_ascii_case(&before))
        {
            self.past.push(before.to_lowercase());
            if self.past.len() > PAST {
                self.past.remove(0);
            }
        }
        self.finish(now);
        let number = self.number() + 1;
        let wall = u64::try_from(now.wall.as_nanos()).unwrap_or(u64::MAX);
        let began = Began { event, number, wall };
        self.broadcast = Some(Broadcast::new(&self.name, &self.options, began, self.published));
        self.collect();
        self.set_state(PointState::Idle);
    }

    /// A new event begins because an encoder began anew.
    pub(super) fn restart(&mut self, push: PushId, now: Moment) -> Result<usize, Error> {
        self.collect();
        let event = self.broadcast.as_ref().and_then(|broadcast| broadcast.event.clone());
        let beside = self.take_beside(push);
        self.begin_event(event, now);
        let feed = self.join(push, now)?;
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.restarted(feed);
        }
        self.bring_again(beside);
        Ok(feed)
    }

    /// Publishes what is due, and ends the event if all streams have ended.
    pub(super) fn advance(&mut self, now: Moment) {
        self.publish(now);
        if self.is_on() && self.broadcast.as_ref().is_some_and(|of| of.has_ended(now)) {
            self.finish(now);
        }
        self.collect();
    }

    /// Publishes what is due.
    pub(super) fn publish(&mut self, now: Moment) {
        let is_on = self.is_on();
        if let Some(broadcast) = self.broadcast.as_mut().filter(|_| is_on) {
            broadcast.advance(now);
            if broadcast.is_started && self.state == PointState::Starting {
                self.set_state(PointState::Started);
            }
        }
        self.collect();
    }

    /// Ends the event that runs, if one does.
    pub(super) fn finish(&mut self, now: Moment) {
        self.collect();
        if !self.is_on() {
            return;
        }
        self.set_state(PointState::Stopping);
        if let Some(broadcast) = &mut self.broadcast {
            broadcast.finish(now);
        }
        self.collect();
        self.set_state(PointState::Stopped);
    }

    /// Takes over what the event reports.
    pub(super) fn collect(&mut self) {
        let Some(broadcast) = &mut self.broadcast else { return };
        self.events.append(&mut broadcast.log);
        self.published = self.published.max(broadcast.published);
        if let Some(snapshot) = broadcast.snapshot.take() {
            (self.snapshot, self.snapshot_of) = (Some(snapshot), broadcast.number);
        }
    }
}
