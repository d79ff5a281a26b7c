//! The options that both servers have.

pub(crate) mod headings;
mod logs;
mod origin;
mod service;
mod stores;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::Failure;
use crate::formats::Format;
use crate::listen::Listen;
use crate::listing::walk::WalkOptions;
use crate::number;
use crate::roots::{Root, Roots};
use crate::rules::Rule;
#[cfg(feature = "remote")]
use crate::stores::StoreOptions;

use logs::LogArguments;
use origin::OriginArguments;
use service::ServiceArguments;
#[cfg_attr(not(feature = "remote"), allow(unused_imports))]
pub(crate) use stores::StoreArguments;

/// The options that both servers have.
#[derive(Args)]
pub struct Arguments {
    /// Folder with presentations, or several folders, each with the prefix of its URLs:
    /// films=/srv/films series=/mnt/series. A store stands where a folder stands: s3://BUCKET/PREFIX,
    /// az://CONTAINER, gs://BUCKET, https://HOST/PATH [default: testdata/ of this project]
    #[arg(value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(Root::parse))]
    pub(crate) folders: Vec<Root>,

    /// Rule that maps names to a store or folder: requests for HOST, or below PREFIX, are answered from
    /// URL; a * for a part of HOST or PREFIX stands in the name of the bucket. Repeatable; in a file,
    /// [[store]] with host, prefix and location [default: none]
    #[arg(long, value_name = "host=HOST,prefix=PREFIX,location=URL")]
    pub(crate) store: Vec<Rule>,

    #[command(flatten)]
    pub(crate) stores: StoreArguments,

    /// Configuration in TOML: each option by its name, as --print-config prints them; options on the
    /// command line override it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print the configuration that the other options and --config make, and end
    #[arg(long)]
    pub(crate) print_config: bool,

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

    /// Number of serving threads, and of presentations that --check opens at a time [default: number of
    /// processors; for --check twice as many, from 4 to 32]
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

    #[command(flatten)]
    pub(crate) logs: LogArguments,

    #[command(flatten)]
    pub(crate) origin: OriginArguments,

    #[command(flatten)]
    pub(crate) service: ServiceArguments,
}

/// Bytes that an origin may keep in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Data that was read and clients have not taken yet; `None` for the origin's default.
    pub bodies: Option<u64>,
    /// Fragments that are asked for often.
    pub fragments: u64,
}

impl Arguments {
    /// Returns where the server listens.
    pub fn listen(&self) -> &Listen {
        &self.listen
    }

    /// Sets the level of the log, which a reload may change.
    pub fn apply_log_level(&self) {
        crate::log::show(self.logs.level());
    }

    /// Returns everything that is served.
    ///
    /// # Errors
    /// Two folders or stores would have the same URLs.
    pub(crate) fn roots(&self) -> Result<Roots, Failure> {
        let rules = self.store.iter().map(|rule| rule.root.clone()).collect::<Vec<_>>();
        let testdata = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata"));
        match self.folders.is_empty() && !rules.is_empty() {
            true => Roots::default().with(rules),
            false => Roots::new(self.folders.clone(), testdata)?.with(rules),
        }
    }

    /// The folders that are served, each with the beginning of its URLs: nothing, or `films/`.
    ///
    /// # Errors
    /// Two folders or stores would have the same URLs.
    pub fn folders_in_urls(&self) -> Result<Vec<(String, PathBuf)>, Failure> {
        let roots = self.roots()?;
        let folders = roots.as_slice().iter().filter_map(|root| {
            let folder = root.folder()?.to_owned();
            Some((root.in_urls(""), folder))
        });
        Ok(folders.collect())
    }

    /// Refuses stores that are reached over a network, for a server that sends files.
    ///
    /// # Errors
    /// There is one.
    pub fn only_folders(&self, server: &str) -> Result<(), Failure> {
        let is_store = |root: &Root| root.folder().is_none();
        match self.roots()?.as_slice().iter().find(|root| is_store(root)) {
            None => Ok(()),
            Some(root) => Err(Failure::Usage(format!(
                "{server} sends files of folders, and {} is none: serve it by the example serve",
                root.place
            ))),
        }
    }

    /// Returns how stores are asked.
    #[cfg(feature = "remote")]
    pub(crate) fn store_options(&self) -> StoreOptions {
        let StoreArguments { store_reads, store_timeout, store_tries, .. } = self.stores;
        StoreOptions {
            reads: store_reads,
            timeout: store_timeout,
            tries: u32::try_from(store_tries).unwrap_or(u32::MAX),
            total: StoreOptions::total_within(self.origin.read_timeout()),
            hedge: self.stores.store_hedge.map(|delay| {
                (delay, u32::try_from(self.stores.store_hedge_limit).unwrap_or(u32::MAX))
            }),
        }
    }

    /// Returns how folders are walked through.
    pub(crate) fn walk_options(&self) -> WalkOptions {
        let links_into = self.links_into.clone();
        WalkOptions { links_into, bare_mp4: self.origin.bare_mp4() }
    }

    /// Returns the formats that are served.
    pub(crate) fn formats(&self) -> Vec<Format> {
        self.service.formats()
    }
}
