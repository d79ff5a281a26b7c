//! The HTTP service by the words of RFC 9110, RFC 9111 and the Fetch standard: what each request
//! is answered with, what caches are told, and what a request costs the store.

#![cfg(feature = "http")]

mod asked;
mod caching;
mod changes;
#[cfg(all(feature = "dash", feature = "hls"))]
mod clips;
#[cfg(feature = "compression")]
mod codings;
mod conditions;
mod cross_origin;
#[cfg(all(unix, feature = "fs"))]
mod failures;
mod files;
mod folders;
mod fragment_cache;
mod framing;
mod load;
#[cfg(feature = "tower")]
mod nested;
mod outputs;
mod plain;
mod ranges;
mod redirects;
mod request_table;
#[cfg(any(feature = "dash", feature = "hls"))]
mod segment_heads;
#[cfg(all(feature = "dash", feature = "hls"))]
mod segmented;
mod settling;
mod stores;
