//! The options of redirects: clients are sent to the bucket for what is a whole object there.

use clap::{Args, ValueEnum};
use smooth_origin::service::ServiceOptions;

use crate::{Failure, number};

/// The options of redirects.
#[derive(Args, Debug)]
pub(crate) struct RedirectArguments {
    /// Send clients to the bucket, by signed URLs, for what is a whole object there; repeatable
    /// [default: this server sends all bytes]
    #[arg(long, value_name = "WHAT", value_enum)]
    redirect: Vec<Redirected>,

    /// Seconds for which a signed URL of --redirect is valid: 10 to 604800, which is a week
    #[arg(long, default_value = "300", value_name = "SECONDS",
          value_parser = number::count(10..=604_800, "seconds"))]
    redirect_life: usize,
}

/// The requests that clients are sent to the bucket for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Redirected {
    /// Fragments in files of their own, as ffmpeg writes them
    Fragments,
    /// Files beside the presentations: those of --files
    Files,
}

impl RedirectArguments {
    /// Sets the redirects of a service.
    ///
    /// # Errors
    /// The program knows no buckets.
    #[cfg(feature = "remote")]
    pub(crate) fn apply(&self, options: ServiceOptions) -> Result<ServiceOptions, Failure> {
        use std::time::Duration;

        use smooth_origin::service::Redirects;
        use smooth_origin::storage::SignedLinks;

        use crate::log::{Level, log};

        if self.redirect.is_empty() {
            return Ok(options);
        }
        let redirects = Redirects::new(SignedLinks)
            .life(Duration::from_secs(self.redirect_life as u64))
            .map_err(|error| Failure::Usage(format!("--redirect-life: {error}")))?
            .fragments(self.redirect.contains(&Redirected::Fragments))
            .files(self.redirect.contains(&Redirected::Files))
            .notify_by(|sentence| log(Level::Warn, format_args!("{sentence}")));
        Ok(options.redirects(redirects))
    }

    /// Refuses redirects: the program knows no buckets.
    #[cfg(not(feature = "remote"))]
    pub(crate) fn apply(&self, options: ServiceOptions) -> Result<ServiceOptions, Failure> {
        if self.redirect.is_empty() {
            return Ok(options);
        }
        Err(Failure::Usage(
            "--redirect needs buckets, which this program does not know: build it with the feature \
             s3, azure or gcs"
                .into(),
        ))
    }
}
