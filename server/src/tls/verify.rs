//! Who gets through the handshake.

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use std::sync::Arc;

/// Signatures of the handshake are the provider's to check, for either host alike.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

/// The care host's: only certificates of the towns' own authorities. The set of authorities can be
/// replaced while the server runs; with none, nobody gets through.
#[derive(Debug)]
pub struct CareVerifier {
    provider: Arc<CryptoProvider>,
    inner: ArcSwap<Option<Arc<dyn ClientCertVerifier>>>,
}

impl CareVerifier {
    /// A verifier that knows no authority yet.
    #[must_use]
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, inner: ArcSwap::from_pointee(None) }
    }

    /// Takes these authorities from now on.
    ///
    /// # Errors
    /// One of them is not a certificate.
    pub fn replace(&self, authorities: &[Vec<u8>]) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        for der in authorities {
            roots.add(CertificateDer::from(der.clone()))?;
        }
        let inner = if roots.is_empty() {
            None
        } else {
            Some(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                    .build()
                    .map_err(|e| Error::General(e.to_string()))?,
            )
        };
        self.inner.store(Arc::new(inner));
        Ok(())
    }
}

impl ClientCertVerifier for CareVerifier {
    // Hints would tell every stranger which towns are here.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.inner.load().as_ref() {
            Some(inner) => inner.verify_client_cert(end_entity, intermediates, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    signatures!();
}

/// The public host's: any certificate whose key the client holds, or none. It gives no access; the
/// diagnosis tells what is wrong with it.
#[derive(Debug)]
pub struct PublicVerifier {
    provider: Arc<CryptoProvider>,
}

impl PublicVerifier {
    /// A verifier that takes any certificate.
    #[must_use]
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self { provider }
    }
}

impl ClientCertVerifier for PublicVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}
