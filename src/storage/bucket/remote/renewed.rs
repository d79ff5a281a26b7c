//! Credentials that are fetched, and fetched again before they expire.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::lock::Mutex;
use object_store::{CredentialProvider, Error, Result};

use super::super::problem::Problem;
use crate::storage::Clock;

/// A source of credentials, with the last ones that it gave. They stand in while it fails: sources are
/// asked minutes before the end, and a store says itself if credentials have expired.
pub(super) struct Renewed<C> {
    source: Arc<dyn CredentialProvider<Credential = C>>,
    state: Mutex<State<C>>,
    clock: Clock,
}

struct State<C> {
    last: Option<Arc<C>>,
    /// When the source failed, and why, if it did so the last time.
    failed: Option<(Duration, Problem)>,
}

/// Time for which a source that failed is not asked again. Requests that wait for it then go on at once.
const PAUSE: Duration = Duration::from_secs(2);

impl<C> Renewed<C> {
    pub(super) fn new(
        source: Arc<dyn CredentialProvider<Credential = C>>,
        clock: Clock,
    ) -> Arc<Self> {
        Arc::new(Self { source, state: Mutex::new(State { last: None, failed: None }), clock })
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> CredentialProvider for Renewed<C> {
    type Credential = C;

    async fn get_credential(&self) -> Result<Arc<C>> {
        let mut state = self.state.lock().await;
        let is_pause = |(at, _): &(Duration, Problem)| self.clock.now().saturating_sub(*at) < PAUSE;
        if !state.failed.as_ref().is_some_and(is_pause) {
            match self.source.get_credential().await {
                Ok(credential) => {
                    state.last = Some(credential);
                    state.failed = None;
                }
                Err(error) => state.failed = Some((self.clock.now(), problem(&error))),
            }
        }
        match (&state.last, &state.failed) {
            (Some(last), _) => Ok(Arc::clone(last)),
            (None, Some((_, problem))) => {
                Err(Error::Generic { store: "credentials", source: Box::new(problem.clone()) })
            }
            // One of the two has just been set.
            (None, None) => unreachable!("neither a credential nor a failure"),
        }
    }
}

/// The meaning of the failure of a source. What is no answer of a server, is a file.
fn problem(error: &Error) -> Problem {
    match Problem::known(error) {
        Some(known) => known,
        None => Problem::told(ErrorKind::Other, UNREADABLE),
    }
}

const UNREADABLE: &str = "the credentials cannot be fetched: check the file with the token, and that \
     the service that gives them is the right one";

impl<C> fmt::Debug for Renewed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewed")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Plain;

    use super::*;
    use crate::origin::block_on;

    /// Gives what it has, once.
    #[derive(Debug)]
    struct Source(Plain<Vec<Result<Arc<String>>>>);

    #[async_trait]
    impl CredentialProvider for Source {
        type Credential = String;

        async fn get_credential(&self) -> Result<Arc<String>> {
            self.0.lock().unwrap().remove(0)
        }
    }

    fn failure(sentence: &str) -> Result<Arc<String>> {
        let source = Box::new(Problem::told(ErrorKind::Other, sentence));
        Err(Error::Generic { store: "test", source })
    }

    /// The clock's seconds come with it.
    fn renewed(given: Vec<Result<Arc<String>>>) -> (Arc<Renewed<String>>, Arc<Plain<u64>>) {
        let seconds = Arc::new(Plain::new(0));
        let read = seconds.clone();
        let clock = Clock::new(move || Duration::from_secs(*read.lock().unwrap()));
        (Renewed::new(Arc::new(Source(Plain::new(given))), clock), seconds)
    }

    #[test]
    fn the_last_credentials_stand_in_while_their_source_fails() {
        let ok = |text: &str| Ok(Arc::new(text.to_owned()));
        let (renewed, seconds) = renewed(vec![ok("a"), failure("x"), ok("b"), ok("c")]);
        let get = || block_on(renewed.get_credential()).unwrap().to_string();
        assert_eq!([get(), get(), get()], ["a", "a", "a"], "it is left alone after the failure");
        *seconds.lock().unwrap() += 2;
        assert_eq!([get(), get()], ["b", "c"]);
    }

    #[test]
    fn without_any_credentials_the_failure_is_told_and_not_asked_for_again_at_once() {
        let (renewed, seconds) = renewed(vec![failure("no role"), Ok(Arc::new("a".to_owned()))]);
        for _ in 0..3 {
            let error = block_on(renewed.get_credential()).unwrap_err();
            assert_eq!(Problem::of(&error), Problem::told(ErrorKind::Other, "no role"));
        }
        *seconds.lock().unwrap() += 2;
        assert_eq!(*block_on(renewed.get_credential()).unwrap(), "a");
    }
}
