//! Certificates for tests, and an HTTPS server that shows one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use chemmodel_inference::http::accept::{ConnectionLimits, End, Port, serve};
use chemmodel_inference::tls::{TlsFiles, follow};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;

/// Signs certificates for `localhost`.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        // Somebody has to: in the program it is `main`.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key.
    pub fn sign(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes `tls.crt` and `tls.key`, as a Secret has them.
    pub fn write(&self, directory: &Path) {
        let (certificate, key) = self.sign();
        fs::write(directory.join("tls.crt"), certificate).unwrap();
        fs::write(directory.join("tls.key"), key).unwrap();
    }

    /// Serves a router until the test ends; returns the address.
    pub async fn serve(&self, router: Router) -> String {
        let directory = tempfile::tempdir().unwrap();
        self.write(directory.path());
        let (certificate, key) = (directory.path().join("tls.crt"), directory.path().join("tls.key"));
        let tls = Some(follow(TlsFiles { certificate, key, client_authority: None }).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = Port { listener, router, tls };
        tokio::spawn(serve(port, ConnectionLimits::default(), End::default(), Duration::ZERO));
        format!("https://localhost:{}", address.port())
    }
}

/// A client that trusts one authority and may show a certificate of another.
pub fn client(server: &Authority, own: Option<&Authority>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(server.pem().as_bytes()).unwrap();
    let mut client = reqwest::Client::builder().tls_certs_only([root]);
    if let Some(own) = own {
        let (certificate, key) = own.sign();
        client = client.identity(reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
    }
    client.build().unwrap()
}
