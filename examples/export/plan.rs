//! The files of an export.

use common::{Failure, error_line};
use smooth_origin::base::ErrorKind;
use smooth_origin::origin::block_on;

use crate::listing::{Listing, Unknown};
use crate::source::{Source, Unanswered, failure};
use crate::{dash, hls};

/// The manifest of HLS that a player is given.
const MASTER: &str = "master.m3u8";

/// The manifest of DASH.
const MPD: &str = "manifest.mpd";

/// The formats that are written.
#[derive(Clone, Copy)]
pub(crate) struct Formats {
    hls: bool,
    dash: bool,
    /// Set if the command line names them, so that one that is not served is a failure.
    are_named: bool,
}

impl Formats {
    /// Both, unless one is asked for.
    pub(crate) fn asked(hls: bool, dash: bool) -> Self {
        let are_named = hls || dash;
        Self { hls: hls || !are_named, dash: dash || !are_named, are_named }
    }
}

/// The files that an export has, by their URLs relative to the presentation.
#[derive(Default)]
pub(crate) struct Plan {
    listing: Listing,
    playlists: Vec<String>,
    entrances: Vec<&'static str>,
}

impl Plan {
    /// Reads the manifests of a presentation.
    ///
    /// # Errors
    /// If a format that was asked for is not served, or none is.
    pub(crate) fn of(source: &Source, formats: Formats) -> Result<Self, Failure> {
        let mut plan = Self::default();
        let mut refused = Vec::new();
        for (is_wanted, manifest) in [(formats.hls, MASTER), (formats.dash, MPD)] {
            if !is_wanted {
                continue;
            }
            match text(source, manifest) {
                Ok(text) => plan.add(source, manifest, &text)?,
                Err(Unanswered::Error(error))
                    if matches!(error.kind, ErrorKind::NotServed(_)) && !formats.are_named =>
                {
                    refused.push((manifest, error));
                }
                Err(unanswered) => return Err(source.failure(manifest, &unanswered)),
            }
        }
        if plan.entrances.is_empty()
            && let Some((manifest, error)) = refused.pop()
        {
            return Err(source.failure(manifest, &Unanswered::Error(error)));
        }
        for (manifest, error) in refused {
            error_line(&failure(format!("{manifest} is left out: {error}")).to_string());
        }
        Ok(plan)
    }

    /// Returns the segments and headers.
    pub(crate) fn listing(&self) -> &Listing {
        &self.listing
    }

    /// Returns the manifests that players are given.
    pub(crate) fn entrances(&self) -> &[&'static str] {
        &self.entrances
    }

    /// Returns all manifests, each behind those that it names.
    pub(crate) fn manifests(&self) -> Vec<&str> {
        let playlists = self.playlists.iter().map(String::as_str);
        playlists.chain(self.entrances.iter().copied()).collect()
    }

    fn add(&mut self, source: &Source, manifest: &'static str, of: &[u8]) -> Result<(), Failure> {
        if manifest == MPD {
            let text = String::from_utf8_lossy(of);
            dash::list(&text, &mut self.listing).map_err(|unknown| odd(manifest, &unknown))?;
        } else {
            self.playlists = hls::playlists(of).map_err(|unknown| odd(manifest, &unknown))?;
            for playlist in &self.playlists {
                let text = text(source, playlist);
                let text = text.map_err(|unanswered| source.failure(playlist, &unanswered))?;
                let listed = hls::list(&text, &mut self.listing);
                listed.map_err(|unknown| odd(playlist, &unknown))?;
            }
        }
        self.entrances.push(manifest);
        Ok(())
    }
}

/// Reads a manifest. Its length has a limit in the library.
fn text(source: &Source, url: &str) -> Result<Vec<u8>, Unanswered> {
    let mut body = source.ask(url)?.body();
    let mut text = Vec::new();
    while let Some(bytes) = block_on(body.next()) {
        text.extend_from_slice(&bytes.map_err(|error| source.unanswered(error))?);
    }
    Ok(text)
}

/// Returns the failure for a manifest that is not as expected, which nobody but the project can mend.
fn odd(manifest: &str, Unknown(url): &Unknown) -> Failure {
    match url.is_empty() {
        true => failure(format!("{manifest} cannot be read as a manifest; please report this")),
        false => {
            failure(format!("{manifest} names `{url}`, which is no segment; please report this"))
        }
    }
}
