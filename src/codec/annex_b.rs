//! Parameter sets as Annex B writes them: each behind a start code.

use bytes::Bytes;

use super::invalid;
use crate::base::{Error, Sink};

/// Most parameter sets that are looked at: what `avcC` can count.
const MAX_UNITS: usize = 31;

/// Each unit behind a start code of four bytes.
pub(super) fn join(units: impl Iterator<Item = Bytes> + Clone) -> Bytes {
    let mut sink = Sink::with_len(units.clone().map(|unit| 4 + unit.len()).sum());
    for unit in units {
        sink.u32(1);
        sink.put(&unit);
    }
    sink.finish()
}

/// The units between start codes of three bytes or four: few enough, and each short enough, for a
/// decoder configuration to count them.
///
/// # Errors
/// When there are more, or longer ones.
pub(super) fn split(bytes: &Bytes) -> Result<Vec<Bytes>, Error> {
    let units = units(bytes);
    let fits = units.len() <= MAX_UNITS && units.iter().all(|unit| unit.len() < 1 << 16);
    if fits { Ok(units) } else { Err(invalid("more or longer parameter sets than can be counted")) }
}

fn units(bytes: &Bytes) -> Vec<Bytes> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= bytes.len() {
        if bytes[at..at + 3] == [0, 0, 1] {
            starts.push(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([bytes.len()]);
    starts.iter().zip(ends).map(|(&start, end)| trimmed(bytes.slice(start..end))).collect()
}

/// Zeros before the next start code are its own, or fill.
fn trimmed(mut unit: Bytes) -> Bytes {
    while unit.last() == Some(&0) {
        unit.truncate(unit.len() - 1);
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_units_split_again() {
        let units = [Bytes::from_static(&[0x67, 1, 2]), Bytes::from_static(&[0x68, 3])];
        let joined = join(units.iter().cloned());
        assert_eq!(joined, [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3][..]);
        assert_eq!(split(&joined).unwrap(), units);
        assert_eq!(split(&joined.slice(1..)).unwrap(), units, "a start code of three bytes");
        assert!(split(&Bytes::from_static(&[1, 2, 3])).unwrap().is_empty());
        assert!(split(&Bytes::new()).unwrap().is_empty());
    }

    #[test]
    fn more_than_a_configuration_can_count_is_refused() {
        let unit = Bytes::from_static(&[0x67]);
        assert!(split(&join(std::iter::repeat_n(unit.clone(), 31))).is_ok());
        assert!(split(&join(std::iter::repeat_n(unit.clone(), 32))).is_err());
        assert!(split(&join([Bytes::from(vec![0x67; 1 << 16])].into_iter())).is_err());
    }
}
