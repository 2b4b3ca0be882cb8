//! Encryption of the prediction ports, and clients that prove who they are by a certificate. Certificates may change while the server
//! runs; who is connected stays so.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::reload::{self, Current, Read};

/// Where the certificates lie, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority of clients; without it they need none.
    pub client_authority: Option<PathBuf>,
}

/// What clients may speak over it, the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Reads the files now, and again when they change.
pub fn follow(files: TlsFiles) -> Result<Current<ServerConfig>, String> {
    reload::follow("the certificate", move || read(&files))
}

fn read(files: &TlsFiles) -> Result<Read<ServerConfig>, String> {
    let certificate = reload::file(&files.certificate)?;
    let key = reload::file(&files.key)?;
    let authority = files.client_authority.as_deref().map(reload::file).transpose()?;
    let named = |path: &PathBuf, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());

    let chain = certificates(&certificate).map_err(|error| named(&files.certificate, &error))?;
    let private = PrivateKeyDer::from_pem_slice(&key).map_err(|error| named(&files.key, &error))?;
    let verifier = match (&authority, &files.client_authority) {
        (Some(authority), Some(path)) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(authority).map_err(|error| named(path, &error))? {
                roots.add(root).map_err(|error| named(path, &error))?;
            }
            WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(|error| named(path, &error))?
        }
        _ => WebPkiClientVerifier::no_client_auth(),
    };
    let config = ServerConfig::builder().with_client_cert_verifier(verifier).with_single_cert(chain, private);
    let mut value = config.map_err(|error| named(&files.certificate, &error))?;
    value.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Read { bytes: [certificate, key, authority.unwrap_or_default()].concat(), value })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found =
        CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}
