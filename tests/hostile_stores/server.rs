//! A server that speaks HTTP/1.1 as far as a test says, and no further.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request, as far as answers depend on it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// The range, if one is asked for, with its last byte excluded.
    pub range: Option<Range<u64>>,
    /// The whole head.
    pub head: String,
}

/// One deed of a server after a request.
#[derive(Clone, Debug)]
pub enum Deed {
    Send(Vec<u8>),
    Wait(Duration),
    /// Closes the connection by a reset.
    Reset,
    /// Closes the connection in order.
    Close,
}

/// A server whose answers follow from the number of the request, from zero, and the request.
pub struct Server {
    /// `http://HOST:PORT`
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub async fn start(
        answer: impl Fn(usize, &Asked) -> Vec<Deed> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(answer), Arc::<Mutex<Vec<Asked>>>::default());
        let kept = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, kept) = (answer.clone(), kept.clone());
                tokio::spawn(async move { serve(stream, &*answer, &kept).await });
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(usize, &Asked) -> Vec<Deed> + Send + Sync),
    kept: &Mutex<Vec<Asked>>,
) {
    while let Some(asked) = request(&mut stream).await {
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push(asked.clone());
            kept.len() - 1
        };
        for deed in answer(number, &asked) {
            match deed {
                Deed::Send(bytes) if stream.write_all(&bytes).await.is_err() => return,
                Deed::Send(_) => {}
                Deed::Wait(time) => tokio::time::sleep(time).await,
                Deed::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Deed::Close => {
                    let _ = stream.shutdown().await;
                    return;
                }
            }
        }
    }
}

/// Reads a head, and drops the body that its length announces.
async fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |value| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let range = header("range").map(|value| {
        let (first, last) = value.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        first.parse().unwrap()..last.parse::<u64>().unwrap() + 1
    });
    let mut words = head.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Asked { method, target, range, head })
}
