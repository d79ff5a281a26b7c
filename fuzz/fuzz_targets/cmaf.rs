#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use smooth_origin_fuzz::{bodies, mutate};

fuzz_target!(|data: &[u8]| bodies::cmaf::cmaf(data));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::cmaf(data, size, max_size, seed)
});
