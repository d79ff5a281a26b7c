//! The names of the files in a folder of fragments, and the streams and times that they give.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::base::Name;
use crate::presentation::fragment_files::FragmentFiles;

/// The fragment files of one folder, by the streams in their names.
#[derive(Debug, Default)]
pub(super) struct FileNames {
    /// Ascending by time. There may be several names for one time.
    streams: HashMap<String, Vec<File>>,
    /// The streams by their names in lower case; `None` if several streams share it.
    in_lower_case: HashMap<String, Option<String>>,
}

/// A fragment's file.
#[derive(Debug)]
struct File {
    time: u64,
    name: Box<str>,
    /// Position of the digits of the time in the name.
    digits: Range<usize>,
}

/// Maximum files of one track whose names differ from the usual form. More are not kept.
const MOST_ODD: usize = 256;

impl FileNames {
    /// Reads names of files. Names that are not those of fragments, such as `FragmentInfo(…)`, are
    /// left out.
    pub(super) fn new(names: &[Name]) -> Self {
        let mut files = Self::default();
        for name in names.iter().map(Name::file_name) {
            let Some((stream, file)) = File::parse(name) else { continue };
            match files.streams.get_mut(&*stream) {
                Some(list) => list.push(file),
                None => drop(files.streams.insert(stream.into_owned(), vec![file])),
            }
        }
        for (stream, list) in &mut files.streams {
            list.sort_unstable_by(|one, other| {
                (one.time, &one.name).cmp(&(other.time, &other.name))
            });
            let other = files.in_lower_case.entry(stream.to_lowercase());
            other.and_modify(|other| *other = None).or_insert_with(|| Some(stream.clone()));
        }
        files
    }

    /// Returns whether there is no fragment.
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Returns the files of a stream: by its exact name, otherwise by the only one that differs in
    /// letter case.
    fn of_stream(&self, stream: &str) -> &[File] {
        self.found(stream).map_or(&[], |(_, files)| files.as_slice())
    }

    /// Returns the name of a stream as its files spell it; `None` if it has no files.
    pub(super) fn spelled(&self, stream: &str) -> Option<&str> {
        self.found(stream).map(|(spelled, _)| spelled.as_str())
    }

    fn found(&self, stream: &str) -> Option<(&String, &Vec<File>)> {
        let exact = self.streams.get_key_value(stream);
        let other = || {
            let other = self.in_lower_case.get(&stream.to_lowercase())?.as_ref()?;
            self.streams.get_key_value(other)
        };
        exact.or_else(other)
    }

    /// Iterates over the times of a stream's files, ascending. A time may occur twice.
    pub(super) fn times(&self, stream: &str) -> impl Iterator<Item = u64> {
        self.of_stream(stream).iter().map(|file| file.time)
    }

    /// Returns the files of a stream in this folder. The form that most names have is stored once.
    pub(super) fn files(&self, folder: Name, stream: &str) -> FragmentFiles {
        let list = self.of_stream(stream);
        let own = usual(stream);
        let form = match list.iter().any(|file| file.around() == (&*own, ")")) {
            true => None,
            false => list.iter().find(|file| file.is_plain()).map(File::around),
        };
        let (before, behind) = form.unwrap_or((&own, ")"));
        let mut odd: Vec<(u64, Box<str>)> = Vec::new();
        for same_time in list.chunk_by(|one, other| one.time == other.time) {
            let is_usual = |file: &File| file.is_plain() && file.around() == (before, behind);
            if odd.len() < MOST_ODD && !same_time.iter().any(is_usual) {
                odd.push((same_time[0].time, same_time[0].name.clone()));
            }
        }
        FragmentFiles::new(folder, (before, behind), odd)
    }
}

/// Returns the part before the time in the usual name of a stream's file.
pub(super) fn usual(stream: &str) -> String {
    format!("Fragments({stream}=")
}

impl File {
    /// Parses `Fragments(stream=time)`, with the first word in any letter case, and returns the
    /// stream with the file. Names that tools have percent-encoded are decoded once.
    fn parse(name: &str) -> Option<(Cow<'_, str>, Self)> {
        let end = name.strip_suffix(')').or_else(|| name.strip_suffix("%29"))?.len();
        let digits = name.as_bytes()[..end].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        // The counted bytes are ASCII characters.
        let digits = end - digits..end;
        let time = name[digits.clone()].parse().ok()?;
        let before = percent_decode_str(&name[..digits.start]).decode_utf8().ok()?;
        let (word, _) = before.split_at_checked(NOUN.len())?;
        let is_fragment = word.eq_ignore_ascii_case(NOUN) && before.ends_with('=');
        let inside = NOUN.len()..before.len() - 1;
        let stream: Cow<'_, str> = match before {
            _ if !is_fragment || inside.is_empty() => return None,
            Cow::Borrowed(before) => before[inside].into(),
            Cow::Owned(before) => before[inside].to_owned().into(),
        };
        Some((stream, Self { time, name: name.into(), digits }))
    }

    /// Returns the parts of the name before and after the time.
    fn around(&self) -> (&str, &str) {
        (&self.name[..self.digits.start], &self.name[self.digits.end..])
    }

    /// Returns whether the digits have no leading zeros, as most programs write them.
    fn is_plain(&self) -> bool {
        self.digits.len() == 1 || self.name.as_bytes().get(self.digits.start) != Some(&b'0')
    }
}

const NOUN: &str = "Fragments(";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str) -> Option<(String, u64)> {
        File::parse(name).map(|(stream, file)| (stream.into_owned(), file.time))
    }

    #[test]
    fn a_name_says_stream_and_time() {
        for (name, stream, time) in [
            ("Fragments(video=0)", "video", 0),
            ("Fragments(video=18446744073709551615)", "video", u64::MAX),
            ("fragments(Video=007)", "Video", 7),
            ("Fragments%28video=5%29", "video", 5),
            ("Fragments%28audio%20eng%3D30%29", "audio eng", 30),
            ("Fragments%28audio%20eng%3d30%29", "audio eng", 30),
            ("Fragments(a b=1=2)", "a b=1", 2),
            ("Fragments(a(b)=3)", "a(b)", 3),
            ("Fragments(été=3)", "été", 3),
        ] {
            assert_eq!(parsed(name), Some((stream.to_owned(), time)), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_fragments() {
        for name in [
            "",
            ")",
            "0)",
            "Fragments()",
            "Fragments(=0)",
            "Fragments(video=)",
            "Fragments(video=-1)",
            "Fragments(video=+1)",
            "Fragments(video=1",
            "Fragments(video=18446744073709551616)",
            "Fragments(video)",
            "FragmentInfo(video=0)",
            "Fragments(video=0).tmp",
            "temp",
            "Fragments(%FF=0)",
            "éFragments(video=0)",
            "%3D0%29",
        ] {
            assert_eq!(parsed(name), None, "{name}");
        }
    }

    fn names(list: &[&str]) -> FileNames {
        let name = |name: &&str| Name::new(&format!("a.ism/Q/{name}")).unwrap();
        FileNames::new(&list.iter().map(name).collect::<Vec<_>>())
    }

    fn file(files: &FileNames, stream: &str, time: u64) -> String {
        let files = files.files(Name::new("a.ism/Q").unwrap(), stream);
        files.name(time).unwrap().file_name().to_owned()
    }

    #[test]
    fn files_are_found_under_the_names_that_they_have() {
        let some =
            names(&["Fragments%28video=9%29", "Fragments%28video=10%29", "x", "Fragments(a=1)"]);
        assert_eq!(some.times("video").collect::<Vec<_>>(), [9, 10]);
        assert_eq!(file(&some, "video", 9), "Fragments%28video=9%29");
        assert_eq!(file(&some, "video", 11), "Fragments%28video=11%29");
        let mixed = names(&["Fragments(video=00)", "Fragments(video=5)", "fragments(video=7)"]);
        for (time, name) in
            [(0, "Fragments(video=00)"), (5, "Fragments(video=5)"), (7, "fragments(video=7)")]
        {
            assert_eq!(file(&mixed, "video", time), name);
        }
        let twice = names(&["Fragments(video=00)", "Fragments(video=0)"]);
        assert_eq!(file(&twice, "video", 0), "Fragments(video=0)");
    }

    #[test]
    fn another_letter_case_counts_where_it_is_the_only_one() {
        assert_eq!(file(&names(&["Fragments(VIDEO=1)"]), "video", 1), "Fragments(VIDEO=1)");
        let several = names(&["Fragments(VIDEO=1)", "Fragments(Video=1)"]);
        assert_eq!(several.times("video").count(), 0);
        assert_eq!(several.times("Video").count(), 1);
    }
}
