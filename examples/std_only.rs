//! An origin behind nothing but `std::net`: the core needs neither a runtime nor an HTTP library.
//!
//! ```sh
//! cargo run --release --example std_only
//! ```
//!
//! It reads a request line, answers GET and HEAD, and closes the connection: what a proof needs,
//! not what a server should be.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};

use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::storage::LocalStore;

/// More bytes of a request are not read.
const MAX_REQUEST: u64 = 16 << 10;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
    let store =
        LocalStore::new(root).map_err(|error| format!("{error}: run this from the repository"))?;
    let origin = Origin::new(store);
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let listener = TcpListener::bind(&address)
        .map_err(|error| format!("{address}: {error}: name another address as the argument"))?;
    println!("http://{}/ladder/ladder.ism/Manifest", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, origin) = (stream?, origin.clone());
        std::thread::spawn(move || {
            if let Err(error) = serve(&origin, stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn serve(origin: &Origin, mut stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new((&stream).take(MAX_REQUEST));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    if !matches!(method, "GET" | "HEAD") {
        return head(&mut stream, 405, "Allow: GET, HEAD\r\nContent-Length: 0\r\n");
    }
    match block_on(origin.answer(target)) {
        Ok(Answer::Reply(served)) => {
            let reply = served.reply();
            let (kind, length) = (reply.representation().media_type(), reply.length());
            let tag = reply.validator();
            let headers =
                format!("Content-Type: {kind}\r\nContent-Length: {length}\r\nETag: \"{tag}\"\r\n");
            head(&mut stream, 200, &headers)?;
            let mut body = served.body();
            while let Some(bytes) = block_on(body.next()).filter(|_| method == "GET") {
                // An error here cuts the connection: what was sent is no whole fragment.
                stream.write_all(&bytes.map_err(std::io::Error::other)?)?;
            }
            Ok(())
        }
        Ok(Answer::Redirect(redirect)) => {
            head(&mut stream, 302, &format!("Location: {redirect}\r\nContent-Length: 0\r\n"))
        }
        Ok(_) => head(&mut stream, 500, "Content-Length: 0\r\n"),
        Err(error) => head(&mut stream, error.kind.status(), "Content-Length: 0\r\n"),
    }
}

fn head(stream: &mut TcpStream, status: u16, headers: &str) -> Result<()> {
    write!(stream, "HTTP/1.1 {status} -\r\nConnection: close\r\n{headers}\r\n")
}
