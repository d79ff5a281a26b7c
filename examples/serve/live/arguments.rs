//! The options about what encoders push.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::{fractional_seconds, positive_seconds};
use ipnet::IpNet;
use smooth_origin::Name;
use smooth_origin::service::Pattern;

use crate::access::network;

/// The options about what encoders push.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveArguments {
    /// Take what encoders push to /NAME.isml/Streams(ID), and serve it while it comes
    #[arg(long)]
    pub(super) live: bool,

    /// Publishing point that exists from the start, such as events/news.isml; repeatable [default: the
    /// first push to any NAME.isml creates it]
    #[arg(long, value_name = "NAME.isml", value_parser = point)]
    pub(super) live_point: Vec<Name>,

    /// Publishing points that the first push creates, with a * for any run of characters, such as
    /// events/*.isml; repeatable [default: all, or none if there is a --live-point]
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(super) live_create: Vec<Pattern>,

    /// Seconds that players can go back, which are kept in memory; 0 keeps everything since the beginning
    /// of the event
    #[arg(long, default_value = "600", value_name = "SECONDS", value_parser = fractional_seconds)]
    pub(super) live_window: Duration,

    /// Folder that keeps events: each becomes a presentation in it, and one that goes on when the server ends
    /// goes on with the next start [default: events are in memory alone]
    #[arg(long, value_name = "FOLDER")]
    pub(super) live_archive: Option<PathBuf>,

    /// Fragments of each track that are held back, so that those before announce them; each costs the
    /// latency of a fragment
    #[arg(long, default_value = "2", value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=16))]
    pub(super) live_look_ahead: u32,

    /// Network of encoders that may push, such as 10.0.0.0/8 or 192.0.2.1, or any; repeatable [default:
    /// this machine alone, or nobody if there is a --live-token-file or --live-client-ca]
    #[arg(long, value_name = "NETWORK", value_parser = from)]
    pub(super) live_from: Vec<From>,

    /// File with tokens, one per line; an encoder that sends one of them may push: as the password of
    /// http://USER:TOKEN@…, as Authorization: Bearer TOKEN, or as ?token=TOKEN [default: none]
    #[arg(long, value_name = "FILE")]
    pub(super) live_token_file: Option<PathBuf>,

    /// Certificates in PEM of those who issue certificates to encoders; an encoder with such a certificate
    /// may push over TLS [default: none]
    #[arg(long, value_name = "FILE")]
    pub(super) live_client_ca: Option<PathBuf>,

    /// Seconds after which a push of which nothing comes is ended [default: never, because encoders of
    /// sound alone may send nothing before the end]
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds)]
    pub(super) live_idle_timeout: Option<Duration>,
}

/// Where encoders may push from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Any,
    Network(IpNet),
}

fn from(text: &str) -> Result<From, String> {
    match text {
        "any" => Ok(From::Any),
        text => network(text).map(From::Network),
    }
}

fn point(text: &str) -> Result<Name, String> {
    let name = Name::new(text.trim_start_matches('/')).map_err(|error| error.kind.to_string())?;
    match name.as_str().to_ascii_lowercase().ends_with(".isml") {
        true => Ok(name),
        false => Err("the name of a publishing point ends in .isml".into()),
    }
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Ok(Pattern::new(text))
}

impl LiveArguments {
    /// Returns the file with the issuers of encoders' certificates.
    pub(crate) fn client_ca(&self) -> Option<&Path> {
        self.live_client_ca.as_deref().filter(|_| self.live)
    }
}
