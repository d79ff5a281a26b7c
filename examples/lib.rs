//! Examples of `smooth-origin`: `cargo run --release --example serve`.
