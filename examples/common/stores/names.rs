//! Names that buckets and containers can have.

/// Checks the name of a bucket by the rule of its store.
///
/// # Errors
/// No bucket has such a name: the rule.
pub(super) fn check(scheme: &str, name: &str) -> Result<(), String> {
    let (others, longest, rule) = match scheme {
        "s3" => ("-.", 63, "a bucket of S3 has 3 to 63 small letters, digits, dots and hyphens"),
        "az" => {
            ("-", 63, "a container of Azure has 3 to 63 small letters, digits and single hyphens")
        }
        "gs" => (
            "-._",
            222,
            "a bucket of Google has 3 to 222 small letters, digits, dots, hyphens and underscores",
        ),
        // The name of a host.
        _ => return Ok(()),
    };
    // Azure names these of its own.
    if scheme == "az" && ["$root", "$web", "$logs"].contains(&name) {
        return Ok(());
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let may_be = (3..=longest).contains(&name.len())
        && name.chars().all(|c| is_plain(c) || others.contains(c))
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && !name.contains("..")
        && !(scheme == "az" && name.contains("--"));
    match may_be {
        true => Ok(()),
        false => {
            Err(format!("{rule}, and a letter or digit at both ends: no bucket has this name"))
        }
    }
}
