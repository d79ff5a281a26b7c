//! The formats in which a presentation is served, and their URLs.

use clap::ValueEnum;
use smooth_origin::base::Error;
use smooth_origin::output::{dash, hls};
use smooth_origin::presentation::Presentation;

/// A format in which presentations are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Smooth Streaming.
    Smooth,
    /// DASH.
    Dash,
    /// HLS.
    Hls,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Smooth, Self::Dash, Self::Hls];

    /// Name of the format on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Smooth => "smooth",
            Self::Dash => "dash",
            Self::Hls => "hls",
        }
    }

    /// Path of the URL of a presentation's manifest, without a slash before it.
    pub fn path(self, presentation: &str) -> String {
        let manifest = match self {
            Self::Smooth => "Manifest",
            Self::Dash => "manifest.mpd",
            Self::Hls => "master.m3u8",
        };
        format!("{}/{manifest}", in_url(presentation))
    }

    /// Checks that a presentation has a manifest in this format.
    ///
    /// # Errors
    /// The reason why it has none.
    pub fn check(self, presentation: &Presentation) -> Result<(), Error> {
        match self {
            Self::Smooth => presentation.manifest().map(drop),
            Self::Dash => dash::identify(presentation, dash::Request::Mpd).map(drop),
            Self::Hls => hls::identify(presentation, hls::Request::Multivariant).map(drop),
        }
    }
}

/// Writes a path as a URL has it.
fn in_url(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/()".contains(byte);
    path.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
