//! `chemmodel-job verify` of a fleet, with the arguments that the operator gives.

use std::path::Path;
use std::process::Command;

use chemmodel_bundle::verification::{Figures, VerifyFailure, VerifyReason, VerifyReport};

use crate::bundle::digest;
use crate::fleet::Fleet;
use crate::process::{self, Process, program};

pub type Running = Process<VerifyReport>;
pub type Ended = process::Ended<VerifyReport>;

/// One run to be started.
pub struct Verify {
    command: Command,
}

impl Verify {
    /// Every pod of the fleet and its Service.
    pub fn of(bundle: &Path, fleet: &Fleet) -> Self {
        Self::elsewhere(bundle, fleet, &format!("http://{}", fleet.service.address))
    }

    /// Every pod of the fleet and another Service.
    pub fn elsewhere(bundle: &Path, fleet: &Fleet, service: &str) -> Self {
        let mut this = Self::new(bundle, fleet, service);
        for (index, pod) in fleet.pods.iter().enumerate() {
            this.command.arg("--pod").arg(format!("bp-{index}={}", pod.address));
        }
        this
    }

    pub fn without_pods(bundle: &Path, fleet: &Fleet) -> Self {
        Self::new(bundle, fleet, &format!("http://{}", fleet.service.address))
    }

    fn new(bundle: &Path, fleet: &Fleet, service: &str) -> Self {
        let mut command = Command::new(program());
        command.env_clear().arg("verify").arg("--bundle").arg(bundle);
        command.args(["--digest", &digest(bundle).to_string(), "--revision", "7f9c", "--version", "v4"]);
        command.args(["--ops-port", &fleet.ops_port.to_string(), "--service", service]);
        Self { command }
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn start(self) -> Running {
        Process::start(self.command, VerifyReport::parse)
    }

    /// Runs what cannot be understood, which leaves no report.
    pub fn output(mut self) -> std::process::Output {
        self.command.output().unwrap()
    }

    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

impl Ended {
    pub fn passed(&self) -> &Figures {
        match &self.report {
            VerifyReport::Passed(figures) => figures,
            VerifyReport::Failed(failure) => panic!("{}: {}\n{}", failure.reason, failure.message, self.stderr),
        }
    }

    pub fn failed(&self) -> &VerifyFailure {
        match &self.report {
            VerifyReport::Failed(failure) => failure,
            VerifyReport::Passed(figures) => panic!("passed: {figures:?}\n{}", self.stderr),
        }
    }

    /// It failed for this reason, and the message holds all of these words.
    pub fn assert_failed(&self, reason: VerifyReason, words: &[&str]) {
        let failure = self.failed();
        assert_eq!(failure.reason, reason, "{}\n{}", failure.message, self.stderr);
        for word in words {
            assert!(failure.message.contains(word), "expected \"{word}\" in \"{}\"", failure.message);
        }
    }
}
