//! Events of an MPD: messages of SCTE 35 and of ID3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::Timescale;
use crate::manifest::XmlWriter;
use crate::presentation::messages::{Message, Scheme, Splice};
use crate::presentation::{Moment, Presentation};

/// Scheme of messages of SCTE 35 in base64, which have an XML element around them.
///
/// Spec: ANSI/SCTE 214-1, 6.7.4.
const SCTE35: &str = "urn:scte:scte35:2014:xml+bin";

const NAMESPACE: &str = "http://www.scte.org/schemas/35/2016";

/// Scheme of tags of ID3, which are in base64.
///
/// Spec: AOM, Carriage of ID3 timed metadata in CMAF, 2; ISO/IEC 23009-1, 5.10.2.
const ID3: &str = "https://aomedia.org/emsg/ID3";

/// Writes the messages of a presentation. Times of the Period count from `begin`.
pub(super) fn write(xml: &mut XmlWriter, presentation: &Presentation, begin: Moment) {
    let begin = begin.rescaled(Timescale::SMOOTH);
    for (scheme, uri) in [(Scheme::Scte35, SCTE35), (Scheme::Id3, ID3)] {
        let mut messages = presentation.messages(scheme).peekable();
        if messages.peek().is_none() {
            continue;
        }
        xml.open("EventStream");
        xml.attribute("schemeIdUri", uri);
        xml.number("timescale", Timescale::SMOOTH.get());
        xml.children();
        for message in messages {
            write_event(xml, message, begin);
        }
        xml.end("EventStream");
    }
}

fn write_event(xml: &mut XmlWriter, message: &Message, begin: u64) {
    // A break that goes on may have begun before the Period, which has no times before its beginning.
    let before = begin.saturating_sub(message.time);
    xml.open("Event");
    xml.number("presentationTime", message.time.saturating_sub(begin));
    let payload = STANDARD.encode(&message.payload);
    match message.scheme {
        Scheme::Scte35 => {
            if let Splice::Out { lasts: Some(lasts), .. } = Splice::of(&message.payload) {
                // Ticks of 90 kHz.
                let lasts = lasts.saturating_mul(1000) / 9;
                xml.number("duration", lasts.saturating_sub(before));
            }
            xml.number("id", message.id);
            xml.children();
            xml.open("Signal");
            xml.attribute("xmlns", NAMESPACE);
            xml.children();
            xml.open("Binary");
            xml.content(&payload, "Binary");
            xml.end("Signal");
            xml.end("Event");
        }
        Scheme::Id3 => {
            xml.number("id", message.id);
            xml.attribute("contentEncoding", "base64");
            xml.content(&payload, "Event");
        }
    }
}
