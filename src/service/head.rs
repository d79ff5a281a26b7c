//! What the head of a request says, from one look at its fields.

use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Uri, Version};

use super::conditions;

/// What must be known of a request before it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Any condition is among the fields.
    pub(super) has_conditions: bool,
}

impl Head {
    /// Reads the fields of a request.
    ///
    /// # Errors
    /// Says what is wrong with a request that servers must refuse, or that another server could read
    /// differently: RFC 9112, 3.2 (`Host`) and 6.3 (`Content-Length`).
    pub(super) fn read(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Self, &'static str> {
        let (mut has_conditions, mut has_host, mut has_length) = (false, false, false);
        for (name, value) in headers {
            if *name == HOST {
                if has_host {
                    return Err("there is more than one `Host` field");
                }
                if !is_authority(value) {
                    return Err("its `Host` field holds a character that no host has");
                }
                has_host = true;
            } else if *name == CONTENT_LENGTH {
                if has_length || !is_number(value) {
                    return Err("its `Content-Length` is not one number");
                }
                has_length = true;
            } else {
                has_conditions |= conditions::is_condition(name);
            }
        }
        // A host that has read the target of another form keeps the authority in the URI.
        if !has_host && version == Version::HTTP_11 && uri.authority().is_none() {
            return Err("an HTTP/1.1 request has a `Host` field");
        }
        Ok(Self { has_conditions })
    }
}

fn is_number(value: &HeaderValue) -> bool {
    !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Host and port, or nothing.
fn is_authority(value: &HeaderValue) -> bool {
    // All bytes are looked at: most hosts are good ones, and a step without a branch is shorter.
    value.as_bytes().iter().fold(true, |all, &byte| all & IN_AUTHORITY[usize::from(byte)])
}

/// What a host and a port are made of (RFC 3986, 3.2.2 and 3.2.3).
const IN_AUTHORITY: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-._~:[]%!$&'()*+,;=";
    let mut at = 0;
    while at < others.len() {
        allowed[others[at] as usize] = true;
        at += 1;
    }
    allowed
};
