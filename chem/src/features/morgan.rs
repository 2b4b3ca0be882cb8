//! Circular environments of radius 2 (Morgan fingerprint, unfolded), with RDKit's ids.

use crate::Molecule;

/// The distinct environments of a molecule and how often each occurs, ascending by id.
pub fn environments(_molecule: &Molecule) -> Vec<(u32, u32)> {
    Vec::new()
}
