//! The program under test, run as the operator runs it: started, signalled, waited for, its report read.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chemmodel_jobs::process::Report;
use tempfile::NamedTempFile;

/// Longer than any honest run; a hanging one fails the test with a name.
const PATIENCE: Duration = Duration::from_mins(2);

/// A run under way. Dropping it is a SIGKILL, as the kernel's out-of-memory killer sends it.
pub struct Process<R> {
    child: Child,
    stderr: NamedTempFile,
    termination_log: NamedTempFile,
    parse: Parse<R>,
}

/// How a report is read from the termination log.
pub type Parse<R> = fn(&str) -> Result<R, serde_json::Error>;

/// How a run ended.
#[derive(Debug)]
pub struct Ended<R> {
    pub code: i32,
    pub report: R,
    pub message: String,
    pub stderr: String,
}

/// `chemmodel-job`, or another program that runs it.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_chemmodel-job")
}

impl<R: Report> Process<R> {
    /// Starts the command with a termination log of its own.
    pub fn start(mut command: Command, parse: Parse<R>) -> Self {
        let (stderr, termination_log) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
        command.args(["--log-format", "text"]).arg("--termination-log").arg(termination_log.path());
        let child = command.stdout(Stdio::null()).stderr(stderr.reopen().unwrap()).spawn().unwrap();
        Self { child, stderr, termination_log, parse }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged by now.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// SIGTERM, as the kubelet sends it.
    pub fn terminate(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn wait(mut self) -> Ended<R> {
        wait_for("the job to end", || self.has_ended());
        let status = self.child.wait().unwrap();
        let stderr = self.stderr();
        let message = std::fs::read_to_string(self.termination_log.path()).unwrap();
        let report = (self.parse)(&message).unwrap_or_else(|why| panic!("no report: {why}: {message}\n{stderr}"));
        let code = status.code().unwrap_or_else(|| panic!("{status}\n{stderr}"));
        assert_eq!(code, i32::from(report.exit_code()), "the exit code and the report disagree\n{stderr}");
        Ended { code, report, message, stderr }
    }
}

impl<R> Drop for Process<R> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
