//! The process's limit of open files.

/// The process has a few files beside its connections, and some for media.
#[cfg(unix)]
const OTHERS: u64 = 100;

/// Raises the limit as far as the system lets it: each connection is a file, and so is each media
/// file that is held open. Says so where it does not suffice.
pub(crate) fn allow_many(connections: usize) {
    #[cfg(unix)]
    {
        use crate::log::{Level, log};
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log(Level::Warn, format_args!("the limit of open files cannot be raised: {error}"));
        }
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        if allowed < connections as u64 + OTHERS {
            log(
                Level::Warn,
                format_args!(
                    "{connections} connections need more open files than the {allowed} that the \
                     system allows (ulimit -n): raise the limit, or lower --max-connections"
                ),
            );
        }
    }
    #[cfg(not(unix))]
    let _ = connections;
}
