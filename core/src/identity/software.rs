//! The fallback where a device has no secure hardware: a P-256 key as PKCS#8, sealed by the vault.
//! Not for devices that have a Secure Enclave or StrongBox.

use super::{DeviceKey, KeyError};
use crate::vault::{Vault, VaultError};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The two that take turns.
const NAMES: [&str; 2] = ["device-key", "device-key-1"];

/// A device key in software. Loaded from the vault on first use, made there when there is none.
pub struct SoftwareKey {
    vault: Arc<dyn Vault>,
    name: &'static str,
    loaded: Mutex<Option<Arc<KeyPair>>>,
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareKey").finish_non_exhaustive()
    }
}

impl SoftwareKey {
    /// A key that lives in this vault. Touches nothing yet.
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault, name: NAMES[0], loaded: Mutex::new(None) }
    }

    /// The other key in the same vault, for the certificate that takes over from the first one's.
    #[must_use]
    pub fn spare(vault: Arc<dyn Vault>) -> Self {
        Self { vault, name: NAMES[1], loaded: Mutex::new(None) }
    }

    fn stored(&self) -> Result<Option<Arc<KeyPair>>, KeyError> {
        let Some(pkcs8) = self.vault.load(self.name)?.map(Zeroizing::new) else { return Ok(None) };
        let der = rustls::pki_types::PrivatePkcs8KeyDer::from(pkcs8.as_slice());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256);
        pair.map(|pair| Some(Arc::new(pair))).map_err(|_| KeyError::Failed)
    }

    fn pair(&self, make: bool) -> Result<Arc<KeyPair>, KeyError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = &*loaded {
            return Ok(pair.clone());
        }
        let pair = match self.stored()? {
            Some(pair) => pair,
            None if make => {
                let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| KeyError::Failed)?;
                self.vault.store(self.name, &Zeroizing::new(pair.serialize_der()))?;
                Arc::new(pair)
            }
            None => return Err(KeyError::Gone),
        };
        *loaded = Some(pair.clone());
        Ok(pair)
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.pair(true)?.public_key_raw().to_vec())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair(false)?.sign(message).map_err(|_| KeyError::Failed)
    }

    fn is_hardware_backed(&self) -> bool {
        false
    }

    fn delete(&self) -> Result<(), KeyError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        *loaded = None;
        Ok(self.vault.remove(self.name)?)
    }
}

impl From<VaultError> for KeyError {
    fn from(e: VaultError) -> Self {
        match e {
            VaultError::Locked => Self::Locked,
            VaultError::Full | VaultError::Failed => Self::Keystore(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::FileVault;

    #[test]
    fn the_same_key_after_a_restart_and_another_after_delete() {
        let folder = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(FileVault::open(folder.path()).unwrap());
        let first = SoftwareKey::new(vault.clone());
        assert_eq!(first.sign(b"too early"), Err(KeyError::Gone));
        let public = first.public_key().unwrap();
        assert_eq!(SoftwareKey::new(vault.clone()).public_key().unwrap(), public);
        first.delete().unwrap();
        assert_eq!(first.sign(b"gone"), Err(KeyError::Gone));
        assert_ne!(first.public_key().unwrap(), public);
    }
}
