#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| smooth_origin_fuzz::bodies::request_paths::request_paths(data)
);
