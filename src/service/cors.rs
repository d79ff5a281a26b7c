//! Cross-origin requests of browsers: the CORS protocol of the Fetch standard, 3.2, and
//! Resource Timing, 4.5.

use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::allowed_origin::{AllowedOrigin, InvalidOrigin};
use super::caching::delta_seconds;

/// Sites whose pages may read the responses.
///
/// ```
/// use smooth_origin::service::Cors;
/// let everyone = Cors::any();
/// let ours = Cors::origins(["https://tv.example.com", "https://*.test.example.com"])?;
/// # Ok::<(), smooth_origin::service::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cors {
    /// `None` stands for all.
    origins: Option<Vec<AllowedOrigin>>,
    credentials: bool,
    /// `None` if there are no others.
    exposed: Option<HeaderValue>,
    max_age: HeaderValue,
}

const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const EXPOSED: &str =
    "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Retry-After";
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// Most bytes of a list of header fields that is sent back to a page.
const MAX_REQUEST_HEADERS: usize = 1024;

impl Cors {
    /// Allows the pages of every site, without credentials.
    pub fn any() -> Self {
        Self {
            origins: None,
            credentials: false,
            exposed: Some(HeaderValue::from_static(EXPOSED)),
            max_age: 86_400.into(),
        }
    }

    /// Allows the pages of these origins: scheme, host, and the port if it is not the scheme's own.
    /// In each, `*` stands for any run of characters.
    ///
    /// # Errors
    /// Fails if an entry is no origin: without a scheme, with a path, empty. The error says what to
    /// write instead.
    pub fn origins(
        origins: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, InvalidOrigin> {
        let origins = origins.into_iter().map(|entry| AllowedOrigin::parse(entry.as_ref()));
        Ok(Self { origins: Some(origins.collect::<Result<_, _>>()?), ..Self::any() })
    }

    /// Sets whether requests may carry cookies; default no. With [`any`](Self::any) origin they never
    /// may.
    pub fn credentials(mut self, allowed: bool) -> Self {
        self.credentials = allowed && self.origins.is_some();
        self
    }

    /// Sets the header fields that scripts may read beside those that they always may; default
    /// `Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Retry-After`.
    pub fn exposed(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let names: Vec<_> = names.into_iter().map(|name| name.to_string()).collect();
        self.exposed = match &names[..] {
            [] => None,
            // Names of fields.
            names => HeaderValue::from_maybe_shared(names.join(", ")).ok(),
        };
        self
    }

    /// Sets for how long a browser may keep the answer to a preflight request, in whole seconds;
    /// default a day. Browsers have limits of their own (Chromium two hours, Firefox a day).
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = delta_seconds(age).into();
        self
    }

    /// The listed origins; `None` if all are allowed.
    pub(super) fn listed(&self) -> Option<&[AllowedOrigin]> {
        self.origins.as_deref()
    }

    /// Adds the fields that a page needs to read a response, if all pages may read it.
    pub(super) fn allow_all(&self, response: &mut HeaderMap) {
        if self.origins.is_none() {
            self.allow(&HeaderMap::new(), response);
        }
    }

    /// Adds the fields that the requesting page needs to read a response.
    pub(super) fn allow(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if self.origins.is_none() && response.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        if self.allow_origin(request, response)
            && let Some(exposed) = &self.exposed
        {
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    /// Answers a browser that asks whether a request may be made.
    pub(super) fn preflight(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if !request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return self.allow(request, response);
        }
        if self.allow_origin(request, response) {
            response.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            response.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
            // Nothing is done for any field: none needs to be forbidden.
            let names = request.get(ACCESS_CONTROL_REQUEST_HEADERS);
            if let Some(names) = names.filter(|names| are_names(names)) {
                response.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
        }
        vary(response, ACCESS_CONTROL_REQUEST_HEADERS);
    }

    fn allow_origin(&self, request: &HeaderMap, response: &mut HeaderMap) -> bool {
        let Some(origins) = &self.origins else {
            response.insert(TIMING_ALLOW_ORIGIN, ANY);
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            return true;
        };
        // Also where it is not allowed: a cache must not give this answer to others.
        vary(response, ORIGIN);
        let origin = request.get(ORIGIN).filter(|origin| is_among(origin, origins));
        let Some(origin) = origin else { return false };
        response.insert(TIMING_ALLOW_ORIGIN, origin.clone());
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }
}

/// One line, whatever it was: nginx before 1.23 reads the last of several and mixes the rest.
fn vary(response: &mut HeaderMap, name: HeaderName) {
    let value = match response.get(VARY).and_then(|names| names.to_str().ok()) {
        // Names of fields.
        Some(names) => HeaderValue::from_maybe_shared(format!("{names}, {name}")).unwrap_or(ANY),
        None => name.into(),
    };
    response.insert(VARY, value);
}

/// A list of tokens, not too long: nothing else is sent back (RFC 9110, 2.2).
fn are_names(field: &HeaderValue) -> bool {
    let is_in_list =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(byte);
    field.len() <= MAX_REQUEST_HEADERS && field.as_bytes().iter().all(is_in_list)
}

fn is_among(origin: &HeaderValue, origins: &[AllowedOrigin]) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    // A page without an origin of its own calls it `null`: that is nobody's.
    origin != "null" && origins.iter().any(|allowed| allowed.matches(origin))
}
