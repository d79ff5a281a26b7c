//! A body that a host sends itself, from where it is stored.

use std::fmt;
use std::io;
use std::ops::Range;

use super::reader::Reader;
use crate::base::{Error, FileId};
use crate::presentation::StoredRange;
use crate::storage::{Source, read_error};

/// The rest of a body, if that is one range of a file. A host that can send files by itself sends it
/// in place of the [`Body`](super::Body), which would read it.
///
/// Bytes that are read so count against no limit of the origin. The host must check that the file is
/// unchanged:
///
/// ```
/// # #[cfg(all(unix, feature = "fs"))] mod unix {
/// use std::os::fd::{AsFd, BorrowedFd};
/// use smooth_origin::base::Error;
/// use smooth_origin::origin::StoredBody;
/// use smooth_origin::storage::LocalFile;
/// # use std::{io, ops::Range};
/// # fn send(_: BorrowedFd<'_>, _: Range<u64>) -> io::Result<()> { Ok(()) }
///
/// /// Returns whether the body was sent. If not, it must be sent as any other.
/// async fn send_stored(body: &StoredBody) -> Result<bool, Error> {
///     let source = body.source().await?;
///     let Some(file) = source.downcast_ref::<LocalFile>() else { return Ok(false) };
///     let sent = file.check().and_then(|()| send(file.as_fd(), body.range()));
///     sent.map_err(|error| body.failed(error))?;
///     Ok(true)
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct StoredBody {
    reader: Reader,
    file: FileId,
    range: Range<u64>,
}

impl StoredBody {
    pub(in crate::origin) fn new(reader: Reader, stored: &StoredRange) -> Self {
        Self { reader, file: stored.file, range: stored.range.clone() }
    }

    /// Bytes of the source.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The file, in the version that the reply is of.
    ///
    /// # Errors
    /// [`ErrorKind::Read`](crate::base::ErrorKind::Read) if it was closed and cannot be opened
    /// again in that version.
    pub async fn source(&self) -> Result<Source, Error> {
        self.reader.source(self.file).await.map_err(|error| self.noted(error.into()))
    }

    /// Reports that the host could not send it, with the error of the source or of its check. Returns
    /// the error of the response, whose connection must be cut. If the file has changed, the
    /// presentation is opened again for the next request.
    pub fn failed(&self, error: io::Error) -> Error {
        self.noted(read_error(error).into())
    }

    fn noted(&self, error: Error) -> Error {
        let error = error.in_file(self.file);
        self.reader.note(&error);
        error
    }
}

impl fmt::Debug for StoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredBody").field("range", &self.range).finish_non_exhaustive()
    }
}
