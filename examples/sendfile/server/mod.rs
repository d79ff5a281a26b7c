//! The server: its options, its threads, its end.

mod connection;
mod request;
mod response;
mod socket;
mod timer;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use common::{Arguments, Failure, Host, Memory, exit_code};

use workers::Workers;

/// Serves the Smooth Streaming presentations of folders over HTTP, by sendfile.
#[derive(Parser)]
#[command(name = "sendfile", version)]
struct Options {
    #[command(flatten)]
    common: Arguments,
}

pub(crate) fn run() -> ExitCode {
    exit_code(serve(&Options::parse()))
}

#[tokio::main(flavor = "current_thread")]
async fn serve(options: &Options) -> Result<(), Failure> {
    let mut host = Host::open(&options.common, Memory::default()).await?;
    let workers =
        Workers::start(&host).map_err(|error| Failure::system("the server cannot start", error))?;
    let listing = host.announce();
    tokio::select! {
        () = workers.ended() => {
            return Err(Failure::System("every thread that serves has ended".into()));
        }
        () = host.signals.stop(|| listing.again()) => {}
    }
    host.signals.end(|| workers.stop()).await;
    Ok(())
}
