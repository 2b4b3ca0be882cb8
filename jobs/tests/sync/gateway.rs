//! versitygw over a temporary directory: one server a test.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, PutPayload};

use crate::bundle::Bundle;

pub const ACCESS_KEY: &str = "test-access";
pub const SECRET_KEY: &str = "test-secret-key";
pub const BUCKET: &str = "models";

pub struct Gateway {
    process: Child,
    port: u16,
    scheme: &'static str,
    store: AmazonS3,
    runtime: tokio::runtime::Runtime,
    root: tempfile::TempDir,
}

impl Gateway {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With a certificate it speaks HTTPS.
    pub fn start_with(options: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let (process, port) = (0..5).find_map(|_| try_start(&root, options)).expect("versitygw does not start");
        let scheme = if options.contains(&"--cert") { "https" } else { "http" };
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://127.0.0.1:{port}"))
            .with_allow_http(true)
            .with_bucket_name(BUCKET)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .build()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { process, port, scheme, store, runtime, root }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn endpoint(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub fn put(&self, key: &str, content: &[u8]) {
        let payload = PutPayload::from(content.to_vec());
        self.runtime.block_on(self.store.put(&Key::parse(key).unwrap(), payload)).unwrap();
    }

    pub fn delete(&self, key: &str) {
        self.runtime.block_on(self.store.delete(&Key::parse(key).unwrap())).unwrap();
    }

    pub fn upload(&self, prefix: &str, bundle: &Bundle) {
        for (path, content) in &bundle.files {
            self.put(&format!("{prefix}/{path}"), content);
        }
    }

    /// Puts an object past the server, for one that speaks HTTPS.
    pub fn place(&self, prefix: &str, bundle: &Bundle) {
        for (path, content) in &bundle.files {
            let file = self.root.path().join(BUCKET).join(prefix).join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The port is free when it is chosen; if somebody else is faster, the server ends and the next attempt takes another.
fn try_start(root: &tempfile::TempDir, options: &[&str]) -> Option<(Child, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let program = program();
    let spawned = Command::new(&program)
        .args(["--port", &format!("127.0.0.1:{port}"), "--keep-alive", "--quiet"])
        .args(options)
        .arg("posix")
        .arg(root.path())
        .env("ROOT_ACCESS_KEY", ACCESS_KEY)
        .env("ROOT_SECRET_KEY", SECRET_KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut process = spawned.unwrap_or_else(|why| panic!("{} does not start: {why}", program.display()));
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if process.try_wait().unwrap().is_some() {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((process, port));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = process.kill();
    let _ = process.wait();
    None
}

fn program() -> PathBuf {
    let named = std::env::var_os("VERSITYGW").map(PathBuf::from);
    let cache = || match std::env::var_os("CHEMMODEL_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/chemmodel"),
    };
    let program = named.unwrap_or_else(|| cache().join("bin/versitygw"));
    assert!(
        program.exists(),
        "{} is missing: run `make tools-bin`, or set VERSITYGW to a versitygw binary",
        program.display()
    );
    program
}
