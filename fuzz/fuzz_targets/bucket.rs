#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smooth_origin_fuzz::bodies::bucket::bucket(data));
