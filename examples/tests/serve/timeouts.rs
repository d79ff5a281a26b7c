//! Clients that take their responses slowly, and clients that take nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::observed::{Empty, Observed, TESTDATA, wait_for};

/// More than the system takes of a connection at once.
const LENGTH: u64 = 24 << 20;

/// Bytes per second that a slow client takes.
const SLOW: u64 = 200_000;

/// Starts a server of a long file.
fn start(folder: &Empty) -> Observed {
    for file in ["bframes.ism", "bframes.ismv"] {
        fs::copy(format!("{TESTDATA}/bframes/{file}"), folder.path(file)).unwrap();
    }
    fs::File::create(folder.path("poster.jpg")).unwrap().set_len(LENGTH).unwrap();
    let options = ["--write-timeout", "5", "--log-level", "debug"];
    Observed::start(folder.0.to_str().unwrap(), &options)
}

/// Asks for the long file with a small receive buffer, and reads the head of the response.
fn ask(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream
        .write_all(b"GET /poster.jpg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    stream
}

#[test]
fn a_client_that_reads_slowly_gets_everything() {
    let folder = Empty::new("slow");
    let server = start(&folder);
    let mut stream = ask(server.address);
    let mut part = [0; 32 << 10];
    let mut taken = 0;
    // Slow for several times the time-out, so that the whole does not take minutes.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        // A pause that lasts longer than it should is made up for.
        while taken < begin.elapsed().as_millis() as u64 * SLOW / 1000 {
            stream.read_exact(&mut part).unwrap();
            taken += part.len() as u64;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(taken < LENGTH);
    loop {
        match stream.read(&mut part).unwrap() {
            0 => break,
            count => taken += count as u64,
        }
    }
    assert_eq!(taken, LENGTH);
}

#[test]
fn a_client_that_stops_reading_is_cut() {
    let folder = Empty::new("stopped");
    let server = start(&folder);
    let mut stream = ask(server.address);
    let peer = stream.local_addr().unwrap().to_string();
    wait_for("the end of the connection", || {
        let errors = server.errors();
        errors.lines().any(|line| line.contains(&format!("{peer}: "))).then_some(())
    });
    // What comes after it is only what the system had taken.
    let mut taken = 0;
    let mut part = [0; 32 << 10];
    while let Ok(count @ 1..) = stream.read(&mut part) {
        taken += count as u64;
    }
    assert!(taken < LENGTH);
}
