//! What can be wrong with a manifest, in words its author can act on.

/// Why `chemmodel.json` cannot be used. Every variant names the field and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, an unknown or missing field, or a value of another type; the position is in the text.
    #[error("chemmodel.json does not follow the bundle contract: {0}; correct the field, or export the bundle again")]
    Json(String),
    /// Written for another version of the contract.
    #[error(
        "schema: \"{found}\" is not known; this program reads \"{known}\", so export the bundle again or update this program"
    )]
    Schema {
        /// What the manifest says.
        found: String,
        /// What it should say.
        known: &'static str,
    },
    /// A text that people will look for is missing.
    #[error("{field}: the text is empty; give it a value")]
    Empty {
        /// Path of the field.
        field: String,
    },
    /// A list that must have something in it.
    #[error("{field}: the list is empty; name at least one {item}")]
    NoItems {
        /// Path of the field.
        field: &'static str,
        /// What the list is made of.
        item: &'static str,
    },
    /// A file is used but not pinned.
    #[error("{field}: \"{path}\" is not listed in files; add it with its sha256 and bytes")]
    NotListed {
        /// Where the file is used.
        field: String,
        /// The file.
        path: String,
    },
    /// The same thing twice.
    #[error("{field}: \"{value}\" occurs twice; each must be given once")]
    Duplicate {
        /// Path of the field.
        field: String,
        /// The repeated value.
        value: String,
    },
    /// A variant that would contend with the members.
    #[error("variants: \"fp32\" is what members are; take it out")]
    Fp32Variant,
    /// The manifest cannot hold its own digest.
    #[error("files: chemmodel.json lists itself; take it out, the digest of the bundle pins it")]
    ListsItself,
    /// `a` and `a/b` cannot both be files.
    #[error("files: \"{file}\" is a file and also a directory of \"{below}\"; rename one of them")]
    FileAndDirectory {
        /// The shorter path.
        file: String,
        /// The path below it.
        below: String,
    },
    /// A number that would make every answer wrong.
    #[error("{field}: {value} cannot be used; {rule}")]
    Number {
        /// Path of the field.
        field: String,
        /// What the manifest says.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
}
