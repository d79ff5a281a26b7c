//! Responses with files beside the presentations, and with cross-domain policies.

use std::time::SystemTime;

use http::HeaderValue;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use super::cross_domain::CrossDomain;
use super::fields::{Description, TEXT_XML, decimal};
use super::files::{media_type_of, refused};
use super::prepared::LastModified;
use super::resource::{self, Resource, etag};
use super::{CacheClass, OriginService};
use crate::base::{Error, ErrorKind, Name};
use crate::origin::Served;

/// Makes a browser take a file for what its media type says (Fetch, 3.5).
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

impl OriginService {
    /// Returns the file that a path asks for; `None` if it asks for a presentation, or if no files are
    /// served.
    pub(super) async fn file(
        &self,
        path: &str,
        error: &Error,
    ) -> Option<Result<(Name, Resource), Error>> {
        let files = self.inner.options.files.as_ref()?;
        if !matches!(error.kind, ErrorKind::NotAddressed) {
            return None;
        }
        let name = match files.name(path) {
            Ok(name) => name,
            Err(error) => return Some(Err(error)),
        };
        if files.may_be_media(&name) && self.inner.origin.is_media(&name).await {
            return Some(Err(refused()));
        }
        Some(match self.inner.origin.file(&name).await {
            Ok(served) => {
                let resource = self.passed(served, &name, path);
                Ok((name, resource))
            }
            Err(error) => Err(error),
        })
    }

    /// Returns the stored policy, or one that says the same as the CORS settings.
    pub(super) async fn cross_domain(
        &self,
        policy: CrossDomain,
        path: &str,
    ) -> Result<Resource, Error> {
        let name = Name::new(policy.file_name())?;
        let mut resource = match self.inner.origin.file(&name).await {
            Ok(served) => self.passed(served, &name, path),
            Err(error) if matches!(error.kind, ErrorKind::NoFile) => {
                let cors = self.inner.options.cors.as_ref();
                let cors = cors.ok_or_else(|| Error::request("path", ErrorKind::NoFile))?;
                self.generated(policy.generate(cors), path)
            }
            Err(error) => return Err(error),
        };
        // The plug-ins take no other media type.
        resource.fields.insert(CONTENT_TYPE, TEXT_XML);
        Ok(resource)
    }

    /// Returns a time of change, unless it is in the future.
    pub(super) fn past(&self, modified: Option<SystemTime>) -> Option<SystemTime> {
        modified.filter(|modified| *modified <= self.inner.origin.wall_time())
    }

    /// Describes a file, whose name shows its media type.
    fn passed(&self, served: Served, name: &Name, path: &str) -> Resource {
        let media_type = media_type_of(name);
        let media_type = media_type.unwrap_or(served.reply().representation().media_type());
        let last_modified = self.past(served.modified()).and_then(LastModified::new);
        let description = Description {
            content_type: HeaderValue::from_static(media_type),
            length: decimal(served.reply().length()),
            etag: etag(served.reply().validator(), None),
            last_modified: last_modified.as_ref(),
            coding: None,
            varies: false,
        };
        let mut fields = description.fields();
        fields.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        self.add_policy(CacheClass::File, path, None, &mut fields);
        let modified = last_modified.map(|modified| modified.time);
        Resource { fields, modified, content: resource::Content::Served(served) }
    }

    fn generated(&self, text: String, path: &str) -> Resource {
        let description = Description {
            content_type: TEXT_XML,
            length: decimal(text.len() as u64),
            etag: resource::etag_of_text(&text),
            last_modified: None,
            coding: None,
            varies: false,
        };
        let mut fields = description.fields();
        fields.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        self.add_policy(CacheClass::File, path, None, &mut fields);
        Resource { fields, modified: None, content: resource::Content::Text(text.into()) }
    }
}
