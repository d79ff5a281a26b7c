//! The options about what encoders push.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use common::{ArchivePlace, fractional_seconds, mebibytes, positive_seconds};
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

    /// Seconds that stay available to players that ask for an earlier start (Manifest?start=...) or for a
    /// delay (Manifest?delay=...), if that is more than the window; kept in memory without --live-archive
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = fractional_seconds)]
    pub(super) live_start_over: Duration,

    /// Folder, or bucket such as s3://BUCKET/PREFIX, that keeps events: each becomes a presentation in it, and
    /// one that goes on when the server ends goes on with the next start [default: events are in memory alone]
    #[arg(long, value_name = "LOCATION",
          value_parser = OsStringValueParser::new().try_map(ArchivePlace::parse))]
    pub(super) live_archive: Option<ArchivePlace>,

    /// Publishing points that another server writes to the archive, with a * for any run of characters, such as
    /// events/*.isml; this server takes no pushes to them, and serves them from the archive; repeatable
    /// [default: none]
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(super) live_follow: Vec<Pattern>,

    /// Fragments of each track that are held back, so that those before announce them; each costs the
    /// latency of a fragment
    #[arg(long, default_value = "2", value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=16))]
    pub(super) live_look_ahead: u32,

    /// Newest fragments of each track that may be in memory alone while their push goes on, and are written to the archive
    /// only when they are published: with the number of the look-ahead, everything is written once. After a crash, encoders
    /// then have to send that many again
    #[arg(long, default_value = "0", value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=16))]
    pub(super) live_held_in_memory: u32,

    /// MiB of memory for everything that encoders push: windows, fragments that are held back, bodies that
    /// arrive; when it is short, windows get shorter
    #[arg(long, default_value = "4096", value_name = "MIB", value_parser = mebibytes(1))]
    pub(super) live_memory: u64,

    /// Pushes that may run at one time from one address
    #[arg(long, default_value = "200", value_name = "NUMBER")]
    pub(super) live_pushes: usize,

    /// Network of encoders that may push, such as 10.0.0.0/8 or 192.0.2.1, or any; behind an = the points
    /// that they may push to, such as 10.0.0.0/8=events/*.isml; repeatable [default: this machine alone, or
    /// nobody if there is a --live-token-file or --live-client-ca]
    #[arg(long, value_name = "NETWORK[=PATTERN]", value_parser = from)]
    pub(super) live_from: Vec<From>,

    /// File with tokens, one per line; an encoder that sends one of them may push: as the password of
    /// http://USER:TOKEN@…, as Authorization: Bearer TOKEN, or as ?token=TOKEN. Behind a token, patterns of
    /// points that it is for [default: none]
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

/// Where encoders may push from, and to which points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct From {
    /// `None` for any address.
    network: Option<IpNet>,
    /// `None` for all points.
    points: Option<Pattern>,
}

impl From {
    pub(super) fn allows(&self, address: IpAddr, point: &Name) -> bool {
        let is_there = self.network.is_none_or(|network| network.contains(&address));
        is_there && self.points.as_ref().is_none_or(|points| points.matches(point.as_str()))
    }
}

fn from(text: &str) -> Result<From, String> {
    let (from, points) = match text.split_once('=') {
        Some((from, points)) => (from, Some(pattern(points)?)),
        None => (text, None),
    };
    let network = match from {
        "any" => None,
        from => Some(network(from)?),
    };
    Ok(From { network, points })
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
    /// Returns whether encoders may push.
    pub(crate) fn is_on(&self) -> bool {
        self.live
    }

    /// Returns whether another server writes the publishing point of this name.
    pub(super) fn is_followed(&self, name: &Name) -> bool {
        self.live_follow.iter().any(|pattern| pattern.matches(name.as_str()))
    }

    /// Returns the file with the issuers of encoders' certificates.
    pub(crate) fn client_ca(&self) -> Option<&Path> {
        self.live_client_ca.as_deref().filter(|_| self.live)
    }
}
