//! The device's half of the handshake: TLS 1.3 only, never resumed, client certificate signed through
//! [`DeviceKey`] on every connection. Not here: HTTP.

use super::{DeviceKey, KeyError};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ClientConfig, OtherError, RootCertStore, SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

/// The certificate chain and the key that proves it.
#[derive(Clone)]
pub struct TlsIdentity {
    certified: Arc<CertifiedKey>,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

impl TlsIdentity {
    /// Joins a chain (device's certificate first) with its key. Does not check that they match.
    #[must_use]
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Arc<dyn DeviceKey>) -> Self {
        Self { certified: Arc::new(CertifiedKey::new(chain, Arc::new(CallbackKey(key)))) }
    }
}

/// The extra roots in a PEM text, for a town whose server has a certificate of its own.
///
/// # Errors
/// [`rustls::Error`] when a certificate in it cannot be read, or there is none.
pub fn extra_roots(pem: &str) -> Result<Vec<TrustAnchor<'static>>, rustls::Error> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| rustls::CertificateError::BadEncoding)?;
        store.add(certificate)?;
    }
    if store.is_empty() {
        return Err(rustls::CertificateError::BadEncoding.into());
    }
    Ok(store.roots)
}

/// The TLS settings of every connection this device makes: the web's roots and the extra ones, TLS 1.3,
/// no resumption (each connection proves the certificate anew), HTTP/2 before HTTP/1.1.
///
/// # Errors
/// [`rustls::Error`] when the cryptography at hand cannot do TLS 1.3.
pub fn client_config(
    identity: Option<TlsIdentity>,
    extra_roots: &[TrustAnchor<'static>],
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.extend(extra_roots.iter().cloned());
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(identity)),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

impl ResolvesClientCert for TlsIdentity {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // The server's hints are not consulted: a device has one certificate, and a wrong one must be
        // refused by name ("another town's") rather than look like none.
        schemes.contains(&SignatureScheme::ECDSA_NISTP256_SHA256).then(|| self.certified.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct CallbackKey(Arc<dyn DeviceKey>);

impl std::fmt::Debug for CallbackKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallbackKey")
    }
}

impl SigningKey for CallbackKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ECDSA_NISTP256_SHA256).then(|| Box::new(self.clone()) as _)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for CallbackKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        may_block(|| self.0.sign(message)).map_err(|e| rustls::Error::Other(OtherError(Arc::new(e))))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

/// A chip takes its time, and may ask the person. On our own runtime the worker hands its other tasks on.
fn may_block(sign: impl FnOnce() -> Result<Vec<u8>, KeyError>) -> Result<Vec<u8>, KeyError> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|h| h.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(sign),
        _ => sign(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_13_and_nothing_to_resume() {
        let config = client_config(None, &[]).unwrap();
        assert_eq!(config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        let debug = format!("{:?}", config.resumption);
        assert!(debug.contains("NoClientSessionStorage"), "{debug}");
    }

    #[test]
    fn extra_roots_must_be_certificates() {
        assert!(extra_roots("").is_err());
        assert!(extra_roots("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
        assert_eq!(extra_roots(&root.pem()).unwrap().len(), 1);
    }
}
