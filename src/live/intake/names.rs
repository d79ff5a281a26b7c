//! Names, languages and bitrates of pushed tracks.

use crate::codec::Description;
use crate::manifest::{ServerManifest, ServerTrack, StreamKind};

/// A track of a `moov`.
pub(super) struct Listed<'a> {
    pub(super) track_id: u32,
    pub(super) kind: StreamKind,
    /// By `mdhd`; `None` if it is not known.
    pub(super) language: Option<&'a str>,
    pub(super) description: Option<&'a Description>,
    /// Words of DASH for what it is for, such as `description`; not `main`.
    pub(super) roles: &'a [String],
    /// Its samples are events, and no captions.
    pub(super) has_events: bool,
}

/// Returns an element of a server manifest for each track. Names, languages, bitrates and all that is not known here are
/// the live server manifest's, if it has the track; codec data is the `moov`'s, because manifests of
/// ffmpeg have it cut off or not at all.
pub(super) fn name_tracks(
    tracks: &[Listed<'_>],
    manifest: Option<&ServerManifest>,
) -> Vec<ServerTrack> {
    let mut named: Vec<ServerTrack> = Vec::with_capacity(tracks.len());
    for (number, track) in tracks.iter().enumerate() {
        let listed = manifest.and_then(|manifest| find(manifest, tracks, number));
        let mut server = named_track(track, listed);
        // Two sounds of one name and bitrate are no qualities of one stream.
        let is_taken = |name: &str| {
            let is_same = |other: &&ServerTrack| {
                other.kind == server.kind
                    && other.name() == name
                    && other.bitrate() == server.bitrate()
            };
            server.kind != StreamKind::Video
                && server.bitrate() > Some(0)
                && named.iter().any(|other| is_same(&other))
        };
        if is_taken(server.name()) {
            let name = server.name().to_owned();
            let free = (2..).map(|n: u64| format!("{name}_{n}")).find(|name| !is_taken(name));
            set(&mut server.params, "trackName", free.unwrap_or(name));
        }
        named.push(server);
    }
    named
}

/// Finds the element of a track: by its number; else, if no element has a number, by kind and order.
fn find<'m>(
    manifest: &'m ServerManifest,
    tracks: &[Listed<'_>],
    number: usize,
) -> Option<&'m ServerTrack> {
    let Listed { track_id, kind, .. } = tracks[number];
    let has_numbers = manifest.tracks.iter().any(|track| track.track_id().is_some());
    let mut of_kind = manifest.tracks.iter().filter(|track| track.kind == kind);
    if has_numbers {
        return of_kind.find(|track| track.track_id() == Some(track_id));
    }
    let before = tracks[..number].iter().filter(|track| track.kind == kind).count();
    of_kind.nth(before)
}

fn named_track(track: &Listed<'_>, listed: Option<&ServerTrack>) -> ServerTrack {
    let value = |name: &str| listed.and_then(|listed| listed.value(name)).map(str::trim);
    let bitrate = listed.and_then(ServerTrack::bitrate).unwrap_or(0);
    let language = listed.and_then(ServerTrack::language).or(track.language);
    let name = listed.and_then(ServerTrack::track_name).map(str::to_owned);
    let mut server = ServerTrack::new(track.kind, "");
    server.attributes = vec![("systemBitrate".into(), bitrate.to_string())];
    if let Some(language) = language {
        server.attributes.push(("systemLanguage".into(), language.to_owned()));
    }
    let name = name.unwrap_or_else(|| own_name(track));
    server.params.push(("trackID".into(), track.track_id.to_string()));
    server.params.push(("trackName".into(), name));
    // Said above, or not true of a file that is written here.
    const REPLACED: [&str; 8] = [
        "src",
        "systemBitrate",
        "system-bitrate",
        "systemLanguage",
        "system-language",
        "trackID",
        "trackName",
        "CodecPrivateData",
    ];
    let is_kept =
        |(name, _): &&(String, String)| !REPLACED.iter().any(|r| r.eq_ignore_ascii_case(name));
    if let Some(listed) = listed {
        server.attributes.extend(listed.attributes.iter().filter(is_kept).cloned());
        server.params.extend(listed.params.iter().filter(is_kept).cloned());
    }
    // As Azure's manifests say it, where the one for people who do not see comes first.
    let is_description = |role: &&String| *role == "description";
    let role = track.roles.iter().find(is_description).or(track.roles.first());
    let of_header =
        [("role", role.map(String::as_str)), ("Subtype", track.has_events.then_some("DATA"))];
    for (name, said) in of_header {
        if let Some(said) = said
            && server.value(name).is_none_or(str::is_empty)
        {
            set(&mut server.params, name, said.to_owned());
        }
    }
    let private_data = value("CodecPrivateData").unwrap_or_default();
    let quality = track.description.map(|description| description.quality(bitrate));
    let Some(quality) = quality else {
        set(&mut server.params, "CodecPrivateData", private_data.to_owned());
        return server;
    };
    let of_moov = quality.codec_private_data.filter(|data| !data.is_empty());
    set(&mut server.params, "CodecPrivateData", of_moov.unwrap_or_else(|| private_data.to_owned()));
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    for (name, value) in [
        ("FourCC", quality.four_cc),
        ("MaxWidth", number(quality.max_width)),
        ("MaxHeight", number(quality.max_height)),
        ("SamplingRate", number(quality.sampling_rate)),
        ("Channels", number(quality.channels)),
        ("BitsPerSample", number(quality.bits_per_sample)),
        ("PacketSize", number(quality.packet_size)),
        ("AudioTag", number(quality.audio_tag)),
    ] {
        if let Some(value) = value
            && server.value(name).is_none_or(str::is_empty)
        {
            set(&mut server.params, name, value);
        }
    }
    server
}

/// The name of a track that no manifest names: its kind, with the language of sound and text and with what it is for,
/// so that tracks of which all this is the same and that come in different bodies are of one stream.
fn own_name(track: &Listed<'_>) -> String {
    let kind = if track.has_events { "events" } else { track.kind.as_str() };
    let language = track.language.filter(|_| track.kind != StreamKind::Video);
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name = kind.to_owned();
    for said in language.into_iter().chain(track.roles.iter().map(String::as_str)) {
        name.push('_');
        name.extend(said.chars().map(word));
    }
    name
}

fn set(params: &mut Vec<(String, String)>, name: &str, value: String) {
    match params.iter_mut().find(|(found, _)| found.eq_ignore_ascii_case(name)) {
        Some(param) => param.1 = value,
        None => params.push((name.to_owned(), value)),
    }
}
