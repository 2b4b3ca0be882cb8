//! How a candidate is spoken to: in plain or encrypted, under which name, with which credentials. Reads files once, at the beginning.

use std::net::SocketAddr;
use std::path::Path;

use chemmodel_bundle::verification::VerifyReason;
use http::HeaderValue;
use reqwest::{Certificate, ClientBuilder, Identity, Url};

use super::args::VerifyArgs;
use super::failure::Failure;

/// See the module.
#[derive(Debug, Default)]
pub struct Manner {
    tls: Option<Tls>,
    bearer: Option<HeaderValue>,
}

#[derive(Debug)]
struct Tls {
    /// In the certificates of the pods, whatever their addresses are.
    name: String,
    authority: Vec<Certificate>,
    own: Option<Identity>,
}

impl Manner {
    /// Reads what the arguments name.
    pub fn read(args: &VerifyArgs) -> Result<Self, Failure> {
        let bearer = args.credentials.as_deref().map(bearer).transpose()?;
        let tls = match (&args.tls_name, &args.tls_authority) {
            (Some(name), Some(authority)) => {
                let pem = read("--tls-authority", authority)?;
                let certificates = Certificate::from_pem_bundle(&pem);
                let authority = certificates.map_err(|why| unusable("--tls-authority", authority, &why.to_string()))?;
                let own = args.tls_client.as_deref().map(identity).transpose()?;
                Some(Tls { name: name.clone(), authority, own })
            }
            _ => None,
        };
        Ok(Self { tls, bearer })
    }

    /// The credentials for a header.
    pub fn bearer(&self) -> Option<&HeaderValue> {
        self.bearer.as_ref()
    }

    /// Where a server at this address predicts.
    pub fn predict(&self, address: SocketAddr) -> String {
        match &self.tls {
            None => format!("http://{address}/predict"),
            Some(Tls { name, .. }) => format!("https://{name}:{}/predict", address.port()),
        }
    }

    /// As [`predict`](Self::predict), for a Service, which may be named by another name than the one in the certificate.
    pub fn predict_at(&self, service: &Url) -> Result<Url, Failure> {
        let mut predict = service.clone();
        predict.set_path("/predict");
        if let Some(Tls { name, .. }) = &self.tls {
            let port = service.port_or_known_default();
            let named = predict.set_scheme("https").and_then(|()| predict.set_port(port));
            if named.is_err() || predict.set_host(Some(name)).is_err() {
                let message = format!("--tls-name \"{name}\" cannot be asked at {service}; give the name of a host");
                return Err(Failure::new(VerifyReason::InvalidConfiguration, message));
            }
        }
        Ok(predict)
    }

    /// Trusts nobody but the authority, and finds the name at `address`.
    pub fn prepare(&self, client: ClientBuilder, address: SocketAddr) -> ClientBuilder {
        match &self.tls {
            // No authority is needed for plain HTTP, and looking for those of an image that has none would fail.
            None => client.tls_certs_only([]),
            Some(Tls { name, authority, own }) => {
                let client = client.tls_certs_only(authority.iter().cloned()).resolve(name, address);
                own.iter().cloned().fold(client, ClientBuilder::identity)
            }
        }
    }
}

fn bearer(file: &Path) -> Result<HeaderValue, Failure> {
    let bytes = read("--credentials", file)?;
    let text = String::from_utf8_lossy(&bytes);
    let header = HeaderValue::try_from(format!("Bearer {}", text.trim()));
    let mut header = header.map_err(|_| unusable("--credentials", file, "it holds more than one line of text"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// `tls.crt` and `tls.key`, as a Secret has them.
fn identity(directory: &Path) -> Result<Identity, Failure> {
    let (certificate, key) = (directory.join("tls.crt"), directory.join("tls.key"));
    let pem = [read("--tls-client", &certificate)?, b"\n".to_vec(), read("--tls-client", &key)?].concat();
    Identity::from_pem(&pem).map_err(|why| unusable("--tls-client", directory, &why.to_string()))
}

fn read(flag: &str, file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|why| unusable(flag, file, &why.to_string()))
}

fn unusable(flag: &str, file: &Path, why: &str) -> Failure {
    let message = format!(
        "{flag} {}: {why}; check spec.security and the Secrets of spec.rollout.verification.access",
        file.display()
    );
    Failure::new(VerifyReason::InvalidConfiguration, message)
}
