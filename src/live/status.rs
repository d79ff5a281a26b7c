//! The status of a publishing point, for operators.

use std::sync::Arc;

use super::PointState;
use super::moment::Duration;
use crate::manifest::StreamKind;

/// Status of a publishing point, for a page or a metric.
///
/// ```
/// use smooth_origin::Name;
/// use smooth_origin::live::{PointOptions, PointState, PublishingPoint};
///
/// let point = PublishingPoint::new(Name::new("a.isml").unwrap(), PointOptions::default());
/// let status = point.status();
/// assert_eq!(status.state, PointState::Idle);
/// assert!(status.streams.is_empty() && status.encoders.is_empty());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PointStatus {
    /// State of the point.
    pub state: PointState,
    /// Identifier of the event, as the encoders' URL has it.
    pub event: Option<Arc<str>>,
    /// Number of the event, from 1; 0 before the first one.
    pub number: u64,
    /// Streams with their tracks, in the order of the manifest.
    pub streams: Vec<StreamStatus>,
    /// Encoders of the event, in the order in which they came.
    pub encoders: Vec<EncoderStatus>,
    /// Bytes of fragments that were taken and are not published yet.
    pub held_bytes: u64,
    /// Number of the newest snapshot.
    pub published: u64,
    /// Seconds by which media time is behind the host's clock since the event began; `None` until a minute is
    /// measured.
    pub drift: Option<f64>,
    /// Streams that a stream manifest announced and that have not come.
    pub missing: Vec<Arc<str>>,
}

/// Status of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamStatus {
    /// Kind of the stream.
    pub kind: StreamKind,
    /// Name, as in the manifest.
    pub name: Arc<str>,
    /// Tracks, in the order in which they came.
    pub tracks: Vec<TrackStatus>,
    /// Number of chunks that were published.
    pub chunks: u64,
    /// End of the newest published chunk, since media time 0.
    pub end: Duration,
}

/// Status of a track.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrackStatus {
    /// Bits per second, as in the manifest; 0 until they are known.
    pub bitrate: u32,
    /// Language, if the encoder says one.
    pub language: Option<Arc<str>>,
    /// Number of fragments that were published.
    pub fragments: u64,
    /// Bytes of fragments that were published.
    pub bytes: u64,
    /// Number of gaps before published fragments.
    pub gaps: u64,
    /// Number of fragments that another one of the same time made superfluous.
    pub duplicates: u64,
    /// Number of fragments that were dropped for another reason.
    pub dropped: u64,
    /// Time from the arrival of the newest published fragment to its publication.
    pub latency: Duration,
    /// Time since its newest fragment was published, as of the last [tick](super::PublishingPoint::tick) or push; `None` if none was
    /// since the process began.
    pub newest: Option<Duration>,
}

/// Status of an encoder, which is who pushes a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncoderStatus {
    /// Name of the encoder, as the host knows it.
    pub encoder: Arc<str>,
    /// Identifier of the stream, as the encoder's URL has it.
    pub stream: Arc<str>,
    /// True while it pushes.
    pub is_connected: bool,
    /// Number of pushes so far.
    pub pushes: u64,
    /// Bytes of fragments that it sent.
    pub bytes: u64,
    /// Bits per second that it sent of late.
    pub bits_per_second: u64,
    /// Time since its last fragment, if it sent one.
    pub silent: Option<Duration>,
    /// Seconds by which its times are moved; `None` while they are those of another clock, and nothing
    /// of it is published.
    pub moved: Option<f64>,
}
