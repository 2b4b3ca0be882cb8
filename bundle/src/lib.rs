//! What a model bundle is.
//!
//! ```text
//! chemmodel.json --Manifest::parse--> Manifest --files--> BundlePath -> FileEntry (sha256, bytes)
//!      |                                 |
//!      +--BundleDigest::of               +--golden.json----Golden::parse----> Golden
//!                                        +--features.json--Features::parse--> Features   (graph models)
//!                                        +--domain.json----Domain::parse----> Domain     (graph models, optional)
//!
//! chemmodel-job sync   --SyncReport-->   termination log --SyncReport::parse-->   chemmodel-operator
//! chemmodel-job verify --VerifyReport--> termination log --VerifyReport::parse--> chemmodel-operator
//! ```
//!
//! The Job that fetches a bundle, the server that runs it and the operator that reads the Jobs' reports agree here and
//! nowhere else. Only types and checks live here: no I/O, no async, no clock, no environment. The contract in words
//! is `docs/bundle.md`.

mod digest;
mod domain;
mod error;
mod features;
mod golden;
mod manifest;
mod path;
pub mod report;
mod termination;
mod variant;
pub mod verification;

pub use digest::{BundleDigest, DigestError, Sha256Hex};
pub use domain::{DOMAIN_FILE, DOMAIN_SCHEMA, Domain, DomainError, DomainScheme};
pub use error::ManifestError;
pub use features::{FEATURES_FILE, FEATURES_SCHEMA, Features, FeaturesError, NfpVersion, Scheme, Stereo, Vocabulary};
pub use golden::{GOLDEN_SCHEMA, Golden, GoldenError, GoldenMolecule, GoldenOutput, Tolerance};
pub use manifest::{
    Aggregate, FileEntry, GOLDEN_FILE, Kind, MANIFEST_FILE, MANIFEST_SCHEMA, Manifest, Output, TOKENIZER_FILE,
    Transform,
};
pub use path::{BundlePath, PathError};
pub use termination::MAX_TERMINATION_MESSAGE_BYTES;
pub use variant::{Precision, PrecisionError, Variant};
