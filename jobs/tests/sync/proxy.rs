//! A TCP proxy in front of a server that lets through exactly as many answer bytes as the test allows.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Proxy {
    port: u16,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    allowed: u64,
    passed: u64,
    open_streams: Vec<TcpStream>,
    closed: bool,
}

impl Proxy {
    /// Lets everything through until told otherwise.
    pub fn before(port: u16) -> Self {
        let gate = Arc::new(Gate::default());
        gate.lock().allowed = u64::MAX;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let accepting = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.lock().closed {
                    return;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    connect(&accepting, client, server);
                }
            }
        });
        Self { port: own, gate }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answer bytes that have gone through so far.
    pub fn passed(&self) -> u64 {
        self.gate.lock().passed
    }

    /// From now on `bytes` more may go through.
    pub fn allow(&self, bytes: u64) {
        let mut state = self.gate.lock();
        state.allowed = state.passed.saturating_add(bytes);
        self.gate.changed.notify_all();
    }

    pub fn allow_all(&self) {
        self.allow(u64::MAX);
    }

    /// Waits until all that was allowed has gone through.
    pub fn wait_until_used_up(&self) {
        let state = self.gate.lock();
        let waited =
            self.gate.changed.wait_timeout_while(state, PATIENCE, |state| state.passed < state.allowed).unwrap();
        assert!(!waited.1.timed_out(), "the client asked for less than was allowed");
    }

    /// Breaks every connection, as a restarted load balancer does.
    pub fn cut(&self) {
        for stream in self.gate.lock().open_streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.gate.lock().closed = true;
        self.allow_all();
        self.cut();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A failed test must still be able to clean up.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may go through; at most `wanted` bytes at once.
    fn take(&self, wanted: usize) -> usize {
        let state = self.lock();
        let mut state = self.changed.wait_while(state, |state| state.passed >= state.allowed && !state.closed).unwrap();
        let granted = wanted.min(usize::try_from(state.allowed - state.passed).unwrap_or(usize::MAX));
        state.passed += granted as u64;
        granted
    }
}

fn connect(gate: &Arc<Gate>, client: TcpStream, server: TcpStream) {
    let _ = client.set_nodelay(true);
    gate.lock().open_streams.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let gate = Arc::clone(gate);
    std::thread::spawn(move || {
        answer(&gate, server, &client);
        let _ = client.shutdown(Shutdown::Both);
    });
}

fn answer(gate: &Gate, mut server: TcpStream, mut client: &TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        let mut sent = 0;
        while sent < n {
            let granted = gate.take(n - sent);
            if granted == 0 || client.write_all(&buffer[sent..sent + granted]).is_err() {
                return;
            }
            sent += granted;
            gate.changed.notify_all();
        }
    }
}
