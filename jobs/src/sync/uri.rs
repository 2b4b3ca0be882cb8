//! `s3://bucket/prefix`, checked as it enters.

use std::fmt;
use std::str::FromStr;

use chemmodel_bundle::BundlePath;

/// The prefix of one bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Uri {
    bucket: String,
    prefix: BundlePath,
}

impl S3Uri {
    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The prefix without a slash at its end.
    pub fn prefix(&self) -> &str {
        self.prefix.as_str()
    }
}

impl FromStr for S3Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write it as s3://bucket/prefix";
        let rest = text.strip_prefix("s3://").ok_or_else(|| format!("\"{text}\" does not start with s3://; {form}"))?;
        let (bucket, prefix) =
            rest.split_once('/').ok_or_else(|| format!("\"{text}\" names a bucket without a prefix; {form}"))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(allowed) {
            return Err(format!("\"{bucket}\" is not the name of a bucket; {form}"));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let prefix = prefix
            .parse()
            .map_err(|why| format!("the prefix \"{}\" cannot be used: {why}; {form}", prefix.escape_debug()))?;
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_means_the_same_prefix() {
        let uri: S3Uri = "s3://models/boiling-point/v1/".parse().unwrap();
        assert_eq!((uri.bucket(), uri.prefix()), ("models", "boiling-point/v1"));
        assert_eq!(Ok(uri), "s3://models/boiling-point/v1".parse());
    }

    #[test]
    fn what_is_not_the_prefix_of_one_bundle_is_refused() {
        for text in [
            "",
            "models/v1",
            "https://x/y",
            "s3://",
            "s3://models",
            "s3://models/",
            "s3:///v1",
            "s3://mo dels/v1",
            "s3://models//v1",
            "s3://models/../v1",
            "s3://models/v1//",
        ] {
            assert!(text.parse::<S3Uri>().is_err(), "{text} was accepted");
        }
    }
}
