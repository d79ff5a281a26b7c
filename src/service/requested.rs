//! The name of the presentation or file that a response is of, for the host.

use http::Response;

use super::{OriginService, ServiceBody};
use crate::base::Name;
use crate::origin::Opened;

/// The presentation or the file that a response is of, for access control and logs.
///
/// Each response with content of the store, each 304, 412 and 416 for such content, and each redirect
/// has one among its extensions if [`ServiceOptions::requested`](super::ServiceOptions::requested) is
/// set. It is the name by which the store was asked, whatever the URL looks like, so a host may
/// decide by it whether the response is sent. Other failed responses contain nothing of the store;
/// they have a [`Failure`](super::Failure).
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use smooth_origin::origin::{Origin, block_on};
/// # use smooth_origin::storage::LocalStore;
/// use smooth_origin::service::{OriginService, Requested, ServiceOptions};
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// let origin = Origin::new(LocalStore::new(root)?);
/// let options = ServiceOptions::default().requested(true);
/// let service = OriginService::with_options(origin, options);
/// let request = http::Request::get("http://localhost//%66fmpeg/ffmpeg.ism/Manifest").body(())?;
/// let response = block_on(service.respond(&request));
/// let requested = response.extensions().get::<Requested>().expect("a manifest is of a presentation");
/// let is_allowed = !requested.name().as_str().starts_with("ffmpeg/");
/// assert!(!is_allowed, "the host sends 403 instead");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Requested {
    /// A presentation, by the name of its server manifest or folder.
    Presentation(Name),
    /// A file beside the presentations, by its name.
    File(Name),
}

impl Requested {
    /// The name of the presentation or file, as it is stored.
    pub fn name(&self) -> &Name {
        match self {
            Self::Presentation(name) | Self::File(name) => name,
        }
    }

    /// Adds it to the extensions of a response.
    pub(super) fn attach(self, response: &mut Response<ServiceBody>) {
        response.extensions_mut().insert(self);
    }
}

impl OriginService {
    /// Returns the name of a presentation, if responses carry it.
    #[inline]
    pub(super) fn requested(&self, opened: &Opened) -> Option<Requested> {
        let name = || Requested::Presentation(opened.presentation().name().clone());
        self.inner.options.requested.then(name)
    }
}
