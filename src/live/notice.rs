//! Notices for an operator's log.

use std::fmt;
use std::sync::Arc;

use super::moment::Duration;
use crate::base::Error;

/// Something about encoders and tracks that an operator may want to know.
///
/// `Display` writes one sentence that begins with the track or the encoder and says what to do, if the
/// operator can do something. Names are escaped, so that no encoder can forge a line of a log. What may
/// happen with each fragment is told the first, the second, the fourth, the eighth time, and so on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// The subject.
    pub kind: NoticeKind,
    /// The encoder, as the host knows it, if the notice is about one.
    pub encoder: Option<Arc<str>>,
    /// Identifier of the stream that it pushes.
    pub stream: Option<Arc<str>>,
    /// The track, by its stream and bitrate, if the notice is about one.
    pub track: Option<Arc<str>>,
}

/// The subject of a [`Notice`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NoticeKind {
    /// An encoder sends the header of a stream.
    EncoderCame,
    /// An encoder is gone.
    #[non_exhaustive]
    EncoderWent {
        /// True if it said that nothing follows (`mfra`).
        has_ended: bool,
    },
    /// A track is new in the event.
    TrackCame,
    /// Fragments are dropped because the track has those of another encoder, or of an earlier push.
    #[non_exhaustive]
    Duplicate {
        /// Number of such fragments so far.
        count: u64,
    },
    /// A track has a gap. No encoder filled it in time.
    #[non_exhaustive]
    Gap {
        /// Begin of the gap, since media time 0.
        from: Duration,
        /// Length of the gap.
        length: Duration,
    },
    /// An encoder filled a gap of another one.
    #[non_exhaustive]
    GapFilled {
        /// Start of the fragment, since media time 0.
        at: Duration,
    },
    /// A fragment came after later ones were published, and is dropped.
    #[non_exhaustive]
    OutOfOrder {
        /// Start of the fragment, since media time 0.
        at: Duration,
        /// Number of such fragments so far.
        count: u64,
    },
    /// A fragment overlaps what is published, because the encoder cuts at other times, and is dropped.
    #[non_exhaustive]
    Misaligned {
        /// Start of the fragment, since media time 0.
        at: Duration,
        /// Number of such fragments so far.
        count: u64,
    },
    /// The times of an encoder are those of another clock. Its fragments are dropped while another encoder
    /// pushes the same tracks.
    #[non_exhaustive]
    ClocksDisagree {
        /// Seconds by which its times are ahead.
        seconds: f64,
    },
    /// The times of an encoder whose clock was another one are those of the event again.
    ClocksAgree,
    /// The clocks of the encoders have gone from the host's clock since the event began.
    #[non_exhaustive]
    ClockDrifts {
        /// Seconds by which media time is behind the host's clock.
        seconds: f64,
    },
    /// The times of an encoder began anew or jumped, and are moved.
    #[non_exhaustive]
    TimesMoved {
        /// Seconds that are added to all of its times.
        seconds: f64,
    },
    /// A counter of 32 bits began anew in an encoder; times go on.
    TimesWrapped,
    /// The times or the codec data of an encoder began anew, so a new event begins.
    Restarted,
    /// An encoder sends a track with other codec data than before. Its fragments are dropped.
    CodecChanged,
    /// An encoder sends a track with another timescale than the others of its stream. Its fragments are
    /// dropped.
    TimescaleDiffers,
    /// A part of a push cannot be used.
    #[non_exhaustive]
    Refused {
        /// The reason.
        error: Error,
        /// Number of refused parts so far.
        count: u64,
    },
    /// Messages in boxes `emsg` beside the fragments are not read.
    #[non_exhaustive]
    MessagesPassed {
        /// Number of such messages so far.
        count: u64,
    },
    /// The samples of a track of events (`evte`, `urim`) are not read: only Smooth Streaming has them.
    EventsUnread,
    /// Fragments of a track begin without a key frame.
    WithoutKeyFrame,
    /// A fragment was dropped.
    #[non_exhaustive]
    Dropped {
        /// The reason.
        why: &'static str,
        /// Number of such fragments so far.
        count: u64,
    },
    /// The beginning of a fragment lies before media time 0. Its time is 0 now.
    Cut,
    /// The event begins without some streams that were announced.
    #[non_exhaustive]
    StreamsMissing {
        /// Identifiers of the streams.
        streams: Vec<Arc<str>>,
    },
    /// The memory of all publishing points is short, so the window of this one is shorter than it should be.
    #[non_exhaustive]
    MemoryShort {
        /// The window.
        window: Duration,
    },
}

impl NoticeKind {
    /// Returns a stable word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::EncoderCame => "encoder-came",
            Self::EncoderWent { .. } => "encoder-went",
            Self::TrackCame => "track-came",
            Self::Duplicate { .. } => "duplicate",
            Self::Gap { .. } => "gap",
            Self::GapFilled { .. } => "gap-filled",
            Self::OutOfOrder { .. } => "out-of-order",
            Self::Misaligned { .. } => "misaligned",
            Self::ClocksDisagree { .. } => "clocks-disagree",
            Self::ClocksAgree => "clocks-agree",
            Self::ClockDrifts { .. } => "clock-drifts",
            Self::TimesMoved { .. } => "times-moved",
            Self::TimesWrapped => "times-wrapped",
            Self::Restarted => "restarted",
            Self::CodecChanged => "codec-changed",
            Self::TimescaleDiffers => "timescale-differs",
            Self::Refused { .. } => "refused",
            Self::MessagesPassed { .. } => "messages-passed",
            Self::EventsUnread => "events-unread",
            Self::WithoutKeyFrame => "without-key-frame",
            Self::Dropped { .. } => "dropped",
            Self::Cut => "cut",
            Self::StreamsMissing { .. } => "streams-missing",
            Self::MemoryShort { .. } => "memory-short",
        }
    }

    /// Returns true if players lose something, or redundancy is lost.
    pub fn is_warning(&self) -> bool {
        !matches!(
            self,
            Self::EncoderCame
                | Self::EncoderWent { has_ended: true }
                | Self::TrackCame
                | Self::Duplicate { .. }
                | Self::GapFilled { .. }
                | Self::ClocksAgree
                | Self::TimesWrapped
                | Self::Cut
        )
    }
}

impl Notice {
    pub(crate) fn new(kind: NoticeKind) -> Self {
        Self { kind, encoder: None, stream: None, track: None }
    }

    pub(super) fn of(mut self, encoder: &Arc<str>, stream: &Arc<str>) -> Self {
        (self.encoder, self.stream) = (Some(Arc::clone(encoder)), Some(Arc::clone(stream)));
        self
    }

    pub(super) fn on(mut self, track: &Arc<str>) -> Self {
        self.track = Some(Arc::clone(track));
        self
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(track) = &self.track {
            write!(f, "track {}", track.escape_debug())?;
            f.write_str(if self.encoder.is_some() { " of " } else { " " })?;
        }
        if let Some(encoder) = &self.encoder {
            write!(f, "encoder {}", encoder.escape_debug())?;
            if let Some(stream) = &self.stream {
                write!(f, " (Streams({}))", stream.escape_debug())?;
            }
            f.write_str(if self.track.is_some() { ": " } else { " " })?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |duration: &Duration| format!("{:.3} s", duration.as_secs_f64());
        match self {
            Self::EncoderCame => f.write_str("pushes"),
            Self::EncoderWent { has_ended: true } => f.write_str("has said that its streams end"),
            Self::EncoderWent { has_ended: false } => f.write_str(
                "is gone without an end of its streams; the event goes on when it pushes again, and ends when the publishing point is stopped",
            ),
            Self::TrackCame => f.write_str("is part of the event now"),
            Self::Duplicate { count } => {
                write!(f, "fragments that the track already has are dropped ({count} so far)")
            }
            Self::Gap { from, length } => write!(
                f,
                "has a gap of {} at {}: no encoder sent it in time; check the encoder and its network, or push with a second encoder",
                seconds(length),
                seconds(from)
            ),
            Self::GapFilled { at } => {
                write!(f, "the fragment at {} fills a gap of another encoder", seconds(at))
            }
            Self::OutOfOrder { at, count } => write!(
                f,
                "the fragment at {} came after later ones were published and is dropped ({count} so far)",
                seconds(at)
            ),
            Self::Misaligned { at, count } => write!(
                f,
                "the fragment at {} overlaps what is published and is dropped ({count} so far); let all encoders cut fragments at the same times",
                seconds(at)
            ),
            Self::ClocksDisagree { seconds } => write!(
                f,
                "has times that are {} s {} those of the event; nothing of it is used while another encoder pushes these tracks; set the clocks of both encoders by the same source",
                seconds.abs().round(),
                if *seconds < 0.0 { "behind" } else { "ahead of" }
            ),
            Self::ClocksAgree => f.write_str("has the times of the event again, and is used"),
            Self::ClockDrifts { seconds } => write!(
                f,
                "media time is {:.1} s {} the host's clock since the event began, so players of DASH are that much nearer to, or farther from, what is live; set the clocks of encoders and host by the same source",
                seconds.abs(),
                if *seconds < 0.0 { "ahead of" } else { "behind" }
            ),
            Self::TimesMoved { seconds } => write!(
                f,
                "began anew with other times; {seconds:.3} s are added to them so that the event goes on"
            ),
            Self::TimesWrapped => {
                f.write_str("times of 32 bits began anew; the track goes on without a gap")
            }
            Self::Restarted => f.write_str("began anew, so a new event begins"),
            Self::CodecChanged => f.write_str(
                "codec data differs from that with which the track began; its fragments are dropped; push with another EventID or bitrate, or stop and start the publishing point",
            ),
            Self::TimescaleDiffers => f.write_str(
                "the timescale differs from that of its stream; its fragments are dropped; give all qualities and encoders the same timescale",
            ),
            Self::Refused { error, count } => {
                write!(f, "a part of the push is not used ({count} so far): {error}")
            }
            Self::MessagesPassed { count } => write!(
                f,
                "messages in `emsg` boxes are not read ({count} so far), and players do not get them; push them as a track of subtype `DATA`"
            ),
            Self::EventsUnread => f.write_str(
                "its events are not read, and players of DASH and HLS do not get them; push messages as a track of subtype `DATA`",
            ),
            Self::WithoutKeyFrame => f.write_str(
                "fragments begin without a key frame, so players cannot begin or switch there; let the encoder begin each fragment with one",
            ),
            Self::Dropped { why, count } => write!(f, "a fragment is dropped ({count} so far): {why}"),
            Self::Cut => f.write_str("begins before media time 0; its first fragment is published at 0"),
            Self::StreamsMissing { streams } => {
                f.write_str("the event begins without streams that were announced:")?;
                streams.iter().try_for_each(|stream| write!(f, " {}", stream.escape_debug()))
            }
            Self::MemoryShort { window } => write!(
                f,
                "the memory for live events is short: players can go back {} and no further; set a shorter window, or give more memory",
                seconds(window)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_a_sentence_with_its_subject_first_and_forges_no_line() {
        let (encoder, stream) = ("10.0.0.1\nfatal: x".into(), "a".into());
        let notice = Notice::new(NoticeKind::Duplicate { count: 2 }).of(&encoder, &stream);
        let text = notice.on(&"video 500000".into()).to_string();
        assert_eq!(
            text,
            "track video 500000 of encoder 10.0.0.1\\nfatal: x (Streams(a)): fragments that the track already has are dropped (2 so far)"
        );
        let (from, length) = (Duration::from_secs(10), Duration::from_millis(2002));
        let gap = Notice::new(NoticeKind::Gap { from, length }).on(&"audio 64000".into());
        assert!(gap.to_string().starts_with("track audio 64000 has a gap of 2.002 s at 10.000 s"));
        assert!(gap.kind.is_warning());
    }
}
