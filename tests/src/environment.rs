//! Where the cluster is: the variables that `cluster env` exports.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The value of a variable that every cluster provides.
pub fn variable(name: &str) -> Result<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).with_context(|| {
        format!(
            "{name} is not set: these tests need a cluster. `make test` starts one; by hand: tests/cluster/README.md, then `eval \"$(cluster env)\"`"
        )
    })
}

/// A program of the cluster, else the one on the PATH.
pub fn program(variable: &str, fallback: &str) -> String {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| fallback.to_owned())
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    // As it is now rather than when it was built: checkouts may share built programs.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("..").join(path)
}
