//! The input of the opening target: a few files in one row of bytes.
//!
//! A row of parts, each of a letter, a length in three bytes (big-endian), and, except for holes,
//! as many bytes. What the letter stands for is lengthened by the part:
//!
//! | Letter | Part of |
//! |---|---|
//! | `s` | the server manifest, `film.ism` |
//! | `c` | the client manifest, `film.ismc`; without a part there is no such file |
//! | `1` `2` `3` | a media file, `1.ismv` to `3.ismv`; likewise |
//! | `x` `y` `z` | a hole in media file 1, 2 or 3: zeros that take no bytes here |
//! | `m` | the manifest of a folder, `film.ism/Manifest`; with a part, `film.ism` is that folder |
//! | `f` | a file in that folder: its path, a zero, its bytes; each part is a file |
//! | `e` | reads of the opening that fail, a byte each: two bits of how, six of the read's number |
//!
//! Other letters are passed over. A last part that is cut short ends with the bytes that are there.

use smooth_origin::base::ReadErrorKind;

/// Longest media file: holes make large ones.
const MAX_FILE: usize = 4 << 20;

/// Files of a folder.
const MAX_FILES: usize = 64;

/// Zeros in a row that are written as a hole.
const HOLE: usize = 24;

/// The files of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// `film.ism`.
    pub server: Vec<u8>,
    /// `film.ismc`, where there is one.
    pub client: Option<Vec<u8>>,
    /// `1.ismv` to `3.ismv`, where there are such.
    pub media: [Option<Vec<u8>>; 3],
    /// `film.ism/Manifest`, if `film.ism` is a folder.
    pub manifest: Option<Vec<u8>>,
    /// The other files of that folder, by path.
    pub files: Vec<(String, Vec<u8>)>,
    /// Reads that fail.
    pub failing: Vec<u8>,
}

impl Container {
    /// Reads any bytes.
    pub fn decode(mut data: &[u8]) -> Self {
        let mut container = Self::default();
        while let [letter, a, b, c, rest @ ..] = data {
            let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let hole = matches!(letter, b'x'..=b'z');
            let (part, after) = rest.split_at(if hole { 0 } else { len.min(rest.len()) });
            data = after;
            match letter {
                b's' => container.server.extend(part),
                b'c' => container.client.get_or_insert_default().extend(part),
                b'm' => container.manifest.get_or_insert_default().extend(part),
                b'f' if container.files.len() < MAX_FILES => {
                    let mut parts = part.splitn(2, |byte| *byte == 0);
                    let (path, bytes) = (parts.next(), parts.next());
                    let path = String::from_utf8_lossy(path.unwrap_or_default());
                    container.files.push((path.into(), bytes.unwrap_or_default().into()));
                }
                b'e' => container.failing.extend(part),
                b'1'..=b'3' | b'x'..=b'z' => {
                    let number = letter - if hole { b'x' } else { b'1' };
                    let file = container.media[usize::from(number)].get_or_insert_default();
                    file.extend(part);
                    let zeros = if hole { len } else { 0 };
                    file.resize((file.len() + zeros).min(MAX_FILE), 0);
                }
                _ => {}
            }
        }
        container
    }

    /// Writes what [`Self::decode`] reads, with holes for zeros.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::new();
        let mut part = |letter: u8, len: usize, bytes: &[u8]| {
            data.push(letter);
            data.extend(&(len as u32).to_be_bytes()[1..]);
            data.extend(bytes);
        };
        part(b's', self.server.len(), &self.server);
        if let Some(client) = &self.client {
            part(b'c', client.len(), client);
        }
        if let Some(manifest) = &self.manifest {
            part(b'm', manifest.len(), manifest);
        }
        for (path, bytes) in &self.files {
            let file = [path.as_bytes(), b"\0", bytes].concat();
            part(b'f', file.len(), &file);
        }
        if !self.failing.is_empty() {
            part(b'e', self.failing.len(), &self.failing);
        }
        for (number, file) in self.media.iter().enumerate() {
            let Some(file) = file else { continue };
            let (bytes, hole) = (b'1' + number as u8, b'x' + number as u8);
            if file.is_empty() {
                part(bytes, 0, &[]);
            }
            let mut left = &file[..];
            while !left.is_empty() {
                let zeros = |at: usize| left[at..].iter().take_while(|&&byte| byte == 0).count();
                let at = (0..left.len()).find(|&at| {
                    left[at] == 0 && (at == 0 || left[at - 1] != 0) && zeros(at) >= HOLE
                });
                let at = at.unwrap_or(left.len());
                if at > 0 {
                    part(bytes, at, &left[..at]);
                }
                let len = zeros(at);
                if len > 0 {
                    part(hole, len, &[]);
                }
                left = &left[at + len..];
            }
        }
        data
    }

    /// How the read of this number fails, if it does.
    pub fn failure(&self, read: usize) -> Option<ReadErrorKind> {
        use ReadErrorKind::{Changed, Denied, Gone, Transient};
        let found = self.failing.iter().find(|&&byte| usize::from(byte & 0x3f) == read)?;
        Some([Gone, Changed, Denied, Transient][usize::from(found >> 6)])
    }

    /// A file by its name.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        match name {
            "film.ism" if self.manifest.is_some() => None,
            "film.ism" => Some(&self.server),
            "film.ism/Manifest" => self.manifest.as_deref(),
            "film.ismc" => self.client.as_deref(),
            // By the second name it is opened without a server manifest.
            "1.ismv" | "1.mp4" => self.media[0].as_deref(),
            "2.ismv" => self.media[1].as_deref(),
            "3.ismv" => self.media[2].as_deref(),
            name => {
                let path = name.strip_prefix("film.ism/").filter(|_| self.manifest.is_some())?;
                self.files.iter().find(|(known, _)| known == path).map(|(_, bytes)| &bytes[..])
            }
        }
    }

    /// The names of the files in the folder.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let files = self.files.iter().filter(|_| self.manifest.is_some());
        files.map(|(path, _)| format!("film.ism/{path}"))
    }
}
