#![no_main]

use libfuzzer_sys::fuzz_target;
use smooth_origin_fuzz::bodies;

fuzz_target!(|data: &[u8]| bodies::live_journal::live_journal(data));
