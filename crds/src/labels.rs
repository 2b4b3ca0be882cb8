//! Labels on everything that a ChemModel owns. Selectors are built from these and nothing else.

/// The application: every child of every ChemModel.
pub const NAME: &str = "app.kubernetes.io/name";
/// The ChemModel's name, in the form that dashboards know.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Who writes the object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What the object is for: one of [`component`].
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The ChemModel's name: the label by which its children are found.
pub const MODEL: &str = "chemmodel.io/model";
/// The colour slot: `blue` or `green`.
pub const COLOUR: &str = "chemmodel.io/colour";
/// The revision's hash.
pub const REVISION: &str = "chemmodel.io/revision";

/// Value of [`NAME`].
pub const APPLICATION: &str = "chemmodel";
/// Value of [`MANAGED_BY`], and the field manager of all our writes.
pub const MANAGER: &str = "chemmodel-operator";

/// Values of [`COMPONENT`].
pub mod component {
    /// Pods that answer predictions, and what stands before them.
    pub const SERVER: &str = "server";
    /// Pods that fetch the bundle.
    pub const SYNC: &str = "sync";
    /// Pods that verify a candidate.
    pub const VERIFY: &str = "verify";
}
