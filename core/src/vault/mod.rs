//! Where small secrets rest: the platform's keystore behind a trait.
//!
//! Keychain on iOS, a Keystore-wrapped file on Android. What lies here is short: the key of each
//! person's store, the enrolment, the software key where there is no hardware. Not here: clinical data,
//! which lies in the sealed store, and a hardware key, which never leaves its chip.

mod file;

pub use file::FileVault;

/// Why the vault did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The device is locked, or the person did not prove who they are. Try again after unlocking.
    #[error("the vault is locked")]
    Locked,
    /// There is no room to keep it.
    #[error("there is no room in the vault")]
    Full,
    /// The keystore failed.
    #[error("the vault failed")]
    Failed,
}

/// Small named secrets, sealed by the platform.
///
/// Called from worker threads, never from the screen's thread, and may block. An implementation must tell
/// "there is nothing" (`Ok(None)`) from "I cannot look now" (`Err`): the core makes a new key for the former.
pub trait Vault: Send + Sync {
    /// The secret of that name, or none.
    ///
    /// # Errors
    /// When the vault cannot look now.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError>;

    /// Keeps a secret under a name, instead of an older one. Must be durable when it returns.
    ///
    /// # Errors
    /// When it could not be kept.
    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError>;

    /// Forgets a secret. Nothing under that name is no error.
    ///
    /// # Errors
    /// When it may still be there.
    fn remove(&self, name: &str) -> Result<(), VaultError>;
}
