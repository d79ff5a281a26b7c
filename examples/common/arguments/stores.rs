//! The options of stores that are reached over a network.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::number;

/// The options of stores.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArguments {
    /// Operations that each store over a network makes at a time
    #[arg(long, default_value = "64", value_name = "NUMBER",
          value_parser = number::count(1..=100_000, "operations"))]
    pub(crate) store_reads: usize,

    /// Longest time that one request to a store may take, in seconds, and a second more per MiB that
    /// it reads; then it is made again
    #[arg(long, default_value = "2", value_name = "SECONDS",
          value_parser = number::positive_seconds)]
    pub(crate) store_timeout: Duration,

    /// Times that a request to a store is made at most, the first one included; all of them end within
    /// nine tenths of --read-timeout
    #[arg(long, default_value = "6", value_name = "NUMBER", value_parser = number::count(1..=20, "tries"))]
    pub(crate) store_tries: usize,

    /// Make a request to a store a second time, and take the first answer, if it takes longer than
    /// these seconds and longer than 95 of 100 recent ones [default: no request is made twice]
    #[arg(long, value_name = "SECONDS", value_parser = number::positive_seconds)]
    pub(crate) store_hedge: Option<Duration>,

    /// Requests of 100 that --store-hedge may make a second time
    #[arg(long, default_value = "5", value_name = "NUMBER", value_parser = number::count(1..=100, "requests"))]
    pub(crate) store_hedge_limit: usize,

    /// Fragments of a track that are read from a store after one of them was sent, so that they are in
    /// memory when a player asks for them; only while clients leave the store half idle
    #[arg(long, default_value = "0", value_name = "NUMBER", value_parser = number::count(0..=64, "fragments"))]
    pub(crate) read_ahead: usize,

    /// Folder on a local disk in which fragments that were read from stores are kept; it belongs to
    /// one server, which makes it [default: none are kept on disk]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) disk_cache: Option<PathBuf>,

    /// MiB of disk that --disk-cache takes
    #[arg(long, default_value = "10240", value_name = "MIB", value_parser = number::mebibytes(16))]
    pub(crate) disk_cache_size: u64,
}
