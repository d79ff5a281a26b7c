//! From the path of a request to what it asks for: split, parsed, looked up and located once.

use std::borrow::Cow;
use std::sync::Arc;

use super::answer::{serve, serve_made};
use super::asked::{Reading, State, Target};
use super::cache::millis;
use super::newer::may_come;
use super::redirect::Base;
use super::{Answer, Asked, Opened, Origin, answering, path};
use crate::base::{Error, ErrorKind, Name, ReadErrorKind, Step};
use crate::output::{Outputs, Request};
use crate::presentation::Reply;

impl Origin {
    /// Finds the resource that a request for `target` asks for, and reads no media. `target` is the path of a URL,
    /// percent-encoded, and its query if it has one. The presentation is the first of the path's
    /// segments that ends in `.ism` or `.isml` and can be opened, as a server manifest or as a folder
    /// of fragments.
    ///
    /// The result has the [identity](Asked::identity) of the answer, by which a host evaluates
    /// conditions, and makes the [answer](Asked::answer).
    ///
    /// # Errors
    /// [`ErrorKind::NotAddressed`] if the path does not name a presentation and does not look like a
    /// request to one either: a host may serve another resource. [`ErrorKind::NoPresentation`] if it
    /// does. [`ErrorKind::status`] has the HTTP status of all errors.
    pub async fn ask<'a>(&'a self, target: &'a str) -> Result<Asked<'a>, Error> {
        self.ask_for(target, Outputs::ALL).await
    }

    /// Finds the resource that a request to the outputs that are on asks for: see [`ask`](Self::ask).
    pub(crate) async fn ask_for<'a>(
        &'a self,
        target: &'a str,
        outputs: Outputs,
    ) -> Result<Asked<'a>, Error> {
        let (path, query) = split_query(target);
        for found in path::presentations(path) {
            let path::Found { name, rest } = found?;
            match self.ask_named(name, base_of(rest), rest, query, outputs).await {
                // The name may be that of a folder with other presentations.
                Err(none) if matches!(none.kind, ErrorKind::NoPresentation) => {}
                asked => return asked,
            }
        }
        let kind = match Request::is_addressed(path) {
            true => ErrorKind::NoPresentation,
            false => ErrorKind::NotAddressed,
        };
        Err(Error::request("path", kind))
    }

    /// Finds what a request asks for in a presentation that the host has chosen, for example by a
    /// route of its own, and reads no media. `rest` is what follows the presentation in the path,
    /// percent-encoded: `Manifest`, with or without a slash before it. `query` is the query of the
    /// URL, if it has one.
    ///
    /// An empty `rest`, or a slash, gives a [`Redirect`](super::Redirect) to the manifest. With an empty one, the host
    /// makes the URL of the redirect.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use smooth_origin::base::Name;
    /// use smooth_origin::origin::{Answer, Origin, block_on};
    /// use smooth_origin::storage::LocalStore;
    ///
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let origin = Origin::new(LocalStore::new(root)?);
    /// // `/watch/42/Manifest`: the host knows the film of this number.
    /// let film = Name::new("ffmpeg/ffmpeg.ism")?;
    /// let asked = block_on(origin.ask_in(&film, "Manifest", None))?;
    /// let Answer::Reply(served) = block_on(asked.answer())? else { panic!("a manifest is asked for") };
    /// assert_eq!(served.reply().representation().media_type(), "application/vnd.ms-sstr+xml");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn ask_in<'a>(
        &'a self,
        name: &'a Name,
        rest: &'a str,
        query: Option<&'a str>,
    ) -> Result<Asked<'a>, Error> {
        let base = if rest.is_empty() { Base::Route } else { Base::Folder };
        self.ask_named(name.as_str().into(), base, rest, query, Outputs::ALL).await
    }

    /// Asks a presentation. What has to be waited for is apart, so that the future of a request that
    /// waits for nothing stays small.
    async fn ask_named<'a>(
        &'a self,
        name: Cow<'a, str>,
        base: Base,
        rest: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Result<Asked<'a>, Error> {
        match self.ask_fresh(name, base, rest, query, outputs) {
            Fresh::Asked(asked) => asked,
            Fresh::Unopened(name, request) => Box::pin(self.ask_opened(name, base, request)).await,
        }
    }

    /// Asks the first presentation of a path, if there is nothing to wait for: no file to open or to
    /// look at again. Most requests come no further.
    #[cfg(feature = "http")]
    pub(crate) fn ask_now<'a>(
        &'a self,
        path: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Option<Result<Asked<'a>, Error>> {
        let path::Found { name, rest } = match path::first_plain(path) {
            Some(found) => found,
            None => path::presentations(path).next()?.ok()?,
        };
        match self.ask_fresh(name, base_of(rest), rest, query, outputs) {
            Fresh::Asked(Err(none)) if matches!(none.kind, ErrorKind::NoPresentation) => None,
            Fresh::Asked(asked) => Some(asked),
            Fresh::Unopened(..) => None,
        }
    }

    /// Returns the reply to a request without a query, if the path needs no decoding and there is
    /// nothing to wait for. Nothing is reported: what has another outcome is asked once more.
    #[cfg(feature = "http")]
    pub(crate) fn reply_now(&self, path: &str, outputs: Outputs) -> Option<(Arc<Opened>, Reply)> {
        let path::Found { name, rest } = path::first_plain(path)?;
        let request = Request::parse_for(rest, None, outputs).ok()?;
        if request.redirect().is_some() {
            return None;
        }
        let opened = self.fresh(&name)?;
        match request.answer(opened.presentation()).ok()? {
            Step::Ready(reply) => Some((opened, reply)),
            Step::Read(_) => None,
        }
    }

    #[inline]
    fn ask_fresh<'a>(
        &'a self,
        name: Cow<'a, str>,
        base: Base,
        rest: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Fresh<'a> {
        let request = Request::parse_for(rest, query, outputs);
        let Some(opened) = self.fresh(&name) else { return Fresh::Unopened(name, request) };
        match request {
            Ok(request) => {
                let target = Target { name, base, request };
                match target.locate(&opened) {
                    Ok(step) => Fresh::Asked(Ok(self.asked(target, opened, step))),
                    // It is located once more, in what is stored now.
                    Err(_) if opened.is_stale() => Fresh::Unopened(target.name, Ok(target.request)),
                    Err(error) if self.may_be_newer(&target.name, &error) => {
                        Fresh::Unopened(target.name, Ok(target.request))
                    }
                    Err(error) => Fresh::Asked(Err(self.failed(&opened, error))),
                }
            }
            Err(error) => Fresh::Asked(Err(self.refused(&opened, error))),
        }
    }

    async fn ask_opened<'a>(
        &'a self,
        name: Cow<'a, str>,
        base: Base,
        request: Result<Request<'a>, Error>,
    ) -> Result<Asked<'a>, Error> {
        let mut looks = self.looks(&name);
        let mut opened = self.opened(&name).await;
        // Nobody asks for a part of an event that nobody has listed. Those who wait for its begin ask for manifests.
        if let (Ok(request), Err(none)) = (&request, &opened)
            && request.is_listed()
            && matches!(none.kind, ErrorKind::NoPresentation)
            && self.look_at_archive(&name, looks.take()).await
        {
            opened = self.opened(&name).await;
        }
        let mut opened = opened?;
        let request = request.map_err(|error| self.refused(&opened, error))?;
        let target = Target { name, base, request };
        while !opened.is_stale() {
            match target.locate(&opened) {
                Err(_) if opened.is_stale() => {}
                Err(error) => {
                    let looks = looks.take().filter(|_| may_come(&error.kind));
                    if !self.look_at_archive(&target.name, looks).await {
                        return Err(self.failed(&opened, error));
                    }
                    opened = self.opened(&target.name).await?;
                }
                Ok(step) => return Ok(self.asked(target, opened, step)),
            }
        }
        let (opened, answer) = self.answer_checked(&target).await?;
        Ok(Asked { origin: self, opened, state: State::Checked(Box::new(answer)) })
    }

    #[inline]
    fn asked<'a>(
        &'a self,
        target: Target<'a>,
        opened: Arc<Opened>,
        step: Option<Step<Reply>>,
    ) -> Asked<'a> {
        let state = match step {
            Some(Step::Ready(reply)) => State::Reply(reply),
            Some(step) => State::Reads(Box::new(Reading { target, step, first: None })),
            None => State::Redirect(target.redirect(&opened)),
        };
        Asked { origin: self, opened, state }
    }

    /// The presentation of this name, if nothing has to be waited for.
    fn fresh(&self, name: &str) -> Option<Arc<Opened>> {
        if let Some(live) = self.live(name) {
            return Some(live);
        }
        if self.is_look_due(name) {
            return None;
        }
        let stored = self.stored(name);
        let opened = self.inner.cache.fresh(&stored.name)?;
        stored.is_in(&opened).then_some(opened)
    }

    /// True if the archive of a publishing point may have something newer than a film.
    #[cfg(feature = "live")]
    #[inline]
    fn is_look_due(&self, name: &str) -> bool {
        self.inner.live.as_ref().is_some_and(|live| live.is_look_due(name))
    }

    #[cfg(not(feature = "live"))]
    #[inline]
    fn is_look_due(&self, _: &str) -> bool {
        false
    }

    /// The newest snapshot of the publishing point of this name.
    #[cfg(feature = "live")]
    #[inline]
    fn live(&self, name: &str) -> Option<Arc<Opened>> {
        self.inner.live.as_ref()?.opened(name, &self.inner.shared)
    }

    /// Returns the name in the store: that of the film that a publishing point has become, or this one.
    #[cfg(feature = "live")]
    #[inline]
    fn stored<'a>(&self, name: &'a str) -> Stored<'a> {
        let film = self.inner.live.as_ref().and_then(|live| live.film(name));
        match film {
            // Mostly it is asked for as it is spelled.
            Some((point, film)) if point.as_str() == name => {
                Stored { name: name.into(), film: Some(film) }
            }
            Some((point, film)) => {
                Stored { name: point.as_str().to_owned().into(), film: Some(film) }
            }
            None => Stored { name: name.into(), film: None },
        }
    }

    /// Time from which a film of an event that has ended is there.
    #[cfg(feature = "live")]
    fn film_since(&self, name: &str) -> Option<std::time::Duration> {
        self.inner.live.as_ref()?.film_since(name)
    }

    #[cfg(not(feature = "live"))]
    #[inline]
    fn stored<'a>(&self, name: &'a str) -> Stored<'a> {
        Stored { name: name.into(), film: None }
    }

    #[cfg(not(feature = "live"))]
    #[inline]
    fn live(&self, _: &str) -> Option<Arc<Opened>> {
        None
    }

    /// The presentation of this name, opened now or before.
    pub(super) async fn opened(&self, name: &str) -> Result<Arc<Opened>, Error> {
        match self.fresh(name) {
            Some(opened) => Ok(opened),
            None => {
                #[cfg(feature = "live")]
                if let Some(live) = &self.inner.live
                    && let Some(opened) = Box::pin(live.look(name, &self.inner.shared)).await?
                {
                    return Ok(opened);
                }
                let stored = self.stored(name);
                let opened = match &stored.film {
                    Some(_) => {
                        self.inner.cache.forget_unless(&stored.name, |known| stored.is(known));
                        Box::pin(self.inner.cache.get_stored(&stored.name)).await
                    }
                    None => {
                        #[cfg(feature = "live")]
                        if let Some(since) = self.film_since(&stored.name) {
                            self.inner.cache.forget_miss(&stored.name, since);
                        }
                        Box::pin(self.inner.cache.get(&stored.name)).await
                    }
                };
                let opened = opened.map_err(|error| self.of_point(name, error));
                opened
                    .inspect_err(|error| self.inner.shared.access.host.events.refused(name, error))
            }
        }
    }

    /// The error of a request to a name that the store does not have: it may be that of a publishing point that has
    /// nothing to show yet.
    #[cfg(feature = "live")]
    fn of_point(&self, name: &str, error: Error) -> Error {
        let is_awaited = || self.inner.live.as_ref().is_some_and(|live| live.is_awaited(name));
        match matches!(error.kind, ErrorKind::NoPresentation) && is_awaited() {
            true => Error::request("publishing point", ErrorKind::NotYet),
            false => error,
        }
    }

    #[cfg(not(feature = "live"))]
    fn of_point(&self, _: &str, error: Error) -> Error {
        error
    }

    /// The outcome of the last opening.
    #[cfg(feature = "http")]
    fn known(&self, name: &str) -> Option<Result<Arc<Opened>, Error>> {
        let stored = self.stored(name);
        self.inner.cache.outcome(&stored.name).filter(|known| stored.is(known))
    }

    /// Answers a request to a presentation whose files may have changed. If a file is found to have
    /// changed while the answer is made, it is made once more, from what is stored now.
    async fn answer_checked(&self, target: &Target<'_>) -> Result<(Arc<Opened>, Answer), Error> {
        let mut opened = self.opened(&target.name).await?;
        if !opened.is_stale() {
            match self.answer_of(&opened, target).await {
                Err(_) if opened.is_stale() => opened = self.opened(&target.name).await?,
                Err(error) => return Err(self.failed(&opened, error)),
                Ok(answer) => return Ok((opened, answer)),
            }
        }
        let answer = self.answer_of(&opened, target).await;
        let answer = match opened.is_stale() {
            true => self.intact(&opened, answer).await,
            false => answer,
        };
        match answer {
            Ok(answer) => Ok((opened, answer)),
            Err(error) => Err(self.failed(&opened, error)),
        }
    }

    async fn answer_of(&self, opened: &Arc<Opened>, target: &Target<'_>) -> Result<Answer, Error> {
        match target.locate(opened)? {
            Some(Step::Ready(reply)) => Ok(Answer::Reply(serve(Arc::clone(opened), reply))),
            Some(step) => self.read_for(opened, step, None).await,
            None => Ok(Answer::Redirect(target.redirect(opened))),
        }
    }

    /// Checks an answer of a presentation whose files have changed. The opened version continues to
    /// be served while the new files settle, except for a file that can no longer be read in that
    /// version.
    async fn intact(
        &self,
        opened: &Opened,
        answer: Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let error = match answer {
            Ok(answer) => match answer.check().await {
                Ok(()) => return Ok(answer),
                Err(error) => error,
            },
            Err(error) => error,
        };
        opened.note(&error);
        match (&error.kind, opened.settles_in(millis(self.inner.shared.access.host.clock.now()))) {
            (ErrorKind::Read(read), Some(wait))
                if matches!(read.kind, ReadErrorKind::Changed | ReadErrorKind::Gone) =>
            {
                let files = opened.presentation().files();
                let file = error.file().and_then(|file| files.get(file.index()));
                let file = file.unwrap_or(opened.presentation().name());
                Err(self.inner.shared.access.settling.unsettled(file.as_str(), wait).into())
            }
            _ => Err(error),
        }
    }

    /// The error with which a request to an open presentation ends before it is answered.
    #[cold]
    fn refused(&self, opened: &Opened, error: Error) -> Error {
        match opened.presentation().is_folder() && matches!(error.kind, ErrorKind::Malformed(_)) {
            // The path leads to another file in a folder of fragments.
            true => Error::request("path", ErrorKind::NoPresentation),
            false => self.failed(opened, error),
        }
    }

    /// The error with which a request to an open presentation ends.
    #[cold]
    fn failed(&self, opened: &Opened, error: Error) -> Error {
        self.inner.shared.access.host.events.request_failed(opened.presentation(), &error);
        error
    }

    /// Returns the presentation that a failed request was for, and the file of its error, as far as
    /// they are known.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn place_of(&self, path: &str, error: &Error) -> (Option<Name>, Option<Name>) {
        if matches!(error.kind, ErrorKind::NoPresentation | ErrorKind::NotAddressed) {
            return (None, None);
        }
        for found in path::presentations(path).map_while(Result::ok) {
            let live = self.live(&found.name).map(Ok);
            match live.or_else(|| self.known(&found.name)) {
                Some(Ok(opened)) => {
                    let presentation = opened.presentation();
                    let file = error.file().and_then(|file| presentation.files().get(file.index()));
                    return (Some(presentation.name().clone()), file.cloned());
                }
                Some(Err(none)) if matches!(none.kind, ErrorKind::NoPresentation) => {}
                _ => return (Name::new(&found.name).ok(), None),
            }
        }
        (None, None)
    }

    /// Returns the name of the open presentation that a path leads to.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn presentation_at(&self, path: &str) -> Option<Name> {
        let mut found = path::presentations(path).map_while(Result::ok);
        found.find_map(|found| {
            let live = self.live(&found.name).map(Ok);
            let outcome = live.or_else(|| self.known(&found.name))?;
            Some(outcome.ok()?.presentation().name().clone())
        })
    }

    async fn read_for(
        &self,
        opened: &Arc<Opened>,
        step: Step<Reply>,
        first: Option<u64>,
    ) -> Result<Answer, Error> {
        self.inner.shared.access.admit()?;
        let made = answering::read_for(step, opened, first).await?;
        Ok(Answer::Reply(serve_made(Arc::clone(opened), made, first)))
    }

    /// Makes an answer that needs reads first.
    pub(super) async fn answer_read(
        &self,
        target: &Target<'_>,
        opened: Arc<Opened>,
        step: Step<Reply>,
        first: Option<u64>,
    ) -> Result<Answer, Error> {
        match self.read_for(&opened, step, first).await {
            Err(_) if opened.is_stale() => {
                self.answer_checked(target).await.map(|(_, answer)| answer)
            }
            answer => answer.map_err(|error| self.failed(&opened, error)),
        }
    }
}

/// The name under which the cache has a presentation.
struct Stored<'a> {
    name: Cow<'a, str>,
    /// The server manifest of the film that the publishing point of this name has become. Another event may have had
    /// another film there.
    film: Option<Name>,
}

impl Stored<'_> {
    /// Returns whether it is this presentation.
    #[inline]
    fn is_in(&self, opened: &Opened) -> bool {
        let presentation = opened.presentation();
        match &self.film {
            Some(film) => presentation.is_at_point() && presentation.files().first() == Some(film),
            None => !presentation.is_at_point(),
        }
    }

    /// Returns whether it may be the outcome of opening it.
    fn is(&self, known: &Result<Arc<Opened>, Error>) -> bool {
        match known {
            Ok(opened) => self.is_in(opened),
            // The archive did not have it yet.
            Err(error) => self.film.is_none() || !matches!(error.kind, ErrorKind::NoPresentation),
        }
    }
}

/// The outcome of a request, as far as it is known without waiting.
enum Fresh<'a> {
    Asked(Result<Asked<'a>, Error>),
    /// The presentation must be opened or looked at first.
    Unopened(Cow<'a, str>, Result<Request<'a>, Error>),
}

/// The URL that a redirect is relative to, if the path of the request has the presentation in it.
fn base_of(rest: &str) -> Base {
    if rest.is_empty() { Base::Presentation } else { Base::Folder }
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'?', target.as_bytes()) {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    }
}
