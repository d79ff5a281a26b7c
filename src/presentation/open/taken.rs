//! Names and bitrates of a generated manifest, each of which is used once.

use std::collections::{HashMap, HashSet};

/// Names and bitrates that are in use, and where to look for a free one.
#[derive(Default)]
pub(super) struct Taken {
    names: HashSet<String>,
    /// For a name, the next number to try as its suffix: all smaller numbers are in use.
    numbers: HashMap<String, u32>,
    /// For a bitrate in use, a higher one to try next: all between the two are in use.
    bitrates: HashMap<u32, u32>,
}

impl Taken {
    /// Takes this name, or, if it is in use, the name with the first free number as its suffix.
    pub(super) fn name(&mut self, name: String) -> String {
        let mut free = name.clone();
        while self.names.contains(&free) {
            let number = self.numbers.entry(name.clone()).or_insert(2);
            free = format!("{name}_{number}");
            *number += 1;
        }
        self.names.insert(free.clone());
        free
    }

    /// Finds this bitrate, or the first free one above it.
    pub(super) fn free_bitrate(&mut self, wanted: u32) -> u32 {
        let (mut free, mut passed) = (wanted, Vec::new());
        while let Some(&next) = self.bitrates.get(&free) {
            passed.push(free);
            free = next;
        }
        // They lead straight to the free one from now on: none is passed over and over.
        self.bitrates.extend(passed.into_iter().map(|bitrate| (bitrate, free)));
        free
    }

    pub(super) fn take_bitrate(&mut self, bitrate: u32) {
        if let Some(above) = bitrate.checked_add(1) {
            self.bitrates.insert(bitrate, above);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_the_first_free_number() {
        let mut taken = Taken::default();
        let names = ["a", "a", "a_2", "a_4", "a", "a", "b", "a_2"];
        let given = names.map(|name| taken.name(name.into()));
        assert_eq!(given, ["a", "a_2", "a_2_2", "a_4", "a_3", "a_5", "b", "a_2_3"]);
    }

    #[test]
    fn a_bitrate_that_is_taken_gives_the_first_free_one_above_it() {
        let mut taken = Taken::default();
        let mut next = |wanted| {
            let free = taken.free_bitrate(wanted);
            taken.take_bitrate(free);
            free
        };
        let given = [5, 5, 5, 7, 6, 1, 5, u32::MAX, u32::MAX].map(&mut next);
        assert_eq!(given, [5, 6, 7, 8, 9, 1, 10, u32::MAX, u32::MAX]);
    }
}
