//! Names of streams, tracks and files.

use std::sync::Arc;

use super::Broadcast;
use crate::base::Name;
use crate::live::intake::HeaderTrack;
use crate::live::journal::Names;
use crate::live::line::{Line, LineFile};
use crate::live::plain::plain;
use crate::live::track_key::TrackKey;
use crate::manifest::{ServerTrack, StreamKind};

impl Broadcast {
    /// Returns a name for the stream of a new track that no other stream has: two languages of one name, two codings of
    /// one, and sound of the name of a picture, are streams of their own.
    pub(super) fn stream_name(&self, key: &TrackKey, track: &HeaderTrack) -> Arc<str> {
        let is_free =
            |name: &str| !self.streams.iter().any(|stream| stream.name.eq_ignore_ascii_case(name));
        let name = match (track.server.track_name(), key.kind) {
            (Some(name), _) => name,
            (None, StreamKind::Text) => "text",
            (None, kind) => kind.as_str(),
        };
        let suffixes = [key.language.as_str(), key.kind.as_str()];
        let has = |suffix: &str| name.split('_').any(|word| word.eq_ignore_ascii_case(suffix));
        let named = suffixes.iter().filter(|suffix| !suffix.is_empty() && !has(suffix));
        let named = named.map(|suffix| format!("{name}_{suffix}"));
        let counted = (2..).map(|number| format!("{name}_{number}"));
        let (codec, rate) = words_of(&key.coding);
        let is_other = |line: &&Line| line.key.is_alike(key) && line.key.coding != key.coding;
        let others = || self.lines.iter().filter(is_other);
        // The codings of one name may come in any order. A name that an encoder chose stays if it can.
        let is_usual = track.is_named || matches!(&*codec, "" | "h264" | "aacl");
        let mut first: Vec<String> = is_usual.then(|| name.to_owned()).into_iter().collect();
        if !is_usual || others().next().is_some() {
            if !others().any(|line| words_of(&line.key.coding).0 == codec) {
                first.push(format!("{name}_{codec}"));
            }
            first.extend((!rate.is_empty()).then(|| format!("{name}_{codec}_{rate}")));
        }
        let mut names = first.into_iter().chain(named).chain(counted);
        names.find(|name| is_free(name)).unwrap_or_default().into()
    }

    /// Returns true if no other track of the stream has this bitrate, among those that are published.
    pub(super) fn is_free(&self, stream: usize, line: usize, bitrate: u32) -> bool {
        let mut others = self.streams[stream].lines.iter().filter(|&&other| other != line);
        !others.any(|&other| {
            let other = &self.lines[other];
            other.file.is_some() && other.server.bitrate() == Some(bitrate)
        })
    }

    /// Returns the bitrate that is nearest above and that no other track of the stream has.
    pub(super) fn free_bitrate(&self, stream: usize, line: usize, bitrate: u32) -> u32 {
        let others = self.streams[stream].lines.iter().filter(|&&other| other != line);
        let taken: Vec<_> =
            others.filter_map(|&other| self.lines[other].server.bitrate()).collect();
        let mut free = (bitrate.max(1)..=u32::MAX).filter(|bitrate| !taken.contains(bitrate));
        free.next().unwrap_or(bitrate)
    }

    /// Returns the name of the file of a track, beside the publishing point.
    pub(super) fn file_name(&self, line: usize) -> Option<Name> {
        let names = Names::of(&self.name)?.event(self.number, self.event.as_deref())?;
        let line = &self.lines[line];
        let stream = plain(&self.streams[line.stream].name);
        let bitrate = line.server.bitrate().unwrap_or(0);
        let ending = match line.key.kind {
            StreamKind::Video => "ismv",
            StreamKind::Audio => "isma",
            StreamKind::Text => "ismt",
        };
        // Files whose names differ in letter case alone are one file on some systems.
        let is_it =
            |file: &LineFile, name: &Name| file.name.as_str().eq_ignore_ascii_case(name.as_str());
        let files = || self.lines.iter().filter_map(|line| line.file.as_ref());
        let is_free = |name: &Name| !files().any(|file| is_it(file, name));
        let first = std::iter::once(format!("{stream}-{bitrate}"));
        let others = (2..1000).map(|number| format!("{stream}-{bitrate}-{number}"));
        first.chain(others).filter_map(|track| names.track(&track, ending)).find(is_free)
    }
}

/// Returns codec and sampling rate of a coding as parts of a name: `ec3`, `48000`.
fn words_of(coding: &str) -> (String, String) {
    let word = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect();
    let (codec, rate) = coding.split_once(' ').unwrap_or((coding, ""));
    (word(codec), word(rate))
}

/// Sets an attribute of a track, whatever it was.
pub(super) fn set_attribute(server: &mut ServerTrack, name: &str, value: &str) {
    let other = |(known, _): &(String, String)| !known.eq_ignore_ascii_case(name);
    server.attributes.retain(other);
    server.params.retain(other);
    server.attributes.push((name.to_owned(), value.to_owned()));
}

/// Sets a parameter of a track, whatever it was.
pub(super) fn set_param(server: &mut ServerTrack, name: &str, value: &str) {
    let other = |(known, _): &(String, String)| !known.eq_ignore_ascii_case(name);
    server.attributes.retain(other);
    server.params.retain(other);
    server.params.push((name.to_owned(), value.to_owned()));
}
