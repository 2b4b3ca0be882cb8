//! From SIGTERM to the exit, seen by clients that keep their connections and never try anything twice.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::bundle::committed;
use crate::support::program::{Program, connect, post, read_all};

/// A client as HTTP libraries have them: it keeps its connection until it is asked to close.
struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    fn of(program: &Program) -> Self {
        Self { address: program.predictions, connection: None }
    }

    /// One prediction, on the connection of the last one where there is one. Whatever goes wrong fails the test.
    /// Returns whether the server asked to close; then it must close, too.
    fn ask(&mut self) -> bool {
        let mut connection = self.connection.take().unwrap_or_else(|| BufReader::new(connect(self.address)));
        connection.get_mut().write_all(post(r#"{"smiles":"CCO"}"#, "keep-alive").as_bytes()).unwrap();
        let head = read_head(&mut connection);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        connection.read_exact(&mut body).unwrap();
        assert!(String::from_utf8(body).unwrap().contains("\"prediction\":"));
        let asked = head.contains("connection: close");
        if asked {
            assert_eq!(read_all(connection.get_mut()), "", "something followed the last answer");
        } else {
            self.connection = Some(connection);
        }
        asked
    }
}

fn read_head(connection: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = connection.read_line(&mut head).unwrap();
        assert!(read > 0, "the connection was closed instead of an answer; so far: {head:?}");
    }
    head.to_lowercase()
}

#[test]
fn a_client_that_keeps_asking_during_the_drain_gets_no_error_and_is_asked_to_close() {
    let program = Program::start(&committed(), &["--drain-seconds", "5"]);
    program.wait_for_log("ready");
    let (mut busy, mut quiet, mut idle) = (Client::of(&program), Client::of(&program), Client::of(&program));
    for client in [&mut busy, &mut quiet, &mut idle] {
        for _ in 0..3 {
            assert!(!client.ask(), "nobody told the server to stop");
        }
    }
    program.signal("TERM");
    // Connections stay up to the moment at which the program takes the signal.
    assert!((0..100_000).any(|_| busy.ask()), "the server never asked to close");
    for _ in 0..20 {
        assert!(busy.ask(), "a draining server kept a connection");
    }
    assert!(quiet.ask(), "a draining server kept a connection");
    let mut idle = idle.connection.take().unwrap();
    assert_eq!(read_all(idle.get_mut()), "", "an idle connection got an answer");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_request_that_is_refused_during_the_drain_ends_its_connection_too() {
    let program = Program::start(&committed(), &["--drain-seconds", "3"]);
    program.wait_for_log("ready");
    program.signal("TERM");
    program.wait_for_log("draining: still serving");
    for (request, status) in [
        (post(r#"{"smiles":""}"#, "keep-alive"), "422"),
        (post(r#"{"smiles":"CCO"}"#, "keep-alive").replace("/predict", "/elsewhere"), "404"),
        (post(r#"{"smiles":"CCO"}"#, "keep-alive").replace("POST", "PUT"), "405"),
    ] {
        let mut stream = connect(program.predictions);
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_all(&mut stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains("connection: close"), "{answer}");
    }
}
