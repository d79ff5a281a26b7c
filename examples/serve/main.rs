//! Serves the presentations of folders, as a CDN wants its origin.
//!
//! ```sh
//! cargo run --release --example serve
//! cargo run --release --example serve -- /srv/media --listen :80
//! ```
//!
//! Every option can be in a file as well, by its name without the dashes. `--print-config` prints such
//! a file with all options, their defaults and what they mean; options on the command line override it.
//!
//! ```sh
//! cargo run --release --example serve -- --print-config >serve.toml
//! cargo run --release --example serve -- --config serve.toml --listen :80
//! ```
//!
//! `--check` opens every presentation and prints those that are sick, the worst first, with what to do
//! about each finding. It needs the same memory for ten presentations as for a hundred thousand.
//!
//! ```sh
//! cargo run --release --example serve -- --check /srv/media
//! cargo run --release --example serve -- --check --json /srv/media | jq .health
//! ```
//!
//! Everything that the service can do is on: caching, pages of other sites, cross-domain policies,
//! files beside the presentations, compressed manifests. What only a host can do is here and in
//! `../common`: time-outs for clients that send or read nothing, a limit of connections, an end
//! without broken downloads.

mod access;
mod connection;
mod doubled_length;
mod lazy_timer;
mod operator;
mod page;
mod site;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use common::log::{self, Level, log};
use common::{Acceptor, Arguments, Checked, Failure, Host, Memory, check, exit_code, mebibytes};

use access::{Access, AccessArguments};
use operator::{Meters, Operator, OperatorArguments, Place};
use page::{Hosts, Page, PageOptions};
use site::{Parts, Site};
use workers::Workers;

/// Serves the Smooth Streaming presentations of folders over HTTP.
#[derive(Parser)]
#[command(name = "serve", version)]
struct Options {
    #[command(flatten)]
    common: Arguments,

    /// MiB of memory for data that has been read but not sent
    #[arg(long, default_value = "256", value_name = "MIB", value_parser = mebibytes(1))]
    body_memory: u64,

    /// MiB of memory for popular fragments; 0 reads each fragment from its file
    #[arg(long, default_value = "64", value_name = "MIB", value_parser = mebibytes(0))]
    hot_memory: u64,

    #[command(flatten)]
    access: AccessArguments,

    #[command(flatten)]
    operator: OperatorArguments,

    #[command(flatten)]
    page: PageOptions,

    /// Open every presentation below the folders, print those that are sick, the worst first, and
    /// end: with status 0 if all are served, 1 if one has errors, 2 if nothing could be checked
    #[arg(long)]
    check: bool,

    /// Print a line of JSON for each presentation of --check, and one with their numbers
    #[arg(long, requires = "check")]
    json: bool,
}

fn main() -> ExitCode {
    exit_code(match common::options::<Options>() {
        Ok(Some(options)) if options.check => {
            return match check(&options.common, options.json) {
                Ok(Checked::Healthy) => ExitCode::SUCCESS,
                Ok(Checked::Sick) => ExitCode::from(1),
                Ok(Checked::Nothing) => ExitCode::from(2),
                Err(failure) => {
                    exit_code(Err(failure));
                    ExitCode::from(2)
                }
            };
        }
        Ok(Some(options)) => run(&options),
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn run(options: &Options) -> Result<(), Failure> {
    let memory =
        Memory { bodies: Some(options.body_memory << 20), fragments: options.hot_memory << 20 };
    // The origin's metrics are registered when it is built.
    let meters = (!options.operator.no_metrics).then(Meters::install).transpose()?;
    let mut host = Host::open(&options.common, memory).await?;
    let (access, access_log) = Access::open(&options.access, meters)?;
    let site = site(&host, access, options)?;
    let cannot_start = |error| Failure::system("the server cannot start", error);
    let mut workers = Workers::start(host.workers, &site).map_err(cannot_start)?;
    let listing = host.announce();
    let acceptor = Acceptor::new(host.listener, host.room).map_err(cannot_start)?;
    tokio::select! {
        all_ended = accept(acceptor, &mut workers) => return all_ended,
        () = host.signals.stop(|| { log::reopen(); listing.again() }) => {}
    }
    site.stopping();
    host.signals.end(|| workers.stop()).await;
    let stats = host.service.origin().fragment_cache();
    let asked = stats.hits + stats.misses;
    log(Level::Info, format_args!("{} of {asked} fragments came from memory", stats.hits));
    access_log.end();
    Ok(())
}

/// Returns what the main listener answers.
///
/// # Errors
/// The tokens of those that may purge cannot be read.
fn site(host: &Host, access: Access, options: &Options) -> Result<Site, Failure> {
    let origin = host.service.origin();
    let place = match host.is_loopback() {
        true => Place::Loopback,
        false => Place::Public,
    };
    let hosts = Hosts::new(&options.page.page_host);
    let operator = Operator::new(origin.clone(), host.folders(), &options.operator, hosts, place)?;
    Ok(Site::new(Parts {
        service: host.service.clone(),
        access,
        operator: Some(operator),
        page: Some(Page::new(origin.clone())),
    }))
}

/// Accepts connections until no thread is left that could serve them.
async fn accept(mut acceptor: Acceptor, workers: &mut Workers) -> Result<(), Failure> {
    while let Some(accepted) = acceptor.next().await {
        workers.hand(accepted)?;
    }
    Ok(())
}
