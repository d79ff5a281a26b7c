//! The part of a `splice_info_section` that tells when programme and advertisements change.

/// The change of the programme that a message announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Splice {
    /// The programme is left (`splice_insert`).
    Out {
        /// The event, which [`In`](Self::In) ends.
        event: u32,
        /// Time until the programme goes on, in ticks of 90 kHz.
        lasts: Option<u64>,
    },
    /// The programme goes on.
    In {
        /// The event.
        event: u32,
    },
    /// Anything else: `time_signal`, a cancelled event, a command of its owner.
    Other,
}

const TABLE: u8 = 0xfc;
const SPLICE_NULL: u8 = 0;
const SPLICE_INSERT: u8 = 5;
const BANDWIDTH_RESERVATION: u8 = 7;

/// Returns the length of the section that begins with these bytes. `None` if they are none.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let [TABLE, high, low, ..] = *bytes else { return None };
    // Three bytes come before what the length counts, and the CRC is the last four.
    let length = 3 + (usize::from(high & 0x0f) << 8 | usize::from(low));
    (length >= 18).then_some(length)
}

/// Returns whether a section only tells that the link is there, or fills it: devices send such sections each few
/// seconds.
///
/// Spec: ANSI/SCTE 35, 9.7.1 and 9.7.5.
pub(super) fn is_heartbeat(section: &[u8]) -> bool {
    let is_encrypted = section.get(4).is_none_or(|flags| flags & 0x80 != 0);
    // Neither command has anything in front of the length of the descriptors.
    let is_empty = section.get(14..16) == Some(&[0, 0]);
    let command = section.get(13);
    let is_none = command.is_some_and(|of| matches!(*of, SPLICE_NULL | BANDWIDTH_RESERVATION));
    !is_encrypted && is_none && is_empty
}

impl Splice {
    /// Reads a section.
    ///
    /// Spec: ANSI/SCTE 35, 9.6 and 9.7.3.
    pub(crate) fn of(section: &[u8]) -> Self {
        Self::read(section).unwrap_or(Self::Other)
    }

    fn read(section: &[u8]) -> Option<Self> {
        let is_encrypted = section.get(4)? & 0x80 != 0;
        if is_encrypted || *section.get(13)? != SPLICE_INSERT {
            return None;
        }
        let command = section.get(14..)?;
        let event = u32::from_be_bytes(*command.first_chunk()?);
        let is_cancelled = command.get(4)? & 0x80 != 0;
        if is_cancelled {
            return None;
        }
        let flags = *command.get(5)?;
        let has = |bit: u8| flags & bit != 0;
        if !has(0x80) {
            return Some(Self::In { event });
        }
        let is_immediate = has(0x10);
        let mut rest = command.get(6..)?;
        if has(0x40) {
            if !is_immediate {
                rest = behind_time(rest)?;
            }
        } else {
            let count = *rest.first()?;
            rest = rest.get(1..)?;
            for _ in 0..count {
                rest = rest.get(1..)?;
                if !is_immediate {
                    rest = behind_time(rest)?;
                }
            }
        }
        let lasts = match has(0x20) {
            true => {
                let [high, low @ ..] = *rest.first_chunk::<5>()?;
                Some(u64::from(high & 1) << 32 | u64::from(u32::from_be_bytes(low)))
            }
            false => None,
        };
        Some(Self::Out { event, lasts })
    }
}

/// Returns what follows a `splice_time`.
fn behind_time(bytes: &[u8]) -> Option<&[u8]> {
    let is_specified = bytes.first()? & 0x80 != 0;
    bytes.get(if is_specified { 5 } else { 1 }..)
}
