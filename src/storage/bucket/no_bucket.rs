//! The error of a bucket that is not there.

/// The error of a [`Bucket`](super::Bucket) that does not exist, inside of an [`io::Error`](std::io::Error). It may
/// come to exist, so that clients get the status 503. A host whose clients name buckets makes
/// [`NotFound`](std::io::ErrorKind::NotFound) of it.
///
/// ```
/// use std::io;
/// use smooth_origin::storage::NoBucket;
///
/// fn of_client(error: io::Error) -> io::Error {
///     match error.get_ref() {
///         Some(inner) if inner.is::<NoBucket>() => io::ErrorKind::NotFound.into(),
///         _ => error,
///     }
/// }
/// # let error = io::Error::other("another one");
/// # assert_eq!(of_client(error).kind(), io::ErrorKind::Other);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bucket does not exist: check its name, and the endpoint and account")]
#[non_exhaustive]
pub struct NoBucket;
