//! The first few presentations of each folder, where there are many.

use std::collections::BTreeMap;

use smooth_origin::base::Name;

/// Number of presentations that are all shown.
const MOST: usize = 20;

/// Number of presentations that are shown of each folder, if there are more than [`MOST`].
const OF_EACH: usize = 3;

/// Number of folders that are counted by their names.
const MOST_FOLDERS: usize = 10;

/// Chooses the healthy presentations whose URLs are shown.
pub(super) struct Few {
    has_all: bool,
    shown: usize,
    /// Number of healthy presentations by folder, and of those that are not shown.
    folders: BTreeMap<String, Counts>,
}

#[derive(Default)]
struct Counts {
    shown: usize,
    more: usize,
}

impl Few {
    /// For this number of presentations.
    pub(super) fn of(count: usize) -> Self {
        Self { has_all: count <= MOST, shown: 0, folders: BTreeMap::new() }
    }

    /// Returns whether a presentation is shown.
    pub(super) fn shows(&mut self, name: &Name) -> bool {
        if self.has_all {
            return true;
        }
        let counts = self.folders.entry(folder(name).to_owned()).or_default();
        let is_shown = self.shown < MOST && counts.shown < OF_EACH;
        match is_shown {
            true => (self.shown, counts.shown) = (self.shown + 1, counts.shown + 1),
            false => counts.more += 1,
        }
        is_shown
    }

    /// `and 97 more that are fine: 90 in films, 7 in series`
    pub(super) fn line(&self) -> Option<String> {
        let counts = self.folders.iter().filter(|(_, counts)| counts.more > 0);
        let (mut all, mut folders) = (0, Vec::new());
        for (folder, Counts { more, .. }) in counts {
            all += more;
            folders.push(match folder.as_str() {
                "" => format!("{more} beside these folders"),
                folder => format!("{more} in {folder}"),
            });
        }
        if let [only] = &mut folders[..]
            && only.ends_with(" beside these folders")
        {
            folders.clear();
        }
        let others = folders.len().saturating_sub(MOST_FOLDERS);
        folders.truncate(MOST_FOLDERS);
        if others > 0 {
            folders.push(format!("the others in {others} more folders"));
        }
        let places = match folders.is_empty() {
            true => String::new(),
            false => format!(": {}", folders.join(", ")),
        };
        (all > 0).then(|| format!("and {all} more that are fine{places}"))
    }
}

/// Returns the folder that a presentation is counted with: the one around its own, because many
/// presentations have a folder of their own.
fn folder(name: &Name) -> &str {
    let folders = name.as_str().rsplit_once('/').map_or("", |(own, _)| own);
    folders.rsplit_once('/').map_or("", |(around, _)| around)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[String]) -> (Vec<&str>, Option<String>) {
        let mut few = Few::of(names.len());
        let shown = names.iter().filter(|name| few.shows(&Name::new(name).unwrap()));
        let shown = shown.map(String::as_str).collect();
        (shown, few.line())
    }

    fn names(folder: &str, count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{folder}{number:02}/x.ism")).collect()
    }

    #[test]
    fn a_short_list_is_shown_whole() {
        let names = names("a/", MOST);
        assert_eq!(shown(&names), (names.iter().map(String::as_str).collect(), None));
    }

    #[test]
    fn of_a_long_list_the_first_of_each_folder_are_shown_and_the_others_counted() {
        let names = [names("a/", 10), names("b/", 13), names("", 4)].concat();
        let (shown, line) = shown(&names);
        assert_eq!(shown.len(), 9);
        assert_eq!((shown[2], shown[3], shown[8]), ("a/02/x.ism", "b/00/x.ism", "02/x.ism"));
        let expected = "and 18 more that are fine: 1 beside these folders, 7 in a, 10 in b";
        assert_eq!(line.as_deref(), Some(expected));
    }

    #[test]
    fn a_list_without_folders_is_counted_alone() {
        let names = names("", 30);
        assert_eq!(shown(&names).1.as_deref(), Some("and 27 more that are fine"));
    }

    #[test]
    fn the_list_is_short_however_many_folders_there_are() {
        let names: Vec<_> = (0..1000).map(|number| format!("{number}/a/x.ism")).collect();
        let (shown, line) = shown(&names);
        assert_eq!(shown.len(), MOST);
        assert!(line.unwrap().ends_with("1 in 109, the others in 970 more folders"));
    }
}
