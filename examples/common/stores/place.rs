//! The text that tells a store from others in one cache on disk.

use crate::place::StoreUrl;

/// Variables that say which server a URL means, by the scheme of the URL.
const SERVERS: [(&str, &[&str]); 3] = [
    ("s3", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]),
    ("az", &["AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_ACCOUNT_NAME"]),
    ("gs", &["GOOGLE_BASE_URL"]),
];

/// Returns the URL of a store with the server that it is on, the same at each start.
pub(super) fn of(url: &StoreUrl) -> String {
    by(url.as_str(), |name| std::env::var(name).ok())
}

fn by(url: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let scheme = url.split("://").next().unwrap_or_default();
    let known = SERVERS.iter().find(|(known, _)| *known == scheme);
    let names = known.map_or(&[][..], |(_, names)| names);
    let server = names.iter().find_map(|name| variable(name)).unwrap_or_default();
    // It goes to the disk, so no password is in it.
    let server = server.rsplit('@').next().unwrap_or_default();
    format!("{server} {url}")
}

#[cfg(test)]
mod tests {
    use super::by;

    #[test]
    fn one_bucket_of_two_servers_is_two_places() {
        let on = |server: &'static str| {
            by("s3://films", move |name| (name == "AWS_ENDPOINT_URL").then(|| server.into()))
        };
        assert_eq!(on("http://a:1"), "http://a:1 s3://films");
        assert_eq!(on("https://user:secret@b"), "b s3://films");
        assert_eq!(by("https://c/films", |_| Some("x".into())), " https://c/films");
    }
}
