//! A track whose fragments are files of their own.

use std::sync::atomic::AtomicBool;

use crate::base::{ErrorKind, Name, piece};

/// The names of a track's fragment files: `QualityLevels(300000)/Fragments(video=0)`. They follow from
/// the times of the chunks, so none is kept, however long the track.
#[derive(Debug)]
pub(crate) struct FragmentFiles {
    folder: Name,
    /// What stands before the time in the name of a file.
    before: Box<str>,
    /// What stands behind it.
    behind: Box<str>,
    /// File names that are spelled otherwise, by time.
    odd: Box<[(u64, Box<str>)]>,
    /// Chunks of the stream that have a file, as far as the folder could be listed.
    pub(crate) count: usize,
    /// A finding about the times in its fragments has been made.
    pub(crate) is_time_told: AtomicBool,
}

impl FragmentFiles {
    /// Files of a folder, named `before`, the time in decimal digits, and `behind`; but for these,
    /// ascending by time.
    pub(crate) fn new(
        folder: Name,
        (before, behind): (&str, &str),
        odd: Vec<(u64, Box<str>)>,
    ) -> Self {
        let (before, behind) = (before.into(), behind.into());
        let (odd, is_time_told) = (odd.into(), AtomicBool::new(false));
        Self { folder, before, behind, odd, count: 0, is_time_told }
    }

    /// The folder that they are in.
    pub(crate) fn folder(&self) -> &Name {
        &self.folder
    }

    /// The file of the fragment that starts at this time, whether it is there or not.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] if no file can have that name.
    pub(crate) fn name(&self, time: u64) -> Result<Name, ErrorKind> {
        let Self { folder, before, behind, odd, .. } = self;
        let name = match odd.binary_search_by_key(&time, |(time, _)| *time) {
            Ok(at) => format!("{folder}/{}", odd[at].1),
            Err(_) => format!("{folder}/{before}{time}{behind}"),
        };
        Name::new(&name).map_err(|_| ErrorKind::NoMedia)
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        // Two counters are beside the text of a name.
        let folder = piece(self.folder.as_str().len() + 16);
        let odd = self.odd.iter().map(|(_, name)| piece(name.len())).sum::<usize>();
        folder
            + piece(self.before.len())
            + piece(self.behind.len())
            + piece(size_of_val(&*self.odd))
            + odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_times_but_for_those_that_are_spelled_otherwise() {
        let folder = Name::new("a.ism/QualityLevels(5)").unwrap();
        let odd = vec![(0, "Fragments(video=00)".into()), (9, "fragments(video=9)".into())];
        let files = FragmentFiles::new(folder, ("Fragments(video=", ")"), odd);
        for (time, name) in [
            (0, "Fragments(video=00)"),
            (7, "Fragments(video=7)"),
            (9, "fragments(video=9)"),
            (u64::MAX, "Fragments(video=18446744073709551615)"),
        ] {
            let name = format!("a.ism/QualityLevels(5)/{name}");
            assert_eq!(files.name(time).unwrap().as_str(), name);
        }
        let folder = Name::new("a.ism").unwrap();
        let files = FragmentFiles::new(folder, ("Fragments(a/../../b=", ")"), Vec::new());
        assert!(files.name(0).is_err());
    }
}
