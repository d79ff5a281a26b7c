//! Request paths and names: what is understood reads the same when it is written again, and no
//! name leads out of the root.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::path::{Component, Path};

use smooth_origin::base::{Error, ErrorGroup, Name};
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::output::mss::{FragmentRequest, Noun, Request};
use smooth_origin::storage::{RangeSource, Stat, Store, Version};

/// Longest path that the parser looks at: a longer one is not read, so it is not read again.
const MAX_PATH: usize = 4096;

/// Reads any bytes as the rest of a request's path, as a name, as a name and a reference (divided
/// by the first line's end), and as the path of a URL.
pub fn request_paths(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    request(&text);
    #[cfg(any(feature = "dash", feature = "hls"))]
    outputs(&text);
    if let Ok(name) = Name::new(&text) {
        assert_eq!(name.as_str(), text);
        check_name(&name);
    }
    if let Some((manifest, reference)) = text.split_once('\n')
        && let Ok(manifest) = Name::new(manifest)
        && let Ok(name) = manifest.beside(reference)
    {
        check_name(&name);
        let folder = manifest.as_str().strip_suffix(manifest.file_name()).unwrap();
        for name in [Some(&name), manifest.beside_otherwise(reference).as_ref()].iter().flatten() {
            check_name(name);
            assert!(name.as_str().starts_with(folder), "{name} is not in the folder of {manifest}");
        }
    }
    // Making an origin takes longer than all the rest: only for what may name a presentation.
    if text.contains('%') || text.to_ascii_lowercase().contains(".ism") {
        resolve(&text);
    }
}

fn request(text: &str) {
    let (path, query) = text.split_once('?').unzip();
    let parsed = checked(path.unwrap_or(text), query);
    if let (Some(path), Some(query)) = (path, query)
        && query.bytes().all(|byte| byte.is_ascii_digit() || b"t=&_".contains(&byte))
    {
        assert_eq!(parsed.is_ok(), checked(path, None).is_ok(), "{query} gets past caches");
    }
    let text = path.unwrap_or(text);
    let request = match parsed {
        Ok(request) => request,
        Err(error) => {
            assert_eq!(error.kind.group(), ErrorGroup::Request, "{error}");
            assert!(matches!(error.kind.status(), 400 | 415), "{error}");
            return;
        }
    };
    let Request::Fragment(fragment) = request else { return };
    let FragmentRequest { noun, attributes, stream, .. } = &fragment;
    assert!(Noun::ALL.contains(noun) && !stream.is_empty());
    for part in [attributes, stream] {
        assert!(!part.contains(['/', '\\', '\0']), "{part:?}");
        assert!(text.contains('%') || matches!(part, Cow::Borrowed(_)), "copied without need");
    }
    let shown = fragment.to_string();
    assert!(shown.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte)), "{shown}");
    if shown.len() <= MAX_PATH {
        assert_eq!(FragmentRequest::parse(&shown).expect("what is shown is read again"), fragment);
        assert_eq!(Request::parse(&shown, None).unwrap(), Request::Fragment(fragment));
    }
}

/// Requests of DASH, HLS and CMAF: whatever parses is written, and reads again as the same.
#[cfg(any(feature = "dash", feature = "hls"))]
fn outputs(text: &str) {
    use smooth_origin::output::Request;
    if let Some((path, query)) = text.split_once('?')
        && let Err(error) = Request::parse(path, Some(query))
    {
        assert_eq!(error.kind.group(), ErrorGroup::Request, "{error}");
    }
    let Ok(request) = Request::parse(text, None) else { return };
    let written = match &request {
        Request::Cmaf(request) => request.to_string(),
        #[cfg(feature = "dash")]
        Request::Dash(request) => request.to_string(),
        #[cfg(feature = "hls")]
        Request::Hls(request) => request.to_string(),
        _ => return,
    };
    assert!(written.len() <= MAX_PATH.max(text.len() + 10), "{written}");
    if written.len() <= MAX_PATH {
        assert_eq!(Request::parse(&written, None).expect("what is written is read"), request);
    }
}

/// A request whose options are served.
fn checked<'a>(path: &'a str, query: Option<&'a str>) -> Result<Request<'a>, Error> {
    let request = Request::parse(path, query)?;
    if let Request::Manifest(options) = &request {
        options.check()?;
    }
    Ok(request)
}

/// What the file system would make of a name, in words that are not the checker's own.
fn check_name(name: &Name) {
    let text = name.as_str();
    assert!(!text.is_empty() && text.len() <= Name::MAX_LEN);
    assert!(!text.contains(['\\', '\0']), "{text:?}");
    assert!(text.split('/').all(|segment| !matches!(segment, "" | "." | "..")), "{text:?}");
    let mut components = Path::new(text).components();
    assert!(components.all(|part| matches!(part, Component::Normal(_))), "{text:?}");
    // Any other scheme is followed by two slashes, between which there would be an empty segment.
    let is_drive =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text[1..].starts_with(':');
    assert!(!is_drive, "{text:?} begins with a drive");
    assert!(text.ends_with(name.file_name()) && !name.file_name().contains('/'));
}

/// An origin asks its store for names that pass, and redirects to where it answers.
fn resolve(text: &str) {
    let origin = Origin::new(Everything);
    let path = text.split('?').next().unwrap_or_default();
    let url = format!("/{}", path.trim_start_matches('/'));
    match block_on(origin.answer(&url)) {
        Ok(Answer::Redirect(redirect)) => {
            let to = redirect.location().unwrap();
            assert!(!to.contains([':', '\\', '?', '#']) && !to.starts_with('/'), "{to}");
            let folder = &url[..=url.rfind('/').unwrap()];
            let error = block_on(origin.answer(&format!("{folder}{to}"))).unwrap_err();
            assert_eq!(error.kind.code(), "nothing-to-serve", "{url} leads to {to}: {error}");
        }
        Ok(_) => panic!("nothing is served"),
        Err(error) => assert!(matches!(error.kind.status(), 400 | 404 | 415 | 500), "{error}"),
    }
}

/// A store that has a server manifest without tracks under every name.
struct Everything;

struct Empty;

const EMPTY: &[u8] = b"<smil/>";

impl Store for Everything {
    type Source = Empty;

    async fn open(&self, name: &Name) -> io::Result<Empty> {
        check_name(name);
        Ok(Empty)
    }
}

impl RangeSource for Empty {
    async fn stat(&self) -> io::Result<Stat> {
        Ok(Stat::immutable(EMPTY.len() as u64, Version::new(vec![1])))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<bytes::Bytes> {
        Ok(bytes::Bytes::from_static(&EMPTY[range.start as usize..range.end as usize]))
    }
}
