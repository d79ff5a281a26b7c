use crate::codec::Format;
use crate::presentation::{Stream, Track};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Caption,
    Description,
}
impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        "caption"
    }
    pub(crate) fn is_for_access(self) -> bool {
        true
    }
}
pub(crate) enum Range {}
impl Range {
    pub(crate) fn as_str(&self) -> &'static str {
        "SDR"
    }
}
impl Stream {
    pub(crate) fn role(&self) -> Option<Role> {
        None
    }
    pub(crate) fn language_tag(&self) -> Option<Cow<'_, str>> {
        self.language().map(Cow::Borrowed)
    }
}
impl Track {
    pub(crate) fn codecs(&self) -> Option<String> {
        self.description()?.rfc6381()
    }
    pub(crate) fn frame_rate(&self) -> Option<(u32, u32)> {
        None
    }
    pub(crate) fn sample_aspect_ratio(&self) -> Option<(u32, u32)> {
        None
    }
    pub(crate) fn video_range(&self) -> Option<Range> {
        None
    }
    pub(crate) fn is_protected(&self) -> bool {
        false
    }
    pub(crate) fn channels(&self) -> Option<u32> {
        match self.description()?.format {
            Format::Audio { channels, .. } if channels > 0 => Some(channels),
            _ => None,
        }
    }
    pub(crate) fn sampling_rate(&self) -> Option<u32> {
        match self.description()?.format {
            Format::Audio { sampling_rate, .. } if sampling_rate > 0 => Some(sampling_rate),
            _ => None,
        }
    }
}
