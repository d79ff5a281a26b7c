//! Fetches the players of the page from npm, checks them, and keeps the few files that the page loads.
//!
//! The build never fails here: without npm, without a network or with a package of another content it goes on without
//! players, says so, and tries again next time. `SMOOTH_ORIGIN_PLAYER` chooses another way:
//!
//! - `off`: no players, and no try;
//! - a folder: takes the packages from there, as `npm pack NAME@VERSION` makes them.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha512};

const VARIABLE: &str = "SMOOTH_ORIGIN_PLAYER";
/// A slow line takes this long for 34 MB; npm itself gives up earlier if nobody answers.
const PATIENCE: Duration = Duration::from_secs(90);
const SILENCE_MS: u32 = 20_000;

/// A package of npm, pinned by its content.
struct Package {
    /// As the page calls it.
    name: &'static str,
    package: &'static str,
    version: &'static str,
    /// As npm has it: `npm view PACKAGE@VERSION dist.integrity`.
    integrity: &'static str,
    /// Files in the package, and the names that the page has for them.
    files: &'static [(&'static str, &'static str)],
}

const PACKAGES: &[Package] = &[
    Package {
        name: "dash.js",
        package: "dashjs",
        version: "5.2.1",
        integrity: "sha512-axcJmLeJCTJMLUfQRErUJB1KOiU5iHF+DMLBc3FKeox1HPYtGUQlC6Xm5Mm6vhBUR3CHHLIPOqw0JDIqMtP+Dw==",
        files: &[
            ("dist/modern/umd/dash.all.min.js", "dash.all.min.js"),
            ("dist/modern/umd/dash.mss.min.js", "dash.mss.min.js"),
            ("LICENSE.md", "dash.js.LICENSE.txt"),
            ("dist/modern/umd/dash.all.min.js.LICENSE.txt", "dash.js.parts.LICENSE.txt"),
        ],
    },
    Package {
        name: "hls.js",
        package: "hls.js",
        version: "1.7.4",
        integrity: "sha512-3GlxGdPvT2YHvQYOt+yOzT/DEior/qJVNIylHA77kgeoBTdQQqi70GwefNEUmHQeNGyjC8U62+bruqW/Tpm+tg==",
        files: &[("dist/hls.min.js", "hls.min.js"), ("LICENSE", "hls.js.LICENSE.txt")],
    },
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let wanted = env::var(VARIABLE).unwrap_or_default();
    let there = if wanted == "off" { Vec::new() } else { players(&wanted, &out.join("player")) };
    fs::write(out.join("players.rs"), table(&there)).expect("OUT_DIR is writable");
}

/// Returns the packages whose files are in `folder` afterwards.
fn players(wanted: &str, folder: &Path) -> Vec<&'static Package> {
    let missing: Vec<_> = PACKAGES.iter().filter(|package| !package.is_in(folder)).collect();
    if !missing.is_empty() {
        let problems = match wanted {
            "" => fetch(&missing, folder),
            given => take(&missing, Path::new(given), folder),
        };
        for problem in &problems {
            println!("cargo::warning=the page of `serve` gets no player: {problem}");
        }
        if !problems.is_empty() {
            println!("cargo::warning=the next build tries again; {VARIABLE}=off ends this");
            // A file that does not exist makes cargo run this again.
            println!("cargo::rerun-if-changed={}", folder.join("none").display());
        }
    }
    PACKAGES.iter().filter(|package| package.is_in(folder)).collect()
}

/// Fetches packages by npm, and keeps their files; returns what went wrong.
fn fetch(packages: &[&Package], folder: &Path) -> Vec<String> {
    let packed = folder.join("packed");
    let result = fs::create_dir_all(&packed)
        .map_err(Into::into)
        .and_then(|()| npm_pack(packages, &packed))
        .map_err(|error| vec![error.to_string()]);
    let problems = match result {
        Ok(()) => take(packages, &packed, folder),
        Err(problems) => problems,
    };
    let _ = fs::remove_dir_all(&packed);
    problems
}

fn npm_pack(packages: &[&Package], into: &Path) -> Result<(), Box<dyn Error>> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut child = Command::new(npm)
        .arg("pack")
        .args(packages.iter().map(|package| format!("{}@{}", package.package, package.version)))
        .args(["--ignore-scripts", "--prefer-offline", "--loglevel=error", "--no-update-notifier"])
        .args(["--fetch-retries=0".to_owned(), format!("--fetch-timeout={SILENCE_MS}")])
        .current_dir(into)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(into.join("errors"))?)
        .spawn()
        .map_err(|error| format!("npm does not start ({error}); install Node.js with npm"))?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(format!("npm took longer than {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(50));
    };
    if status.success() {
        return Ok(());
    }
    let errors = fs::read_to_string(into.join("errors")).unwrap_or_default();
    let said = errors.lines().map(|line| line.trim_start_matches("npm error").trim());
    let said: Vec<_> = said.filter(|line| !line.is_empty()).take(2).collect();
    Err(format!("npm fails: {}", said.join("; ")).into())
}

/// Checks packages in a folder and keeps their files; returns what went wrong.
fn take(packages: &[&Package], from: &Path, folder: &Path) -> Vec<String> {
    let took = |package: &&&Package| package.take(from, folder).err();
    let problem = |(package, error)| format!("{}: {error}", Package::archive(package));
    packages.iter().filter_map(|package| Some((*package, took(&package)?))).map(problem).collect()
}

impl Package {
    fn archive(&self) -> String {
        format!("{}-{}.tgz", self.package, self.version)
    }

    /// Names the content: a folder with this file in it is complete.
    fn stamp(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}-{}.integrity", self.package, self.version))
    }

    fn is_in(&self, folder: &Path) -> bool {
        fs::read_to_string(self.stamp(folder)).is_ok_and(|kept| kept == self.integrity)
    }

    fn take(&self, from: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
        let path = from.join(self.archive());
        let archive = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(&archive)));
        if integrity != self.integrity {
            return Err(format!("has the hash {integrity} instead of {}", self.integrity).into());
        }
        fs::create_dir_all(folder)?;
        let mut left = self.files.to_vec();
        for entry in tar::Archive::new(GzDecoder::new(&*archive)).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let Some(at) =
                left.iter().position(|(file, _)| Path::new("package").join(file) == path)
            else {
                continue;
            };
            let (_, kept) = left.swap_remove(at);
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&content)?;
            fs::write(folder.join(format!("{kept}.gz")), gzip.finish()?)?;
            if left.is_empty() {
                break;
            }
        }
        if let Some((file, _)) = left.first() {
            return Err(format!("has no {file}").into());
        }
        Ok(fs::write(self.stamp(folder), self.integrity)?)
    }
}

/// Writes what `serve/page/player.rs` includes.
fn table(packages: &[&Package]) -> String {
    let mut text = String::from("const VERSIONS: &[(&str, &str)] = &[");
    for package in packages {
        write!(text, "({:?}, {:?}),", package.name, package.version).expect("a String grows");
    }
    text.push_str("];\nconst FILES: &[(&str, &[u8])] = &[\n");
    for (_, kept) in packages.iter().flat_map(|package| package.files) {
        let include = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/player/{kept}.gz\"))");
        writeln!(text, "({kept:?}, {include}),").expect("a String grows");
    }
    text.push_str("];\n");
    text
}
