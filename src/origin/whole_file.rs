//! Replies that are all bytes of one stored file, which a client could fetch from the store itself.

use std::future::Future;

use super::asked::State;
use super::read::Reader;
use super::{Asked, Origin, Served};
use crate::base::{Name, Step};
use crate::output::{Request, mss};
use crate::storage::Source;

/// Bytes of a fragment's file that are read to see that it holds the fragment and nothing else, if the
/// others are not to be sent.
const BRIEF: u64 = 4 << 10;

impl Asked<'_> {
    /// Returns the name of the file that holds the fragment, and nothing else as far as is known, if the
    /// whole of a fragment that will not change was asked for.
    pub(crate) fn own_file(&self) -> Option<&Name> {
        let State::Reads(reading) = &self.state else { return None };
        let Step::Read(reads) = &reading.step else { return None };
        let is_whole = matches!(
            &reading.target.request,
            Request::Mss(mss::Request::Fragment(fragment)) if fragment.noun == mss::Noun::Fragments
        );
        match is_whole && !self.opened.presentation().is_live() {
            true => reads.fragment_file(),
            false => None,
        }
    }

    /// Has no more of the fragment's file read than its head, to make the answer.
    pub(crate) fn look_briefly(&mut self) {
        if let State::Reads(reading) = &mut self.state
            && let Step::Read(reads) = &mut reading.step
        {
            reads.look_briefly(BRIEF);
        }
    }
}

impl Served {
    /// Returns the file, in the version that was opened, if the reply is all of it and the file was opened
    /// for this reply.
    pub(crate) fn whole_file(&self) -> Option<&Source> {
        let range = &self.reply.stored()?.range;
        match &self.reader {
            Reader::Presentation(_) => None,
            Reader::Fragment(reader) => {
                let file = &reader.fragment;
                (*range == (0..file.stat.size)).then_some(&file.source)
            }
            // The reply of a file is all of it.
            Reader::File(reader) => Some(&reader.source),
        }
    }
}

impl Origin {
    /// The output of a future, if it ends in the time that one operation of the store may take.
    pub(crate) async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.inner.shared.access.within(future).await
    }
}
