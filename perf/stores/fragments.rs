//! The fragments that are read, and whose turn it is.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct Fragments {
    all: Vec<Fragment>,
    passes: usize,
    next: AtomicUsize,
    /// The objects, if bodies are compared.
    objects: HashMap<String, Vec<u8>>,
}

pub(crate) struct Fragment {
    /// Its path at an origin: `/film/film.ism/QualityLevels(1)/Fragments(video=0)`.
    pub(crate) path: String,
    /// The key of the object that holds it.
    pub(crate) key: String,
    pub(crate) range: Range<u64>,
}

impl Fragment {
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl Fragments {
    pub(crate) fn read(list: &str, passes: usize, folder: Option<PathBuf>) -> Self {
        let text = std::fs::read_to_string(list).expect("the list is there");
        let all: Vec<_> = text.lines().map(fragment).collect();
        let mut objects = HashMap::new();
        if let Some(folder) = folder {
            for key in all.iter().map(|fragment| &fragment.key) {
                objects.entry(key.clone()).or_insert_with(|| {
                    std::fs::read(folder.join(key)).expect("the object is there")
                });
            }
        }
        Self { all, passes, next: AtomicUsize::new(0), objects }
    }

    pub(crate) fn all(&self) -> &[Fragment] {
        &self.all
    }

    /// The bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.all.iter().map(Fragment::len).sum()
    }

    pub(crate) fn passes(&self) -> u64 {
        self.passes as u64
    }

    /// The next one to be read.
    pub(crate) fn next(&self) -> Option<&Fragment> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.all.len() * self.passes).then(|| &self.all[number % self.all.len()])
    }

    /// Compares a part of a body, which begins `at` bytes after the beginning of its fragment.
    pub(crate) fn compare(&self, fragment: &Fragment, at: u64, part: &[u8]) {
        assert!(at + part.len() as u64 <= fragment.len(), "{}: too many bytes", fragment.path);
        if let Some(object) = self.objects.get(&fragment.key) {
            let start = (fragment.range.start + at) as usize;
            assert!(object[start..][..part.len()] == *part, "{}: other bytes", fragment.path);
        }
    }
}

fn fragment(line: &str) -> Fragment {
    let words: Vec<&str> = line.split(' ').collect();
    let [path, key, start, end] = words[..] else { panic!("no fragment: `{line}`") };
    Fragment { path: path.into(), key: key.into(), range: crate::number(start)..crate::number(end) }
}
