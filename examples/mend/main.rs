//! Mends a Smooth Streaming presentation: writes a missing or wrong index, client manifest or server
//! manifest, and cuts a recording behind its last whole fragment.
//!
//! ```sh
//! cargo run --release --example mend -- /srv/films/film.ism           # says what it would change
//! cargo run --release --example mend -- /srv/films/film.ism --write   # changes it
//! cargo run --release --example mend -- /srv/films/film.ism --undo    # as it was
//! ```

mod disk;
mod files;
mod lock;
mod undo;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::{Failure, error_line, exit_code, line};
use serde_json::{Value, json};
use smooth_origin::package::mend::{Change, MendOptions, Mending, Remark, mend};

use disk::Disk;
use files::{Files, Target};
use lock::Lock;
use undo::State;

/// Mends a Smooth Streaming presentation. Without --write, it says what it would change, and why.
#[derive(Parser)]
#[command(name = "mend", version, after_help = NOTES)]
struct Arguments {
    /// Server manifest of the presentation; or a media file or a folder, if it has none
    #[arg(value_name = "FILE.ism")]
    path: PathBuf,
    /// Write the changes. What they replace is kept in FILE.ism.undo
    #[arg(long)]
    write: bool,
    /// Put back what FILE.ism.undo keeps, byte for byte, and remove it
    #[arg(long, conflicts_with_all = ["write", "json"])]
    undo: bool,
    /// Write although a file was changed in the last 10 seconds
    #[arg(long, requires = "write")]
    even_if_recent: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
Examples:
  mend film/film.ism           what would be changed, and why
  mend film/film.ism --write   change it
  mend film/film.ism --undo    put it back as it was
  mend film.ismv               the same for a film whose film.ism is lost

Media bytes never change: what is replaced lies behind the last whole fragment of a file. It is kept in
FILE.ism.undo before anything is written, so that a run that is killed can be undone or repeated.

Exit status:
  0  nothing is to be mended, or it was mended or undone
  1  something cannot be mended, read or written
  2  the command line is wrong
  3  without --write: changes would be made, and mend everything";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(failure) => exit_code(Err(failure)),
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let target = Target::of(&arguments.path)?;
    let (manifest, root) = (target.path(), &target.root);
    let (undo, disk) = (undo::path_of(&manifest), Disk::new(None));
    // Until the end: what is read must be what is changed.
    let _lock = (arguments.write || arguments.undo).then(|| Lock::take(&manifest)).transpose()?;
    let of_undo = |error: io::Error| Failure::system(undo.display(), error);
    let state = undo::state(&undo).map_err(of_undo)?;
    if arguments.undo {
        if state.is_none() {
            let shown = undo.display();
            return Err(Failure::System(format!("{shown} is not there: nothing is to be undone")));
        }
        let count = undo::restore(&disk, root, &undo).map_err(of_undo)?;
        let files = if count == 1 { "1 file is as it was" } else { "all files are as they were" };
        let _ = line(&format!("{}: {files}", manifest.display()));
        return Ok(ExitCode::SUCCESS);
    }
    match state {
        Some(State::Begun | State::Undoing) if arguments.write => {
            undo::restore(&disk, root, &undo).map_err(of_undo)?;
            error_line("note: an earlier run was interrupted; it was undone first");
        }
        Some(State::Begun | State::Undoing) => error_line(
            "note: an earlier run was interrupted: --undo puts everything back, --write begins again",
        ),
        Some(State::Done) | None => {}
    }
    let mut files = Files::new(root);
    let mut options = MendOptions::default();
    options.media.clone_from(&target.media);
    let mending = mend(target.manifest.clone(), options)
        .drive(|want| files.get(want))
        .map_err(|error| Failure::System(format!("{}: {error}", manifest.display())))?;
    let writes = arguments.write && !mending.changes().is_empty();
    if writes {
        if state == Some(State::Done) {
            return Err(Failure::System(format!(
                "{} keeps what an earlier run replaced: undo that run (--undo), or remove the file",
                undo.display()
            )));
        }
        files.check_at_rest(arguments.even_if_recent)?;
        undo::write(&disk, root, &undo, mending.changes()).map_err(|error| {
            Failure::system(format!("{} (--undo puts everything back)", manifest.display()), error)
        })?;
    }
    // Nobody need read it.
    let lines = match arguments.json {
        true => vec![report(&manifest, &mending, writes).to_string()],
        false => text(&manifest, &mending, writes, &undo),
    };
    let _ = lines.iter().all(|text| line(text));
    Ok(ExitCode::from(match (mending.remarks(), mending.changes()) {
        ([], []) => 0,
        ([], _) if writes => 0,
        ([], _) => 3,
        _ => 1,
    }))
}

/// The changes, what stays wrong, and what was done: a line each.
fn text(manifest: &Path, mending: &Mending, is_written: bool, undo: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for change in mending.changes() {
        let Change { file, kind, code, reason, .. } = change;
        lines.push(format!("{file}: {}: {reason} ({})", kind.as_str(), code.as_str()));
    }
    for Remark { file, code, message, advice, .. } in mending.remarks() {
        let file = file.as_deref().map_or(String::new(), |file| format!("{file}: "));
        lines.push(format!("{file}not mended: {message} ({})", code.as_str()));
        lines.push(format!("  {advice}"));
    }
    let shown = manifest.display();
    match (mending.changes().len(), mending.remarks()) {
        (0, []) => lines.push(format!("{shown}: nothing is to be mended")),
        (0, _) => {}
        _ if is_written => {
            lines.push(format!("{shown}: written; {} keeps what was replaced", undo.display()));
        }
        _ => lines.push(format!("{shown}: nothing was written: --write does that")),
    }
    lines
}

/// `changes` are in the order of writing; the bytes of a file from `at` on are replaced by `length`
/// bytes. `size` is `null` for a file that does not exist.
fn report(manifest: &Path, mending: &Mending, is_written: bool) -> Value {
    let change = |change: &Change| {
        json!({
            "file": change.file.as_str(),
            "kind": change.kind.as_str(),
            "code": change.code.as_str(),
            "reason": change.reason,
            "size": change.size,
            "at": change.at,
            "length": change.bytes.len(),
        })
    };
    let remark = |remark: &Remark| {
        json!({
            "file": remark.file,
            "code": remark.code.as_str(),
            "message": remark.message,
            "advice": remark.advice,
        })
    };
    json!({
        "path": manifest.to_string_lossy(),
        "written": is_written,
        "changes": mending.changes().iter().map(change).collect::<Value>(),
        "remarks": mending.remarks().iter().map(remark).collect::<Value>(),
    })
}
