//! TLS 1.3, client certificates, the town's certificate authority.
//!
//! Nothing older than TLS 1.3 is spoken and no session is resumed: a resumed session would skip the
//! certificate. Whether a certificate is still good is not decided here but on every request.

mod authority;
mod host;
mod verify;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use std::sync::Arc;

pub use authority::{Authority, IssueError, Issued, Revoked, Validity, authority_id};
pub use host::HostCertificate;
pub use verify::{CareVerifier, PublicVerifier};

/// The one cryptographic provider.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The care host: a certificate of one of the towns, or no handshake.
///
/// # Errors
/// The host's certificate and key do not fit each other.
pub fn care_config(
    host: &HostCertificate,
    verifier: Arc<CareVerifier>,
) -> Result<ServerConfig, rustls::Error> {
    config(host, verifier)
}

/// The public host: a certificate may arrive, of whatever origin, for the login diagnosis.
///
/// # Errors
/// The host's certificate and key do not fit each other.
pub fn public_config(host: &HostCertificate) -> Result<ServerConfig, rustls::Error> {
    config(host, Arc::new(PublicVerifier::new(provider())))
}

fn config(
    host: &HostCertificate,
    verifier: Arc<dyn rustls::server::danger::ClientCertVerifier>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(host.chain.clone(), host.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The client certificate that a connection brought, if any.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Its serial number, hex.
    pub serial: Option<String>,
    /// SHA-256 of its public key, hex.
    pub key_sha256: Option<String>,
    /// DER.
    pub certificate: Option<Arc<[u8]>>,
}

impl Peer {
    /// Reads the certificate's serial number and key.
    #[must_use]
    pub fn of(certificate: Option<&[u8]>) -> Self {
        use sha2::Digest as _;
        use x509_parser::prelude::FromDer as _;
        let (serial, key_sha256) = certificate
            .and_then(|der| x509_parser::certificate::X509Certificate::from_der(der).ok())
            .map(|(_, parsed)| {
                let key = sha2::Sha256::digest(parsed.public_key().raw);
                (hex::encode(parsed.raw_serial()), hex::encode(key))
            })
            .unzip();
        Self { serial, key_sha256, certificate: certificate.map(Into::into) }
    }
}
