//! Who this device is: its key, its certificate, its half of the TLS handshake.
//!
//! The key is P-256 and made on the device; a hardware key signs behind [`DeviceKey`] and never leaves its
//! chip. Not here: who the *person* is (session) and what the server thinks of the certificate (api).

mod csr;
mod enrolment;
mod point;
mod software;
mod tls;

pub use csr::certificate_request;
pub use enrolment::Enrolment;
pub use software::SoftwareKey;
pub use tls::{TlsIdentity, client_config, extra_roots};

use crate::vault::VaultError;

/// Why the device's key did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The device is locked, or the person did not prove who they are. Try again after unlocking.
    #[error("the device key is locked")]
    Locked,
    /// The key is gone, for example after the screen lock was removed. The device must enrol again.
    #[error("the device key is gone")]
    Gone,
    /// The keystore failed, or has no room for a key.
    #[error(transparent)]
    Keystore(VaultError),
    /// What it gave is no P-256 key or signature, or a certificate is for another key.
    #[error("the device key failed")]
    Failed,
}

/// The P-256 key of this device. One key, made on first use.
///
/// Called from worker threads, never from the screen's thread, and may block: during a TLS handshake the
/// connection waits for [`DeviceKey::sign`].
pub trait DeviceKey: Send + Sync {
    /// The public key: an uncompressed SEC1 point (65 bytes, as Apple gives it) or a SubjectPublicKeyInfo
    /// in DER (as Android gives it). Makes the key when there is none.
    ///
    /// # Errors
    /// When the keystore cannot make or read it now.
    fn public_key(&self) -> Result<Vec<u8>, KeyError>;

    /// Signs with ECDSA over SHA-256 of `message` (the message itself, not its digest).
    /// Gives an ASN.1 DER signature.
    ///
    /// # Errors
    /// When the key is locked, gone or broken.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// True when the key cannot be read out of the device even by its owner.
    fn is_hardware_backed(&self) -> bool;

    /// Destroys the key. The next [`DeviceKey::public_key`] makes another.
    ///
    /// # Errors
    /// When the key may still be there.
    fn delete(&self) -> Result<(), KeyError>;
}
