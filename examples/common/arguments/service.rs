//! The options of the service: formats, caches, pages of other sites, files beside the presentations.

use std::time::Duration;

use clap::Args;
use http::HeaderName;
use smooth_origin::service::{Cors, InvalidOrigin, PassedFiles, ServiceOptions};

use crate::cache_control::{self, ClassControl};
use crate::formats::Format;
use crate::redirects::RedirectArguments;
use crate::{Failure, number};

/// The options of the service.
#[derive(Args)]
pub(crate) struct ServiceArguments {
    /// Web site whose pages may play, such as https://tv.example.com or https://*.example.com;
    /// repeatable [default: all sites]
    #[arg(long, value_name = "ORIGIN", value_parser = allowed_origin)]
    allow_origin: Vec<String>,

    /// Let pages of the sites of --allow-origin send cookies
    #[arg(long)]
    allow_credentials: bool,

    /// Header field that scripts of pages may read; repeatable [default: those that players use]
    #[arg(long, value_name = "NAME", value_parser = header_name)]
    expose_header: Vec<HeaderName>,

    /// Seconds for which browsers may keep the permission for a page
    #[arg(long, default_value = "86400", value_name = "SECONDS", value_parser = number::seconds)]
    preflight_age: u64,

    /// Do not answer /clientaccesspolicy.xml and /crossdomain.xml
    #[arg(long)]
    no_cross_domain_policies: bool,

    /// Let caches keep fragments for a year, in place of --cache-control fragment; only safe if no
    /// presentation is ever replaced under the same name
    #[arg(long)]
    immutable: bool,

    /// Cache-Control of a class of responses, such as manifest=max-age=60 or busy=no-store;
    /// repeatable; --print-config lists all
    #[arg(long, value_name = "CLASS=DIRECTIVES", default_values = cache_control::defaults(),
          hide_default_value = true)]
    cache_control: Vec<ClassControl>,

    /// Leave Cache-Control and --surrogate-key out, because a proxy in front adds its own
    #[arg(long)]
    no_caching: bool,

    /// Header field with the name of the presentation, by which a CDN purges; some call it
    /// Cache-Tag or Edge-Cache-Tag; none leaves it out
    #[arg(long, default_value = "surrogate-key", value_name = "NAME", value_parser = header_name)]
    surrogate_key: HeaderName,

    /// Files beside the presentations that are served, such as *.jpg; repeatable [default: pictures,
    /// subtitles, pages and other files that players use]
    #[arg(long, value_name = "PATTERN")]
    files: Vec<String>,

    /// Let a pattern of --files such as *.ismv serve media of presentations as whole files
    #[arg(long)]
    pass_media: bool,

    /// Serve no files beside the presentations
    #[arg(long, conflicts_with_all = ["files", "pass_media"])]
    no_files: bool,

    /// Send manifests plain, also to clients that accept brotli or gzip
    #[arg(long)]
    no_compression: bool,

    /// Format that is not served; repeatable [default: all formats are served]
    #[arg(long, value_name = "FORMAT", value_enum)]
    without: Vec<Format>,

    /// Send manifests of Smooth Streaming as text/xml, as IIS did (Shaka Player refuses that)
    #[arg(long)]
    text_xml: bool,

    /// Header field with which fragments of live Smooth Streaming point to those of sparse streams, such as
    /// Content-Type, which IIS used, or any name that the players know [default: none]
    #[arg(long, value_name = "FIELD", value_parser = header_name)]
    sparse_pointers: Option<HeaderName>,

    #[command(flatten)]
    redirects: RedirectArguments,
}

/// A value of `--allow-origin`: an origin that browsers can send.
fn allowed_origin(text: &str) -> Result<String, InvalidOrigin> {
    Cors::origins([text]).map(|_| text.to_owned())
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    let name = text.parse();
    name.map_err(|_| format!("`{text}` is no name of a header field, as surrogate-key is"))
}

impl ServiceArguments {
    /// Returns the formats that are served.
    pub(crate) fn formats(&self) -> Vec<Format> {
        Format::ALL.into_iter().filter(|format| !self.without.contains(format)).collect()
    }

    /// Returns the options of the service.
    ///
    /// # Errors
    /// A listed origin is none that browsers send.
    pub(crate) fn options(&self) -> Result<ServiceOptions, Failure> {
        let formats = self.formats();
        let mut options = ServiceOptions::default()
            .smooth(formats.contains(&Format::Smooth))
            .dash(formats.contains(&Format::Dash))
            .hls(formats.contains(&Format::Hls))
            .cors(self.cors()?)
            .cross_domain_policies(!self.no_cross_domain_policies)
            .text_xml(self.text_xml)
            .sparse_pointers(self.sparse_pointers.clone())
            .compression(!self.no_compression);
        if !self.no_files {
            let files = match self.files.is_empty() {
                true => PassedFiles::all(),
                false => PassedFiles::matching(&self.files),
            };
            options = options.files(files.media(self.pass_media));
        }
        options = self.redirects.apply(options)?;
        if self.no_caching {
            return Ok(options.no_caching());
        }
        let key = Some(self.surrogate_key.clone()).filter(|name| name.as_str() != "none");
        let caching = cache_control::with(&self.cache_control).surrogate_key(key);
        Ok(options.caching(match self.immutable {
            true => caching.content_never_changes(),
            false => caching,
        }))
    }

    fn cors(&self) -> Result<Cors, Failure> {
        let origins = &self.allow_origin;
        let cors = match origins.is_empty() || origins.iter().any(|origin| origin == "*") {
            true => Cors::any(),
            false => Cors::origins(origins).map_err(|error| Failure::Usage(error.to_string()))?,
        };
        let cors = match &self.expose_header[..] {
            [] => cors,
            names => cors.exposed(names.iter().cloned()),
        };
        let age = Duration::from_secs(self.preflight_age);
        Ok(cors.credentials(self.allow_credentials).max_age(age))
    }
}
