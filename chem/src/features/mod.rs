//! What networks read, by named and versioned schemes.

pub mod chemprop;
pub mod morgan;
pub mod nfp;
