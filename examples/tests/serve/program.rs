//! The built example as a process.

use std::path::PathBuf;
use std::process::Command;

/// The result of a run.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs `serve` until it ends.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    let output = Command::new(program()).args(arguments).output().unwrap();
    Ended {
        status: output.status.code().unwrap(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Exit status and stderr for a folder that does not exist, so that the server never starts.
pub(crate) fn refused(arguments: &[&str]) -> (i32, String) {
    let ended = run(&[&["no-such-folder"], arguments].concat());
    (ended.status, ended.errors)
}

pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("serve{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo build -p smooth-origin-examples --example serve");
    program
}
