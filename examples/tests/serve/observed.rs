//! The built example as a server that runs until the test ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::program::program;

pub(crate) const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// A server on a port of its own.
pub(crate) struct Observed {
    child: Child,
    pub(crate) address: SocketAddr,
    output: Arc<Mutex<String>>,
    errors: Arc<Mutex<String>>,
}

/// A response.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Observed {
    /// Starts a server of a folder on a loopback address.
    pub(crate) fn start(folder: &str, options: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", folder, options)
    }

    pub(crate) fn start_on(listen: &str, folder: &str, options: &[&str]) -> Self {
        Self::run(&[&[folder, "--listen", listen], options].concat())
    }

    /// Starts a server whose folders are in a configuration.
    #[cfg(unix)]
    pub(crate) fn start_configured(options: &[&str]) -> Self {
        Self::run(&[&["--listen", "127.0.0.1:0"], options].concat())
    }

    fn run(arguments: &[&str]) -> Self {
        Self::run_by(Command::new(program()), arguments)
    }

    /// Starts a server by a command that may have an environment of its own.
    #[cfg(feature = "s3")]
    pub(crate) fn start_by(command: Command, arguments: &[&str]) -> Self {
        Self::run_by(command, &[&["--listen", "127.0.0.1:0"], arguments].concat())
    }

    fn run_by(command: Command, arguments: &[&str]) -> Self {
        Self::try_run_by(command, arguments).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// Starts a server that may be refused; gives what it says then.
    #[cfg(all(unix, feature = "s3"))]
    pub(crate) fn try_start_by(command: Command, arguments: &[&str]) -> Result<Self, String> {
        Self::try_run_by(command, &[&["--listen", "127.0.0.1:0"], arguments].concat())
    }

    fn try_run_by(mut command: Command, arguments: &[&str]) -> Result<Self, String> {
        let mut child = command
            .args(["--list", "0", "--settling-time", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = Arc::new(Mutex::new(String::new()));
        let copy = Arc::clone(&errors);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *copy.lock().unwrap() += &format!("{line}\n");
            }
        });
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let rest = line.strip_prefix("listening on ")?.to_owned();
            rest.split(';').next()?.parse::<SocketAddr>().ok()
        });
        let Some(mut address) = address else {
            child.wait().unwrap();
            return Err(errors.lock().unwrap().clone());
        };
        address.set_ip([127, 0, 0, 1].into());
        let output = Arc::new(Mutex::new(String::new()));
        let copy = Arc::clone(&output);
        thread::spawn(move || lines.for_each(|line| *copy.lock().unwrap() += &format!("{line}\n")));
        Ok(Self { child, address, output, errors })
    }

    /// The address of the operator's listener, which is said behind that of the main one.
    pub(crate) fn operator(&self) -> SocketAddr {
        self.said("operator: ", " ").parse().unwrap()
    }

    /// The URL of the page.
    pub(crate) fn page(&self) -> String {
        self.said("page: ", "\n")
    }

    /// The words of a line of stdout behind `start` and before `end`.
    fn said(&self, start: &str, end: &str) -> String {
        wait_for(start, || {
            let output = self.output.lock().unwrap();
            let (_, rest) = output.split_once(start)?;
            rest.split_once(end).map(|(word, _)| word.to_owned())
        })
    }

    /// Sends a request without a body, with `Host: localhost` if `fields` have none.
    pub(crate) fn ask(&self, line: &str, fields: &[&str]) -> Got {
        self.ask_at(self.address, line, fields)
    }

    /// Sends a request to another listener.
    pub(crate) fn ask_at(&self, address: SocketAddr, line: &str, fields: &[&str]) -> Got {
        let mut stream = send(address, line, fields);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Got { status: status.unwrap_or(0), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Sends a request and leaves its response to the caller.
    pub(crate) fn send(&self, line: &str, fields: &[&str]) -> TcpStream {
        send(self.address, line, fields)
    }

    /// The lines of stderr so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Sends a signal: `HUP`, `TERM`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &process]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until the server has ended by itself.
    #[cfg(unix)]
    pub(crate) fn ended(&mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

fn send(address: SocketAddr, line: &str, fields: &[&str]) -> TcpStream {
    let mut head = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
    if !fields.iter().any(|field| field.starts_with("Host:")) {
        head += "Host: localhost\r\n";
    }
    fields.iter().for_each(|field| head += &format!("{field}\r\n"));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream
}

impl Drop for Observed {
    fn drop(&mut self) {
        // A server that has ended is not killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that refuses connections for as long as its socket is kept.
pub(crate) fn refusing() -> (SocketAddr, tokio::net::TcpSocket) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    (socket.local_addr().unwrap(), socket)
}

/// Waits until something is so, as another process makes it so.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..15_000 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} did not come");
}

/// An empty folder, which is removed at the end.
pub(crate) struct Empty(pub(crate) PathBuf);

impl Empty {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("smooth-{}-{name}", std::process::id()));
        // A process that was killed may have had the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        // A folder that is gone need not be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The lines of a file once it has so many.
pub(crate) fn lines_of(file: impl AsRef<Path>, count: usize) -> Vec<String> {
    wait_for("a line of a log", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        (lines.len() >= count && text.ends_with('\n')).then_some(lines)
    })
}
