//! The command line of `sync`.
#![allow(clippy::doc_markdown, reason = "the comments of arguments are the text of --help")]

use std::path::PathBuf;

use chemmodel_bundle::BundleDigest;
use reqwest::Url;

use super::uri::S3Uri;
use crate::process::Reporting;

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

    /// First removes every published bundle from the volume that is neither the one of this run nor given with --keep
    #[arg(long)]
    pub collect: bool,

    /// A bundle that --collect leaves on the volume; may be given many times
    #[arg(long, value_name = "sha256:HEX", requires = "collect")]
    pub keep: Vec<BundleDigest>,

    /// Seconds for which one request is tried again before the storage counts as unavailable
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    pub retry_seconds: u64,

    /// Seconds without a single byte after which a connection is given up and made anew
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub stall_seconds: u64,

    /// How the run tells what it does.
    #[command(flatten)]
    pub reporting: Reporting,
}
