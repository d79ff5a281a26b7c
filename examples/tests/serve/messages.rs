//! Sentences for people: what happened, to which file, and what to do.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

#[cfg(unix)]
use crate::observed::wait_for;
use crate::program::{program, run};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// An empty folder, which is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("smooth-messages-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        let _ = fs::remove_dir_all(&folder.0);
        fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    /// Copies a presentation of the test data into the folder.
    fn with(self, presentation: &str) -> Self {
        let (from, to) = (Path::new(TESTDATA).join(presentation), self.0.join(presentation));
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        self
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is gone need not be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that runs; it ends with the test.
struct Server {
    child: Child,
    address: SocketAddr,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    /// The lines of stderr so far.
    #[cfg_attr(not(unix), allow(dead_code))]
    log: Arc<Mutex<String>>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(arguments).args(["--listen", "127.0.0.1:0", "--settling-time", "0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let copy = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *copy.lock().unwrap() += &format!("{line}\n");
            }
        });
        let first = lines.next().unwrap().unwrap();
        let (_, rest) = first.split_once("listening on ").unwrap();
        let page = lines.next().unwrap().unwrap();
        assert!(page.starts_with("page: http://127.0.0.1:"), "{page}");
        let address = rest.split(';').next().unwrap().parse().unwrap();
        Self { child, address, lines, log }
    }

    /// The lines up to the summary, without those of URLs.
    fn list(&mut self) -> Vec<String> {
        let mut list = Vec::new();
        for line in self.lines.by_ref().map(Result::unwrap) {
            let is_last = line.contains(" fine") || line.starts_with("no presentation");
            list.push(line);
            if is_last {
                break;
            }
        }
        list.retain(|line| !line.trim_start().starts_with("http"));
        list
    }

    /// The whole response.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    }

    #[cfg(unix)]
    fn hang_up(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    }

    /// Waits until the log has a part of a line, and returns all of it.
    #[cfg(unix)]
    fn log_with(&self, part: &str) -> String {
        wait_for(part, || Some(self.log.lock().unwrap().clone()).filter(|log| log.contains(part)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended need not be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sentence with which the server ends at its start, after `error: `.
fn refused(arguments: &[&str]) -> String {
    let ended = run(&[arguments, &["--listen", "127.0.0.1:0"]].concat());
    assert_eq!((ended.status, ended.output.as_str()), (1, ""), "{}", ended.errors);
    let lines: Vec<_> = ended.errors.lines().collect();
    assert_eq!(lines.len(), 1, "{}", ended.errors);
    lines[0].strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn a_root_that_is_missing_is_named_with_the_nearest_name() {
    let folder = Folder::new("nearest");
    fs::create_dir(folder.0.join("films")).unwrap();
    let path = folder.path();
    assert_eq!(
        refused(&[&format!("{path}/film")]),
        format!(
            "cannot serve the folder {path}/film: there is no such file or folder; did you mean \
             {path}/films?"
        )
    );
    assert_eq!(
        refused(&[&format!("{path}/a/b")]),
        format!(
            "cannot serve the folder {path}/a/b: there is no such file or folder; there is no folder \
             {path}/a either"
        )
    );
    let urls = ["ftp://127.0.0.1/films", "S3://films"];
    for ended in urls.map(|url| run(&[url])) {
        assert_eq!(ended.status, 2, "{}", ended.errors);
        let sentence = "a store begins with s3://, az://, gs://, http:// or https://";
        assert!(ended.errors.contains(sentence), "{}", ended.errors);
    }
}

#[test]
fn a_root_that_is_a_file_is_named_with_its_folder() {
    let folder = Folder::new("file").with("ladder");
    let path = folder.path();
    assert_eq!(
        refused(&[&format!("{path}/ladder/ladder.ism")]),
        format!(
            "cannot serve the folder {path}/ladder/ladder.ism: it is a file, not a folder; name its \
             folder: {path}/ladder"
        )
    );
}

#[cfg(unix)]
#[test]
fn a_root_that_is_a_link_to_nothing_or_to_itself_is_named() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links");
    let path = folder.path();
    symlink("nothing", folder.0.join("dangling")).unwrap();
    symlink("loop", folder.0.join("loop")).unwrap();
    assert_eq!(
        refused(&[&format!("{path}/dangling")]),
        format!(
            "cannot serve the folder {path}/dangling: it is a link to nothing, which is not there; \
             correct the link, or put back what it leads to"
        )
    );
    assert_eq!(
        refused(&[&format!("{path}/loop")]),
        format!(
            "cannot serve the folder {path}/loop: its symbolic links lead in a circle; name the file \
             or folder itself, or correct the link"
        )
    );
}

/// Runs `serve` as a user who may not read everything; `None` if this is not possible here.
#[cfg(unix)]
fn run_as_nobody(arguments: &[&str]) -> Option<(i32, String, String)> {
    let mut command = match rustix::process::geteuid().is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program());
            command
        }
        false => Command::new(program()),
    };
    // The program itself may be out of this user's reach.
    let output = command.args(arguments).output().ok()?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().filter(|status| *status < 126)?;
    let (out, errors) = (text(output.stdout), text(output.stderr));
    (!errors.starts_with("setpriv")).then_some((status, out, errors))
}

#[cfg(unix)]
#[test]
fn what_this_user_may_not_read_is_named_with_the_right_that_is_missing() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("closed").with("ladder").with("bframes");
    let mode = |path: &str, mode| {
        fs::set_permissions(folder.0.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    fs::create_dir(folder.0.join("private")).unwrap();
    fs::create_dir(folder.0.join("private/films")).unwrap();
    mode("private", 0o000);
    mode("ladder/ladder.ismv", 0o000);
    let path = folder.path();
    let refused = run_as_nobody(&[&format!("{path}/private")]);
    let below = run_as_nobody(&[&format!("{path}/private/films")]);
    let checked = run_as_nobody(&["--check", path, "--settling-time", "0"]);
    let json = run_as_nobody(&["--check", "--json", path, "--settling-time", "0"]);
    mode("private", 0o755);
    // Another user cannot run the program here.
    let Some(((status, _, refused), (_, _, below))) = refused.zip(below) else { return };
    assert_eq!(status, 1, "{refused}");
    let start = format!(
        "error: cannot serve the folder {path}/private: permission denied; let the user who runs \
         this (uid "
    );
    assert!(refused.starts_with(&start), "{refused}");
    let end = format!(") read and enter it (`ls -ld {path}/private` shows who may)\n");
    assert!(refused.ends_with(&end), "{refused}");
    let start = format!(
        "error: cannot serve the folder {path}/private/films: permission denied at the folder \
         {path}/private; let the user who runs this (uid "
    );
    assert!(below.starts_with(&start), "{below}");
    let (status, checked, _) = checked.unwrap();
    assert_eq!(status, 3);
    let (status, json, _) = json.unwrap();
    assert_eq!(status, 3);
    let json: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let private = json.iter().find(|line| line["path"] == format!("{path}/private")).unwrap();
    assert_eq!(
        (&private["health"], &private["error"]),
        (&"not-looked-at".into(), &"permission denied".into())
    );
    assert!(private["advice"].as_str().unwrap().contains("read and enter it"), "{private}");
    assert_eq!(json.last().unwrap()["summary"]["folders-not-looked-at"], 1);
    assert!(checked.contains("ladder/ladder.ism (not served)\n"), "{checked}");
    assert!(checked.contains("file-unreadable: ladder/ladder.ismv: "), "{checked}");
    assert!(checked.contains("check the file's permissions"), "{checked}");
    let left_out = format!(
        "not looked at: folders that cannot be read: 1, the first is {path}/private: permission denied"
    );
    assert!(checked.contains(&left_out), "{checked}");
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(&[TESTDATA, "--listen", &address]);
    assert_eq!((ended.status, ended.output.as_str()), (1, ""));
    assert!(ended.errors.starts_with(&format!("error: cannot listen on {address}: ")));
    assert!(ended.errors.contains("another program listens there: choose another --listen"));
}

#[cfg(unix)]
#[test]
fn a_root_that_vanishes_is_named_and_served_again_when_it_is_back() {
    let folder = Folder::new("vanishes").with("ladder").with("bframes");
    let path = &folder.path().to_owned();
    let mut server = Server::start(&[path, "--list", "1", "--revalidate", "1"]);
    assert_eq!(server.list().last().unwrap(), "1 fine");
    fs::remove_dir_all(&folder.0).unwrap();
    let response = server.get("/ladder/ladder.ism/Manifest");
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    assert!(!response.contains(path), "{response}");
    server.hang_up();
    let line = format!(
        "not looked at: folders that cannot be read: 1, the first is {path}: there is no such file or \
         folder"
    );
    let list = server.list();
    assert!(list[0].starts_with(&line), "{list:?}");
    let gone = format!(
        "error the folder {path} is gone: if it was renamed, its files are served from where they are \
         now; if not, what is open stays served, and other requests get 503; /readyz answers 503 until \
         it is back: "
    );
    server.log_with(&gone);
    let _again = Folder::new("vanishes").with("ladder").with("bframes");
    server.hang_up();
    assert_eq!(server.list().last().unwrap(), "1 fine");
    // The failure of a moment ago is still known for a while.
    while !server.get("/ladder/ladder.ism/Manifest").starts_with("HTTP/1.1 200 ") {
        thread::sleep(std::time::Duration::from_millis(50));
    }
    let log = server.log_with(&format!("info  the folder {path} is back, and served again\n"));
    assert!(log.contains("error ladder/ladder.ism: cannot be opened: "), "{log}");
}

#[test]
fn an_ism_that_names_a_missing_file_is_listed_with_the_file_and_what_to_do() {
    let folder = Folder::new("missing");
    let (whole, gone) = (folder.0.join("gone.ism"), folder.0.join("empty.ism"));
    fs::write(whole, "<smil><body><switch><video src='gone.ismv'/></switch></body></smil>")
        .unwrap();
    fs::write(gone, "").unwrap();
    let list = Server::start(&[folder.path()]).list();
    let empty = "empty.ism is not served: the file is empty (0 bytes); copy the file again from its \
                 source";
    assert_eq!(list[0], empty);
    let gone = "gone.ism is not served: error file-missing: gone.ismv: the file is not there";
    assert!(list[1].starts_with(gone), "{list:?}");
    let advice = "; put the file back beside the .ism, or take its tracks out of the .ism";
    assert!(list[1].contains(advice), "{list:?}");
}

#[test]
fn the_number_of_other_findings_is_in_the_right_number() {
    for (count, end) in [(1, ""), (2, " (and 1 more finding)"), (3, " (and 2 more findings)")] {
        let folder = Folder::new(&format!("findings-{count}")).with("bframes");
        let file = folder.0.join("bframes/bframes.ism");
        let tracks: String =
            (0..count).map(|number| format!("<s:video src='gone{number}.ismv'/>")).collect();
        let server = fs::read_to_string(&file).unwrap();
        fs::write(&file, server.replace("</s:switch>", &format!("{tracks}</s:switch>"))).unwrap();
        let list = Server::start(&[folder.path()]).list();
        let line = "  error file-missing: bframes/gone0.ismv: the file is not there: No such file or \
                    directory; put the file back beside the .ism, or take its tracks out of the .ism";
        assert_eq!(list[0], format!("{line}{end}"));
    }
}

#[test]
fn of_many_presentations_the_list_has_the_first_few_and_a_count() {
    let folder = Folder::new("many").with("bframes");
    let bframes = folder.0.join("bframes");
    for number in 0..30 {
        let film = folder.0.join(format!("films/{number:02}"));
        fs::create_dir_all(&film).unwrap();
        for file in ["bframes.ism", "bframes.ismv"] {
            fs::hard_link(bframes.join(file), film.join(file)).unwrap();
        }
    }
    let mut server = Server::start(&[folder.path()]);
    let mut manifests = 0;
    let mut rest = Vec::new();
    for line in server.lines.by_ref().map(Result::unwrap) {
        manifests += usize::from(line.ends_with("/Manifest"));
        let is_last = line.starts_with("31 fine");
        if !line.trim_start().starts_with("http") {
            rest.push(line);
        }
        if is_last {
            break;
        }
    }
    assert_eq!(manifests, 4);
    assert_eq!(rest, ["and 27 more that are fine: 27 in films", "31 fine"]);
}

#[test]
fn an_empty_root_is_served_with_what_to_do() {
    let folder = Folder::new("empty");
    let list = Server::start(&[folder.path()]).list();
    let path = folder.path();
    let advice = "copy some there, or name another folder on the command line";
    let line = format!("no presentation (a file that ends in .ism) in {path}: {advice}");
    assert_eq!(list, [line]);
}

#[test]
fn the_help_has_a_heading_for_each_kind_of_option_and_the_defaults() {
    let help = run(&["--help"]).output;
    for heading in ["Folders", "Listening", "Logs", "Caching", "Formats", "Memory and limits"] {
        assert!(help.contains(&format!("\n{heading}:\n")), "{heading} is not in {help}");
    }
    // Of each option that takes a value, the default is in the help, or where to look.
    let options = help.split("\n      --").skip(1);
    for option in options.filter(|option| option.lines().next().unwrap().contains('<')) {
        let name = option.split_whitespace().next().unwrap();
        let has_default =
            option.contains("[default: ") || option.contains("--print-config lists all");
        assert!(has_default || name == "config", "--{option}");
    }
}
