//! `Accept-Encoding`, RFC 9110, 12.5.3.

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// A content coding in which texts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentCoding {
    Brotli,
    Gzip,
}

impl ContentCoding {
    /// All codings, the one with the smaller bodies first.
    pub(super) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Name of the coding in header fields and ETags.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the codings that a request accepts, the preferred one first. A client that refuses the
    /// plain form is given it all the same where there is no other, as the clause allows.
    pub(super) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = Self> + use<> {
        let fields = headers.get_all(ACCEPT_ENCODING).iter();
        Self::by_weight(weights(fields.map(HeaderValue::as_bytes)))
    }

    /// Returns the codings that a request with one field of this value accepts, the preferred one first.
    pub(super) fn accepted_by(field: &[u8]) -> impl Iterator<Item = Self> + use<> {
        Self::by_weight(weights(std::iter::once(field)))
    }

    fn by_weight([brotli, gzip, plain]: [u16; 3]) -> impl Iterator<Item = Self> + use<> {
        let (brotli, gzip) = ((brotli, Self::Brotli), (gzip, Self::Gzip));
        // Of two that are wanted alike, ours comes first.
        let weights = if gzip.0 > brotli.0 { [gzip, brotli] } else { [brotli, gzip] };
        weights.into_iter().filter(move |(weight, _)| *weight > 0 && *weight >= plain).map(|w| w.1)
    }
}

/// Names of codings, and the indexes of their weights. `x-gzip` is an old one (RFC 9110, 8.4.1.3).
const NAMES: [(&str, usize); 4] = [("br", 0), ("gzip", 1), ("x-gzip", 1), ("identity", 2)];

/// Returns the weights of brotli, gzip and the plain form, in thousandths; 0 for one that is not
/// accepted.
fn weights<'a>(fields: impl Iterator<Item = &'a [u8]>) -> [u16; 3] {
    let (mut own, mut any) = ([None; 3], None);
    for element in fields.flat_map(|field| field.split(|&byte| byte == b',')) {
        let end = element.iter().position(|&byte| byte == b';');
        let (name, parameters) = element.split_at(end.unwrap_or(element.len()));
        let name = name.trim_ascii();
        let weight =
            match NAMES.iter().position(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())) {
                Some(at) => &mut own[NAMES[at].1],
                None if name == b"*" => &mut any,
                None => continue,
            };
        *weight = (*weight).max(quality(parameters));
    }
    own.map(|own| own.or(any).unwrap_or(0))
}

/// Returns the weight in `;q=0.5`; 1 if there is none; `None` if it is malformed.
fn quality(parameters: &[u8]) -> Option<u16> {
    let [b';', parameters @ ..] = parameters else { return Some(1000) };
    let parameters = std::str::from_utf8(parameters).ok()?;
    let Some((name, value)) = parameters.split_once('=') else {
        return parameters.trim().is_empty().then_some(1000);
    };
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::ContentCoding::{Brotli, Gzip};
    use super::*;

    #[test]
    fn codings_come_by_their_weights() {
        let accepted = |field: &str| -> Vec<ContentCoding> {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
            ContentCoding::accepted(&headers).collect()
        };
        for (field, codings) in [
            ("gzip, deflate, br", &[Brotli, Gzip][..]),
            ("GZIP", &[Gzip]),
            ("x-gzip", &[Gzip]),
            ("br;q=0.5, gzip;q=0.9", &[Gzip, Brotli]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0.1, br;q=0", &[Gzip]),
            ("gzip;q=0", &[]),
            ("gzip;q=0.000", &[]),
            ("gzip ; q = 1.0", &[Gzip]),
            ("gzip;q=0.5, identity", &[]),
            ("gzip, identity;q=0", &[Gzip]),
            ("gzip;q=2", &[]),
            ("gzip;q=x", &[]),
            ("gzip;level=9", &[]),
            ("deflate", &[]),
            ("", &[]),
        ] {
            assert_eq!(accepted(field), codings, "{field}");
        }
        assert_eq!(ContentCoding::accepted(&HeaderMap::new()).count(), 0);
    }
}
