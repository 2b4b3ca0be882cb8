//! The command line: everything the operator can say to a Job.
#![allow(clippy::doc_markdown, reason = "the comments of arguments are the text of --help")]

use std::path::PathBuf;

use chemmodel_bundle::BundleDigest;
use clap::{Parser, Subcommand, ValueEnum};
use reqwest::Url;

use crate::sync::uri::S3Uri;

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
}

/// Arguments of `sync`.
#[derive(Debug, Clone, clap::Args)]
pub struct SyncArgs {
    /// Where the bundle lies: s3://bucket/prefix
    #[arg(long)]
    pub uri: S3Uri,

    /// Root of the volume; the bundle appears at TARGET/models/<digest>
    #[arg(long, value_name = "DIR")]
    pub target: PathBuf,

    /// The only acceptable bundle; any, when left out
    #[arg(long, value_name = "sha256:HEX")]
    pub digest: Option<BundleDigest>,

    /// S3 endpoint other than the one of AWS, such as https://minio.storage.svc:9000
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<Url>,

    /// Region of the bucket; else AWS_REGION, else us-east-1
    #[arg(long)]
    pub region: Option<String>,

    /// Puts the bucket into the path of the URL (https://host/bucket) and not into its host name
    #[arg(long)]
    pub path_style: bool,

    /// PEM file of certificate authorities to trust beside those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,

    /// Refuses a bundle with more bytes than this
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<u64>,

    /// Seconds for which one request is tried again before the storage counts as unavailable
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    pub retry_seconds: u64,

    /// Seconds without a single byte after which a connection is given up and made anew
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub stall_seconds: u64,

    /// File that receives the report; the kubelet copies it into the Pod's status
    #[arg(long, value_name = "FILE", default_value = DEFAULT_TERMINATION_LOG)]
    pub termination_log: PathBuf,

    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// Where the kubelet looks unless the container says otherwise.
pub const DEFAULT_TERMINATION_LOG: &str = "/dev/termination-log";

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Text,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_operators_full_command_line_is_understood() {
        let digest = BundleDigest::of(b"");
        let pin = digest.to_string();
        let line = [
            "chemmodel-job",
            "sync",
            "--uri",
            "s3://models/boiling-point/v1",
            "--target",
            "/var/lib/chemmodel",
            "--digest",
            &pin,
            "--endpoint",
            "https://minio:9000",
            "--region",
            "eu-west-1",
            "--path-style",
            "--ca-bundle",
            "/ca.pem",
            "--max-bytes",
            "10",
            "--termination-log",
            "/tmp/t",
            "--log-format",
            "text",
        ];
        let Command::Sync(sync) = Args::try_parse_from(line).unwrap().command;
        assert_eq!(sync.uri.to_string(), "s3://models/boiling-point/v1");
        assert_eq!(sync.digest, Some(digest));
        assert_eq!((sync.max_bytes, sync.log_format, sync.path_style), (Some(10), LogFormat::Text, true));
    }
}
