//! The query options that ask for a part of a presentation.

mod time;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use self::time::{delay, time};
use super::mss::ManifestOption;
use crate::base::{Error, ErrorKind};
use crate::presentation::ClipTimes;

const PART: &str = "times of the manifest";

/// Takes the times out of options. `None` if there are none.
///
/// # Errors
/// [`ErrorKind::Malformed`] for a time that cannot be read, and for a bound that is given twice.
pub(super) fn take_times(
    options: &mut Vec<ManifestOption<'_>>,
) -> Result<Option<ClipTimes>, Error> {
    let (mut times, mut query) = (ClipTimes::default(), String::new());
    for option in options.iter() {
        match option {
            ManifestOption::Begin(value) => {
                set(&mut times.start, "start", value, time, &mut query)?
            }
            ManifestOption::End(value) => set(&mut times.end, "end", value, time, &mut query)?,
            ManifestOption::Delay(value) => {
                set(&mut times.delay, "delay", value, delay, &mut query)?;
            }
            ManifestOption::Times(value) => {
                let (start, end) = match value.split_once("--") {
                    Some((start, end)) => (start, Some(end)),
                    None => (&**value, None),
                };
                set(&mut times.start, "start", start, time, &mut query)?;
                if let Some(end) = end {
                    set(&mut times.end, "end", end, time, &mut query)?;
                }
            }
            _ => {}
        }
    }
    if query.is_empty() {
        return Ok(None);
    }
    times.query = query.into();
    options.retain(|option| !option.is_time());
    Ok(Some(times))
}

/// Sets a bound and adds it to the query.
fn set<T>(
    bound: &mut Option<T>,
    name: &str,
    value: &str,
    parse: fn(&str) -> Result<T, ErrorKind>,
    query: &mut String,
) -> Result<(), Error> {
    let malformed = |kind| Error::request(PART, kind);
    let decoded: Cow<'_, str> = percent_decode_str(value).decode_utf8_lossy();
    let parsed = parse(&decoded).map_err(malformed)?;
    if bound.replace(parsed).is_some() {
        return Err(malformed(ErrorKind::Malformed("a clip has one start, one end and one delay")));
    }
    if !query.is_empty() {
        query.push('&');
    }
    // A value that could be read has no character that ends it, or a tag of a playlist.
    query.extend([name, "=", value]);
    Ok(())
}
