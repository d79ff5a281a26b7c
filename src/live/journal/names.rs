//! The files that the archive of an event has beside those of its tracks.

use super::record::Began;
use crate::base::Name;
use crate::live::plain;

/// Names of the files of a publishing point's archive that belong to no track.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) journal: Name,
    pub(super) held: Name,
    /// Name of the point without its ending and folder.
    stem: String,
}

impl Names {
    /// The names for a publishing point. `None` if its name is too long for them.
    pub(super) fn of(point: &Name) -> Option<Self> {
        let path = point.as_str();
        let (begin, end) =
            path.split_at_checked(path.len().saturating_sub(5)).unwrap_or((path, ""));
        let stem = if end.eq_ignore_ascii_case(".isml") { begin } else { path };
        Some(Self {
            journal: Name::new(&format!("{stem}.journal")).ok()?,
            held: Name::new(&format!("{stem}.held")).ok()?,
            stem: stem.rsplit('/').next().unwrap_or(stem).to_owned(),
        })
    }

    /// The manifests that lie beside a file of a track: the server manifest and the client manifest. Each
    /// event has others.
    pub(super) fn manifests(&self, file: &Name, of: &Began) -> Option<(Name, Name)> {
        self.manifests_of(file, of.event.as_deref(), of.number)
    }

    pub(super) fn manifests_of(
        &self,
        file: &Name,
        event: Option<&str>,
        number: u64,
    ) -> Option<(Name, Name)> {
        let suffix = match event {
            Some(event) => format!("-{}", plain(event)),
            None if number > 1 => format!("-{number}"),
            None => String::new(),
        };
        let folder = file.folder().map_or_else(String::new, |folder| format!("{folder}/"));
        let beside = |ending| Name::new(&format!("{folder}{}{suffix}.{ending}", self.stem)).ok();
        Some((beside("ism")?, beside("ismc")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_beside_the_point_and_the_manifests_are_beside_the_files() {
        let names = |point: &str| Names::of(&Name::new(point).unwrap()).unwrap();
        let news = names("events/News.ISML");
        assert_eq!(news.journal.as_str(), "events/News.journal");
        assert_eq!(news.held.as_str(), "events/News.held");
        let file = Name::new("events/News/1/video.ismv").unwrap();
        for (event, number, stem) in
            [(None, 1, "News"), (None, 2, "News-2"), (Some("a/é 1"), 3, "News-a___1")]
        {
            let (server, client) = news.manifests_of(&file, event, number).unwrap();
            assert_eq!(server.as_str(), format!("events/News/1/{stem}.ism"));
            assert_eq!(client.as_str(), format!("events/News/1/{stem}.ismc"));
        }
        assert_eq!(names("é").journal.as_str(), "é.journal");
    }
}
