//! The films in the archive of publishing points, behind the store of an origin.

use std::io;

use super::film::{client_of, is_missing};
use super::points::LivePoints;
use crate::base::Name;
use crate::storage::{
    AnyArchive, AnyStore, Archive, Ends, Opening, RangeSource, Source, Stat, Store,
};

/// The store of an origin, and behind it the films in the archive of its publishing points.
struct FilmStore {
    store: AnyStore,
    archive: AnyArchive,
    points: LivePoints,
}

impl LivePoints {
    /// A store, and the films of the archive behind it.
    pub(in crate::origin) fn store(&self, store: AnyStore) -> AnyStore {
        match self.archive().cloned() {
            Some(archive) => AnyStore::new(FilmStore { store, archive, points: self.clone() }),
            None => store,
        }
    }
}

impl FilmStore {
    /// Opens a file of a film that a point has become. The store may have it, too, but does not know yet that it
    /// does not change any more.
    async fn newest(&self, name: &Name) -> io::Result<Option<Source>> {
        match self.points.has_film_of(name) {
            true => self.open_archived(name).await,
            false => Ok(None),
        }
    }

    /// Opens a file of a film. `None` if there is none.
    async fn film(&self, name: &Name) -> io::Result<Option<Source>> {
        let ending = name.as_str().rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            // What grows is at the URL of its point.
            "ism" if self.points.is_growing(name) => return Ok(None),
            // The event has a server manifest from the beginning, and the client manifest when its files are whole.
            "ism" => match client_of(name) {
                Some(client) if self.open_archived(&client).await?.is_some() => {}
                _ => return Ok(None),
            },
            "ismv" | "isma" | "ismt" | "ismc" => {}
            _ => return Ok(None),
        }
        self.open_archived(name).await
    }

    /// Opens a file of the archive. `None` if there is none.
    async fn open_archived(&self, name: &Name) -> io::Result<Option<Source>> {
        match self.archive.open(name).await {
            Err(error) if is_missing(&error) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

impl Store for FilmStore {
    type Source = Source;

    async fn open(&self, name: &Name) -> io::Result<Source> {
        if let Some(film) = self.newest(name).await? {
            return Ok(film);
        }
        match self.store.open(name).await {
            Err(error) if is_missing(&error) => self.film(name).await?.ok_or(error),
            opened => opened,
        }
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Source>> {
        if let Some(source) = self.newest(name).await? {
            let stat = source.stat().await?;
            return Ok(Opening::new(source, stat));
        }
        let error = match self.store.open_with(name, ends).await {
            Err(error) if is_missing(&error) => error,
            opened => return opened,
        };
        let source = self.film(name).await?.ok_or(error)?;
        let stat = source.stat().await?;
        Ok(Opening::new(source, stat))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        if let Some(film) = self.newest(name).await? {
            return film.stat().await;
        }
        match self.store.stat(name).await {
            Err(error) if is_missing(&error) => self.film(name).await?.ok_or(error)?.stat().await,
            stat => stat,
        }
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.store.list(folder).await
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        self.store.stored_name(name).await
    }
}
