//! A pipe between files: the kernel passes on pages of its cache, so that bytes are copied once.
//!
//! Films that interleave each picture with its sound are many short ranges. A call of `copy_file_range` for
//! each writes each by itself, and a buffer copies everything twice. A pipe takes the pages of many ranges,
//! one call each without a copy, and gives them all to the output at once.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, retry_on_intr};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// Bytes of a full pipe: as many as a process without privileges may have.
const FULL: usize = 1 << 20;

/// The pipe, on its way from inputs to one output.
pub(crate) struct Pipe {
    from: File,
    to: OwnedFd,
    /// Bytes in it.
    held: usize,
}

impl Pipe {
    pub(crate) fn new() -> io::Result<Self> {
        let (from, to) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A shorter one serves as well, with more calls.
        let _ = fcntl_setpipe_size(&to, FULL);
        Ok(Self { from: from.into(), to, held: 0 })
    }

    /// Takes bytes.
    pub(crate) fn put(&mut self, mut bytes: &[u8], output: &mut File) -> io::Result<()> {
        while !bytes.is_empty() {
            match retry_on_intr(|| rustix::io::write(&self.to, bytes)) {
                Ok(len) => {
                    self.held += len;
                    bytes = &bytes[len..];
                }
                Err(Errno::AGAIN) if self.held > 0 => self.flush(output)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes the beginning of a range of a file, and returns its length.
    pub(crate) fn pass_on(
        &mut self,
        input: &File,
        range: &Range<u64>,
        output: &mut File,
    ) -> io::Result<u64> {
        let len = usize::try_from(range.end - range.start).unwrap_or(FULL).min(FULL);
        loop {
            let mut at = range.start;
            let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
            match retry_on_intr(|| splice(input, Some(&mut at), &self.to, None, len, flags)) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    self.held += len;
                    return Ok(len as u64);
                }
                // The pipe is full.
                Err(Errno::AGAIN) if self.held > 0 => self.flush(output)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes what it holds.
    pub(crate) fn flush(&mut self, output: &mut File) -> io::Result<()> {
        while self.held > 0 {
            let from = &self.from;
            let (held, flags) = (self.held, SpliceFlags::MOVE);
            match retry_on_intr(|| splice(from, None, &*output, None, held, flags)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => self.held -= len,
                // Some file systems take bytes alone.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return self.drain(output),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn drain(&mut self, output: &mut File) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        while self.held > 0 {
            let len = self.from.read(&mut buffer)?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            output.write_all(&buffer[..len])?;
            self.held = self.held.saturating_sub(len);
        }
        Ok(())
    }
}
