//! The worst of many presentations.

use super::health::{Health, Title};

/// Presentations about which there is something to say, no more than a number of them.
pub(super) struct Worst {
    most: usize,
    titles: Vec<Title>,
    /// Number of sick presentations that are not kept.
    left_out: u64,
    /// Number of presentations with notes alone that are not kept.
    noted_left_out: u64,
}

impl Worst {
    pub(super) fn new(most: usize) -> Self {
        Self { most, titles: Vec::new(), left_out: 0, noted_left_out: 0 }
    }

    pub(super) fn add(&mut self, title: Title) {
        if title.is_silent() {
            return;
        }
        self.titles.push(title.shortened());
        // Twice as many are kept, so that they are seldom sorted.
        if self.titles.len() >= 2 * self.most {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.titles.sort_by_key(|title| std::cmp::Reverse(title.weight()));
        for title in self.titles.drain(self.most.min(self.titles.len())..) {
            match title.health {
                Health::Fine => self.noted_left_out += 1,
                _ => self.left_out += 1,
            }
        }
    }

    /// Returns lines for all of them, the worst first.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.sort();
        let mut lines: Vec<_> = self.titles.iter().flat_map(Title::lines).collect();
        if self.left_out > 0 {
            lines.push(format!("and {} more that are sick; --json prints all", self.left_out));
        }
        if self.noted_left_out > 0 {
            let more = self.noted_left_out;
            lines.push(format!("and {more} more that no browser plays; --json prints all"));
        }
        lines
    }
}
