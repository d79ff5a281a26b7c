//! Messages of SCTE 35 in a media playlist.

use std::fmt;

use super::attributes::Tag;
use crate::base::Timescale;
use crate::presentation::messages::{Scheme, Splice};
use crate::presentation::{Moment, Presentation};

/// Writes a tag for each message.
///
/// Identifiers do not depend on what else is listed: they stay when older messages leave the window.
///
/// A return to the programme has the identifier, the start and the end of the break that it ends. The end is its date
/// alone: a duration beside it would have to be the exact difference of two dates, which are rounded. Without a known
/// break, or if another message has ended that, it is a command, as all messages but `splice_insert` are. A break that
/// is begun again for the same time has one tag: two of one identifier may not differ.
///
/// Spec: RFC 8216, 4.3.2.7 and 4.3.2.7.1.
pub(super) fn write(text: &mut String, presentation: &Presentation) {
    let date =
        |ticks| presentation.date_of(Moment { ticks, timescale: Timescale::SMOOTH }).to_string();
    for message in presentation.messages(Scheme::Scte35) {
        let section = Hexadecimal(&message.payload);
        let splice = Splice::of(&message.payload);
        if matches!(splice, Splice::Out { event, .. } if presentation.has_begun(message, event)) {
            continue;
        }
        let tag = Tag::new(text, "#EXT-X-DATERANGE");
        let begun = match splice {
            Splice::In { event } => presentation.break_before(message, event),
            Splice::Out { .. } | Splice::Other => None,
        };
        match (splice, begun) {
            (Splice::Out { event, lasts }, _) => {
                let tag = tag
                    .quoted("ID", &identifier(event, message.time))
                    .quoted("START-DATE", &date(message.time));
                let tag = match lasts {
                    Some(lasts) => tag.plain("PLANNED-DURATION", Seconds(lasts)),
                    None => tag,
                };
                tag.plain("SCTE35-OUT", section).end();
            }
            (Splice::In { event }, Some(begun)) => {
                let from = begun.time;
                tag.quoted("ID", &identifier(event, from))
                    .quoted("START-DATE", &date(from))
                    .quoted("END-DATE", &date(message.time))
                    .plain("SCTE35-IN", section)
                    .end();
            }
            (Splice::In { .. } | Splice::Other, _) => {
                let id = format!("scte35-{}-{}-{:032x}", message.id, message.time, message.hash());
                tag.quoted("ID", &id)
                    .quoted("START-DATE", &date(message.time))
                    .plain("SCTE35-CMD", section)
                    .end();
            }
        }
    }
}

fn identifier(event: u32, from: u64) -> String {
    format!("splice-{event}-{from}")
}

struct Hexadecimal<'a>(&'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Ticks of which a second has 90,000.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.saturating_mul(1000) / 90_000;
        write!(f, "{}.{:03}", millis / 1000, millis % 1000)
    }
}
