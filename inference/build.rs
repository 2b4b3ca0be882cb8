//! Messages and services of `proto/`, without a `protoc` on the machine; and their descriptors, for reflection.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/inference.proto", "proto/onnx.proto"], ["proto"])?;
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("descriptors.bin"), descriptors.encode_to_vec())?;
    // Bytes are slices of the message that arrived, not copies. The tests are clients.
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
