//! `sbgp`: which samples belong to which group.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Sample to group: runs of samples.
///
/// Spec: ISO/IEC 14496-12, 8.9.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sbgp {
    /// Version 1, set anew when written, has a parameter.
    pub full: FullBox,
    /// Meaning of the groups.
    pub grouping_type: FourCc,
    /// A parameter of that meaning, in version 1.
    pub grouping_type_parameter: Option<u32>,
    /// Entries of eight bytes: samples, and the group's number.
    pub entries: Bytes,
}

impl Sbgp {
    /// Samples and group of each run.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.entries.chunks_exact(8).map(|entry| {
            let word = |at: usize| entry[at..at + 4].iter().fold(0, |w, &b| w << 8 | u32::from(b));
            (word(0), word(4))
        })
    }
}

impl Content for Sbgp {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let grouping_type = body.four_cc()?;
        let grouping_type_parameter = full.wide().then(|| body.u32()).transpose()?;
        let count = body.u32()?;
        let entries = body.entries(count, 8)?;
        Ok(Self { full, grouping_type, grouping_type_parameter, entries })
    }

    fn len(&self) -> u64 {
        let parameter = if self.grouping_type_parameter.is_some() { 4 } else { 0 };
        FullBox::LEN + 4 + parameter + 4 + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        let version = match self.grouping_type_parameter {
            Some(_) => self.full.version.max(1),
            None => 0,
        };
        FullBox { version, ..self.full }.write(sink);
        sink.four_cc(self.grouping_type);
        if let Some(parameter) = self.grouping_type_parameter {
            sink.u32(parameter);
        }
        sink.u32((self.entries.len() / 8) as u32);
        sink.put(&self.entries);
    }
}
