//! The request for a certificate, signed by the device's key wherever that lives.
//! Not here: sending it, or the No and password that go with it.

use super::{DeviceKey, KeyError, point};
use rcgen::{
    CertificateParams, DistinguishedName, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use std::sync::Mutex;

/// A PKCS#10 request in DER for the device's key. It names nobody: who the device is, the server knows
/// from the ticket.
///
/// Blocks while the key signs.
///
/// # Errors
/// When the key cannot be made, read or used now.
pub fn certificate_request(key: &dyn DeviceKey) -> Result<Vec<u8>, KeyError> {
    let remote = Remote { point: point::sec1(&key.public_key()?)?, key, failure: Mutex::new(None) };
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    match params.serialize_request(&remote) {
        Ok(csr) => Ok(csr.der().to_vec()),
        Err(_) => Err(remote.failure.into_inner().ok().flatten().unwrap_or(KeyError::Failed)),
    }
}

struct Remote<'a> {
    point: [u8; point::POINT],
    key: &'a dyn DeviceKey,
    /// rcgen's error cannot carry ours.
    failure: Mutex<Option<KeyError>>,
}

impl PublicKeyData for Remote<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Remote<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign(message).map_err(|e| {
            if let Ok(mut failure) = self.failure.lock() {
                *failure = Some(e);
            }
            rcgen::Error::RemoteKeyError
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SoftwareKey;
    use crate::vault::FileVault;
    use std::sync::Arc;
    use x509_parser::prelude::{FromDer, X509CertificationRequest};

    #[test]
    fn is_signed_by_the_key_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let key = SoftwareKey::new(Arc::new(FileVault::open(folder.path()).unwrap()));
        let der = certificate_request(&key).unwrap();
        let (rest, csr) = X509CertificationRequest::from_der(&der).unwrap();
        assert!(rest.is_empty());
        let named = &csr.certification_request_info.subject_pki.subject_public_key.data;
        assert_eq!(named.as_ref(), key.public_key().unwrap());
        let params = rcgen::CertificateSigningRequestParams::from_der(&der.into());
        assert!(params.is_ok(), "rcgen checks the signature: {params:?}", params = params.err());
    }

    #[test]
    fn tells_why_the_key_refused() {
        struct LockedKey(Vec<u8>);
        impl DeviceKey for LockedKey {
            fn public_key(&self) -> Result<Vec<u8>, KeyError> {
                Ok(self.0.clone())
            }
            fn sign(&self, _: &[u8]) -> Result<Vec<u8>, KeyError> {
                Err(KeyError::Locked)
            }
            fn is_hardware_backed(&self) -> bool {
                true
            }
            fn delete(&self) -> Result<(), KeyError> {
                Ok(())
            }
        }
        let pair = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let key = LockedKey(pair.public_key_raw().to_vec());
        assert_eq!(certificate_request(&key), Err(KeyError::Locked));
    }
}
