//! The end of streams, as the manifest that an encoder pushes announces it.

use crate::base::decode_segment;

/// The streams that a pushed manifest ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An MPD, about the stream of this folder, or else about all streams.
    OfAll { folder: Option<String>, goes_on: bool },
    /// A playlist, about the stream of one of these folders, or else whose header has this name.
    OfTrack { folders: Vec<String>, header: String, goes_on: bool },
}

impl Said {
    /// Reads a manifest, of which the middle may be left out; `None` if it says nothing.
    pub(super) fn read(manifest: &[u8], folder: Option<&str>) -> Option<Self> {
        let text = String::from_utf8_lossy(manifest);
        if let Some((_, rest)) = text.split_once("<MPD") {
            let (tag, _) = rest.split_once('>')?;
            let goes_on = ["\"dynamic\"", "'dynamic'"].iter().any(|kind| tag.contains(kind));
            return Some(Self::OfAll { folder: folder.map(str::to_owned), goes_on });
        }
        let (_, rest) = text.split_once("#EXT-X-MAP:URI=\"")?;
        let (url, _) = rest.split_once('"')?;
        let mut names = url.rsplit('/');
        let file = names.next().unwrap_or(url);
        let header = file.rsplit_once('.').map_or(file, |(name, _)| name).to_owned();
        let of_header = names.next().and_then(|name| decode_segment(name).ok());
        let folders = of_header.as_deref().into_iter().chain(folder).map(str::to_owned).collect();
        let goes_on = !text.contains("#EXT-X-ENDLIST");
        Some(Self::OfTrack { folders, header, goes_on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_manifest_says_nothing() {
        for nothing in ["#EXTM3U", "<MPD", "", "#EXT-X-MAP:URI=\"x"] {
            assert_eq!(Said::read(nothing.as_bytes(), None), None, "{nothing}");
        }
        let mpd = Said::read(b"<MPD type='dynamic'>", Some("v"));
        assert_eq!(mpd, Some(Said::OfAll { folder: Some("v".into()), goes_on: true }));
        let list = b"#EXT-X-MAP:URI=\"http://a/b%20c/init_1.mp4\"\n#EXT-X-ENDLIST";
        let folders = vec!["b c".into(), "v".into()];
        let said = Said::OfTrack { folders, header: "init_1".into(), goes_on: false };
        assert_eq!(Said::read(list, Some("v")), Some(said));
    }
}
