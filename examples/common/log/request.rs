//! The request that a thread works for, so that lines about its failures name it.

use std::cell::RefCell;
use std::fmt;

use http::HeaderValue;

/// The name of a request in logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestId {
    /// Made by this server.
    Own(u64),
    /// Sent by a proxy. The host checks that it is short and plain.
    Given(HeaderValue),
}

impl RequestId {
    /// Appends it.
    pub fn write_to(&self, to: &mut Vec<u8>) {
        match self {
            Self::Own(number) => to.extend_from_slice(&hexadecimal(*number)),
            Self::Given(value) => to.extend_from_slice(value.as_bytes()),
        }
    }

    /// Returns it as the value of a header field.
    pub fn to_field(&self) -> Option<HeaderValue> {
        match self {
            Self::Own(number) => HeaderValue::from_bytes(&hexadecimal(*number)).ok(),
            Self::Given(value) => Some(value.clone()),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes);
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

/// Returns the digits of a number.
fn hexadecimal(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().enumerate() {
        // The index is less than 16.
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * place) & 15) as usize];
    }
    digits
}

thread_local! {
    static CURRENT: RefCell<Option<RequestId>> = const { RefCell::new(None) };
}

/// Does a piece of work for a request: lines that are logged meanwhile have its id.
pub fn during<T>(id: &RequestId, work: impl FnOnce() -> T) -> T {
    /// Puts back what was before, also if the work panics.
    struct Before(Option<RequestId>);
    impl Drop for Before {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _before = Before(CURRENT.replace(Some(id.clone())));
    work()
}

/// Returns the id of the request that this thread works for.
pub(super) fn current() -> Option<RequestId> {
    CURRENT.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_during_the_work_alone() {
        let (outer, inner) = (RequestId::Own(1), RequestId::Own(0x2a));
        during(&outer, || {
            during(&inner, || assert_eq!(current(), Some(inner.clone())));
            assert_eq!(current(), Some(outer.clone()));
        });
        assert_eq!(current(), None);
        assert_eq!(inner.to_string(), "000000000000002a");
    }
}
