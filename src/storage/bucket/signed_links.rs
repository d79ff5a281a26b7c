//! Signed URLs of the objects of buckets.

use std::io;
use std::time::Duration;

use super::BucketObject;
use super::reach::Reach;
use crate::storage::{Link, Links, Source};

/// Signed URLs of the objects of buckets: of those that `Bucket::connect` has connected to `s3://`,
/// `az://` or `gs://`, whatever stores are wrapped around them. Objects of other stores have none.
///
/// The URLs are for GET, and for all bytes of the object: a client may ask for ranges of them.
///
/// | Store | Version | Limits |
/// |---|---|---|
/// | S3 | the version that was opened, if the bucket keeps versions | 7 days; with temporary credentials, at most until these end |
/// | Google Cloud Storage | the generation that was opened | 7 days; a request per URL if the credentials are not a service account's key |
/// | Azure Blob Storage | none | 7 days; needs the account's key or an identity, no SAS; none for names that need percent-encoding, because Azure refuses their signatures |
///
/// ```
/// use smooth_origin::origin::block_on;
/// use smooth_origin::storage::{Links, MemoryStore, SignedLinks, Source, Store};
/// # use smooth_origin::Name;
/// # let (store, name) = (MemoryStore::new(), Name::new("film.ismv").unwrap());
/// # store.put(name.clone(), "content");
/// let source = Source::new(block_on(store.open(&name)).unwrap());
/// // An object in memory has no URL.
/// let link = block_on(SignedLinks.link(&source, SignedLinks::LONGEST_LIFE)).unwrap();
/// assert_eq!(link, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignedLinks;

impl SignedLinks {
    /// The longest life of a signed URL: 7 days. Stores refuse longer ones when a client comes, so they are
    /// not made.
    pub const LONGEST_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
}

impl Links for SignedLinks {
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if `life` is less than a second or more than
    /// [`LONGEST_LIFE`](Self::LONGEST_LIFE); errors of the credentials, without URLs or secrets in their
    /// texts.
    async fn link(&self, source: &Source, life: Duration) -> io::Result<Option<Link>> {
        let Some(object) = source.downcast_ref::<BucketObject>() else { return Ok(None) };
        let Reach { signing: Some(signing), runner, .. } = &object.reach else { return Ok(None) };
        if life < Duration::from_secs(1) || life > Self::LONGEST_LIFE {
            let sentence = "a signed URL is valid for one second to 7 days: set another life";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
        }
        let version = object.pin.version.clone();
        runner.run(signing.sign(object.path.clone(), version, life)).await
    }
}
