//! The policy files that Silverlight and Flash request at the root of a site.

use super::Cors;
use super::allowed_origin::AllowedOrigin;

/// A cross-domain policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CrossDomain {
    /// `clientaccesspolicy.xml` of Silverlight.
    ClientAccessPolicy,
    /// `crossdomain.xml` of Flash. Silverlight reads it if the other is missing.
    CrossDomain,
}

impl CrossDomain {
    /// Returns the policy file that a path asks for.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/clientaccesspolicy.xml" => Some(Self::ClientAccessPolicy),
            "/crossdomain.xml" => Some(Self::CrossDomain),
            _ => None,
        }
    }

    /// Name of the stored file that replaces the generated one.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::ClientAccessPolicy => "clientaccesspolicy.xml",
            Self::CrossDomain => "crossdomain.xml",
        }
    }

    /// Returns the text of a policy that allows the same as `cors`.
    pub(super) fn generate(self, cors: &Cors) -> String {
        let any = [AllowedOrigin::any()];
        // An origin holds no character that XML would have escaped.
        let origins = cors.listed().unwrap_or(&any).iter().map(AllowedOrigin::as_str);
        match self {
            Self::ClientAccessPolicy => client_access_policy(origins),
            Self::CrossDomain => cross_domain(origins),
        }
    }
}

fn client_access_policy<'a>(origins: impl Iterator<Item = &'a str>) -> String {
    let domains: String =
        origins.map(|origin| format!("        <domain uri=\"{origin}\"/>\n")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <access-policy>\n  <cross-domain-access>\n    <policy>\n      \
         <allow-from http-request-headers=\"*\" http-methods=\"*\">\n{domains}      </allow-from>\n      \
         <grant-to>\n        <resource path=\"/\" include-subpaths=\"true\"/>\n      </grant-to>\n    \
         </policy>\n  </cross-domain-access>\n</access-policy>\n"
    )
}

fn cross_domain<'a>(origins: impl Iterator<Item = &'a str>) -> String {
    let domains: String = origins
        .map(|origin| {
            let (is_secure, domain) = match origin.split_once("://") {
                Some((scheme, domain)) => (scheme == "https", domain),
                None => (false, origin),
            };
            format!("  <allow-access-from domain=\"{domain}\" secure=\"{is_secure}\"/>\n")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<cross-domain-policy>\n{domains}  \
         <allow-http-request-headers-from domain=\"*\" headers=\"*\"/>\n</cross-domain-policy>\n"
    )
}
