//! The command line: everything the operator can say to a Job.
#![allow(clippy::doc_markdown, reason = "the comments of arguments are the text of --help")]

use clap::{Parser, Subcommand};

pub use crate::sync::args::SyncArgs;
pub use crate::verify::args::VerifyArgs;

/// Runs one step of a ChemModel inside a Job.
#[derive(Debug, Parser)]
#[command(name = "chemmodel-job", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The steps.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetches a bundle from S3, checks it, and publishes it on a volume by one atomic rename.
    ///
    /// Credentials come from the standard AWS environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    /// AWS_SESSION_TOKEN; or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN; or the role of the container or the
    /// instance. AWS_SKIP_SIGNATURE=true reads a public bucket without any.
    Sync(SyncArgs),
    /// Asks every pod of a candidate the molecules whose answers are known, and compares.
    ///
    /// Exits with 0 only when every answer of every pod was right. Molecules and tolerances come from the bundle's
    /// golden.json, and from --golden.
    Verify(VerifyArgs),
}

#[cfg(test)]
mod tests {
    use chemmodel_bundle::BundleDigest;
    use clap::CommandFactory;

    use super::*;
    use crate::telemetry::LogFormat;

    fn parse(line: &[&str]) -> Command {
        Args::try_parse_from(["chemmodel-job"].iter().chain(line)).unwrap().command
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_operators_full_command_line_of_a_sync_is_understood() {
        let digest = BundleDigest::of(b"").to_string();
        let line = format!(
            "sync --uri s3://models/boiling-point/v1 --target /var/lib/chemmodel --digest {digest} --region eu-west-1 \
             --endpoint https://minio:9000 --path-style --ca-bundle /ca.pem --max-bytes 10 --collect --keep {digest} --keep {digest} --termination-log /tmp/t \
             --log-format text"
        );
        let Command::Sync(sync) = parse(&line.split(' ').collect::<Vec<_>>()) else { panic!("not a sync") };
        assert_eq!(sync.uri.to_string(), "s3://models/boiling-point/v1");
        assert_eq!(sync.digest.map(|d| d.to_string()), Some(digest));
        assert_eq!((sync.collect, sync.keep.len()), (true, 2));
        assert_eq!((sync.max_bytes, sync.path_style), (Some(10), true));
        assert_eq!(sync.reporting.log_format, LogFormat::Text);
        assert_eq!(sync.reporting.termination_log.to_str(), Some("/tmp/t"));
    }

    #[test]
    fn the_operators_full_command_line_of_a_verification_is_understood() {
        let digest = BundleDigest::of(b"").to_string();
        let line = format!(
            "verify --bundle /b --digest {digest} --revision 7f9c --version v4 --pod bp-0=10.0.0.1:8080 \
             --pod bp-1=[fd00::1]:8080 --ops-port 8081 --service http://bp-preview.chem:80 --golden /golden/golden.json \
             --abs-tolerance 0.5 --rel-tolerance 0 --max-p95-milliseconds 250 --timeout-seconds 60 \
             --termination-log /tmp/t --log-format text"
        );
        let Command::Verify(verify) = parse(&line.split(' ').collect::<Vec<_>>()) else { panic!("not a verification") };
        let pods: Vec<_> = verify.pods.iter().map(|pod| (pod.name.as_str(), pod.address.to_string())).collect();
        assert_eq!(pods, [("bp-0", "10.0.0.1:8080".to_owned()), ("bp-1", "[fd00::1]:8080".to_owned())]);
        assert_eq!(
            (verify.digest.to_string(), verify.revision.as_str(), verify.version.as_str()),
            (digest, "7f9c", "v4")
        );
        assert_eq!((verify.ops_port, verify.max_p95_milliseconds, verify.timeout_seconds), (8081, Some(250), 60));
        assert_eq!((verify.abs_tolerance, verify.rel_tolerance), (Some(0.5), Some(0.0)));
        assert_eq!(verify.reporting.log_format, LogFormat::Text);
    }
}
