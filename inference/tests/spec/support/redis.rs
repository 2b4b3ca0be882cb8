//! A real Redis, on a socket of its own.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::engine::LONG;

pub struct Redis {
    child: Child,
    directory: TempDir,
}

impl Redis {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "socket", "--save", "", "--dir"])
            .arg(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server: {error}; install Redis"));
        let redis = Self { child, directory };
        let deadline = Instant::now() + LONG;
        while !redis.directory.path().join("socket").exists() {
            assert!(Instant::now() < deadline, "redis-server never listened");
            thread::sleep(Duration::from_millis(5));
        }
        redis
    }

    pub fn address(&self) -> String {
        format!("redis+unix://{}", self.directory.path().join("socket").display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
