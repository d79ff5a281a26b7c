//! The kinds of samples of a stream of events.

use bytes::Bytes;

use super::{LONGEST, Message, id3, splice};
use crate::base::Timescale;
use crate::manifest::ServerTrack;

/// The kind of the samples of a stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// A `splice_info_section`: where advertisements begin and end.
    Scte35,
    /// A tag of ID3.
    Id3,
}

/// Bytes of a sample before the payload: version, id, and the time until the message is for.
const HEAD: usize = 12;

impl Scheme {
    /// Returns what samples are of which a manifest says this, such as `urn:scte:scte35:2013:bin`. `None` if they
    /// are anything else.
    pub(crate) fn declared(said: &str) -> Option<Self> {
        let is = |known: &str| {
            let mut words = said.split(|of: char| !of.is_ascii_alphanumeric());
            words.any(|word| word.eq_ignore_ascii_case(known))
        };
        match (is("scte35"), is("id3")) {
            (true, _) => Some(Self::Scte35),
            (false, true) => Some(Self::Id3),
            (false, false) => None,
        }
    }

    /// Returns what samples of a track of an event are. If nothing says it, they may be SCTE 35.
    #[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events have such tracks"))]
    pub(crate) fn of_track(server: &ServerTrack) -> Option<Self> {
        if !is_data(server.value("Subtype")) {
            return None;
        }
        let said = server.value("Scheme").or_else(|| server.value("Schema"));
        said.filter(|said| !said.is_empty()).map_or(Some(Self::Scte35), Self::declared)
    }

    /// Reads the samples of a fragment that begins at `time`. Anything but messages is passed over, and so are those that
    /// only tell that the link is there.
    ///
    /// Spec: Azure Media Services, timed metadata in live streaming, 2.1.3.
    pub(crate) fn messages(self, samples: &Bytes, time: u64, timescale: Timescale) -> Vec<Message> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some((message, end)) = self.message_at(samples, at, time, timescale) {
            if self != Self::Scte35 || !splice::is_heartbeat(&message.payload) {
                found.push(message);
            }
            at = end;
        }
        found
    }

    /// Reads the message that begins at a byte, and returns where it ends.
    fn message_at(
        self,
        samples: &Bytes,
        at: usize,
        time: u64,
        timescale: Timescale,
    ) -> Option<(Message, usize)> {
        let word = |number: usize| {
            let bytes = samples.get(at + 4 * number..)?.first_chunk()?;
            Some(u32::from_be_bytes(*bytes))
        };
        let (version, id, delta) = (word(0)?, word(1)?, word(2)?);
        let rest = samples.get(at + HEAD..)?;
        let length = match self {
            Self::Scte35 => splice::length(rest),
            Self::Id3 => id3::length(rest),
        };
        let length = length.filter(|&length| length <= LONGEST)?;
        let end = at + HEAD + length;
        if version != 1 || end > samples.len() {
            return None;
        }
        let time = timescale.rescale_floor(time.checked_add(delta.into())?, Timescale::SMOOTH)?;
        // A copy: the fragment must not stay in memory for it.
        let payload = Bytes::copy_from_slice(samples.get(at + HEAD..end)?);
        Some((Message { scheme: self, id, time, payload }, end))
    }
}

/// Returns whether a `Subtype` is that of data for applications.
pub(in crate::presentation) fn is_data(subtype: Option<&str>) -> bool {
    subtype.is_some_and(|subtype| subtype.trim().eq_ignore_ascii_case("DATA"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_known_by_a_word_of_its_uri() {
        for (said, expected) in [
            ("urn:scte:scte35:2013:bin", Some(Scheme::Scte35)),
            ("urn:SCTE:SCTE35:2014:bin", Some(Scheme::Scte35)),
            ("https://aomedia.org/emsg/ID3", Some(Scheme::Id3)),
            ("http://www.id3.org/", Some(Scheme::Id3)),
            ("urn:example:void3", None),
            ("", None),
        ] {
            assert_eq!(Scheme::declared(said), expected, "{said}");
        }
    }

    #[test]
    fn a_tag_of_id3_ends_where_its_header_says() {
        let tag = |size: [u8; 4], flags: u8| [&b"ID3\x04\0"[..], &[flags], &size].concat();
        let sample =
            |id: u8, tag: &[u8]| [&[0, 0, 0, 1, 0, 0, 0, id, 0, 0, 0, 20][..], tag].concat();
        let (one, two) = (
            [tag([0, 0, 0, 3], 0), b"abc".to_vec()].concat(),
            [tag([0, 0, 1, 2], 0x10), vec![7; 130 + 10]].concat(),
        );
        let samples = Bytes::from([sample(1, &one), sample(2, &two)].concat());
        let of = |samples: &Bytes| Scheme::Id3.messages(samples, 100, Timescale::SMOOTH);
        let expected = [(1, 120, one.len()), (2, 120, two.len())];
        let found = of(&samples);
        let found: Vec<_> = found.iter().map(|of| (of.id, of.time, of.payload.len())).collect();
        assert_eq!(found, expected);
        assert_eq!(of(&samples.slice(..samples.len() - 1)).len(), 1, "one byte is missing");
        // No length has a first bit, and no message is longer than 4 KiB.
        for size in [[0, 0, 0, 0x80], [0, 0, 0x40, 0]] {
            let long = [tag(size, 0), vec![0; 9000]].concat();
            assert!(of(&sample(1, &long).into()).is_empty(), "{size:?}");
        }
        assert!(Scheme::Scte35.messages(&samples, 100, Timescale::SMOOTH).is_empty());
    }

    #[test]
    fn heartbeats_of_scte_35_are_passed_over() {
        // A command, what belongs to it, and the length of the descriptors.
        let section = |encrypted: u8, command: u8, rest: &[u8]| {
            let length = (11 + rest.len() + 4) as u8;
            let head = [0xfc, 0x30, length, 0, encrypted, 0, 0, 0, 0, 0, 0xff, 0xf0, 0, command];
            let section = [&head[..], rest, &[1, 2, 3, 4]].concat();
            [&[0, 0, 0, 1, 0, 0, 0, command, 0, 0, 0, 0][..], &section].concat()
        };
        let descriptor = [0, 7, 1, 5, b'C', b'U', b'E', b'I', 9];
        let samples = [
            section(0, 0, &[0, 0]),
            section(0, 6, &[0x7f, 0, 0]),
            section(0, 7, &[0, 0]),
            section(0, 0, &descriptor),
            section(0, 0, &[0, 0]),
            section(0x80, 0, &[0, 0]),
        ];
        let found = Scheme::Scte35.messages(&samples.concat().into(), 5, Timescale::SMOOTH);
        let found = found.iter().map(|of| (of.id, of.payload.len()));
        assert_eq!(found.collect::<Vec<_>>(), [(6, 21), (0, 27), (0, 20)]);
    }
}
