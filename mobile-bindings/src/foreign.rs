//! What the shell brings: the platform's vault, its secure key, an ear for progress. Implemented in Swift and
//! Kotlin (and by the tests in Rust), called by the core from worker threads.

use renraku_core::identity::{self, KeyError};
use renraku_core::vault::{self, VaultError};
use renraku_core::{Cancel, Progress};
use std::sync::Arc;

/// Why the vault did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum VaultFailure {
    /// The device is locked, or the person did not prove who they are.
    #[error("locked")]
    Locked,
    /// There is no room on the device to keep the secret. The person is told to make room.
    #[error("full")]
    Full,
    /// The keystore failed.
    #[error("failed")]
    Failed,
}

// What the platform says of its own faults holds whole stack traces: it is dropped, not logged.
impl From<uniffi::UnexpectedUniFFICallbackError> for VaultFailure {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Small named secrets, sealed by the platform (Keychain; a Keystore-wrapped file). Called from worker
/// threads; may block. Secrets are up to a few kilobytes.
#[uniffi::export(with_foreign)]
pub trait Vault: Send + Sync {
    /// The secret of that name, or none. Must fail, not answer "none", when it cannot look now: for none the
    /// core makes a new key, and what the old one sealed is lost.
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, VaultFailure>;

    /// Keeps a secret under a name, instead of an older one. Durable when it returns; where it fails, the older one
    /// stays. `Full` when there is no room, as far as the platform tells: until somebody makes some, no PIN can be
    /// counted, and so nobody with a PIN gets in.
    fn store(&self, name: String, secret: Vec<u8>) -> Result<(), VaultFailure>;

    /// Forgets a secret. Nothing under that name is no error.
    fn remove(&self, name: String) -> Result<(), VaultFailure>;
}

/// Why the device's key did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyFailure {
    /// The device is locked, or the person did not prove who they are.
    #[error("locked")]
    Locked,
    /// The key is gone, for example after the screen lock was removed. The device must enrol again.
    #[error("gone")]
    Gone,
    /// The keystore failed.
    #[error("failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyFailure {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The P-256 key of this device, in its Secure Enclave or StrongBox. Called from worker threads; may block
/// while the chip works.
#[uniffi::export(with_foreign)]
pub trait DeviceKey: Send + Sync {
    /// The public key: an uncompressed SEC1 point of 65 bytes (`SecKeyCopyExternalRepresentation`) or a
    /// SubjectPublicKeyInfo in DER (`PublicKey.getEncoded`). Makes the key when there is none.
    fn public_key(&self) -> Result<Vec<u8>, KeyFailure>;

    /// Signs a message of some hundred bytes with ECDSA over SHA-256 (`SHA256withECDSA`,
    /// `ecdsaSignatureMessageX962SHA256`). Gives an ASN.1 DER signature.
    ///
    /// Each new connection to the care host waits for it, and several may ask at a time. Nobody breaks it off: a call
    /// of `until` that is cancelled meanwhile ends with `Cancelled` all the same, and any other waits as long as it
    /// takes. Where that was longer than half a minute, or than the server waits, the call fails with `Offline` then.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, KeyFailure>;

    /// True when the key cannot be read out of the device even by its owner.
    fn is_hardware_backed(&self) -> bool;

    /// Destroys the key. The next `public_key` makes another.
    fn delete(&self) -> Result<(), KeyFailure>;
}

/// Hears how far a preparation is. Called from a worker thread, at most ten times a second.
#[uniffi::export(with_foreign)]
pub trait ProgressListener: Send + Sync {
    /// `done` of all files, from 0 to 1.
    fn on_progress(&self, done: f32);
}

/// Stops the calls of an object that was made with `until`, from any thread, from Swift too. Cannot be taken back;
/// make one for each call, or for a screen.
#[derive(Debug, uniffi::Object)]
pub struct CancelToken {
    pub(crate) inner: Cancel,
}

#[uniffi::export]
impl CancelToken {
    /// A token that stops nothing yet. Returns at once.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { inner: Cancel::new() })
    }

    /// Asks the calls to stop. Returns at once; they end with `Cancelled` in under 200 ms, but for `compose`, which
    /// ends when the disk lets go of what it copies. Which calls take notice is told with `until`.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// True when somebody asked. Returns at once.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled()
    }
}

pub(crate) struct ForeignVault(pub(crate) Arc<dyn Vault>);

impl vault::Vault for ForeignVault {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.0.load(name.to_owned()).map_err(vault_error)
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.0.store(name.to_owned(), secret.to_vec()).map_err(vault_error)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.0.remove(name.to_owned()).map_err(vault_error)
    }
}

pub(crate) struct ForeignKey(pub(crate) Arc<dyn DeviceKey>);

impl identity::DeviceKey for ForeignKey {
    fn public_key(&self) -> Result<Vec<u8>, KeyError> {
        self.0.public_key().map_err(key_error)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.sign(message.to_vec()).map_err(key_error)
    }

    fn is_hardware_backed(&self) -> bool {
        self.0.is_hardware_backed()
    }

    fn delete(&self) -> Result<(), KeyError> {
        self.0.delete().map_err(key_error)
    }
}

pub(crate) struct ForeignProgress(pub(crate) Arc<dyn ProgressListener>);

impl Progress for ForeignProgress {
    fn on_progress(&self, done: f32) {
        self.0.on_progress(done);
    }
}

fn vault_error(e: VaultFailure) -> VaultError {
    match e {
        VaultFailure::Locked => VaultError::Locked,
        VaultFailure::Full => VaultError::Full,
        VaultFailure::Failed => VaultError::Failed,
    }
}

fn key_error(e: KeyFailure) -> KeyError {
    match e {
        KeyFailure::Locked => KeyError::Locked,
        KeyFailure::Gone => KeyError::Gone,
        KeyFailure::Failed => KeyError::Keystore(VaultError::Failed),
    }
}
