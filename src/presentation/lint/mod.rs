//! A careful look at the manifest as players get it, for inspectors: what opening need not look at,
//! because nothing that is served depends on it.

mod codec_data;
mod player_rules;
mod players;
mod streams;

pub use player_rules::PlayerRule;

use super::finding::{Finding, Findings};
use super::{Presentation, Stream};
use crate::manifest::{ClientManifest, StreamIndex};

impl Presentation {
    /// Returns findings about the manifest as players get it, the gravest first: attributes that a named
    /// player does not take ([`PlayerRule`]), streams that a viewer cannot tell apart, starts and
    /// durations that do not fit, and codec data that contradicts the media.
    ///
    /// Nothing is read: it takes about as long as reading the manifest's text once. Opening does not
    /// do this, and [`findings`](Self::findings) has none of it.
    ///
    /// ```
    /// # fn example(presentation: &smooth_origin::presentation::Presentation) {
    /// for finding in presentation.findings().iter().chain(&presentation.lint()) {
    ///     println!("{finding}");
    /// }
    /// # }
    /// ```
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Findings::new(&self.limits);
        // Without a manifest, the findings of opening say why.
        let manifest = self.manifest().ok();
        let manifest = manifest.and_then(|text| ClientManifest::parse(text, &self.limits).ok());
        if let Some(client) = &manifest {
            players::check(client, &mut findings);
            streams::check(client, self.is_live, &self.limits, &mut findings);
        }
        for stream in &self.streams {
            codec_data::check(self, stream, &mut findings);
        }
        findings.sorted()
    }
}

/// The streams of a manifest whose fragments players ask for.
fn asked_for(client: &ClientManifest) -> impl Iterator<Item = &StreamIndex> {
    let is_asked_for = |index: &&StreamIndex| {
        !index.is_embedded() && !index.chunks.is_empty() && !index.qualities.is_empty()
    };
    client.streams.iter().filter(is_asked_for)
}

/// The name of a stream in the text of a finding about another.
fn called(stream: &Stream) -> String {
    format!("{} `{}`", stream.kind, stream.name)
}
