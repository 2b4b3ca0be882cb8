//! What a bundle says about itself, its golden molecules, its features and its domain.
#![no_main]

use chemmodel_bundle::{Domain, Features, Golden, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Manifest::parse(bytes);
    let _ = Golden::parse(bytes, 1);
    let _ = Features::parse(bytes);
    let _ = Domain::parse(bytes);
});
