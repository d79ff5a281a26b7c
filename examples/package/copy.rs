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
use crate::progress::Progress;

/// Bytes that are written at once. They fit into the cache of a processor, where they are read and written.
const PART: usize = 256 << 10;

/// Bytes that the kernel copies between two looks for a signal.
const KERNEL_PART: u64 = 16 << 20;

/// Ranges that are shorter are read and written with what is around them, which costs less than a call
/// each.
const SHORT: u64 = 64 << 10;

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
        buffer: vec![0; PART].into(),
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
    buffer: Box<[u8]>,
    /// Bytes of the buffer that are still to be written.
    filled: usize,
    /// The kernel copies from file to file, as far as is known.
    is_in_kernel: bool,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.room(bytes.len())? {
            Some(room) => room.copy_from_slice(bytes),
            None => self.file.write_all(bytes)?,
        }
        Ok(())
    }

    /// Takes as many bytes of the buffer, which is written first if they are not free. `None` if it is
    /// shorter.
    fn room(&mut self, len: usize) -> io::Result<Option<&mut [u8]>> {
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
        let part = len.min(PART as u64) as usize;
        let room = self.room(part)?.ok_or(io::ErrorKind::InvalidInput)?;
        read_at(input, room, range.start)?;
        Ok(part as u64)
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
