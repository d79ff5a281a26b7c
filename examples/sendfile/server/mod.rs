//! The server: its options, its threads, its end.

mod clock;
mod connection;
mod page_cache;
mod request;
mod response;
mod socket;
mod timer;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::client_limits::STOP_TIMEOUT;
use common::{Arguments, Failure, Host, Memory, exit_code, log};

use workers::Workers;

/// Serves the Smooth Streaming presentations of folders over HTTP, by sendfile.
#[derive(Parser)]
#[command(name = "sendfile", version)]
struct Options {
    #[command(flatten)]
    common: Arguments,

    /// Copy files that changed less than this many seconds ago, instead of sending them by
    /// sendfile: what
    /// sendfile has queued changes if the file is rewritten in place; 0 copies none
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = common::seconds)]
    copy_younger: u64,
}

pub(crate) fn run() -> ExitCode {
    exit_code(match common::options::<Options>() {
        Ok(Some(options)) => serve(&options),
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn serve(options: &Options) -> Result<(), Failure> {
    options.common.only_folders("sendfile")?;
    let mut host = Host::open(&options.common, Memory::default(), None).await?;
    let copy_younger = Duration::from_secs(options.copy_younger);
    let workers = Workers::start(&host, copy_younger)
        .map_err(|error| Failure::system("the server cannot start", error))?;
    common::announce(host.address);
    let listing = host.content.list("http", host.address);
    tokio::select! {
        () = workers.ended() => {
            return Err(Failure::System("every thread that serves has ended".into()));
        }
        () = host.signals.stop(|| { log::reopen(); listing.again() }) => {}
    }
    host.signals.end(STOP_TIMEOUT, || workers.stop()).await;
    Ok(())
}
