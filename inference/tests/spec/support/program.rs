//! The program itself, as Kubernetes starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use super::bundle::runtime;
use super::engine::LONG;

pub struct Program {
    child: Child,
    log: Receiver<Value>,
    pub predictions: SocketAddr,
    pub ops: SocketAddr,
}

/// The command line for a bundle, on ports that are free.
pub fn command(bundle: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chemmodel-server"));
    command.arg("--bundle").arg(bundle).args(["--name", "boiling-point", "--version", "v1"]);
    for flag in ["--http-address", "--grpc-address", "--ops-address"] {
        if !more.contains(&flag) {
            command.args([flag, "127.0.0.1:0"]);
        }
    }
    command.args(more);
    command.env("ORT_DYLIB_PATH", runtime()).env_remove("RUST_LOG").stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts it and waits until it listens; it may still be loading.
    pub fn start(bundle: &Path, more: &[&str]) -> Self {
        let mut child = command(bundle, more).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (send, log) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("a log line is not JSON: {line}"));
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let mut program = Self { child, log, predictions: ([0, 0, 0, 0], 0).into(), ops: ([0, 0, 0, 0], 0).into() };
        program.ops = program.wait_for_log("listening for --ops-address")["address"].as_str().unwrap().parse().unwrap();
        program.predictions =
            program.wait_for_log("listening for --http-address")["address"].as_str().unwrap().parse().unwrap();
        program
    }

    /// Waits for a log line and returns it.
    pub fn wait_for_log(&self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(LONG).unwrap_or_else(|e| panic!("the log never said {message:?}: {e}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn wait(mut self) -> ExitStatus {
        let deadline = Instant::now() + LONG;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("the program never ended");
    }

    /// Asks the ops port for a path.
    pub fn ops(&self, path: &str) -> String {
        exchange(self.ops, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }

    /// Asks for a prediction.
    pub fn predict(&self, body: &str) -> String {
        exchange(self.predictions, &post(body, "close"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as it goes over the wire.
pub fn post(body: &str, connection: &str) -> String {
    format!(
        "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: {connection}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends bytes over a new connection and reads until the server closes it.
pub fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    read_all(&mut stream)
}

/// A connection on which nothing can hang a test.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

pub fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
