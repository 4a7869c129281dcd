//! What this device was told when it enrolled: the town, where its hosts are, the certificate.
//! One record in the vault. Not here: the key, which stays where it was made.

use super::{KeyError, point};
use crate::vault::{Vault, VaultError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::{CertificateIssued, MunicipalityInfo, Timestamp};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

const NAME: &str = "enrolment";

/// The record of a finished enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolment {
    /// Where the public host is: `https://host:port`.
    pub public_url: String,
    /// What the town says of itself, as of the enrolment.
    pub municipality: MunicipalityInfo,
    /// The certificate.
    pub certificate: CertificateIssued,
    /// Which of the device's two keys it is for: 0, or 1. They take turns at each renewal.
    #[serde(default)]
    pub key: u8,
}

impl Enrolment {
    /// The record in the vault, or none.
    ///
    /// # Errors
    /// When the vault cannot look now, or what it holds cannot be read.
    pub fn load(vault: &dyn Vault) -> Result<Option<Self>, VaultError> {
        let Some(bytes) = vault.load(NAME)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| VaultError::Failed)
    }

    /// Keeps the record in the vault.
    ///
    /// # Errors
    /// When the vault cannot keep it.
    pub fn save(&self, vault: &dyn Vault) -> Result<(), VaultError> {
        let bytes = serde_json::to_vec(self).map_err(|_| VaultError::Failed)?;
        vault.store(NAME, &bytes)
    }

    /// Forgets the record.
    ///
    /// # Errors
    /// When it may still be there.
    pub fn forget(vault: &dyn Vault) -> Result<(), VaultError> {
        vault.remove(NAME)
    }

    /// The chain for the handshake, this device's certificate first.
    ///
    /// # Errors
    /// [`KeyError::Failed`] when it cannot be read.
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, KeyError> {
        let decode = |certificate| STANDARD.decode(certificate).map(CertificateDer::from);
        let chain: Vec<_> = self
            .certificate
            .chain
            .iter()
            .map(decode)
            .collect::<Result<_, _>>()
            .map_err(|_| KeyError::Failed)?;
        if chain.is_empty() { Err(KeyError::Failed) } else { Ok(chain) }
    }

    /// Checks that the certificate is for this public key.
    ///
    /// # Errors
    /// [`KeyError::Failed`] when the certificate cannot be read or is for another key.
    pub fn check_key(&self, public_key: &[u8]) -> Result<(), KeyError> {
        let chain = self.chain()?;
        let (_, parsed) = X509Certificate::from_der(&chain[0]).map_err(|_| KeyError::Failed)?;
        let named = &parsed.public_key().subject_public_key.data;
        if named.as_ref() == point::sec1(public_key)? { Ok(()) } else { Err(KeyError::Failed) }
    }

    /// First instant at which the certificate is valid, if it can be read.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        let der = STANDARD.decode(self.certificate.chain.first()?).ok()?;
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        Some(Timestamp(parsed.validity().not_before.timestamp().saturating_mul(1000)))
    }
}
