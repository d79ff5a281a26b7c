//! Units of time as whole numbers, and exact conversion between them.

use std::fmt;
use std::num::NonZeroU64;

/// Ticks per second; `10_000_000` for most Smooth presentations. Never zero.
///
/// Spec: [MS-SSTR] 2.2.2.1, attribute `TimeScale`.
///
/// ```
/// use smooth_origin::base::Timescale;
/// let audio = Timescale::new(48_000).unwrap();
/// assert_eq!(audio.rescale_floor(1024, Timescale::SMOOTH), Some(213_333));
/// assert_eq!(Timescale::SMOOTH.rescale_round(213_333, audio), Some(1024));
/// assert_eq!(Timescale::SMOOTH.rescale_signed(-213_333, audio), Some(-1024));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timescale(NonZeroU64);

impl Timescale {
    /// Timescale of a manifest that names none: units of 100 ns.
    pub const SMOOTH: Self = Self(NonZeroU64::new(10_000_000).unwrap());

    /// Returns the timescale, or `None` if `ticks_per_second` is zero.
    pub const fn new(ticks_per_second: u64) -> Option<Self> {
        match NonZeroU64::new(ticks_per_second) {
            Some(ticks) => Some(Self(ticks)),
            None => None,
        }
    }

    /// Ticks per second.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Ticks of `self` as ticks of `to`, rounded down; `None` when the result exceeds `u64`.
    pub fn rescale_floor(self, ticks: u64, to: Self) -> Option<u64> {
        if self == to {
            return Some(ticks);
        }
        let wide = u128::from(ticks) * u128::from(to.get()) / u128::from(self.get());
        u64::try_from(wide).ok()
    }

    /// Ticks of `self` as ticks of `to`, rounded to the nearest (halves up); `None` when the
    /// result exceeds `u64`.
    pub fn rescale_round(self, ticks: u64, to: Self) -> Option<u64> {
        if self == to {
            return Some(ticks);
        }
        let wide = u128::from(ticks) * u128::from(to.get()) + u128::from(self.get() / 2);
        u64::try_from(wide / u128::from(self.get())).ok()
    }

    /// Returns ticks of `self`, which may be before 0, as ticks of `to`, rounded to the nearest
    /// (halves away from 0); `None` if the result exceeds `i64`.
    pub fn rescale_signed(self, ticks: i64, to: Self) -> Option<i64> {
        let magnitude = self.rescale_round(ticks.unsigned_abs(), to)?;
        let magnitude = i64::try_from(magnitude).ok()?;
        Some(if ticks < 0 { -magnitude } else { magnitude })
    }
}

impl fmt::Display for Timescale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
