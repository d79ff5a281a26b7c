//! Writes an output: bytes from memory, and ranges of the inputs, in the kernel where that is possible.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;

use common::Failure;
use smooth_origin::package::Output;
use smooth_origin::presentation::Piece;

use crate::folder::Unfinished;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
#[cfg(any(target_os = "android", target_os = "linux"))]
use crate::pipe::Pipe;
use crate::progress::Progress;

/// Bytes that are written at once without a pipe. They fit into the cache of a processor, where they are
/// read and written.
const PART: usize = 256 << 10;

/// Bytes that the kernel copies between two looks for a signal.
const KERNEL_PART: u64 = 16 << 20;

/// Ranges that are shorter are written with what is around them, which costs less than a call each.
const SHORT: u64 = 1 << 20;

/// Writes all of an output.
pub(crate) fn copy(
    output: &Output,
    inputs: &Inputs,
    file: &mut Unfinished,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<(), Failure> {
    let path = file.path.clone();
    let unwritable =
        |error: io::Error| Failure::system(format!("{} cannot be written", path.display()), error);
    let mut writer = Writer {
        file: &mut file.file,
        pipe: pipe(),
        buffer: Vec::new(),
        filled: 0,
        is_in_kernel: cfg!(any(target_os = "android", target_os = "linux")),
    };
    for piece in output.pieces() {
        interrupt.check()?;
        let piece = piece.map_err(|error| inputs.failure(&error))?;
        match &piece {
            Piece::Bytes(bytes) => writer.put(bytes).map_err(unwritable)?,
            Piece::Stored(stored) => {
                let (input, of) = inputs.input(stored.file).ok_or_else(|| {
                    Failure::System("a piece of an input that does not exist".to_owned())
                })?;
                let failed = |error: io::Error| {
                    let what = format!("{} cannot be copied to {}", of.display(), path.display());
                    Failure::system(what, error)
                };
                let mut range = stored.range.clone();
                while range.start < range.end {
                    interrupt.check()?;
                    range.start += writer.pass_on(input, &range).map_err(failed)?;
                }
            }
            _ => return Err(Failure::System("a piece that is not known".to_owned())),
        }
        progress.count(piece.len());
    }
    writer.flush().map_err(unwritable)
}

struct Writer<'a> {
    file: &'a mut File,
    /// It takes all pieces, until it cannot.
    pipe: Option<Pipe>,
    /// Empty as long as there is a pipe.
    buffer: Vec<u8>,
    /// Bytes of the buffer that are still to be written.
    filled: usize,
    /// The kernel copies from file to file, as far as is known.
    is_in_kernel: bool,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(pipe) = &mut self.pipe {
            return pipe.put(bytes, self.file);
        }
        match self.room(bytes.len())? {
            Some(room) => room.copy_from_slice(bytes),
            None => self.file.write_all(bytes)?,
        }
        Ok(())
    }

    /// Takes as many bytes of the buffer, which is written first if they are not free. `None` if it is
    /// shorter.
    fn room(&mut self, len: usize) -> io::Result<Option<&mut [u8]>> {
        self.buffer.resize(PART, 0);
        if self.buffer.len() - self.filled < len {
            self.flush()?;
        }
        let at = self.filled;
        if self.buffer.len() < len {
            return Ok(None);
        }
        self.filled += len;
        Ok(Some(&mut self.buffer[at..at + len]))
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(pipe) = &mut self.pipe {
            pipe.flush(self.file)?;
        }
        self.file.write_all(&self.buffer[..self.filled])?;
        self.filled = 0;
        Ok(())
    }

    /// Passes the beginning of a range on and returns its length, which is not 0.
    fn pass_on(&mut self, input: &File, range: &Range<u64>) -> io::Result<u64> {
        let len = range.end - range.start;
        if self.is_in_kernel && len >= SHORT {
            self.flush()?;
            match in_kernel(input, self.file, range.start, len.min(KERNEL_PART)) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(copied) => return Ok(copied),
                // Between some file systems it cannot.
                Err(_) => self.is_in_kernel = false,
            }
        }
        if let Some(pipe) = &mut self.pipe {
            match pipe.pass_on(input, range, self.file) {
                // Of some file systems it takes no pages.
                Err(error) if is_refused(&error) => {
                    pipe.flush(self.file)?;
                    self.pipe = None;
                }
                passed => return passed,
            }
        }
        let part = len.min(PART as u64) as usize;
        let room = self.room(part)?.ok_or(io::ErrorKind::InvalidInput)?;
        read_at(input, room, range.start)?;
        Ok(part as u64)
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn pipe() -> Option<Pipe> {
    Pipe::new().ok()
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn pipe() -> Option<Pipe> {
    None
}

/// Returns whether a call is not possible with these files, in place of having failed.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// No system but Linux passes on pages.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
enum Pipe {}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
impl Pipe {
    fn put(&mut self, _: &[u8], _: &mut File) -> io::Result<()> {
        match *self {}
    }

    fn pass_on(&mut self, _: &File, _: &Range<u64>, _: &mut File) -> io::Result<u64> {
        match *self {}
    }

    fn flush(&mut self, _: &mut File) -> io::Result<()> {
        match *self {}
    }
}

/// Reads all of a buffer from an offset on, in one call where that is possible: films that interleave
/// each picture with its sound are many short ranges.
#[cfg(unix)]
fn read_at(input: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(input, buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut input: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    input.seek(SeekFrom::Start(offset))?;
    input.read_exact(buffer)
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn in_kernel(from: &File, to: &File, mut offset: u64, len: u64) -> io::Result<u64> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let copied = rustix::fs::copy_file_range(from, Some(&mut offset), to, None, len)?;
    Ok(copied as u64)
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn in_kernel(_: &File, _: &File, _: u64, _: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
