//! A publishing point that goes on with what its archive has.

use std::io;
use std::sync::{Arc, RwLock};

use super::{LivePoint, host_of, now};
use crate::base::{Error, ErrorKind, FileId, Name, ReadError, ReadErrorKind};
use crate::live::{PointOptions, PublishingPoint};
use crate::origin::host::Host;
use crate::origin::live::held::HeldFile;
use crate::origin::live::options::LiveOptions;
use crate::origin::live::recovery::{self, Found};
use crate::storage::Archive;

impl LivePoint {
    /// Goes on with the event that the archive has.
    ///
    /// # Errors
    /// The archive cannot be read, or contradicts itself.
    pub(in crate::origin::live) async fn recovered(
        name: Name,
        point: PointOptions,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Result<Self, Error> {
        let Some(archive) = &options.archive else {
            return Ok(Self::new(name, point, options, host));
        };
        let offload = host_of(&host).offload.clone();
        let found = recovery::recover(archive, &name, &offload).await.map_err(failed)?;
        let goes_on = found.restored.as_ref().is_some_and(|restored| !restored.is_ended());
        if !goes_on {
            return Self::without_event(name, point, found, options, host);
        }
        let Found { restored: Some(restored), journal, film, due } = found else {
            return Ok(Self::new(name, point, options, host));
        };
        let number = restored.number;
        let mut files = Vec::new();
        for (file, len) in restored.files() {
            let source = match len {
                0 => None,
                _ => Some(archive.open(file).await.map_err(failed)?),
            };
            files.push((file.clone(), len, source));
        }
        let heads: Vec<_> = restored.files.iter().map(|file| file.head.clone()).collect();
        let now = now(&host_of(&host));
        let point = PublishingPoint::restored(name, point.archived(true), restored, now)?;
        let live = Self::of(point, Some(journal), options, host);
        {
            let mut inner = live.inner();
            for ((id, (name, len, source)), head) in (1..).zip(files).zip(heads) {
                let Some(source) = source else { continue };
                inner.begun += 1;
                let version = u128::from(inner.files.opening) << 64 | u128::from(inner.begun);
                let file = HeldFile::restored(name, version, head, len, source);
                inner.files.put(FileId::new(id), file);
            }
            inner.number = number;
        }
        live.has_films(film, due);
        live.with(|_, _| ());
        // The archive has all that it lists.
        live.show(u64::MAX);
        Ok(live)
    }

    /// Goes on without the event that the archive has.
    ///
    /// # Errors
    /// The record of the point cannot be read.
    pub(in crate::origin::live) async fn set_aside(
        name: Name,
        point: PointOptions,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Result<Self, Error> {
        let Some(archive) = &options.archive else {
            return Ok(Self::new(name, point, options, host));
        };
        let found = recovery::set_aside(archive, &name).await.map_err(failed)?;
        Self::without_event(name, point, found, options, host)
    }

    fn without_event(
        name: Name,
        point: PointOptions,
        found: Found,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Result<Self, Error> {
        let Found { restored, journal, film, due } = found;
        let now = now(&host_of(&host));
        let point = point.archived(true);
        let point = match restored {
            Some(restored) => PublishingPoint::restored(name, point, restored, now)?,
            None => PublishingPoint::new(name, point),
        };
        let live = Self::of(point, Some(journal), options, host);
        live.has_films(film, due);
        Ok(live)
    }
}

fn failed(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidData {
        let what = error.to_string();
        return ErrorKind::Invalid { what, clause: "the archive of a publishing point" }.into();
    }
    let source = Some(Arc::new(error));
    ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }.into()
}
