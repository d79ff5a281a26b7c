//! The value of `--allow-origin`: an origin as browsers write it, with `*` for any run of characters.

/// Checks a value: it must be able to match what browsers send.
///
/// Browsers send `scheme://host` or `scheme://host:port` in lower case, without the port where it
/// is the scheme's own (RFC 6454, 6.2). Anything else would silently allow nobody.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.into());
    }
    let Some((scheme, authority)) = text.split_once("://") else {
        return Err(match text {
            "" => "give a scheme and a host, as https://tv.example.com".into(),
            "null" => "`null` stands for every page without an origin: it cannot be allowed".into(),
            _ => format!("an origin begins with its scheme: https://{text}"),
        });
    };
    if let Some((authority, _)) = authority.split_once(['/', '?', '#']) {
        return Err(format!(
            "an origin has no path, and no `/` at its end: {scheme}://{authority}"
        ));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = text.to_ascii_lowercase();
        return Err(format!("browsers send origins in lower case: {lower}"));
    }
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.*".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
        return Err(format!("`{scheme}` is no scheme, as http and https are"));
    }
    check_authority(scheme, authority).map(|()| text.into())
}

fn check_authority(scheme: &str, authority: &str) -> Result<(), String> {
    if !authority.is_ascii() {
        return Err(
            "browsers send names of hosts in their ASCII form, as xn--bcher-kva.example".into()
        );
    }
    let is_in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(is_in_host) {
        return Err(format!("`{authority}` is no host, as tv.example.com is"));
    }
    let own = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Ok(()),
    };
    match authority.strip_suffix(own) {
        Some(host) => Err(format!("browsers leave out the scheme's own port: {scheme}://{host}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_that_browsers_send_are_accepted() {
        for text in [
            "*",
            "https://tv.example.com",
            "https://*.example.com",
            "http://127.0.0.1:*",
            "http://[::1]:8080",
            "*://tv.example.com",
            "capacitor://localhost",
            "https://tv.example.com:8443",
            "http://tv.example.com:443",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_what_would_be_right() {
        for (text, right) in [
            ("tv.example.com", "https://tv.example.com"),
            ("tv.example.com:8080", "https://tv.example.com:8080"),
            ("https://tv.example.com/", "https://tv.example.com"),
            ("https://tv.example.com/app", "https://tv.example.com"),
            ("HTTPS://TV.example.com", "https://tv.example.com"),
            ("https://tv.example.com:443", "https://tv.example.com"),
            ("http://tv.example.com:80", "http://tv.example.com"),
            ("https://bücher.example", "xn--"),
            ("https://", "tv.example.com"),
            ("://tv.example.com", "scheme"),
            ("https://a b", "no host"),
            ("null", "null"),
            ("", "https://tv.example.com"),
        ] {
            let sentence = parse(text).unwrap_err();
            assert!(sentence.ends_with(right) || sentence.contains(right), "{text}: {sentence}");
        }
    }
}
