//! Attributes that an encoder says of its tracks, and their media does not.

use crate::codec::{CodecTag, lowest_terms};
use crate::manifest::{QualityLevel, ServerTrack, StreamIndex, StreamKind};

/// Adds to a stream of a live manifest what the live server manifest says of it: the size at which pictures are shown,
/// and the subtype of pictures and sound. `servers` has an element for each quality. Returns whether it says the size.
///
/// Spec: [MS-SSTR] 2.2.2.3, 2.2.7.3.
pub(super) fn add_to_stream(index: &mut StreamIndex, servers: &[&ServerTrack]) -> bool {
    let shown = servers.iter().filter_map(|server| {
        let size = (number(server, "DisplayWidth")?, number(server, "DisplayHeight")?);
        (size.0 > 0 && size.1 > 0).then_some(size)
    });
    let largest = shown.max_by_key(|&(width, height)| u64::from(width) * u64::from(height));
    let largest = largest.filter(|_| index.kind == StreamKind::Video);
    if let Some((width, height)) = largest {
        (index.display_width, index.display_height) = (Some(width), Some(height));
    }
    if index.kind != StreamKind::Text && index.subtype.is_none() {
        index.subtype = servers.iter().find_map(|server| text(server, "Subtype"));
    }
    largest.is_some()
}

/// Returns width and height of a pixel by the size at which pictures are to be shown, as for the film of the event.
pub(super) fn pixel_aspect(index: &StreamIndex, quality: &QualityLevel) -> Option<(u32, u32)> {
    let shown = index.display_width.zip(index.display_height)?;
    let width = index.max_width.or(quality.max_width)?;
    let height = index.max_height.or(quality.max_height)?;
    let product = |one: u32, other: u32| u64::from(one) * u64::from(other);
    lowest_terms((product(shown.0, height), product(shown.1, width)))
}

/// Adds to a quality what the live server manifest says of it. Returns whether it is coded otherwise than its sample
/// entry says: HE-AAC whose entry is that of AAC-LC, with half of the sampling rate (implicit signalling).
///
/// Spec: [MS-SSTR] 2.2.2.5, 2.2.7.3; ISO/IEC 14496-3, 1.6.5.2.
pub(super) fn add_to_quality(quality: &mut QualityLevel, server: &ServerTrack) -> bool {
    if server.kind != StreamKind::Audio {
        return false;
    }
    if quality.codec_private_data.as_deref().is_none_or(str::is_empty) {
        let said = text(server, "CodecPrivateData");
        quality.codec_private_data = said.or(quality.codec_private_data.take());
    }
    if quality.audio_tag.is_none_or(|tag| tag == 0) {
        quality.audio_tag = number(server, "AudioTag").or(quality.audio_tag);
    }
    let is_tag = |said: &str, tag: CodecTag| said.eq_ignore_ascii_case(tag.as_str());
    let four_cc = text(server, "FourCC");
    let four_cc = four_cc.filter(|said| {
        let is_plain = quality.four_cc.as_deref().is_some_and(|of| is_tag(of, CodecTag::AACL));
        is_plain && (is_tag(said, CodecTag::AACH) || is_tag(said, CodecTag::AACP))
    });
    let Some(four_cc) = four_cc else { return false };
    quality.four_cc = Some(four_cc);
    quality.sampling_rate = number(server, "SamplingRate").or(quality.sampling_rate);
    quality.channels = number(server, "Channels").or(quality.channels);
    true
}

fn text(server: &ServerTrack, name: &str) -> Option<String> {
    let said = server.value(name)?.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

fn number(server: &ServerTrack, name: &str) -> Option<u32> {
    server.value(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Limits, Name};
    use crate::manifest::ClientManifest;
    use crate::presentation::OpenOptions;
    use crate::presentation::growing::Growing;
    use crate::presentation::growing::samples::{Event, Pushed, SECOND};

    fn server(kind: StreamKind, params: &[(&str, &str)]) -> ServerTrack {
        let mut server = ServerTrack::new(kind, "a");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        server.params.extend(params.iter().map(owned));
        server
    }

    /// An event whose encoders say this of pictures and sound.
    fn event(video: &[(&str, &str)], audio: &[(&str, &str)]) -> Event {
        let mut event = Event::usual();
        let files = event.tracks.iter().map(|track| {
            let mut file = track.file();
            let said = if track.kind == StreamKind::Video { video } else { audio };
            file.server.params.extend(server(track.kind, said).params);
            file
        });
        let name = Name::new("event/x.isml").unwrap();
        let options = OpenOptions::default().epoch("event 1");
        event.growing = Growing::open(&name, files.collect(), &options).unwrap();
        event.add_chunk(0);
        event.add_chunk(1);
        event
    }

    #[test]
    fn what_the_live_server_manifest_says_is_announced() {
        let video = [("DisplayWidth", "640"), ("DisplayHeight", "360"), ("Subtype", "H264")];
        let audio = [("FourCC", "AACH"), ("SamplingRate", "96000"), ("Subtype", "AACH")];
        let mut event = event(&video, &audio);
        for shown in [event.snapshot(None), event.film()] {
            let read = ClientManifest::parse(shown.manifest().unwrap(), &Limits::default());
            let read = read.unwrap();
            let [video, audio] = &read.streams[..] else { panic!("two streams") };
            assert_eq!((video.display_width, video.display_height), (Some(640), Some(360)));
            assert_eq!((video.max_width, video.max_height), (Some(480), Some(360)));
            assert_eq!(video.subtype.as_deref(), Some("H264"));
            let tracks = shown.streams()[0].tracks();
            assert!(tracks.iter().all(|of| of.pixel_aspect.as_deref() == Some(&(4, 3))));
            assert_eq!(video.qualities.len(), 2);
            assert_eq!(audio.subtype.as_deref(), Some("AACH"));
            let quality = &audio.qualities[0];
            assert_eq!(quality.four_cc.as_deref(), Some("AACH"));
            assert_eq!((quality.sampling_rate, quality.channels), (Some(96_000), Some(2)));
            assert_eq!(quality.codec_private_data.as_deref(), Some("1190"));
            // As the film is announced when its manifest is read.
            let codec = shown.streams()[1].tracks()[0].description.as_ref().unwrap().rfc6381();
            assert_eq!(codec.as_deref(), Some("mp4a.40.5"));
        }
        // A track that comes later changes nothing.
        let later = Pushed { name: Some("second"), ..Pushed::new(StreamKind::Audio, 4, 64_000) };
        event.growing = event.growing.with_files(vec![later.file()]).unwrap();
        event.tracks.push(later);
        event.files.push(event.tracks[3].head().to_vec());
        event.add_chunk(2);
        let shown = event.snapshot(Some(60 * SECOND));
        let read = ClientManifest::parse(shown.manifest().unwrap(), &Limits::default()).unwrap();
        let tags = read.streams.iter().map(|of| of.qualities[0].four_cc.as_deref().unwrap());
        assert_eq!(tags.collect::<Vec<_>>(), ["H264", "AACH", "AACL"]);
    }

    #[test]
    fn what_media_says_stays() {
        let video = [("DisplayWidth", "0"), ("DisplayHeight", "360"), ("FourCC", "AVC1")];
        let audio = [("FourCC", "AACL"), ("SamplingRate", "1"), ("Channels", "9")];
        let mut event = event(&video, &[&audio[..], &[("AudioTag", "1")]].concat());
        let shown = event.snapshot(None);
        let read = ClientManifest::parse(shown.manifest().unwrap(), &Limits::default()).unwrap();
        let [video, audio] = &read.streams[..] else { panic!("two streams") };
        assert_eq!((video.display_width, video.display_height), (Some(480), Some(360)));
        assert_eq!(video.qualities[0].four_cc.as_deref(), Some("H264"));
        assert_eq!((&video.subtype, &audio.subtype), (&None, &None));
        let quality = &audio.qualities[0];
        assert_eq!((quality.sampling_rate, quality.channels), (Some(48_000), Some(2)));
        assert_eq!(quality.audio_tag, Some(255));
    }

    #[test]
    fn sound_without_private_data_and_without_a_tag_gets_that_of_the_manifest() {
        let mut quality = QualityLevel {
            four_cc: Some("AC-3".into()),
            codec_private_data: Some(String::new()),
            audio_tag: Some(0),
            ..QualityLevel::default()
        };
        let said = [("CodecPrivateData", "00063f0000"), ("AudioTag", "65534")];
        assert!(!add_to_quality(&mut quality, &server(StreamKind::Audio, &said)));
        assert_eq!(quality.codec_private_data.as_deref(), Some("00063f0000"));
        assert_eq!(quality.audio_tag, Some(65_534));
        let before = quality.clone();
        add_to_quality(&mut quality, &server(StreamKind::Audio, &[("AudioTag", "1")]));
        assert_eq!(quality, before);
        quality.codec_private_data = None;
        add_to_quality(&mut quality, &server(StreamKind::Audio, &[]));
        assert_eq!(quality.codec_private_data, None);
    }
}
