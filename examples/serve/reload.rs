//! SIGHUP: the configuration is read again, and whatever changed without a restart.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use common::Settings;
use common::log::{self, Level, log};

use crate::Options;
use crate::sites::Sites;
use crate::tls::Tls;

/// Options whose change needs a restart.
const NEED_RESTART: &[&str] = &[
    "listen",
    "operator-listen",
    "list",
    "live",
    "live-archive",
    "live-follow",
    "live-create",
    "live-start-over",
    "live-look-ahead",
    "live-held-in-memory",
    "live-memory",
    "live-client-ca",
    "store-reads",
    "store-timeout",
    "store-tries",
    "store-hedge",
    "store-hedge-limit",
    "disk-cache",
    "disk-cache-size",
    "workers",
    "max-connections",
    "log-file",
    "log-format",
    "access-log",
    "access-log-format",
    "trust-proxy",
    "proxy-header",
    "send-request-id",
    "no-metrics",
    "tls-certificate",
    "tls-key",
    "header-timeout",
    "write-timeout",
    "handshake-timeout",
    "stop-timeout",
];

/// Everything that SIGHUP may replace.
pub(crate) struct Reload {
    /// The settings that count, but for those that need a restart.
    settings: Settings,
    /// The settings of the start.
    at_start: Settings,
    sites: Sites,
    tls: Option<Tls>,
}

/// A thread that reloads, so that a disk that does not answer holds up no client. It ends with the process.
pub(crate) struct Reloads {
    reload: Arc<Mutex<Reload>>,
    again: SyncSender<()>,
}

impl Reloads {
    /// # Errors
    /// The system has no room for a thread.
    pub(crate) fn start(reload: Reload) -> io::Result<Self> {
        // One waiting reload is enough, however many signals come.
        let (again, asked) = sync_channel(1);
        let reload = Arc::new(Mutex::new(reload));
        let shared = Arc::clone(&reload);
        thread::Builder::new().name("reload".into()).spawn(move || {
            while asked.recv().is_ok() {
                shared.lock().unwrap_or_else(PoisonError::into_inner).run();
            }
        })?;
        Ok(Self { reload, again })
    }

    /// Reloads soon.
    pub(crate) fn again(&self) {
        let _ = self.again.try_send(());
    }

    /// Looks at the sites, unless a reload goes on.
    pub(crate) fn look(&self, at: impl FnOnce(&Sites)) {
        if let Ok(reload) = self.reload.try_lock() {
            at(&reload.sites);
        }
    }
}

impl Reload {
    pub(crate) fn new(settings: Settings, sites: Sites, tls: Option<Tls>) -> Self {
        Self { at_start: settings.clone(), settings, sites, tls }
    }

    /// Opens the log again, reads the certificate and the configuration again, and has all presentations
    /// looked at. What is wrong changes nothing and is logged.
    pub(crate) fn run(&mut self) {
        log::reopen();
        if let Some(tls) = &self.tls {
            tls.read_again();
        }
        match self.configure() {
            Ok(()) => self.sites.look_again(),
            Err(failure) => log(
                Level::Error,
                format_args!(
                    "SIGHUP: the old configuration stays, because the new one is wrong: {failure}"
                ),
            ),
        }
    }

    fn configure(&mut self) -> Result<(), common::Failure> {
        // The command line has not changed, so it asks for no print.
        let Some(new) = common::configured::<Options>()? else { return Ok(()) };
        self.sites.reload(&new.options)?;
        new.options.common.apply_log_level();
        let changed = new.settings.changed(&self.settings);
        if !changed.is_empty() {
            log(Level::Info, format_args!("SIGHUP: changed: {}", changed.join(", ")));
        }
        let differing = new.settings.changed(&self.at_start);
        for key in differing.iter().filter(|key| NEED_RESTART.contains(&key.as_str())) {
            log(Level::Warn, format_args!("SIGHUP: `{key}` changes with the next start"));
        }
        self.settings = new.settings;
        Ok(())
    }
}
