//! The one error that crosses to Swift and Kotlin. No field is called as an exception's own members are there.

use renraku_core::{CoreError, StorageTrouble as Trouble};
use renraku_wire::Code;

/// What a shell can act on. `code` is the stable problem code of the contract, where there is one. Holds no
/// personal data and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum MobileError {
    /// The server was not reached or is too busy. Try again later; what was composed waits in the outbox.
    #[error("offline")]
    Offline {
        /// The server's reason, when it answered.
        code: Option<String>,
    },
    /// Sign in (again): no session, wrong password, locked account, or the first password must be changed.
    #[error("signed out: {code}")]
    SignedOut {
        /// Which of these.
        code: String,
    },
    /// Nothing there under that id, or nothing this person may see.
    #[error("not found")]
    NotFound,
    /// The state of things does not allow it: already sent, already taken, not this person's to do.
    #[error("conflict: {code}")]
    Conflict {
        /// Why.
        code: String,
    },
    /// A value was refused.
    #[error("invalid: {code}")]
    Invalid {
        /// Why.
        code: String,
        /// The field at fault, where it is known.
        field: Option<String>,
    },
    /// A picture, film or document cannot be used, is too large, too long or one too many, or is not there yet.
    #[error("media: {code}")]
    Media {
        /// Why.
        code: String,
    },
    /// A `CancelToken` stopped the call. Nothing is half done; say nothing to the person.
    #[error("cancelled")]
    Cancelled,
    /// The vault or the store on this device did not work.
    #[error("storage: {trouble:?}")]
    Storage {
        /// What is wrong with it.
        trouble: StorageTrouble,
    },
    /// The certificate or its ticket was refused, or there is none. `diagnose` tells more.
    #[error("certificate: {code}")]
    Certificate {
        /// Why.
        code: String,
    },
    /// A fault of the app or the server.
    #[error("unexpected")]
    Unexpected {
        /// What to read out to the office, when the server gave it.
        reference: Option<String>,
    },
}

/// What is wrong with this device's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StorageTrouble {
    /// Unlock the device, or the person's store with PIN or biometrics, then try again.
    Locked,
    /// Not the PIN.
    WrongPin {
        /// Wrong tries that are left until everything of the person is wiped from this device.
        left: u32,
    },
    /// Too many wrong PINs: everything of the person was wiped from this device. Sign in again.
    Wiped,
    /// The server was not reached for longer than the town allows: what was kept opens when it is reached.
    LeaseOver,
    /// The clock was set back: correct it, or reach the server. Nothing that was kept is shown until then.
    ClockSetBack,
    /// Make room, then try again.
    Full,
    /// The store is damaged or its key is lost: forget the person on this device and sign in again.
    Damaged,
    /// A newer version of the app wrote it: update.
    Newer,
    /// A file could not be read or written.
    File,
    /// The platform's keystore did not work (`VaultFailure`'s and `KeyFailure`'s `Failed`): restart the device.
    Keystore,
}

impl From<CoreError> for MobileError {
    fn from(e: CoreError) -> Self {
        let text = |code: Code| code.as_str().to_owned();
        match e {
            CoreError::Offline { code } => Self::Offline { code: code.map(text) },
            CoreError::SignedOut { code } => Self::SignedOut { code: text(code) },
            CoreError::NotFound => Self::NotFound,
            CoreError::Conflict { code } => Self::Conflict { code: text(code) },
            CoreError::Invalid { code, field } => Self::Invalid { code: text(code), field },
            CoreError::Media { code } => Self::Media { code: text(code) },
            CoreError::Cancelled => Self::Cancelled,
            CoreError::Storage { kind } => Self::Storage { trouble: kind.into() },
            CoreError::Certificate { code } => Self::Certificate { code: text(code) },
            CoreError::Unexpected { reference } => Self::Unexpected { reference },
        }
    }
}

impl From<Trouble> for StorageTrouble {
    fn from(kind: Trouble) -> Self {
        match kind {
            Trouble::Locked => Self::Locked,
            Trouble::WrongPin { left } => Self::WrongPin { left },
            Trouble::Wiped => Self::Wiped,
            Trouble::LeaseOver => Self::LeaseOver,
            Trouble::ClockSetBack => Self::ClockSetBack,
            Trouble::Full => Self::Full,
            Trouble::Damaged => Self::Damaged,
            Trouble::Newer => Self::Newer,
            Trouble::File => Self::File,
            Trouble::Keystore => Self::Keystore,
        }
    }
}

impl From<StorageTrouble> for Trouble {
    fn from(trouble: StorageTrouble) -> Self {
        match trouble {
            StorageTrouble::Locked => Self::Locked,
            StorageTrouble::WrongPin { left } => Self::WrongPin { left },
            StorageTrouble::Wiped => Self::Wiped,
            StorageTrouble::LeaseOver => Self::LeaseOver,
            StorageTrouble::ClockSetBack => Self::ClockSetBack,
            StorageTrouble::Full => Self::Full,
            StorageTrouble::Damaged => Self::Damaged,
            StorageTrouble::Newer => Self::Newer,
            StorageTrouble::File => Self::File,
            StorageTrouble::Keystore => Self::Keystore,
        }
    }
}

/// One plain Japanese sentence of what to do about a trouble with this device's storage. Returns at once, on
/// any thread.
#[uniffi::export]
#[must_use]
pub fn storage_sentence(trouble: StorageTrouble) -> String {
    Trouble::from(trouble).sentence()
}

/// One plain Japanese sentence of what to do about a problem code. For a code of a newer server it says to
/// update the app. Returns at once, on any thread.
#[uniffi::export]
#[must_use]
pub fn problem_sentence(code: String) -> String {
    Code::ALL.iter().find(|c| c.as_str() == code).unwrap_or(&Code::Unknown).sentence().to_owned()
}
