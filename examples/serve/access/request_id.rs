//! Names of requests: a proxy's, or new ones.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use common::log::RequestId;
use http::HeaderMap;
use http::header::HeaderName;

/// The field that carries the name of a request.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is taken from a proxy.
const LONGEST: usize = 128;

/// Returns the name that a proxy has given to a request, if it is short and plain.
pub(super) fn given(headers: &HeaderMap) -> Option<RequestId> {
    let mut fields = headers.get_all(X_REQUEST_ID).iter();
    let value = fields.next().filter(|_| fields.next().is_none())?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~:+/=@".contains(byte);
    let fits = (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(is_plain);
    fits.then(|| RequestId::Given(value.clone()))
}

/// Returns a new name. It differs from all others of this process, and very likely from those of others.
pub(super) fn new() -> RequestId {
    static BEGINNING: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("requests"));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    RequestId::Own(mixed(BEGINNING.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
}

/// Spreads a number over all 64 bits, one to one (the finalizer of splitmix64).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
        }
        given(&headers).map(|id| id.to_string())
    }

    #[test]
    fn names_of_proxies_are_short_and_plain() {
        assert_eq!(of(&[b"7f3a-b_c.d~1:2+3/4=@"]).as_deref(), Some("7f3a-b_c.d~1:2+3/4=@"));
        assert!(of(&[&[b'a'; LONGEST]]).is_some());
        for bad in [&b""[..], b"a b", b"a\"b", b"a\\b", b"\xe9", b"a\tb", &[b'a'; LONGEST + 1]] {
            assert_eq!(of(&[bad]), None, "{bad:?}");
        }
        assert_eq!(of(&[b"a", b"b"]), None);
    }

    #[test]
    fn new_names_differ() {
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert_eq!(one.to_field().unwrap().len(), 16);
    }
}
