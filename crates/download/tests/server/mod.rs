//! An HTTP server of a few lines that answers as badly as a test wants.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// `100` for the header `Range: bytes=100-`.
    pub(crate) range_start: Option<usize>,
}

/// What is sent: the head, then the body as often as told.
pub(crate) struct Answer {
    head: String,
    body: Vec<u8>,
    repeat: usize,
}

impl Answer {
    /// 200 with the whole body.
    pub(crate) fn whole(body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}", body.len());
        Self { head, body: body.to_vec(), repeat: 1 }
    }

    /// 206 with the body from byte `start` on.
    pub(crate) fn range(body: &[u8], start: usize) -> Self {
        let (length, last) = (body.len() - start, body.len() - 1);
        let range = format!("Content-Range: bytes {start}-{last}/{}", body.len());
        let head = format!("HTTP/1.1 206 Partial Content\r\n{range}\r\nContent-Length: {length}");
        Self { head, body: body[start..].to_vec(), repeat: 1 }
    }

    /// A status without a body.
    pub(crate) fn status(code: u16) -> Self {
        Self { head: format!("HTTP/1.1 {code} X\r\nContent-Length: 0"), body: Vec::new(), repeat: 1 }
    }

    /// 200 and bytes until the client hangs up, without saying how many.
    pub(crate) fn endless() -> Self {
        Self { head: "HTTP/1.1 200 OK".into(), body: vec![7; 1 << 16], repeat: usize::MAX }
    }

    /// Closes the connection after `length` bytes of the body, whatever the head promised.
    pub(crate) fn cut_after(mut self, length: usize) -> Self {
        self.body.truncate(length);
        self
    }
}

/// Answers on a port of its own until the test process ends.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/base", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                log.lock().unwrap().push(request.clone());
                // A client that has seen enough may hang up.
                let _ = send(&mut stream, &answer(&request));
            }
        });
        Self { address, requests }
    }

    /// The base address, as a mirror has one.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Everything asked for so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map(|line| line.unwrap().to_lowercase());
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_string();
    let headers = lines.take_while(|line| !line.is_empty());
    let range_start = headers
        .filter_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok())
        .collect::<Vec<_>>()
        .first()
        .copied();
    Request { path, range_start }
}

fn send(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    write!(stream, "{}\r\nConnection: close\r\n\r\n", answer.head)?;
    for _ in 0..answer.repeat {
        stream.write_all(&answer.body)?;
    }
    Ok(())
}
