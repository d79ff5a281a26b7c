//! Tests of the public API and of the repository, a file a subject: one program, because to link sixty takes
//! minutes and gigabytes. `cargo test --test suite SUBJECT::` runs the tests of one.

mod assembled;
mod bare_mp4;
mod boxes;
mod bucket;
mod bucket_http;
mod bucket_links;
mod bucket_servers;
mod captions;
mod changing_files;
mod codecs;
mod conformance;
mod corpus;
mod cut_off;
mod damaged_fragments;
mod disk_cache;
mod events;
mod findings_table;
mod folders;
mod fragment_times;
mod fragmented_sources;
mod generated_manifests;
mod hybrid;
mod index_files;
mod init_segments;
mod key_frame_segments;
mod layering;
mod links;
mod lint;
#[cfg(feature = "live")]
mod live_archive;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_captions;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_end;
#[cfg(feature = "live")]
mod live_films;
#[cfg(all(feature = "live", feature = "object-store", feature = "dash", feature = "hls"))]
mod live_follow;
#[cfg(all(feature = "live", feature = "object-store", feature = "dash", feature = "hls"))]
mod live_follow_newer;
#[cfg(all(feature = "http", feature = "live"))]
mod live_headers;
#[cfg(all(feature = "http", feature = "live"))]
mod live_ingest;
#[cfg(all(feature = "http", feature = "live"))]
mod live_ingest_limits;
#[cfg(feature = "live")]
mod live_intake;
#[cfg(feature = "live")]
mod live_kills;
#[cfg(feature = "live")]
mod live_manifest_box;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_messages;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_outputs;
#[cfg(feature = "live")]
mod live_point;
#[cfg(feature = "live")]
mod live_recovery;
#[cfg(all(feature = "dash", feature = "live"))]
mod live_restarts;
#[cfg(feature = "live")]
mod live_rivals;
#[cfg(all(feature = "http", feature = "live"))]
mod live_segments;
#[cfg(feature = "live")]
mod live_shown;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_texts;
#[cfg(feature = "live")]
mod live_tracks;
#[cfg(all(feature = "http", feature = "live", feature = "dash", feature = "hls"))]
mod live_windows;
mod manifests;
mod mend;
mod metrics;
mod misfits;
mod mix_ups;
mod negative_results;
mod one_bad_track;
mod opened_memory;
mod opening;
mod opening_holds_up_nothing;
mod opening_rounds;
mod origin;
mod origin_requests;
mod package;
mod package_fragments;
mod package_text;
#[cfg(feature = "package")]
mod packaging;
mod pairing;
mod percent_signs;
mod players;
mod progressive;
mod progressive_groups;
mod read_ahead;
mod readme;
mod reads_per_fragment;
mod revalidation;
mod rewritten;
mod sample_tables;
mod service_types;
mod settling;
mod sick_stores;
mod sidx;
mod sliceable;
mod stats;
mod stored_bodies;
mod stored_manifests;
mod subtitles;
mod survey;
mod tracing;
mod track_names;
mod track_properties;
mod whole_reads;
