//! `tfxd`: when a fragment is, absolutely.

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::{Content, FullBox};

/// Absolute time of a fragment: the `tfxd` extended-type box inside `traf`.
///
/// Spec: [MS-SSTR] 2.2.4.4. On-demand readers ignore it; on-demand files may lack it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfxd {
    /// Version and flags as read; version 0 has 32-bit times, all later ones 64-bit.
    pub full: FullBox,
    /// Start of the first sample, in ticks of the track.
    pub time: u64,
    /// Sum of the sample durations, in ticks of the track.
    pub duration: u64,
}

impl Tfxd {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0x6d1d9b05_42d5_44e6_80e2_141daff757b2);

    fn layout(&self) -> FullBox {
        self.full.holding([self.time, self.duration])
    }
}

impl Content for Tfxd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        Ok(Self { full, time: body.word(full.wide())?, duration: body.word(full.wide())? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + if self.layout().wide() { 16 } else { 8 }
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.layout();
        full.write(sink);
        sink.word(self.time, full.wide());
        sink.word(self.duration, full.wide());
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::FourCc;
    use crate::bmff::AnyBox;

    #[test]
    fn truncated_tfxd_names_box_and_offset() {
        let body = Bytes::from_static(&[1, 0, 0, 0, 0, 0, 0, 0]); // version 1 wants 16 bytes after the flags
        let error = Tfxd::parse(&mut Cursor::new(&body, 4096)).unwrap_err();
        let way_up = [b"tfxd", b"traf", b"moof"];
        let error = way_up.into_iter().fold(error, |e, name| e.inside(FourCc(*name)));
        assert_eq!(error.to_string(), "moof/traf/tfxd at byte 4100: needs 8 bytes, has 4");
    }

    #[test]
    fn version_1_is_44_bytes_and_version_0_36() {
        let tfxd = |version, time| Tfxd {
            full: FullBox { version, flags: 0 },
            time,
            duration: 20_020_000,
        };
        let bytes = crate::bmff::Boxes::from_iter([AnyBox::new(tfxd(1, 40_040_000))]).to_bytes();
        assert_eq!(bytes[..4], [0, 0, 0, 0x2c]);
        assert_eq!(
            bytes[24..],
            [1, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x62, 0xf6, 0x40, 0, 0, 0, 0, 0x01, 0x31, 0x7b, 0x20]
        );
        assert_eq!(AnyBox::new(tfxd(0, 5)).len(), 36);
        assert_eq!(AnyBox::new(tfxd(0, u64::MAX)).len(), 44, "a time of 64 bits needs version 1");
    }
}
