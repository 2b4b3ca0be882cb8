//! An HTTP server that answers as the test says: for what no honest S3 server would do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bundle::Bundle;

/// What was asked for.
pub struct Request {
    /// Path and query.
    pub target: String,
    /// Lines of the head, lower case.
    pub head: String,
    pub body: String,
}

/// What is answered.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Fake {
    port: u16,
    scheme: &'static str,
    stopped: Arc<AtomicBool>,
}

impl Fake {
    pub fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::serve("http", answer, |stream| Some(Box::new(stream)))
    }

    /// Over TLS with this certificate.
    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self::serve("https", answer, move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&tls)).ok()?;
            Some(Box::new(rustls::StreamOwned::new(connection, stream)))
        })
    }

    fn serve(
        scheme: &'static str,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, answer) = (Arc::clone(&stopped), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Some(stream) = wrap(stream) {
                    let answer = Arc::clone(&answer);
                    std::thread::spawn(move || converse(stream, answer.as_ref()));
                }
            }
        });
        Self { port, scheme, stopped }
    }

    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One request a connection: keeps the server honest and short.
fn converse(stream: Box<dyn Stream>, answer: &dyn Fn(&Request) -> Response) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read_request(&mut stream) else { return };
    let Response { status, headers, body } = answer(&request);
    let mut lines =
        vec![format!("HTTP/1.1 {status} X"), "connection: close".to_owned(), format!("content-length: {}", body.len())];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let head = lines.join("\r\n") + "\r\n\r\n";
    let stream = stream.get_mut();
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    let _ = stream.flush();
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut first = String::new();
    stream.read_line(&mut first).ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let mut head = String::new();
    while stream.read_line(&mut head).ok()? > 2 {}
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |n| n.trim().parse().unwrap_or(0));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { target, head, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Request {
    pub fn is_listing(&self) -> bool {
        self.target.contains("list-type=2")
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// S3's form of an error.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"))
    }

    /// A listing of these objects; the keys go into the XML as they are.
    pub fn listing<'a>(objects: impl IntoIterator<Item = (&'a [u8], u64)>) -> Self {
        let mut xml = b"<ListBucketResult>".to_vec();
        for (key, size) in objects {
            xml.extend(b"<Contents><Key>");
            xml.extend(key);
            xml.extend(format!("</Key><Size>{size}</Size><LastModified>2026-01-01T00:00:00Z</LastModified>").bytes());
            xml.extend(b"<ETag>\"1\"</ETag></Contents>");
        }
        xml.extend(b"</ListBucketResult>");
        Self::new(200, xml)
    }
}

/// Answers for a bundle below `models/<prefix>/` as S3 would.
pub fn serve(bundle: &Bundle, prefix: &str, request: &Request) -> Response {
    if request.is_listing() {
        let keys: Vec<_> =
            bundle.files.iter().map(|(path, content)| (format!("{prefix}/{path}"), content.len() as u64)).collect();
        return Response::listing(keys.iter().map(|(key, size)| (key.as_bytes(), *size)));
    }
    let path = request.target.strip_prefix(&format!("/models/{prefix}/")).unwrap_or_default();
    let Some(content) = bundle.files.get(path) else { return Response::error(404, "NoSuchKey") };
    let (start, end) = range(request).unwrap_or((0, content.len() - 1));
    Response::new(206, &content[start..=end])
        .with("etag", "\"1\"")
        .with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        .with("content-range", &format!("bytes {start}-{end}/{}", content.len()))
}

fn range(request: &Request) -> Option<(usize, usize)> {
    let (start, end) = request.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}
