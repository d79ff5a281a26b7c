//! The file of the record of a publishing point.

use std::sync::Arc;

use bytes::Bytes;

use super::frames::{Frames, MAGIC, push_frame};
use super::names::Names;
use super::point_record::PointRecord;
use super::record::Record;
use super::write::ArchiveWrite;
use crate::base::{Error, ErrorKind, Limits, Name};

impl PointRecord {
    /// Name of the record of a publishing point. `None` if the name of the point is too long for it.
    pub fn name_of(point: &Name) -> Option<Name> {
        Names::of(point)?.record()
    }

    /// The name of the publishing point that this is the record of. `None` if it is none.
    pub fn point_of(bytes: &Bytes) -> Option<Name> {
        let first = Frames::new(bytes).ok()?.peek()?;
        match Record::parse(first, &Limits::default())? {
            Record::Point(name) => Some(name),
            _ => None,
        }
    }

    /// Reads the record of a publishing point.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is none, is not whole, or is that of another point.
    pub fn read(point: &Name, bytes: &Bytes, limits: &Limits) -> Result<Self, Error> {
        let invalid = |what: &str| {
            Error::from(ErrorKind::Invalid {
                what: what.to_owned(),
                clause: "the format of journals",
            })
        };
        let mut frames = Frames::new(bytes)?;
        let mut read = Self::new(point.clone());
        let (mut is_named, mut is_whole) = (false, false);
        while let Some(frame) = frames.peek() {
            match Record::parse(frame.clone(), limits) {
                Some(Record::Point(of)) if of.as_str().eq_ignore_ascii_case(point.as_str()) => {
                    is_named = true;
                }
                Some(Record::Point(_)) => {
                    return Err(invalid("the record of another publishing point"));
                }
                Some(Record::Began(began)) => read.last = Some(began),
                Some(Record::Stopped) => read.is_ended = true,
                Some(Record::Open) => read.is_open = true,
                Some(Record::Shut) => read.is_shut = true,
                Some(Record::Film(film)) => read.film = Some(film),
                Some(Record::Past(event)) => read.remember(&event),
                Some(Record::Due(began)) => read.add_due(began),
                Some(Record::Closed) => is_whole = true,
                Some(Record::Other) => {}
                _ => {
                    return Err(invalid("a record of a publishing point with records of an event"));
                }
            }
            frames.pass(&frame);
        }
        match is_named && is_whole && frames.end() == bytes.len() as u64 {
            true => Ok(read),
            false => Err(invalid("a record of a publishing point that is not whole")),
        }
    }

    /// The record of a point whose last event is the one that this journal begins with, if it does: for tests and
    /// fuzzers.
    pub fn of_journal(point: Name, journal: &Bytes) -> Self {
        let mut record = Self::new(point);
        let first = Frames::new(journal).ok().and_then(|frames| frames.peek());
        if let Some(Record::Began(began)) =
            first.and_then(|first| Record::parse(first, &Limits::default()))
        {
            record.begin(began);
        }
        record
    }

    /// The write by which the archive has the record.
    pub fn write(&self) -> Option<ArchiveWrite> {
        let mut bytes = MAGIC.to_vec();
        let past = self.past.iter().map(|event| Record::Past(Arc::from(event.as_str())));
        let records = [
            Some(Record::Point(self.point.clone())),
            self.last.clone().map(Record::Began),
            self.is_ended.then_some(Record::Stopped),
            self.is_open.then_some(Record::Open),
            self.is_shut.then_some(Record::Shut),
            self.film.clone().map(Record::Film),
        ];
        let due = self.due.iter().cloned().map(Record::Due);
        // The end, without which a record is not whole.
        let all = records.into_iter().flatten().chain(past).chain(due).chain([Record::Closed]);
        for record in all {
            push_frame(&mut bytes, 0, &record.write()?);
        }
        let name = Self::name_of(&self.point)?;
        Some(ArchiveWrite::Put { name, content: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::journal::began::Began;
    use crate::live::journal::point_record::REMEMBERED;

    #[test]
    fn what_is_put_is_read_again_and_nothing_else_is() {
        let name = |text: &str| Name::new(text).unwrap();
        let mut record = PointRecord::new(name("events/news.isml"));
        for number in 1..400 {
            let event = Some(format!("Finale {number}").into());
            record.begin(Began { event, number, wall: number });
            record.end();
        }
        record.film = Some(name("events/news.399.Finale_399.ism"));
        (record.is_open, record.is_shut) = (true, true);
        (1..4).for_each(|number| record.add_due(Began { event: None, number, wall: number }));
        let Some(ArchiveWrite::Put { name: file, content }) = record.write() else { panic!() };
        assert_eq!(file.as_str(), "events/news.point");
        let read =
            |point: &str, bytes: Bytes| PointRecord::read(&name(point), &bytes, &Limits::default());
        assert_eq!(read("events/news.isml", content.clone()).unwrap(), record);
        assert_eq!(record.past.len(), REMEMBERED);
        assert_eq!(record.past.back().unwrap(), "finale 399");
        assert!(read("events/NEWS.isml", content.clone()).is_ok());
        assert!(read("events/other.isml", content.clone()).is_err());
        for len in 0..content.len() {
            assert!(read("events/news.isml", content.slice(..len)).is_err(), "{len}");
        }
        assert!(read("events/news.isml", Bytes::from_static(b"my points")).is_err());
    }
}
