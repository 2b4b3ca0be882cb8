//! What networks read, by named and versioned schemes.

pub mod morgan;
pub mod nfp;
mod nfp_key;
