//! Which presentation is asked for next.

/// Zipf's law: the presentation of rank `k` is asked for `k^-s` times as often as the first.
pub struct Popularity {
    /// The sum of the weights of each rank and of all ranks before it.
    sums: Vec<f64>,
}

impl Popularity {
    /// With `s` of 0 all are asked for alike.
    pub fn zipf(s: f64, count: usize) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count).map(|rank| (rank as f64).powf(-s));
        Self {
            sums: weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        }
    }

    /// The number of presentations.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// The number of a presentation, given a number without order.
    pub fn pick(&self, random: u64) -> usize {
        let count = self.sums.len();
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let at = part * self.sums[count - 1];
        let rank = self.sums.partition_point(|&sum| sum <= at).min(count - 1);
        // A prime, so that neighbours in rank lie apart.
        (rank * 1_000_003 + 31) % count
    }
}

/// Numbers without order: SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
