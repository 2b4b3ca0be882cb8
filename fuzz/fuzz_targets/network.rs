//! Files that call themselves networks.
#![no_main]

use chemmodel_inference::engine::inspect::inspect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = inspect(bytes.to_vec().into(), &["weights.bin"]);
});
