//! A track whose fragments are files of their own.

use std::sync::atomic::AtomicBool;

use crate::base::{ErrorKind, Name, piece};

/// The names of a track's fragment files: `QualityLevels(300000)/Fragments(video=0)`. They follow
/// from the times of the chunks, so they need not be stored, however long the track is.
#[derive(Debug)]
pub(crate) struct FragmentFiles {
    folder: Name,
    /// The part of a file's name before the time.
    before: Box<str>,
    /// The part after the time.
    behind: Box<str>,
    /// Names that are spelled differently, by time.
    odd: Box<[(u64, Box<str>)]>,
    /// Number of chunks of the stream that have a file, as far as the folder could be listed.
    pub(crate) count: usize,
    /// True once a finding about the times in its fragments has been made.
    pub(crate) is_time_told: AtomicBool,
}

impl FragmentFiles {
    /// Files of a folder, named `before`, the time in decimal digits, and `behind`. The exceptions
    /// in `odd` are ascending by time.
    pub(crate) fn new(
        folder: Name,
        (before, behind): (&str, &str),
        odd: Vec<(u64, Box<str>)>,
    ) -> Self {
        let (before, behind) = (before.into(), behind.into());
        let (odd, is_time_told) = (odd.into(), AtomicBool::new(false));
        Self { folder, before, behind, odd, count: 0, is_time_told }
    }

    /// Returns the folder of the files.
    pub(crate) fn folder(&self) -> &Name {
        &self.folder
    }

    /// Returns the name of the file for the fragment that starts at this time, whether there is
    /// such a file or not.
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

    /// Number of bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        // A name is an `Arc<str>`, which stores two counters with the text.
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
