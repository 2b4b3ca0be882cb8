//! What a bundle says about itself, and its golden molecules.
#![no_main]

use chemmodel_bundle::{Golden, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Manifest::parse(bytes);
    let _ = Golden::parse(bytes, 1);
});
