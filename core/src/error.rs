//! The errors of the core: many kinds inside, ten cases outside, joined by one match.
//! Not here: the sentence a person reads, which the screen chooses by case and code.

use crate::api::ApiError;
use crate::identity::KeyError;
use crate::lock::LockError;
use crate::outbox::{FlushError, ItemError, UploadError};
use crate::runtime::RunError;
use crate::store::StoreError;
use crate::vault::VaultError;
use renraku_media::MediaError;
use renraku_wire::{Code, Problem, SetupCodeError};

/// What a shell can act on. `code` is the stable problem code, where there is one. No case carries a person's
/// data or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// The server was not reached or is too busy. Try again later; what was composed waits in the outbox.
    #[error("the server was not reached")]
    Offline {
        /// The server's reason, when it answered.
        code: Option<Code>,
    },
    /// Sign in (again): no session, wrong password, locked account, or the first password must be changed.
    #[error("signed out: {}", .code.as_str())]
    SignedOut {
        /// Which of these.
        code: Code,
    },
    /// Nothing there under that id, or nothing this person may see.
    #[error("not found")]
    NotFound,
    /// The state of things does not allow it: already sent, already taken, not this person's to do.
    #[error("conflict: {}", .code.as_str())]
    Conflict {
        /// Why.
        code: Code,
    },
    /// A value was refused.
    #[error("invalid: {}", .code.as_str())]
    Invalid {
        /// Why.
        code: Code,
        /// The field at fault, where it is known.
        field: Option<String>,
    },
    /// A picture, film or document cannot be used, is too large, too long or one too many, or is not there yet.
    #[error("media: {}", .code.as_str())]
    Media {
        /// Why.
        code: Code,
    },
    /// The caller asked to stop. Nothing is half done.
    #[error("cancelled")]
    Cancelled,
    /// The vault or the store on this device did not open or did not work.
    #[error("storage: {kind:?}")]
    Storage {
        /// Which of these.
        kind: StorageTrouble,
    },
    /// The certificate or its ticket was refused, or there is none. The diagnosis tells more.
    #[error("certificate: {}", .code.as_str())]
    Certificate {
        /// Why.
        code: Code,
    },
    /// A fault of the app or the server.
    #[error("unexpected")]
    Unexpected {
        /// What to read out to the office, when the server gave it.
        reference: Option<String>,
    },
}

/// What is wrong with this device's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The platform's keystore, which holds the device's secrets and key, did not work: restart the device.
    Keystore,
}

impl StorageTrouble {
    /// One plain Japanese sentence of what to do.
    #[must_use]
    pub fn sentence(self) -> String {
        let sentence = match self {
            Self::Locked => "ロックされています。PINまたは生体認証で解除してください。",
            Self::WrongPin { left } => {
                return format!(
                    "PINが違います。あと{left}回間違えると、この端末の保存データは消去されます。"
                );
            }
            Self::Wiped => {
                "PINを続けて間違えたため、この端末の保存データを消去しました。もう一度サインインしてください。"
            }
            Self::LeaseOver => {
                "しばらくサーバーにつながっていないため、保存データを開けません。電波の届く場所で開き直してください。"
            }
            Self::ClockSetBack => {
                "端末の時計が戻されています。日付と時刻を直すか、電波の届く場所で開き直してください。"
            }
            Self::Full => "端末の空き容量が足りません。不要な写真などを消して、もう一度お試しください。",
            Self::Damaged => {
                "この端末の保存データが壊れています。利用者を端末から消して、もう一度サインインしてください。"
            }
            Self::Newer => {
                "新しい版のアプリで保存されたデータです。アプリを更新してください。データは残っています。"
            }
            Self::File => {
                "端末のファイルを読み書きできませんでした。端末を再起動して、もう一度お試しください。"
            }
            Self::Keystore => {
                "端末の鍵の保管場所を使えませんでした。端末を再起動して、もう一度お試しください。続くときは事務局にご連絡ください。"
            }
        };
        sentence.to_owned()
    }
}

impl CoreError {
    /// The stable code, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Offline { code } => *code,
            Self::SignedOut { code }
            | Self::Conflict { code }
            | Self::Invalid { code, .. }
            | Self::Media { code }
            | Self::Certificate { code } => Some(*code),
            Self::NotFound => Some(Code::NotFound),
            Self::Storage { .. } | Self::Cancelled | Self::Unexpected { .. } => None,
        }
    }

    pub(crate) fn storage(kind: StorageTrouble) -> Self {
        Self::Storage { kind }
    }

    pub(crate) fn setup_code(e: SetupCodeError) -> Self {
        let code = match e {
            SetupCodeError::Foreign => Code::SetupCodeForeign,
            SetupCodeError::Newer => Code::SetupCodeNewer,
            _ => Code::SetupCodeMalformed,
        };
        Self::Invalid { code, field: Some("setup_code".to_owned()) }
    }

    pub(crate) fn invalid(field: &str) -> Self {
        Self::Invalid { code: Code::FieldInvalid, field: Some(field.to_owned()) }
    }
}

/// Every error inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Item(#[from] ItemError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

impl From<FlushError> for Fault {
    fn from(e: FlushError) -> Self {
        match e {
            FlushError::Api(e) => e.into(),
            FlushError::Store(e) => e.into(),
        }
    }
}

impl From<UploadError> for Fault {
    fn from(e: UploadError) -> Self {
        match e {
            UploadError::Api(e) => e.into(),
            UploadError::Store(e) => e.into(),
            UploadError::Refused(code) => {
                ApiError::Refused { problem: Box::new(Problem::new(code)), retry_after: None }.into()
            }
        }
    }
}

impl<E: Into<Fault>> From<E> for CoreError {
    fn from(e: E) -> Self {
        let storage = |kind| Self::Storage { kind };
        match e.into() {
            Fault::Api(ApiError::Refused { problem, .. }) => refused(*problem),
            Fault::Api(ApiError::CertificateRefused(code)) => Self::Certificate { code },
            Fault::Api(ApiError::ServerUntrusted { clock: true }) => {
                Self::Certificate { code: Code::CertificateNotYetValid }
            }
            // Most often a café's or hotel's network that stands in between.
            Fault::Api(ApiError::Offline { .. } | ApiError::ServerUntrusted { clock: false }) => {
                Self::Offline { code: None }
            }
            Fault::Api(ApiError::Key(KeyError::Locked)) | Fault::Key(KeyError::Locked) => {
                storage(StorageTrouble::Locked)
            }
            Fault::Api(ApiError::Key(KeyError::Gone)) | Fault::Key(KeyError::Gone) => {
                Self::Certificate { code: Code::CertificateMissing }
            }
            Fault::Store(StoreError::Locked) | Fault::Lock(LockError::Locked) => {
                storage(StorageTrouble::Locked)
            }
            Fault::Vault(e)
            | Fault::Lock(LockError::Vault(e))
            | Fault::Key(KeyError::Keystore(e))
            | Fault::Api(ApiError::Key(KeyError::Keystore(e))) => storage(e.into()),
            Fault::Lock(LockError::WrongPin { left }) => storage(StorageTrouble::WrongPin { left }),
            Fault::Lock(LockError::Spent) => storage(StorageTrouble::Wiped),
            Fault::Lock(LockError::Weak) => Self::invalid("pin"),
            Fault::Lock(LockError::Damaged) => storage(StorageTrouble::Damaged),
            Fault::Store(StoreError::Full)
            | Fault::Media(MediaError::StorageFull)
            | Fault::Api(ApiError::Full) => storage(StorageTrouble::Full),
            Fault::Store(StoreError::Unreadable | StoreError::Record) => storage(StorageTrouble::Damaged),
            Fault::Store(StoreError::Newer) => storage(StorageTrouble::Newer),
            Fault::Api(ApiError::File) | Fault::Media(MediaError::Io(_)) | Fault::Store(StoreError::File) => {
                storage(StorageTrouble::File)
            }
            Fault::File(e) if is_full(&e) => storage(StorageTrouble::Full),
            Fault::File(_) => storage(StorageTrouble::File),
            Fault::Media(MediaError::Cancelled) => Self::Cancelled,
            Fault::Media(MediaError::TooLarge { .. }) => Self::Media { code: Code::MediaTooLarge },
            Fault::Media(MediaError::NotStripped { .. }) => Self::Media { code: Code::MediaNotStripped },
            Fault::Media(MediaError::BadMark) => {
                Self::Invalid { code: Code::MarkInvalid, field: Some("marks".to_owned()) }
            }
            Fault::Media(MediaError::BadPixels) => Self::invalid("pixels"),
            Fault::Media(MediaError::Unreadable | MediaError::Unsupported { .. }) => {
                Self::Media { code: Code::MediaUnreadable }
            }
            Fault::Item(ItemError::Missing) => Self::NotFound,
            Fault::Item(ItemError::TooLate) => Self::Conflict { code: Code::StateConflict },
            Fault::Item(ItemError::Store(e)) => e.into(),
            Fault::Api(ApiError::Nonsense(_) | ApiError::Key(KeyError::Failed))
            | Fault::Key(KeyError::Failed)
            | Fault::Store(StoreError::Database(_) | StoreError::Run(_))
            | Fault::Run(_)
            | Fault::Tls(_) => Self::Unexpected { reference: None },
        }
    }
}

/// Whether a file could not be written for want of room.
pub(crate) fn is_full(e: &std::io::Error) -> bool {
    matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

impl From<VaultError> for StorageTrouble {
    fn from(e: VaultError) -> Self {
        match e {
            VaultError::Locked => Self::Locked,
            VaultError::Full => Self::Full,
            VaultError::Failed => Self::Keystore,
        }
    }
}

fn refused(problem: Problem) -> CoreError {
    let code = problem.code;
    match code {
        Code::SessionInvalid | Code::SignInRefused | Code::AccountLocked | Code::PasswordChangeRequired => {
            CoreError::SignedOut { code }
        }
        Code::NotFound => CoreError::NotFound,
        Code::IdConflict
        | Code::StateConflict
        | Code::RenewalTooEarly
        | Code::LinkInvalid
        | Code::LeadNeeded
        | Code::ManagerNeeded
        | Code::NotOffered
        | Code::TrialClosed
        | Code::FacilityOutside
        | Code::AlreadyTaken
        | Code::ConsentMissing
        | Code::RoleInsufficient
        | Code::OffsetConflict => CoreError::Conflict { code },
        Code::RequestMalformed
        | Code::FieldInvalid
        | Code::PasswordWeak
        | Code::TeamInvalid
        | Code::MarkInvalid
        | Code::SetupCodeForeign
        | Code::SetupCodeNewer
        | Code::SetupCodeMalformed => CoreError::Invalid { code, field: problem.field },
        Code::BodyTooLarge
        | Code::MediaTooLarge
        | Code::MediaUnreadable
        | Code::MediaLost
        | Code::MediaNotStripped
        | Code::ChecksumMismatch
        | Code::MediaPending => CoreError::Media { code },
        Code::Unavailable | Code::TooManyRequests | Code::BodyTruncated => {
            CoreError::Offline { code: Some(code) }
        }
        Code::TicketInvalid
        | Code::TicketUsed
        | Code::TicketExpired
        | Code::CsrMalformed
        | Code::CsrKeyUnsupported
        | Code::CsrSignatureInvalid
        | Code::CsrKeyInUse
        | Code::CertificateMissing
        | Code::CertificateForeign
        | Code::CertificateExpired
        | Code::CertificateNotYetValid
        | Code::CertificateRevoked
        | Code::CertificateReplaced
        | Code::FacilitySuspended => CoreError::Certificate { code },
        _ => CoreError::Unexpected { reference: problem.reference },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_but_the_servers_own_faults_has_a_case() {
        for code in Code::ALL {
            let case = refused(Problem::new(*code));
            let fault = matches!(code, Code::Internal | Code::MethodNotAllowed);
            assert_eq!(matches!(case, CoreError::Unexpected { .. }), fault, "{code:?}");
            if !fault {
                assert_eq!(case.code(), Some(*code));
            }
        }
    }

    #[test]
    fn a_vault_that_does_not_work_is_trouble_of_this_device_wherever_it_is_met() {
        for (vault, kind) in [
            (VaultError::Locked, StorageTrouble::Locked),
            (VaultError::Full, StorageTrouble::Full),
            (VaultError::Failed, StorageTrouble::Keystore),
        ] {
            let told = Err::<(), _>(CoreError::storage(kind));
            assert_eq!(Err(vault.into()), told);
            assert_eq!(Err(LockError::from(vault).into()), told);
            assert_eq!(Err(KeyError::from(vault).into()), told);
            assert_eq!(Err(ApiError::Key(vault.into()).into()), told);
        }
        assert!(StorageTrouble::Keystore.sentence().contains("再起動"));
    }

    #[test]
    fn the_reference_reaches_the_telephone() {
        let mut problem = Problem::new(Code::Internal);
        problem.reference = Some("A1B2".into());
        assert_eq!(refused(problem), CoreError::Unexpected { reference: Some("A1B2".into()) });
    }
}
