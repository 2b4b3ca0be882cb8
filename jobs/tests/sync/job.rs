//! The program under test, run as the operator runs it.

use std::path::Path;
use std::process::Command;

use chemmodel_bundle::report::{SyncFailure, SyncReason, SyncReport, Synced};

use crate::gateway::{ACCESS_KEY, SECRET_KEY};
use crate::process::{self, Process, program};

pub use crate::process::wait_for;

/// A run under way; killed when the test forgets it.
pub struct Running(Process<SyncReport>);
/// How a run ended.
pub type Ended = process::Ended<SyncReport>;

/// One run to be started.
pub struct Job {
    command: Command,
    retry_seconds: u32,
    stall_seconds: u32,
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
        let uri = if prefix.starts_with("s3://") { prefix.to_owned() } else { format!("s3://models/{prefix}") };
        command.args(["sync", "--uri", &uri, "--endpoint", endpoint, "--path-style"]);
        command.arg("--target").arg(target);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        Self { command, retry_seconds: 2, stall_seconds: 2 }
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
        Running(Process::start(self.command, SyncReport::parse))
    }

    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

impl Running {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL, as the kernel's out-of-memory killer sends it.
    pub fn kill(self) {
        drop(self.0);
    }

    /// SIGTERM, as the kubelet sends it.
    pub fn terminate(&self) {
        self.0.terminate();
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.has_ended()
    }

    pub fn wait(self) -> Ended {
        let ended = self.0.wait();
        assert!(
            !ended.stderr.contains(SECRET_KEY) && !ended.message.contains(SECRET_KEY),
            "the secret key was printed"
        );
        ended
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
