//! The options of the origin: memory, files, time and what content may hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use smooth_origin::manifest::Layout;
use smooth_origin::origin::OriginBuilder;
use smooth_origin::presentation::OpenOptions;

use crate::limits::{self, Limit};
use crate::number;

/// The options of the origin.
#[derive(Args, Debug)]
pub(crate) struct OriginArguments {
    /// Seconds between checks for changes to the files of a presentation; 0 checks them for
    /// each request
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = number::seconds)]
    revalidate: u64,

    /// Seconds between checks of the media files, if those of --revalidate are to look at manifests alone;
    /// a media file that is replaced without its manifests is noticed by the next read of it, too
    /// [default: each check looks at all files]
    #[arg(long, value_name = "SECONDS", value_parser = number::seconds)]
    revalidate_media: Option<u64>,

    /// Serve each media file that has no .ism (*.mp4, *.m4v, *.m4a, *.mov) as a presentation of its own:
    /// film.mp4 at film.mp4.ism/Manifest
    #[arg(long)]
    bare_mp4: bool,

    /// Leave event streams (commands, chapters, advertisements) out of manifests; some players refuse
    /// a film that has them, or show them as subtitles
    #[arg(long)]
    no_event_streams: bool,

    /// Write equal chunks of generated manifests as one element with a count, which needs players of
    /// version 2.2
    #[arg(long)]
    compact_manifests: bool,

    /// Word that goes into each ETag; change it after an edit of media that kept every length [default: none]
    #[arg(long, value_name = "WORD")]
    epoch: Option<String>,

    /// Seconds for which a file must not have changed before it is served, such as 1 or 0.3; until
    /// then, requests for it are answered with 503 and Retry-After; 0 serves files at once
    #[arg(long, default_value = "1", value_name = "SECONDS",
          value_parser = number::fractional_seconds)]
    settling_time: Duration,

    /// Seconds for which the old version of a presentation is served if the new one is worse, as
    /// while its files arrive one by one; 0 serves the new one at once
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = number::seconds)]
    replace_grace: u64,

    /// MiB of memory for opened presentations; 0 opens them for each request
    #[arg(long, default_value = "256", value_name = "MIB", value_parser = number::mebibytes(0))]
    presentation_memory: u64,

    /// MiB of memory for manifests, playlists and initialization segments of DASH and HLS
    #[arg(long, default_value = "64", value_name = "MIB", value_parser = number::mebibytes(0))]
    text_memory: u64,

    /// Presentations that are opened at the same time; more are answered with 503
    #[arg(long, default_value = "128", value_name = "NUMBER",
          value_parser = number::count(1..=1_000_000, "openings"))]
    max_openings: usize,

    /// Longest time for which a presentation is opened, in seconds; files that were not read by
    /// then are not served
    #[arg(long, default_value = "30", value_name = "SECONDS",
          value_parser = number::positive_seconds)]
    opening_timeout: Duration,

    /// Media files that are held open [default: a quarter of what the system allows]
    #[arg(long, value_name = "NUMBER", value_parser = number::count(1..=10_000_000, "files"))]
    max_open_files: Option<usize>,

    /// Reads of files at the same time; more wait for their turn
    #[arg(long, default_value = "256", value_name = "NUMBER",
          value_parser = number::count(1..=1_000_000, "reads"))]
    max_reads: usize,

    /// Reads of files that may wait for their turn; requests for more are answered with 503
    #[arg(long, default_value = "1024", value_name = "NUMBER",
          value_parser = number::count(0..=10_000_000, "reads"))]
    max_waiting: usize,

    /// Longest time that a read of a file may take, in seconds; after it, the request is answered
    /// with 503
    #[arg(long, default_value = "10", value_name = "SECONDS",
          value_parser = number::positive_seconds)]
    read_timeout: Duration,

    /// Folder in which the index of each media file without one (mfra) is kept, so that the file is
    /// walked through once; servers of the same folders or stores may share it [default: none is kept]
    #[arg(long, value_name = "FOLDER")]
    index_folder: Option<PathBuf>,

    /// Limit of what content may hold, such as moov=16777216 (bytes) or samples=1048576; repeatable;
    /// --print-config lists all
    #[arg(long, value_name = "NAME=NUMBER", default_values = limits::defaults(),
          hide_default_value = true)]
    limit: Vec<Limit>,
}

impl OriginArguments {
    /// Returns the number of presentations that may be opened at the same time.
    pub(crate) fn max_openings(&self) -> usize {
        self.max_openings
    }

    /// Returns whether media files are presentations without a server manifest.
    pub(crate) fn bare_mp4(&self) -> bool {
        self.bare_mp4
    }

    /// Returns the longest time that a read of a file may take.
    #[cfg(feature = "remote")]
    pub(crate) fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    /// Returns the folder in which indexes are kept.
    pub(crate) fn index_folder(&self) -> Option<&Path> {
        self.index_folder.as_deref()
    }

    /// Sets all these options, but for the folder of indexes.
    pub(crate) fn apply(&self, builder: OriginBuilder) -> OriginBuilder {
        let mut options = OpenOptions::default().limits(limits::with(&self.limit));
        if self.no_event_streams {
            options = options.without_event_streams();
        }
        if self.compact_manifests {
            options = options.layout(Layout::Compact);
        }
        if let Some(epoch) = &self.epoch {
            options = options.epoch(epoch);
        }
        let builder = match self.max_open_files {
            Some(files) => builder.max_open_files(files),
            None => builder,
        };
        let builder = match self.revalidate_media {
            Some(seconds) => builder.revalidate_media_after(Duration::from_secs(seconds)),
            None => builder,
        };
        builder
            .open_options(options)
            .bare_mp4(self.bare_mp4)
            .revalidate_after(Duration::from_secs(self.revalidate))
            .settling_time(self.settling_time)
            .replace_grace(Duration::from_secs(self.replace_grace))
            .cache_bytes(self.presentation_memory << 20)
            .text_bytes(usize::try_from(self.text_memory << 20).unwrap_or(usize::MAX))
            .max_openings(self.max_openings)
            .opening_timeout(self.opening_timeout)
            .max_reads(self.max_reads)
            .max_waiting(self.max_waiting)
            .read_timeout(self.read_timeout)
    }
}
