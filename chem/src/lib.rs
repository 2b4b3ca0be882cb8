//! SMILES to what graph networks read. Pure: no I/O, no clock, no threads; every input ends, in bounded time, in a
//! molecule or in a sentence with a position.
//!
//! ```text
//! SMILES --Molecule::from_smiles--> Molecule --NfpVocabulary::graph--> TokenGraph   (PolyID)
//!                                      |
//!                                      +------chemprop::graph---------> FloatGraph   (Chemprop)
//!                                      |
//!                                      +------morgan::environments----> ids of circular environments (domain of validity)
//! ```

mod aromatic;
mod clean;
mod conjugated;
mod error;
pub mod features;
mod hybrid;
mod hydrogens;
mod kekule;
mod locate;
mod molecule;
mod parse;
mod periodic;
mod radicals;
mod rings;
mod stereo;
mod strict;
mod syntax;
mod valence;

pub use error::SmilesError;
pub use molecule::{Limits, Molecule, Stereo};
