//! The call: from inputs to a package.

use super::input::Input;
use super::options::PackageOptions;
use super::output::Package;
use super::reading::Reading;
use super::{layout, streams, text};
use crate::base::{Error, ErrorKind, Name, Step};

/// Packages progressive and fragmented MP4s as the presentation `name`, which has no extension. The files of the
/// package lie beside each other: `film.ism`, `film.ismc`, `film_video_3500000.ismv`.
///
/// The step wants the first bytes of the inputs, their `moov`s and their `moof`s, and all of files of captions. The [`FileId`](crate::base::FileId)
/// of an input is its place in the list. What is ready has the whole length of each output, and its
/// pieces one by one.
///
/// # Errors
/// [`ErrorKind::BadName`] if `name` cannot be part of a file name. When fed, the step gives an error
/// with its file if an input cannot be read, is encrypted, or contradicts itself, and for captions with the
/// line;
/// [`ErrorKind::Invalid`] if the qualities cannot be cut into the same chunks, with files, tracks and
/// sample; and [`ErrorKind::Missing`] if there is nothing to package.
///
/// ```no_run
/// use smooth_origin::base::{FileEnds, Got, Name, Want};
/// use smooth_origin::package::{Input, PackageOptions, package};
/// use smooth_origin::presentation::Piece;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bytes = bytes::Bytes::from(std::fs::read("film.mp4")?);
/// let input = Input::new(Name::new("film.mp4")?);
/// let step = package("film", vec![input], PackageOptions::default())?;
/// let package = step.drive(|want| {
///     Ok(match want {
///         Want::Open { head, .. } => {
///             let head = bytes.slice(..bytes.len().min(*head as usize));
///             Got::Opened(FileEnds::new(bytes.len() as u64, head, Default::default()))
///         }
///         Want::Range { range, .. } => {
///             Got::Range(bytes.slice(range.start as usize..range.end as usize))
///         }
///         _ => unreachable!("the packager opens files and reads ranges"),
///     })
/// })?;
/// for output in package.outputs() {
///     let mut file = Vec::with_capacity(output.len() as usize);
///     for piece in output.pieces() {
///         match piece? {
///             Piece::Bytes(written) => file.extend(written),
///             Piece::Stored(at) => {
///                 file.extend(&bytes[at.range.start as usize..at.range.end as usize]);
///             }
///             _ => unreachable!("there is no other piece"),
///         }
///     }
///     std::fs::write(output.name(), file)?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn package(
    name: &str,
    inputs: Vec<Input>,
    options: PackageOptions,
) -> Result<Step<Package>, Error> {
    let is_one = Name::new(name).is_ok_and(|checked| checked.file_name() == name);
    if !is_one {
        let what = "the name of a package is part of file names, and has no `/`";
        return Err(Error::request("name", ErrorKind::BadName(what)));
    }
    let name = name.to_owned();
    let then = move |(sources, texts, mut notices): (Vec<_>, Vec<_>, Vec<String>),
                     options: &PackageOptions| {
        let streams = streams::streams(sources, options, &mut notices)?;
        let texts = text::text_streams(texts, &streams, options, &mut notices)?;
        layout::layout(&name, streams, texts, notices, options)
    };
    Reading::new(inputs, options, Box::new(then)).next()
}
