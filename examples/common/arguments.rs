//! The options that both servers have.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use smooth_origin::service::{Cors, InvalidOrigin};

use crate::formats::Format;
use crate::listen::Listen;
use crate::log::Level;
use crate::number;
use crate::roots::Root;

/// The options that both servers have.
#[derive(Args)]
pub struct Arguments {
    /// Folder with presentations, or several folders, each with the prefix of its URLs:
    /// films=/srv/films series=/mnt/series [default: testdata/ of this project]
    #[arg(value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(Root::parse))]
    pub(crate) folders: Vec<Root>,

    /// Folder that symbolic links in the served folders may point into; repeatable [default: links
    /// out of a served folder are not followed]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) links_into: Vec<PathBuf>,

    /// Match file names exactly; by default letter case is ignored, as on IIS
    #[arg(long)]
    pub(crate) exact_names: bool,

    /// Address to listen on: ADDRESS:PORT, NAME:PORT, :PORT for all addresses, PORT for localhost
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Listen,

    /// Web site whose pages may play, such as https://tv.example.com or https://*.example.com;
    /// repeatable [default: all sites]
    #[arg(long, value_name = "ORIGIN", value_parser = allowed_origin)]
    pub(crate) allow_origin: Vec<String>,

    /// Let caches keep fragments for a year; only safe if no presentation is ever replaced under the
    /// same name
    #[arg(long)]
    pub(crate) immutable: bool,

    /// Seconds between checks for changes to the files of a presentation; 0 checks them for
    /// each request
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = number::seconds)]
    pub(crate) revalidate: u64,

    /// Leave event streams (commands, chapters, advertisements) out of manifests; some players refuse
    /// a film that has them, or show them as subtitles
    #[arg(long)]
    pub(crate) no_event_streams: bool,

    /// Seconds for which a file must not have changed before it is served, such as 1 or 0.3; until
    /// then, requests for it are answered with 503 and Retry-After; 0 serves files at once
    #[arg(long, default_value = "1", value_name = "SECONDS",
          value_parser = number::fractional_seconds)]
    pub(crate) settling_time: Duration,

    /// Format that is not served; repeatable [default: all formats are served]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) without: Vec<Format>,

    /// Send manifests of Smooth Streaming as text/xml, as IIS did (Shaka Player refuses that)
    #[arg(long)]
    pub(crate) text_xml: bool,

    /// Number of serving threads [default: number of processors]
    #[arg(long, value_name = "NUMBER", value_parser = number::count(1..=1024, "threads"))]
    pub(crate) workers: Option<usize>,

    /// Connections that are served at the same time; others wait
    #[arg(long, default_value = "16384", value_name = "NUMBER",
          value_parser = number::count(1..=10_000_000, "connections"))]
    pub(crate) max_connections: usize,

    /// Number of presentations to check and list at the start and on SIGHUP; 0 lists none
    #[arg(long, default_value = "1000", value_name = "NUMBER",
          value_parser = number::count(0..=1_000_000, "presentations"))]
    pub(crate) list: usize,

    /// Lowest level of messages that are logged on stderr
    #[arg(long, default_value = "info", value_name = "LEVEL", value_enum)]
    log_level: Level,

    /// Log only errors, as with --log-level error
    #[arg(long, conflicts_with = "log_level")]
    quiet: bool,
}

/// Bytes that an origin may keep in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Data that was read and clients have not taken yet; `None` for the origin's default.
    pub bodies: Option<u64>,
    /// Fragments that are asked for often.
    pub fragments: u64,
}

/// A value of `--allow-origin`: an origin that browsers can send.
fn allowed_origin(text: &str) -> Result<String, InvalidOrigin> {
    Cors::origins([text]).map(|_| text.to_owned())
}

impl Arguments {
    pub(crate) fn level(&self) -> Level {
        if self.quiet { Level::Error } else { self.log_level }
    }

    /// Returns the formats that are served.
    pub(crate) fn formats(&self) -> Vec<Format> {
        Format::ALL.into_iter().filter(|format| !self.without.contains(format)).collect()
    }

    pub(crate) fn revalidate_after(&self) -> Duration {
        Duration::from_secs(self.revalidate)
    }
}
