//! Content addresses: the SHA-256 of one file, and of a whole bundle.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The digest of a bundle names its algorithm.
    #[error("\"{0}\" does not start with \"sha256:\"; write the digest as sha256:<64 lower-case hex digits>")]
    Algorithm(String),
    /// Only one spelling is accepted, so that equal digests are equal texts.
    #[error("\"{0}\" is not 64 lower-case hex digits, the form of a SHA-256")]
    Hex(String),
}

/// A SHA-256, written as 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256Hex([u8; 32]);

impl Sha256Hex {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl From<[u8; 32]> for Sha256Hex {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Sha256Hex {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bad = || DigestError::Hex(text.to_owned());
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| bad())?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl Serialize for Sha256Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a String: every answer names a digest.
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

/// The digest of a bundle: the SHA-256 of the bytes of its manifest, written `sha256:<64 hex digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct BundleDigest(Sha256Hex);

impl BundleDigest {
    /// The digest of a bundle whose `chemmodel.json` holds `manifest`.
    pub fn of(manifest: &[u8]) -> Self {
        Self(Sha256Hex::of(manifest))
    }

    /// The 64 hex digits alone: the name of the bundle's directory under `models/`.
    pub fn hex(&self) -> String {
        self.0.to_string()
    }
}

impl FromStr for BundleDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix("sha256:").ok_or_else(|| DigestError::Algorithm(text.to_owned()))?;
        Ok(Self(hex.parse()?))
    }
}

impl TryFrom<String> for BundleDigest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl Serialize for BundleDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for BundleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_the_sha256_of_the_manifest_and_reads_back() {
        let digest = BundleDigest::of(b"abc");
        assert_eq!(digest.to_string(), format!("sha256:{ABC}"));
        assert_eq!(digest.hex(), ABC);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(serde_json::to_value(digest).unwrap(), serde_json::json!(format!("sha256:{ABC}")));
    }

    #[test]
    fn there_is_one_spelling_of_a_digest() {
        let upper = ABC.to_uppercase();
        for text in
            [ABC, "sha256:", "sha512:00", &format!("sha256:{upper}"), &format!("sha256:{ABC}0"), "", "sha256:../x"]
        {
            assert!(text.parse::<BundleDigest>().is_err(), "{text} was accepted");
        }
    }
}
