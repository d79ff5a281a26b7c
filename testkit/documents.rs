//! Random manifests, for `tests/suite/manifests.rs`.

use std::num::NonZeroU64;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use smooth_origin::base::{Guid, Timescale};
use smooth_origin::manifest::{
    Attributes, Chunk, ChunkDetails, ClientManifest, CustomAttribute, FragmentData,
    ProtectionHeader, QualityLevel, ServerManifest, ServerTrack, StreamIndex, StreamKind,
};

/// Everything that XML can hold, and most of what it escapes.
fn string() -> impl Strategy<Value = String> {
    let allowed = |c: &char| *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let special = prop::sample::select(&['<', '>', '&', '"', '\'', '\t', '\n', '\r', ' ', ']'][..]);
    let character = prop_oneof![special, any::<char>().prop_filter("no XML", allowed)];
    vec(character, 0..12).prop_map(String::from_iter)
}

/// Names that are no attribute's own, each once.
fn attributes() -> impl Strategy<Value = Attributes> {
    btree_map("[a-wyz_][a-z0-9_.-]{2,9}", string(), 0..4).prop_map(Vec::from_iter)
}

fn kind() -> impl Strategy<Value = StreamKind> {
    prop::sample::select(&[StreamKind::Video, StreamKind::Audio, StreamKind::Text][..])
}

pub fn server_manifest() -> impl Strategy<Value = ServerManifest> {
    let pairs = || vec((string(), string()), 0..4);
    let track =
        (kind(), string(), attributes(), pairs()).prop_map(|(kind, src, mut more, params)| {
            let mut track = ServerTrack::new(kind, &src);
            track.attributes.append(&mut more);
            track.params = params;
            track
        });
    (pairs(), vec(track, 0..5)).prop_map(|(metas, tracks)| {
        let mut manifest = ServerManifest::default();
        (manifest.metas, manifest.tracks) = (metas, tracks);
        manifest
    })
}

prop_compose! {
    pub fn client_manifest()(
        (major, minor, duration) in any::<(u32, u32, u64)>(),
        timescale in timescale(),
        (is_live, can_seek, can_pause) in any::<(Option<bool>, Option<bool>, Option<bool>)>(),
        (lookahead, fragments, window) in any::<(Option<u32>, Option<u32>, Option<u64>)>(),
        custom_attributes in custom_attributes(),
        protection in vec(protection(), 0..3),
        streams in vec(stream(), 0..3),
        other in attributes(),
    ) -> ClientManifest {
        let mut m = ClientManifest::default();
        (m.major_version, m.minor_version, m.duration) = (major, minor, duration);
        (m.is_live, m.can_seek, m.can_pause) = (is_live, can_seek, can_pause);
        (m.lookahead_count, m.look_ahead_fragment_count) = (lookahead, fragments);
        (m.dvr_window_length, m.timescale) = (window, timescale);
        (m.custom_attributes, m.protection) = (custom_attributes, protection);
        (m.streams, m.other) = (streams, other);
        m
    }
}

prop_compose! {
    fn stream()(
        kind in kind(),
        timescale in timescale(),
        texts in prop::array::uniform7(prop::option::of(string())),
        numbers in any::<[Option<u32>; 5]>(),
        manifest_output in any::<Option<bool>>(),
        qualities in vec(quality(), 0..4),
        chunks in chunks(),
        other in attributes(),
    ) -> StreamIndex {
        let mut s = StreamIndex::new(kind);
        [s.subtype, s.name, s.language, s.parent, s.four_cc, s.scheme, s.url] = texts;
        [s.max_width, s.max_height, s.display_width, s.display_height, s.index] = numbers;
        (s.timescale, s.manifest_output) = (timescale, manifest_output);
        s.declared_chunks = Some(chunks.len() as u64);
        s.declared_qualities = Some(qualities.len() as u32);
        (s.qualities, s.chunks, s.other) = (qualities, chunks, other);
        s
    }
}

prop_compose! {
    fn quality()(
        bitrate in any::<u32>(),
        numbers in any::<[Option<u32>; 11]>(),
        texts in prop::array::uniform3(prop::option::of(string())),
        custom_attributes in custom_attributes(),
        other in attributes(),
    ) -> QualityLevel {
        let mut q = QualityLevel::default();
        q.bitrate = bitrate;
        [
            q.index, q.nominal_bitrate, q.buffer_time, q.max_width, q.max_height,
            q.nal_unit_length_field, q.sampling_rate, q.channels, q.bits_per_sample,
            q.packet_size, q.audio_tag,
        ] = numbers;
        [q.four_cc, q.codec_private_data, q.wave_format_ex] = texts;
        (q.custom_attributes, q.other) = (custom_attributes, other);
        q
    }
}

fn timescale() -> impl Strategy<Value = Option<Timescale>> {
    any::<u64>().prop_map(Timescale::new)
}

fn custom_attributes() -> impl Strategy<Value = Vec<CustomAttribute>> {
    vec((string(), string()).prop_map(|(name, value)| CustomAttribute { name, value }), 0..3)
}

fn protection() -> impl Strategy<Value = ProtectionHeader> {
    let system_id = any::<Option<u128>>().prop_map(|id| id.map(Guid::from_u128));
    (system_id, "[A-Za-z0-9+/]{0,20}={0,2}", attributes())
        .prop_map(|(system_id, data, other)| ProtectionHeader { system_id, data, other })
}

fn details() -> impl Strategy<Value = Option<Box<ChunkDetails>>> {
    let fragment = (any::<[Option<u32>; 3]>(), "[A-Za-z0-9+/]{0,9}", attributes());
    let fragment = fragment.prop_map(|(numbers, data, other)| {
        let [index, size, quality] = numbers;
        let mut fragment = FragmentData::new(&data, &other.into_iter().collect());
        (fragment.index, fragment.size, fragment.quality) = (index, size, quality);
        fragment
    });
    // One that says nothing is none.
    let fragment = fragment.prop_filter("nothing", |data| *data != FragmentData::default());
    let details = (vec(fragment, 0..3), attributes()).prop_map(|(fragments, other)| {
        let mut details = ChunkDetails::default();
        (details.fragments, details.other) = (fragments, other.into_iter().collect());
        (details != ChunkDetails::default()).then(|| details.into())
    });
    prop_oneof![4 => Just(None), 1 => details]
}

/// Chunks as the full layout has them: `d` on each, `t` on the first and where it does not follow.
fn chunks() -> impl Strategy<Value = Vec<Chunk>> {
    let gap = prop_oneof![3 => Just(0), 1 => -50..50_i64];
    let one = (gap, any::<u32>(), any::<Option<u32>>(), details());
    (any::<u32>(), vec(one, 0..8)).prop_map(|(first, list)| {
        let mut end = u64::from(first) + 50 * 8;
        let mut chunks = Vec::new();
        for (gap, duration, number, details) in list {
            let start = end.saturating_add_signed(gap);
            let time = (chunks.is_empty() || start != end).then_some(start);
            end = start + u64::from(duration);
            let duration = Some(duration.into());
            chunks.push(Chunk { time, duration, repeat: None, number, details });
        }
        chunks
    })
}

/// A chunk as anyone may write it: few values, so that runs meet.
pub fn any_chunk() -> impl Strategy<Value = Chunk> {
    let time = prop_oneof![3 => Just(None), 1 => (0..30_u64).prop_map(Some)];
    let duration = prop_oneof![1 => Just(None), 4 => (0..4_u64).prop_map(Some)];
    let number = prop_oneof![4 => Just(None), 1 => (0..9_u32).prop_map(Some)];
    (time, duration, 0..5_u64, number, details()).prop_map(
        |(time, duration, repeat, number, details)| {
            let repeat = NonZeroU64::new(repeat);
            let duration = duration.or(repeat.filter(|r| r.get() > 1).map(|_| 1));
            Chunk { time, duration, repeat, number, details }
        },
    )
}

/// Pieces of manifests in any order.
pub fn broken_manifest() -> impl Strategy<Value = String> {
    let pieces: &[&str] = &[
        "<SmoothStreamingMedia>",
        "<SmoothStreamingMedia Duration='5' x='&lt;'>",
        "</SmoothStreamingMedia>",
        "<StreamIndex Type='video'>",
        "<StreamIndex Type='text' Name='a'/>",
        "</StreamIndex>",
        "<QualityLevel Bitrate='1' Width='5'/>",
        "<c t='5'/>",
        "<c d='5' r='3'/>",
        "<c d='18446744073709551615'/>",
        "<c r='2'>",
        "<f i='1'>QQ==</f>",
        "</c>",
        "<smil>",
        "</smil>",
        "<head>",
        "<meta name='a' content='b'/>",
        "</head>",
        "<body>",
        "<switch>",
        "<video src='a'>",
        "<param name='a' value='&amp;'/>",
        "</video>",
        "</switch>",
        "</body>",
        "<!-- -->",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&x;",
        "<?xml version='1.0'?>",
        "<a",
        " b='c'",
        ">",
        "/>",
        "'",
        "é",
        "\0",
    ];
    let whole = prop::sample::select(&["smil", "SmoothStreamingMedia", ""][..]);
    (whole, vec(prop::sample::select(pieces), 0..12)).prop_map(|(root, pieces)| match root {
        "" => pieces.concat(),
        root => format!("<{root}>{}</{root}>", pieces.concat()),
    })
}
