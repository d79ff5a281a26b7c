//! The findings of one opening, each once, under a budget.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::mem;

use super::{Finding, FindingCode, Severity};
use crate::base::Limits;

/// Findings as they are made, each once, under a budget of number and bytes.
///
/// When the budget is used up, a graver finding takes the place of the last of the least grave ones.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    /// Each list with the number that a finding had when it was made.
    errors: Vec<(usize, Finding)>,
    warnings: Vec<(usize, Finding)>,
    infos: Vec<(usize, Finding)>,
    /// Number of findings that were kept, at one time or another.
    made: usize,
    /// Hashes of what was kept.
    known: HashSet<u64>,
    hasher: RandomState,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    has_left_out: bool,
}

impl Findings {
    /// None yet, with the budgets [`Limits::findings`] and [`Limits::finding_bytes`].
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            errors: Vec::new(),
            warnings: Vec::new(),
            infos: Vec::new(),
            made: 0,
            known: HashSet::new(),
            hasher: RandomState::new(),
            bytes: 0,
            most: limits.findings,
            most_bytes: limits.finding_bytes,
            has_left_out: false,
        }
    }

    /// Keeps a finding, unless the same is there, or the budget is used up by others that are as
    /// grave. Says whether it is kept.
    pub(crate) fn push(&mut self, finding: Finding) -> bool {
        if self.most == 0 {
            return false;
        }
        let hash = self.hasher.hash_one(&finding);
        if self.known.contains(&hash) {
            return false;
        }
        while !self.has_room_for(&finding) {
            self.has_left_out = true;
            if !self.drop_one_below(finding.severity()) {
                return false;
            }
        }
        self.known.insert(hash);
        self.bytes += finding.memory();
        let number = self.made;
        self.made += 1;
        self.list(finding.severity()).push((number, finding));
        true
    }

    /// Some were left out before.
    pub(crate) fn set_left_out(&mut self) {
        self.has_left_out = true;
    }

    fn has_room_for(&self, finding: &Finding) -> bool {
        self.len() < self.most && self.bytes.saturating_add(finding.memory()) <= self.most_bytes
    }

    fn drop_one_below(&mut self, severity: Severity) -> bool {
        let lesser = [Severity::Info, Severity::Warning].into_iter().filter(|&s| s < severity);
        let dropped = lesser.filter_map(|severity| self.list(severity).pop()).next();
        self.bytes -= dropped.as_ref().map_or(0, |(_, finding)| finding.memory());
        dropped.is_some()
    }

    fn list(&mut self, severity: Severity) -> &mut Vec<(usize, Finding)> {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Info => &mut self.infos,
        }
    }

    fn len(&self) -> usize {
        self.errors.len() + self.warnings.len() + self.infos.len()
    }

    /// Those that were made after the first `known`, in the order of their making, and how many were
    /// made in all.
    pub(crate) fn since(&self, known: usize) -> (Vec<Finding>, usize) {
        let all = [&self.errors, &self.warnings, &self.infos].into_iter().flatten();
        let mut late: Vec<_> = all.filter(|(number, _)| *number >= known).collect();
        late.sort_by_key(|(number, _)| *number);
        (late.into_iter().map(|(_, finding)| finding.clone()).collect(), self.made)
    }

    /// Sorted by their [rank](Finding::rank); otherwise as they were made. If some were left out, the
    /// last says so.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        let mut sorted = Vec::with_capacity(self.len() + usize::from(self.has_left_out));
        let all = [&mut self.errors, &mut self.warnings, &mut self.infos].map(mem::take);
        sorted.extend(all.into_iter().flatten().map(|(_, finding)| finding));
        sorted.sort_by_key(Finding::rank);
        if self.has_left_out {
            let Self { most, most_bytes, .. } = self;
            let message = format!(
                "there are more than the budgets of {most} findings (`findings`) and {most_bytes} bytes (`finding_bytes`) allow"
            );
            sorted.push(Finding::new(FindingCode::FindingsLeftOut, message));
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(most: usize, most_bytes: usize) -> Findings {
        Findings::new(&Limits { findings: most, finding_bytes: most_bytes, ..Limits::default() })
    }

    #[test]
    fn the_gravest_come_first_and_take_the_place_of_lesser_ones() {
        let mut findings = findings(2, 1 << 20);
        let codes = [
            (FindingCode::StartMoved, true),
            (FindingCode::StartMoved, false),
            (FindingCode::DurationAssumed, true),
            (FindingCode::FileMissing, true),
            (FindingCode::BitrateZero, false),
            (FindingCode::FileBroken, true),
            (FindingCode::FileUnreadable, false),
        ];
        for (code, is_kept) in codes {
            let finding = Finding::new(code, "x").in_file("a.ismv").at_chunk(Some(5));
            assert_eq!(findings.push(finding), is_kept, "{code}");
        }
        let findings: Vec<_> = findings.sorted().iter().map(Finding::to_string).collect();
        assert_eq!(
            findings,
            [
                "error file-missing: a.ismv, chunk 5: x",
                "error file-broken: a.ismv, chunk 5: x",
                "info findings-left-out: there are more than the budgets of 2 findings (`findings`) and 1048576 bytes (`finding_bytes`) allow",
            ]
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_comes_before_what_follows_from_it() {
        let mut findings = findings(9, 1 << 20);
        let made = [
            FindingCode::PayloadOffset,
            FindingCode::ChunksWithoutMedia,
            FindingCode::TrackMissing,
            FindingCode::RecordingCutOff,
            FindingCode::IndexRebuilt,
            FindingCode::FileMissing,
        ];
        for code in made {
            findings.push(Finding::new(code, "x"));
        }
        let codes: Vec<_> = findings.sorted().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [3, 5, 1, 2, 4, 0].map(|number: usize| made[number]));
    }

    #[test]
    fn later_findings_are_given_in_the_order_of_their_making() {
        let mut findings = findings(3, 1 << 20);
        for code in [FindingCode::StartMoved, FindingCode::FileBroken, FindingCode::PayloadOffset] {
            findings.push(Finding::new(code, "x"));
        }
        let codes = |known| {
            let (late, made) = findings.since(known);
            (late.iter().map(|finding| finding.code).collect::<Vec<_>>(), made)
        };
        assert_eq!(codes(1), (vec![FindingCode::FileBroken, FindingCode::PayloadOffset], 3));
        assert_eq!(codes(3), (vec![], 3));
        findings.push(Finding::new(FindingCode::FileMissing, "in place of the last"));
        let (late, made) = findings.since(3);
        assert_eq!((late[0].code, late.len(), made), (FindingCode::FileMissing, 1, 4));
    }

    #[test]
    fn findings_are_bounded_by_their_bytes() {
        let mut findings = findings(1000, 10_000);
        for number in 0..1000 {
            findings.push(Finding::new(FindingCode::FileBroken, format!("{number:0500}")));
        }
        let kept = findings.sorted();
        assert!(kept.iter().map(Finding::memory).sum::<usize>() <= 11_000);
        assert!(kept.len() > 10, "{}", kept.len());
    }
}
