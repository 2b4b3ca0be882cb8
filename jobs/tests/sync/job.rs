//! The program under test, run as the operator runs it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chemmodel_bundle::report::{SyncFailure, SyncReason, SyncReport, Synced};

use crate::gateway::{ACCESS_KEY, SECRET_KEY};

/// Longer than any honest run; a hanging one fails the test with a name.
const PATIENCE: Duration = Duration::from_mins(2);

/// One run to be started.
pub struct Job {
    command: Command,
    retry_seconds: u32,
    stall_seconds: u32,
    log: tempfile::NamedTempFile,
}

/// A run under way; killed when the test forgets it.
pub struct Running {
    process: Option<Child>,
    log: tempfile::NamedTempFile,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub report: SyncReport,
    pub stderr: String,
}

impl Job {
    /// `chemmodel-job sync` of `s3://models/<prefix>`, or of a whole URI, with working credentials, short waits, and no other environment.
    pub fn sync(endpoint: &str, prefix: &str, target: &Path) -> Self {
        Self::wrapped(Command::new(program()), endpoint, prefix, target)
    }

    /// The same below another program, which must execute the arguments after its own.
    pub fn below(mut outer: Command, endpoint: &str, prefix: &str, target: &Path) -> Self {
        outer.arg(program());
        Self::wrapped(outer, endpoint, prefix, target)
    }

    fn wrapped(mut command: Command, endpoint: &str, prefix: &str, target: &Path) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let uri = if prefix.starts_with("s3://") { prefix.to_owned() } else { format!("s3://models/{prefix}") };
        command.args(["sync", "--uri", &uri, "--endpoint", endpoint, "--path-style", "--log-format", "text"]);
        command.arg("--target").arg(target).arg("--termination-log").arg(log.path());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        Self { command, retry_seconds: 2, stall_seconds: 2, log }
    }

    pub fn retry_seconds(mut self, seconds: u32) -> Self {
        self.retry_seconds = seconds;
        self
    }

    pub fn stall_seconds(mut self, seconds: u32) -> Self {
        self.stall_seconds = seconds;
        self
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without_keys(mut self) -> Self {
        self.command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        self
    }

    pub fn start(mut self) -> Running {
        self.command.args(["--retry-seconds", &self.retry_seconds.to_string()]);
        self.command.args(["--stall-seconds", &self.stall_seconds.to_string()]);
        let process = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        Running { process: Some(process), log: self.log }
    }

    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

impl Running {
    pub fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// SIGKILL, as the kernel's out-of-memory killer sends it.
    pub fn kill(mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM, as the kubelet sends it.
    pub fn terminate(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    pub fn wait(mut self) -> Ended {
        wait_for("the job to end", || self.has_ended());
        let Output { status, stderr, .. } = self.process.take().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        let message = std::fs::read_to_string(self.log.path()).unwrap();
        let report = SyncReport::parse(&message).unwrap_or_else(|why| panic!("no report: {why}: {message}\n{stderr}"));
        let code = status.code().unwrap_or_else(|| panic!("{status}\n{stderr}"));
        assert_eq!(code, i32::from(report.exit_code()), "the exit code and the report disagree\n{stderr}");
        assert!(!stderr.contains(SECRET_KEY) && !message.contains(SECRET_KEY), "the secret key was printed");
        Ended { code, report, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Ended {
    pub fn succeeded(&self) -> &Synced {
        match &self.report {
            SyncReport::Succeeded(synced) => synced,
            SyncReport::Failed(failure) => panic!("{}: {}\n{}", failure.reason, failure.message, self.stderr),
        }
    }

    pub fn failed(&self) -> &SyncFailure {
        match &self.report {
            SyncReport::Failed(failure) => failure,
            SyncReport::Succeeded(_) => panic!("the job succeeded\n{}", self.stderr),
        }
    }

    /// It failed for this reason, and the message holds all of these words.
    pub fn assert_failed(&self, reason: SyncReason, words: &[&str]) {
        let failure = self.failed();
        assert_eq!(failure.reason, reason, "{}\n{}", failure.message, self.stderr);
        for word in words {
            assert!(failure.message.contains(word), "expected \"{word}\" in \"{}\"", failure.message);
        }
    }
}

/// Waits for a condition; a test that waits in vain says for what.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_chemmodel-job")
}
