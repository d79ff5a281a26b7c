//! The worst of many presentations.

use super::health::{Health, Title};

/// Sick presentations, no more than a number of them.
pub(super) struct Worst {
    most: usize,
    titles: Vec<Title>,
    /// Number of sick presentations that are not kept.
    left_out: u64,
}

impl Worst {
    pub(super) fn new(most: usize) -> Self {
        Self { most, titles: Vec::new(), left_out: 0 }
    }

    pub(super) fn add(&mut self, title: Title) {
        if title.health == Health::Fine {
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
        self.left_out += self.titles.len().saturating_sub(self.most) as u64;
        self.titles.truncate(self.most);
    }

    /// Returns lines for all of them, the worst first.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.sort();
        let mut lines: Vec<_> = self.titles.iter().flat_map(Title::lines).collect();
        if self.left_out > 0 {
            lines.push(format!("and {} more that are sick; --json prints all", self.left_out));
        }
        lines
    }
}
