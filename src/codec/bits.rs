//! Bits of a parameter set, most significant first.

/// A reader of bits; it gives `None` past the end.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Up to 32 bits.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | self.bit()?))
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// Skips to the next byte boundary.
    pub(super) fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    /// Returns the number of bytes read so far, including a partly read one.
    pub(super) fn bytes_read(&self) -> usize {
        self.at.div_ceil(8)
    }

    /// Exponential-Golomb, unsigned: `ue(v)` of ISO/IEC 14496-10, 9.1.
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.take(zeros)?)
    }

    /// Exponential-Golomb, signed: `se(v)` of ISO/IEC 14496-10, 9.1.1.
    pub(super) fn se(&mut self) -> Option<i64> {
        let code = i64::from(self.ue()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }

    /// Skips numbers in Exponential-Golomb code.
    pub(super) fn skip_ue(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.ue().map(|_| ()))
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }
}

/// A NAL unit's payload without the bytes that keep it from looking like a start code.
///
/// Spec: ISO/IEC 14496-10, 7.3.1.
pub(super) fn without_emulation_prevention(unit: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        payload.push(byte);
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_golomb_codes_are_read_in_order() {
        // 1 | 010 | 011 | 00100 | 0001 000 (ue 7)
        let bytes = [0b1010_0110, 0b0100_0001, 0b0000_0000];
        let mut bits = Bits::new(&bytes);
        assert_eq!(
            [bits.ue(), bits.ue(), bits.ue(), bits.ue(), bits.ue()],
            [0, 1, 2, 3, 7].map(Some)
        );
        assert_eq!((bits.take(5), bits.take(1)), (Some(0), None));
        // 1 | 010 | 011 | 00100 | 00101
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut bits = Bits::new(&bytes);
        let signed = [bits.se(), bits.se(), bits.se(), bits.se(), bits.se()];
        assert_eq!(signed, [0, 1, -1, 2, -2].map(Some));
        assert_eq!(Bits::new(&[0; 8]).ue(), None);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        assert_eq!(without_emulation_prevention(&[1, 0, 0, 3, 0, 0, 3, 3]), [1, 0, 0, 0, 0, 3]);
        assert_eq!(without_emulation_prevention(&[0, 3, 0, 0, 0, 3]), [0, 3, 0, 0, 0]);
    }
}
