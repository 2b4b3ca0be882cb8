//! The command line of `verify`.
#![allow(clippy::doc_markdown, reason = "the comments of arguments are the text of --help")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use chemmodel_bundle::verification::VerifyReason;
use chemmodel_bundle::{BundleDigest, Precision};
use reqwest::Url;

use super::failure::Failure;
use crate::process::Reporting;

/// Arguments of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {
    /// Directory of the candidate's bundle: chemmodel.json and golden.json are read
    #[arg(long, value_name = "DIR")]
    pub bundle: PathBuf,

    /// Digest of the bundle; every answer must name it
    #[arg(long, value_name = "sha256:HEX")]
    pub digest: BundleDigest,

    /// Revision of the candidate; every answer must name it
    #[arg(long)]
    pub revision: String,

    /// Version of the candidate; every answer must name it
    #[arg(long)]
    pub version: String,

    /// Numbers that the candidate computes with: a variant of the bundle has a tolerance of its own
    #[arg(long, value_name = "PRECISION", default_value_t = Precision::Fp32)]
    pub precision: Precision,

    /// A pod of the candidate, given once for each; IPv6 as NAME=[::1]:8080
    #[arg(long = "pod", value_name = "NAME=IP:PORT", required = true)]
    pub pods: Vec<PodAddress>,

    /// Port of every pod's /metrics, which say what runs its network
    #[arg(long, value_name = "PORT")]
    pub ops_port: u16,

    /// Service in front of the candidate, such as http://boiling-point-preview.chem; asked a few molecules, too
    #[arg(long, value_name = "URL", value_parser = service)]
    pub service: Url,

    /// Credentials, sent as a bearer token
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// Speak to the candidate by TLS, under this name, which its certificate must have
    #[arg(long, value_name = "HOST", requires = "tls_authority")]
    pub tls_name: Option<String>,

    /// Authority of the candidate's certificate
    #[arg(long, value_name = "FILE", requires = "tls_name")]
    pub tls_authority: Option<PathBuf>,

    /// Directory with tls.crt and tls.key, shown to the candidate
    #[arg(long, value_name = "DIR", requires = "tls_name")]
    pub tls_client: Option<PathBuf>,

    /// More molecules, in the form of golden.json
    #[arg(long, value_name = "FILE")]
    pub golden: Option<PathBuf>,

    /// Allowed error in the output's unit, in place of the one in golden.json
    #[arg(long, value_name = "X", value_parser = tolerance)]
    pub abs_tolerance: Option<f64>,

    /// Allowed error as a fraction of the reference, in place of the one in golden.json
    #[arg(long, value_name = "X", value_parser = tolerance)]
    pub rel_tolerance: Option<f64>,

    /// Fails when a pod takes longer than this for more than 5 of 100 requests with one molecule
    #[arg(long, value_name = "N")]
    pub max_p95_milliseconds: Option<u64>,

    /// Seconds for the whole run; a connection that is refused is tried again until then
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout_seconds: u64,

    /// Seconds for one answer; then it counts as not given
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..), hide = true)]
    pub answer_seconds: u64,

    /// How the run tells what it does.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// A pod to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodAddress {
    /// Its name, for people.
    pub name: String,
    /// Where it predicts.
    pub address: SocketAddr,
}

impl FromStr for PodAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write it as NAME=IP:PORT, for IPv6 as NAME=[::1]:8080";
        let (name, address) = text.split_once('=').ok_or_else(|| format!("there is no \"=\" in it; {form}"))?;
        if name.is_empty() {
            return Err(format!("the name is empty; {form}"));
        }
        let address = address.parse().map_err(|_| format!("\"{address}\" is not an address with a port; {form}"))?;
        Ok(Self { name: name.to_owned(), address })
    }
}

impl VerifyArgs {
    /// What no single argument can say about itself.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for pod in &self.pods {
            // The same pod twice would look like the evidence of two.
            if !names.insert(&pod.name) || !addresses.insert(pod.address) {
                let message =
                    format!("--pod {}={} repeats a name or an address; give each pod once", pod.name, pod.address);
                return Err(Failure::new(VerifyReason::InvalidConfiguration, message));
            }
        }
        Ok(())
    }
}

fn service(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|why| format!("it is no URL: {why}"))?;
    // Whether it is encrypted is a matter of --tls-name, for pods and Service alike.
    if url.scheme() == "http" { Ok(url) } else { Err("write it as http://HOST or http://HOST:PORT".to_owned()) }
}

fn tolerance(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|why| format!("{why}"))?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("write a finite number, 0 or more".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_a_name_and_an_address_with_a_port() {
        for text in ["10.0.0.1:8080", "=10.0.0.1:8080", "a=10.0.0.1", "a=host:8080", "a=::1:8080x", "a=fd00::1", ""] {
            assert!(text.parse::<PodAddress>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_tolerance_that_accepts_everything_is_refused() {
        for text in ["NaN", "inf", "-1", "wide", ""] {
            assert!(tolerance(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(tolerance("0"), Ok(0.0));
    }

    #[test]
    fn a_service_is_asked_without_tls() {
        assert!(service("https://bp-preview").is_err() && service("bp-preview:80").is_err());
        assert!(service("http://bp-preview.chem").is_ok() && service("http://[fd00::1]:80/").is_ok());
    }
}
