//! The protocol of a connection, by its first bytes.

use std::io;

use tokio::net::TcpStream;

/// The kind of the first bytes that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The beginning of HTTP/2 without TLS (RFC 9113, 3.4): `PRI`, which is no method of HTTP/1.
    Http2,
    /// A method of HTTP/1.
    Letters,
    /// Anything else: of TLS, most likely.
    Other,
}

impl First {
    /// Waits for the first bytes, and leaves them where they are.
    ///
    /// # Errors
    /// The connection is lost.
    pub(super) async fn of(stream: &TcpStream) -> io::Result<Self> {
        let mut bytes = [0; 3];
        let length = stream.peek(&mut bytes).await?;
        Ok(Self::of_bytes(&bytes[..length]))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        match bytes {
            b"PRI" => Self::Http2,
            [first, ..] if first.is_ascii_alphabetic() => Self::Letters,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_prefaces_and_handshakes_are_told_apart() {
        assert_eq!(First::of_bytes(b"PRI"), First::Http2);
        for letters in [&b"GET"[..], b"G", b"PUR", b"pri", b"P"] {
            assert_eq!(First::of_bytes(letters), First::Letters);
        }
        for other in [&b"\x16\x03\x01"[..], b"", b"\r\nG"] {
            assert_eq!(First::of_bytes(other), First::Other);
        }
    }
}
