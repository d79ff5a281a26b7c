//! Floor 2: the captions of a fragment, and files of captions. Reads TTML, SubRip and WebVTT; writes WebVTT, `wvtt`
//! samples and TTML.
//!
//! - [`Document`] is a TTML document: the sample of one fragment of a text track. [`Document::cues`]
//!   returns its [`Cue`]s within a [`Window`].
//! - [`WebVttSegment`] writes cues as the text of a WebVTT segment for HLS.
//! - [`ttml_document`] writes cues as a TTML document again.
//! - [`wvtt_samples`] writes cues as samples of a `wvtt` track for DASH and CMAF.
//! - [`WholeDocument`] is a TTML document of a whole film, and cuts it into documents of chunks.
//! - [`Subtitles`] are the cues of a file of SubRip or WebVTT.
//! - [`Loss`] is something in a document that WebVTT cannot express.
//!
//! Spec: W3C TTML1 and TTML2; W3C WebVTT; ISO/IEC 14496-30, 7; RFC 8216, 3.5.
//!
//! ```
//! use smooth_origin::base::{Limits, Timescale};
//! use smooth_origin::captions::{Document, TimeBase, WebVttSegment, Window};
//!
//! let ttml = br#"<tt xmlns="http://www.w3.org/ns/ttml"><body><div>
//!     <p begin="1s" end="00:00:02.500">Fish &amp; chips</p>
//! </div></body></tt>"#;
//! let limits = Limits::default();
//! let document = Document::parse(ttml, &limits)?;
//! let window = Window { timescale: Timescale::SMOOTH, start: 20_000_000, duration: 20_000_000 };
//! let cues = document.cues(TimeBase::Fragment, &window, &limits)?;
//! let text = WebVttSegment::new(Timescale::SMOOTH).write(&cues, &limits)?;
//! assert_eq!(text, "WEBVTT\n\n00:00:03.000 --> 00:00:04.000\nFish &amp; chips\n\n");
//! # Ok::<(), smooth_origin::Error>(())
//! ```

mod attributes;
mod colour;
mod cue;
mod cue_text;
mod cue_times;
mod document;
mod layout;
mod length;
mod loss;
mod markup;
mod namespaces;
mod reading;
mod schedule;
mod seconds;
mod style;
mod style_sheet;
mod subrip;
mod subtitles;
mod text_format;
mod time_base;
mod time_expression;
mod timing;
mod ttml;
mod webvtt;
mod webvtt_place;
mod webvtt_reading;
mod whole_content;
mod whole_document;
mod whole_reading;
mod wvtt;

pub use cue::{Alignment, Cue, CueSettings, Line, LineAlignment, Percent, Vertical};
pub use document::Document;
pub use loss::{Loss, LossKind};
pub use subtitles::Subtitles;
pub use text_format::TextFormat;
pub use time_base::{TimeBase, Window};
pub use ttml::ttml_document;
pub use webvtt::{TimestampMap, WebVttSegment};
pub use whole_document::WholeDocument;
pub use wvtt::{WvttSample, wvtt_samples};
