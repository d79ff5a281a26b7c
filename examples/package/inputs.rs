//! The files that are packaged.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Failure, Trouble};
use smooth_origin::base::{Error, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Want};
use smooth_origin::package::{Captions, Input, Package, PackageOptions, package};

/// The inputs, which stay open.
pub(crate) struct Inputs(Vec<OpenInput>);

pub(crate) struct OpenInput {
    path: PathBuf,
    pub(crate) file: File,
    metadata: Metadata,
    input: Input,
}

impl Inputs {
    /// Opens the inputs.
    ///
    /// # Errors
    /// A sentence for the person who named one that cannot be read.
    pub(crate) fn open(paths: &[PathBuf], languages: &[Option<&str>]) -> Result<Self, Failure> {
        let open = |(path, language): (&PathBuf, &Option<&str>)| {
            let shown = path.display();
            let cannot = |error: io::Error| {
                Failure::System(format!("{shown} cannot be read: {}", Trouble::of(path, &error)))
            };
            // Opening a pipe would wait for its writer.
            let metadata = path.metadata().map_err(cannot)?;
            if !metadata.is_file() {
                return Err(Failure::System(format!("{shown} is no file")));
            }
            let file = File::open(path).map_err(cannot)?;
            let metadata = file.metadata().map_err(cannot)?;
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.and_then(|name| Name::new(name).ok()).ok_or_else(|| {
                Failure::System(format!("{shown}: no name for a message; rename the file"))
            })?;
            let mut input = Input::new(name);
            input.language = language.map(str::to_owned);
            let extension = path.extension().and_then(|extension| extension.to_str());
            input.captions = extension.and_then(Captions::of_extension);
            Ok(OpenInput { path: path.clone(), file, metadata, input })
        };
        Ok(Self(paths.iter().zip(languages).map(open).collect::<Result<_, _>>()?))
    }

    /// Plans the package.
    pub(crate) fn package(&self, name: &str, options: PackageOptions) -> Result<Package, Failure> {
        let inputs = self.0.iter().map(|open| open.input.clone()).collect();
        let step = package(name, inputs, options);
        step.and_then(|step| step.drive(|want| self.get(want)))
            .map_err(|error| self.failure(&error))
    }

    /// An error of the packager, with the path of its file.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        match error.file().and_then(|file| self.0.get(file.index())) {
            Some(input) => Failure::System(format!("{}: {error}", input.path.display())),
            None => Failure::System(error.to_string()),
        }
    }

    /// An input, and its path.
    pub(crate) fn input(&self, file: FileId) -> Option<(&File, &Path)> {
        self.0.get(file.index()).map(|input| (&input.file, &*input.path))
    }

    fn get(&self, want: &Want) -> Result<Got, ReadError> {
        let opened = |file: &FileId| {
            self.0.get(file.index()).ok_or_else(|| ReadError::new(ReadErrorKind::Gone))
        };
        match want {
            Want::Open { file, head, .. } => {
                let input = opened(file)?;
                let size = input.metadata.len();
                let head = read(&input.file, 0, size.min(*head))?;
                Ok(Got::Opened(FileEnds::new(size, head.into(), Vec::new().into())))
            }
            Want::Range { file, range } => {
                let bytes = read(&opened(file)?.file, range.start, range.end - range.start)?;
                Ok(Got::Range(bytes.into()))
            }
            _ => Err(ReadError::new(ReadErrorKind::Gone)),
        }
    }

    /// Checks that an output does not replace an input.
    pub(crate) fn check_is_none(&self, output: &Path) -> Result<(), Failure> {
        let Ok(output) = output.canonicalize() else { return Ok(()) };
        let is_it = |input: &&OpenInput| input.path.canonicalize().is_ok_and(|path| path == output);
        match self.0.iter().find(is_it) {
            None => Ok(()),
            Some(input) => Err(Failure::Usage(format!(
                "{} is an input and would be replaced: give another --output",
                input.path.display()
            ))),
        }
    }

    /// Checks that no input was written since it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        let is_changed = |input: &&OpenInput| {
            let state = |metadata: &Metadata| (metadata.len(), metadata.modified().ok());
            input.file.metadata().is_ok_and(|now| state(&now) != state(&input.metadata))
        };
        match self.0.iter().find(is_changed) {
            None => Ok(()),
            Some(input) => Err(Failure::System(format!(
                "{} was changed meanwhile: package it again when it is whole",
                input.path.display()
            ))),
        }
    }
}

/// Reads so many bytes from an offset on. The packager's budgets bound them.
fn read(mut file: &File, from: u64, len: u64) -> Result<Vec<u8>, ReadError> {
    let failed = |error: io::Error| {
        let mut failed = ReadError::new(ReadErrorKind::Transient);
        failed.source = Some(Arc::new(error));
        failed
    };
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
