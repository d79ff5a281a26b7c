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

/// The element of a track.
pub(super) struct Named {
    pub(super) server: ServerTrack,
    /// Its name is the live server manifest's.
    pub(super) is_named: bool,
}

/// Returns an element of a server manifest for each track. Names, languages, bitrates and all that is not known here are
/// the live server manifest's, if it has the track; codec data is the `moov`'s, because manifests of
/// ffmpeg have it cut off or not at all.
pub(super) fn name_tracks(tracks: &[Listed<'_>], manifest: Option<&ServerManifest>) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::with_capacity(tracks.len());
    let elements = manifest.map(|manifest| elements(manifest, tracks)).unwrap_or_default();
    for (number, track) in tracks.iter().enumerate() {
        let listed = elements.get(number).copied().flatten();
        let default =
            listed.and(manifest).and_then(|manifest| default_name(track, listed, manifest));
        let Named { mut server, is_named } = named_track(track, listed, default);
        // Two sounds of one name and bitrate are no qualities of one stream.
        let is_taken = |name: &str| {
            let is_same = |other: &ServerTrack| {
                other.kind == server.kind
                    && other.name() == name
                    && other.bitrate() == server.bitrate()
            };
            server.kind != StreamKind::Video
                && server.bitrate() > Some(0)
                && named.iter().any(|other| is_same(&other.server))
        };
        if is_taken(server.name()) {
            let name = server.name().to_owned();
            let free = (2..).map(|n: u64| format!("{name}_{n}")).find(|name| !is_taken(name));
            set(&mut server.params, "trackName", free.unwrap_or(name));
        }
        named.push(Named { server, is_named });
    }
    named
}

/// Finds the element of each track: by its number; else, if no element has a number, by kind and order. A manifest may
/// be that of the whole presentation, in which each push has a track of number 1: of several elements of one number, the
/// first that is like the track. A track whose number no element has is the only one of its kind.
///
/// Spec: [MS-SSTR] 2.2.7.3.
fn elements<'m>(
    manifest: &'m ServerManifest,
    tracks: &[Listed<'_>],
) -> Vec<Option<&'m ServerTrack>> {
    let has_numbers = manifest.tracks.iter().any(|track| track.track_id().is_some());
    let mut found: Vec<Option<&ServerTrack>> = Vec::with_capacity(tracks.len());
    for (number, track) in tracks.iter().enumerate() {
        let mut of_kind = manifest.tracks.iter().filter(|listed| listed.kind == track.kind);
        if !has_numbers {
            let before = tracks[..number].iter().filter(|other| other.kind == track.kind).count();
            found.push(of_kind.nth(before));
            continue;
        }
        let is_left = |listed: &&ServerTrack| {
            !found.iter().flatten().any(|taken| std::ptr::eq(*taken, *listed))
        };
        let of_kind: Vec<&ServerTrack> = of_kind.filter(is_left).collect();
        let is_it = |listed: &&&ServerTrack| listed.track_id() == Some(track.track_id);
        let of_number: Vec<&ServerTrack> = of_kind.iter().filter(is_it).copied().collect();
        let is_of_others = |listed: &&&ServerTrack| {
            let mut others = tracks.iter().filter(|other| other.kind == track.kind);
            others.any(|other| listed.track_id() == Some(other.track_id))
        };
        let has_one_kind = tracks.iter().filter(|other| other.kind == track.kind).count() == 1;
        found.push(match of_number.is_empty() {
            false => like(track, of_number).first().copied(),
            true => {
                let rest = of_kind.iter().filter(|listed| !is_of_others(listed)).copied();
                let rest = like(track, rest.collect());
                rest.first().copied().filter(|_| rest.len() == 1 && has_one_kind)
            }
        });
    }
    found
}

/// Returns those of several elements that say what a track is: its codec data, size, codec, sampling rate, channels and
/// language. What none of them says does not count.
fn like<'m>(track: &Listed<'_>, mut elements: Vec<&'m ServerTrack>) -> Vec<&'m ServerTrack> {
    if elements.len() < 2 {
        return elements;
    }
    let quality = track.description.map(|description| description.quality(0)).unwrap_or_default();
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    for (names, value) in [
        (&["CodecPrivateData"][..], quality.codec_private_data),
        (&["MaxWidth", "Width"], number(quality.max_width)),
        (&["MaxHeight", "Height"], number(quality.max_height)),
        (&["FourCC"], quality.four_cc),
        (&["SamplingRate"], number(quality.sampling_rate)),
        (&["Channels"], number(quality.channels)),
        (&["systemLanguage", "system-language"], track.language.map(str::to_owned)),
    ] {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        let says_it = |listed: &&&ServerTrack| {
            let said = names.iter().find_map(|name| listed.value(name));
            said.is_some_and(|said| said.trim().eq_ignore_ascii_case(&value))
        };
        let same: Vec<&ServerTrack> = elements.iter().filter(says_it).copied().collect();
        if !same.is_empty() {
            elements = same;
        }
    }
    elements
}

/// Returns the name of a stream whose elements say none: that of its kind. `None` for sound or text that has a language, of
/// which others may come on connections of their own, and if the track is for something of its own: these are no
/// qualities of one stream.
///
/// Spec: Microsoft's "IIS Smooth Streaming Server Manifest", `trackName`.
fn default_name(
    track: &Listed<'_>,
    listed: Option<&ServerTrack>,
    manifest: &ServerManifest,
) -> Option<String> {
    let unnamed = manifest.tracks.iter().filter(|listed| listed.track_name().is_none());
    let mut languages: Vec<_> =
        unnamed.filter(|of| of.kind == track.kind).map(ServerTrack::language).collect();
    languages.dedup();
    let has_language = listed.and_then(ServerTrack::language).or(track.language).is_some();
    let is_one = track.kind == StreamKind::Video || (languages.len() < 2 && !has_language);
    let is_usual = track.roles.is_empty() && !track.has_events;
    (is_one && is_usual).then(|| track.kind.element().to_owned())
}

fn named_track(track: &Listed<'_>, listed: Option<&ServerTrack>, default: Option<String>) -> Named {
    let value = |name: &str| listed.and_then(|listed| listed.value(name)).map(str::trim);
    let bitrate = listed.and_then(ServerTrack::bitrate).unwrap_or(0);
    let language = listed.and_then(ServerTrack::language).or(track.language);
    let name = listed.and_then(ServerTrack::track_name).map(str::to_owned).or(default);
    let is_named = name.is_some();
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
        return Named { server, is_named };
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
    Named { server, is_named }
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
