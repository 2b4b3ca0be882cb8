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

/// What is offered to clients.
#[derive(Debug)]
pub struct Tls {
    /// For HTTP/1.1.
    pub http: Arc<ServerConfig>,
    /// For gRPC.
    pub grpc: Arc<ServerConfig>,
}

/// Reads the files now, and again when they change.
pub fn follow(files: TlsFiles) -> Result<Current<Tls>, String> {
    reload::follow("the certificate", move || read(&files))
}

fn read(files: &TlsFiles) -> Result<Read<Tls>, String> {
    let certificate = reload::file(&files.certificate)?;
    let key = reload::file(&files.key)?;
    let authority = files.client_authority.as_deref().map(reload::file).transpose()?;
    let named = |path: &PathBuf, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());

    let chain = certificates(&certificate).map_err(|error| named(&files.certificate, &error))?;
    let private = || PrivateKeyDer::from_pem_slice(&key).map_err(|error| named(&files.key, &error));
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
    let config = |protocol: &[u8]| {
        let config = ServerConfig::builder().with_client_cert_verifier(verifier.clone());
        let config = config.with_single_cert(chain.clone(), private()?);
        let mut config = config.map_err(|error| named(&files.certificate, &error))?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok::<_, String>(Arc::new(config))
    };
    let value = Tls { http: config(b"http/1.1")?, grpc: config(b"h2")? };
    Ok(Read { bytes: [certificate, key, authority.unwrap_or_default()].concat(), value })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found =
        CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}
