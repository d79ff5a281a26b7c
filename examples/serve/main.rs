//! Serves the presentations of folders, as a CDN wants its origin.
//!
//! ```sh
//! cargo run --release --example serve
//! cargo run --release --example serve -- /srv/media --listen :80
//! ```
//!
//! Presentations in a bucket are served in place, by credentials of the environment:
//!
//! ```sh
//! cargo run --release --features s3 --example serve -- s3://films/2026
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
//! `../common`; `docs/serve.md` is its guide.
//!
//! ```text
//!  SIGHUP ─► reload ─► sites (content, current) ◄──────────────┐
//!                                                             │ the site of each request
//!  accept ─► workers ─► connection (TLS, HTTP/1, HTTP/2) ──────┘
//!  site: access (who, log) ─► operator (health, metrics, purge), page, service
//! ```

mod access;
mod connection;
mod current;
mod listeners;
mod live;
mod operator;
mod page;
mod reload;
mod site;
mod sites;
mod times;
mod tls;
mod tokens;
mod workers;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use common::log::{Level, log};
use common::{
    Acceptor, Arguments, Checked, Configured, Failure, Host, Memory, announce, announce_page,
    check, check_host, configured, exit_code, mebibytes,
};
use tokio::sync::Semaphore;

use access::{Access, AccessArguments};
use connection::Serving;
use listeners::ListenerArguments;
use live::{Live, LiveArguments, OfEach};
use operator::{Meters, OperatorArguments, probe};
use page::PageOptions;
use reload::{Reload, Reloads};
use sites::Sites;
use times::Times;
use tls::{Tls, TlsArguments};
use workers::Workers;

/// Serves the Smooth Streaming presentations of folders over HTTP.
#[derive(Parser)]
#[command(name = "serve", version, after_help = EXIT_STATUS)]
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
    listeners: ListenerArguments,

    #[command(flatten)]
    tls: TlsArguments,

    #[command(flatten)]
    times: Times,

    #[command(flatten)]
    access: AccessArguments,

    #[command(flatten)]
    live: LiveArguments,

    #[command(flatten)]
    page: PageOptions,

    #[command(flatten)]
    operator: OperatorArguments,

    /// Open every presentation below the folders, print those that are sick, the worst first, and
    /// end with a status, as below
    #[arg(long)]
    check: bool,

    /// Read the configuration, the folders, the certificate and the tokens as a start does, refuse what
    /// a start would refuse, and end. No port is opened, and no file is made
    #[arg(long, conflicts_with_all = ["check", "print_config"])]
    check_config: bool,

    /// Ask the server that runs with the same --listen (or --config) for /healthz, and end: with status 0
    /// if it answers, 1 if not
    #[arg(long, conflicts_with = "check")]
    healthcheck: bool,

    /// Print a line of JSON for each presentation of --check, and one with their numbers
    #[arg(long, requires = "check")]
    json: bool,
}

impl Options {
    fn memory(&self) -> Memory {
        Memory { bodies: Some(self.body_memory << 20), fragments: self.hot_memory << 20 }
    }
}

const EXIT_STATUS: &str = "\
Exit status:
  0  the server was stopped in order, or --check-config found nothing wrong
  1  the system refuses something: a folder is missing, a port is taken
  2  the command line or the configuration is wrong

Exit status of --check, and of inspect:
  0  everything is served, perhaps with warnings
  1  every presentation is served, but one has a finding of severity `error`:
     something that it announces is not served
  2  the command line or the configuration is wrong, or the report cannot be written
  3  a presentation is not served at all, a folder or link was not looked at, or
     there is no presentation";

fn main() -> ExitCode {
    exit_code(match configured::<Options>() {
        Ok(Some(Configured { options, .. })) if options.check => {
            let faults = faults_of_points(&options);
            return match check(&options.common, options.json) {
                Ok(checked) if faults > 0 => checked.max(Checked::WithErrors).exit_status().into(),
                Ok(checked) => checked.exit_status().into(),
                Err(Failure::System(sentence)) => {
                    exit_code(Err(Failure::System(sentence)));
                    // As of any other folder that was not looked at.
                    Checked::NotServed.exit_status().into()
                }
                Err(failure) => exit_code(Err(failure)),
            };
        }
        Ok(Some(Configured { options, .. })) if options.check_config => check_config(&options),
        Ok(Some(Configured { options, .. })) if options.healthcheck => {
            probe(options.common.listen(), options.tls.is_on()).map(|address| {
                // A closed stdout is not a failure.
                let _ = common::line(&format!("the server on {address} lives"));
            })
        }
        Ok(Some(configured)) => run(configured),
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    })
}

/// Prints what is wrong with `.isml` files, if they are used. Returns how many faults there are.
fn faults_of_points(options: &Options) -> usize {
    let folders = options.common.folders_in_urls().unwrap_or_default();
    let faults = if options.live.is_on() { live::faults(&folders) } else { Vec::new() };
    for fault in &faults {
        let _ = common::line(&match options.json {
            true => serde_json::json!({ "publishing-point": fault }).to_string(),
            false => fault.clone(),
        });
    }
    faults.len()
}

/// Refuses what a start would refuse. Whether a port is free shows when it is opened.
fn check_config(options: &Options) -> Result<(), Failure> {
    Tls::open(&options.tls, options.live.client_ca())?;
    Live::check(&options.live)?;
    check_host(&options.common, options.memory())?;
    options.operator.tokens()?;
    Access::check(&options.access)?;
    let _ = common::line("the configuration is right: a start would take it");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn run(configured: Configured<Options>) -> Result<(), Failure> {
    let options = &configured.options;
    // The origin's metrics are registered when it is built.
    let meters = (!options.operator.no_metrics).then(Meters::install).transpose()?;
    let tls = Tls::open(&options.tls, options.live.client_ca())?;
    let folders = options.common.folders_in_urls()?;
    let of_each = OfEach::new(&options.live);
    let (points, kept) = live::points(&options.live, &of_each, &folders).await?;
    let Host { listener, content, workers, room, mut signals, address } =
        Host::open(&options.common, options.memory(), points.clone()).await?;
    let for_operator = match &options.listeners.operator_listen {
        Some(listen) => Some(listen.bind("--operator-listen").await?),
        None => None,
    };
    let cannot_start = |error| Failure::system("the server cannot start", error);
    let of_operator = for_operator.as_ref().map(std::net::TcpListener::local_addr).transpose();
    let of_operator = of_operator.map_err(cannot_start)?;
    let (access, access_log) = Access::open(&options.access, meters)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut sites = Sites::new(content, access, options, of_each, (scheme, address), of_operator)?;

    let times = options.times;
    let body_memory = options.body_memory << 20;
    let serving = Serving { site: sites.main(), tls: tls.clone(), times, body_memory };
    let mut workers = Workers::start(workers, &serving).map_err(cannot_start)?;
    let mut acceptor = Acceptor::new(listener, room).map_err(cannot_start)?;
    let mut for_operator = match (for_operator, sites.operator()) {
        (Some(listener), Some(site)) => {
            let workers = Workers::start(1, &Serving { site, tls: None, times, body_memory });
            let room = Arc::new(Semaphore::new(OPERATOR_CONNECTIONS));
            let acceptor = Acceptor::new(listener, room).map_err(cannot_start)?;
            Some((acceptor, workers.map_err(cannot_start)?))
        }
        _ => None,
    };
    if let Some(tls) = tls.clone() {
        tls.watch().map_err(cannot_start)?;
    }
    tell_where(address, of_operator, &sites, options);
    sites.list();
    tokio::spawn(live::tick(points.clone(), kept));
    let reloads =
        Reloads::start(Reload::new(configured.settings, sites, tls)).map_err(cannot_start)?;
    tokio::select! {
        all_ended = accept(&mut acceptor, &mut workers) => return all_ended,
        all_ended = accept_for_operator(&mut for_operator) => return all_ended,
        () = signals.stop(|| reloads.again()) => {}
    }
    reloads.look(|sites| sites.stopping());
    live::stop(points, times.stop_timeout).await;
    let operators = for_operator.map(|(_, workers)| workers);
    let stop = move || {
        workers.stop();
        operators.into_iter().for_each(Workers::stop);
    };
    signals.end(times.stop_timeout, stop).await;
    reloads.look(|sites| {
        let (hits, asked) = sites.hits();
        log(Level::Info, format_args!("{hits} of {asked} fragments came from memory"));
    });
    common::close_stores().await;
    access_log.end();
    Ok(())
}

/// Connections of the operator's listener at the same time.
const OPERATOR_CONNECTIONS: usize = 256;

/// Prints where clients, the operator and people find the server.
fn tell_where(
    address: std::net::SocketAddr,
    of_operator: Option<std::net::SocketAddr>,
    sites: &Sites,
    options: &Options,
) {
    announce(address);
    if let Some(address) = of_operator {
        let _ = common::line(&format!("operator: {address} has /metrics and purge"));
    }
    if let Some(address) = of_operator.filter(|address| !sites::is_loopback(*address)) {
        log(
            Level::Warn,
            format_args!(
                "whoever reaches --operator-listen {address} may purge and see the page: let a firewall \
                 close it, or use 127.0.0.1"
            ),
        );
    }
    match sites.page() {
        Some((scheme, address)) => announce_page(scheme, address),
        None if options.listeners.no_page => {}
        None => log(
            Level::Info,
            "the page and /metrics are not served, because others may reach --listen; for them, add \
             --operator-listen 127.0.0.1:8081",
        ),
    }
}

/// Accepts connections until no thread is left that could serve them.
async fn accept(acceptor: &mut Acceptor, workers: &mut Workers) -> Result<(), Failure> {
    while let Some(accepted) = acceptor.next().await {
        workers.hand(accepted)?;
    }
    Ok(())
}

/// Accepts connections of the operator's listener; never ends without one.
async fn accept_for_operator(listener: &mut Option<(Acceptor, Workers)>) -> Result<(), Failure> {
    match listener {
        Some((acceptor, workers)) => accept(acceptor, workers).await,
        None => std::future::pending().await,
    }
}
