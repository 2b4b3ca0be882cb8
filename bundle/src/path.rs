//! The rule for names of files inside a bundle: none of them can point outside it.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest path in bytes: the longest key that S3 stores.
const MAX_PATH_BYTES: usize = 1024;
/// Longest segment in bytes: the longest file name of Linux, less the `.part` of a download under way.
const MAX_SEGMENT_BYTES: usize = 250;

/// Why a text is not a safe path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing to name a file by.
    #[error("the path is empty")]
    Empty,
    /// Starts at the root of the file system.
    #[error("it is absolute")]
    Absolute,
    /// `a//b`, `a/`.
    #[error("it has an empty segment")]
    EmptySegment,
    /// `.` or `..`.
    #[error("it has the segment \"{0}\"")]
    DotSegment(String),
    /// `\` separates directories elsewhere, NUL ends a name, control characters hide in terminals.
    #[error("it holds the character {0:?}")]
    Character(char),
    /// Longer than a key in S3 or a file name in Linux may be.
    #[error(
        "it has {0} bytes; at most {MAX_PATH_BYTES} in all and {MAX_SEGMENT_BYTES} between two slashes are allowed"
    )]
    TooLong(usize),
}

/// A relative path of plain segments divided by `/`, such as `model.onnx` or `members/fold-1.onnx`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundlePath(String);

impl BundlePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directories above the file, outermost first: `a`, `a/b` for `a/b/c`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

impl FromStr for BundlePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        if let Some(bad) = text.chars().find(|c| c.is_control() || *c == '\\') {
            return Err(PathError::Character(bad));
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(PathError::EmptySegment),
                "." | ".." => return Err(PathError::DotSegment(segment.to_owned())),
                long if long.len() > MAX_SEGMENT_BYTES => return Err(PathError::TooLong(long.len())),
                _ => {}
            }
        }
        if text.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for BundlePath {
    type Error = String;

    // serde shows this text alone, so the path itself has to be in it.
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|why: PathError| format!("\"{}\" is not a safe relative path: {why}", text.escape_debug()))
    }
}

impl From<BundlePath> for String {
    fn from(path: BundlePath) -> Self {
        path.0
    }
}

impl Borrow<str> for BundlePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for BundlePath {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_relative_paths_are_accepted() {
        for text in ["model.onnx", "members/fold-1.onnx", "a..b", "...", ".hidden", "naïve/模型.onnx", "with space"]
        {
            assert_eq!(text.parse::<BundlePath>().map(|p| p.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn whatever_could_leave_the_bundle_or_hide_is_refused() {
        let long_segment = "x".repeat(251);
        let long_path = "x/".repeat(512) + "y";
        for text in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/..",
            ".",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "//a",
            "a\\b",
            "..\\x",
            "C:\\x",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
            &long_segment,
            &long_path,
        ] {
            assert!(text.parse::<BundlePath>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn parents_are_every_directory_above_the_file() {
        let path: BundlePath = "a/b/c".parse().unwrap();
        assert_eq!(path.parents().collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
