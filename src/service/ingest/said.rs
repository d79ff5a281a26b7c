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
        let (_, rest) = text.split_once("#EXT-X-MAP:")?;
        let url = uri(rest.lines().next()?)?;
        let (of_header, file) = url.rsplit_once('/').unwrap_or(("", url));
        let header = file.rsplit_once('.').map_or(file, |(name, _)| name).to_owned();
        let last = of_header.rsplit('/').next().and_then(|name| decode_segment(name).ok());
        let last = last.filter(|name| !matches!(&**name, "" | "." | ".."));
        let mut folders: Vec<_> = resolved(of_header, folder).into_iter().collect();
        folders.extend(last.as_deref().into_iter().chain(folder).map(str::to_owned));
        folders.dedup();
        let goes_on = !text.contains("#EXT-X-ENDLIST");
        Some(Self::OfTrack { folders, header, goes_on })
    }
}

/// Returns the attribute `URI` of a tag (RFC 8216, 4.2).
fn uri(mut attributes: &str) -> Option<&str> {
    loop {
        let (name, value) = attributes.split_once('=')?;
        let (value, rest) = match value.strip_prefix('"') {
            Some(text) => text.split_once('"')?,
            None => value.split_at(value.find(',').unwrap_or(value.len())),
        };
        if name.trim() == "URI" {
            return Some(value);
        }
        attributes = rest.strip_prefix(',')?;
    }
}

/// Returns the folder of a header, as the path of its files has it below the publishing point: a playlist names it from
/// its own folder on.
fn resolved(of_header: &str, folder: Option<&str>) -> Option<String> {
    if of_header.contains("://") || of_header.starts_with('/') {
        return None;
    }
    let mut names: Vec<String> =
        folder.into_iter().flat_map(|folder| folder.split('/')).map(str::to_owned).collect();
    for name in of_header.split('/') {
        match &*decode_segment(name).ok()? {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name.to_owned()),
        }
    }
    (!names.is_empty()).then(|| names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_manifest_says_nothing() {
        for nothing in ["#EXTM3U", "<MPD", "", "#EXT-X-MAP:URI=\"x", "#EXT-X-MAP:a=\"b\"URI=\"x\""]
        {
            assert_eq!(Said::read(nothing.as_bytes(), None), None, "{nothing}");
        }
        let mpd = Said::read(b"<MPD type='dynamic'>", Some("v"));
        assert_eq!(mpd, Some(Said::OfAll { folder: Some("v".into()), goes_on: true }));
        let list = b"#EXT-X-MAP:URI=\"http://a/b%20c/init_1.mp4\"\n#EXT-X-ENDLIST";
        let folders = vec!["b c".into(), "v".into()];
        let said = Said::OfTrack { folders, header: "init_1".into(), goes_on: false };
        assert_eq!(Said::read(list, Some("v")), Some(said));
    }

    #[test]
    fn a_playlist_names_the_folder_of_its_header_from_its_own_on() {
        for (tag, folder, expected) in [
            ("URI=\"init.mp4\"", Some("a/b"), &["a/b"][..]),
            ("BYTERANGE=\"7@0\",X=1,URI=\"init.mp4\"", Some("v"), &["v"]),
            ("URI=\"../v/init.mp4\"", Some("hls/en"), &["hls/v", "v", "hls/en"]),
            ("URI=\"../v/init.mp4\"", Some("hls"), &["v", "hls"]),
            ("URI=\"a/b/init.mp4\"", None, &["a/b", "b"]),
            ("URI=\"../../../init.mp4\"", Some("v"), &["v"]),
            ("URI=\"/x.isml/v/init.mp4\"", Some("hls"), &["v", "hls"]),
        ] {
            let list = format!("#EXTM3U\n#EXT-X-MAP:{tag}\n");
            let expected = expected.iter().map(|name| (*name).to_owned()).collect();
            let said = Said::OfTrack { folders: expected, header: "init".into(), goes_on: true };
            assert_eq!(Said::read(list.as_bytes(), folder), Some(said), "{tag}");
        }
    }
}
