//! What Swift and Kotlin see of Renraku: thin uniffi objects and records over `renraku-core`, no logic.
//!
//! A shell opens one [`RenrakuDevice`] and gets its [`RenrakuCertificate`] once; each [`RenrakuPerson`] has a store there
//! of their own, and works with the [`RenrakuSession`] of a sign-in: [`RenrakuPatients`], [`RenrakuPosts`],
//! [`RenrakuOutbox`]. It brings two things of the platform: a [`Vault`] and, where there is secure hardware, a [`DeviceKey`].
//!
//! **Threads.** Any call may come from any thread. Asynchronous calls do their work on the core's own threads,
//! never on the caller's; so does what freeing an object takes. The shell's traits are called from worker threads,
//! never from the screen's.
//! **Cancelling.** A cancelled Kotlin coroutine drops the call. A cancelled Swift task does not: call what may take
//! long on `until(token)` of the object, and cancel the [`CancelToken`].
//! **Units.** Instants are milliseconds since 1970-01-01T00:00:00Z, lengths are bytes, ids are UUID texts.
//! **Files** cross as paths, never as bytes; thumbnails are the exception.
//! **Errors** are [`MobileError`]; the sentence a person reads is chosen by case, see [`problem_sentence`].

mod certificate;
mod device;
mod error;
mod foreign;
mod held;
mod outbox;
mod patients;
mod person;
mod posts;
mod records;
mod remote;
mod session;

pub use certificate::{Diagnosis, RenrakuCertificate, scan_setup_code};
pub use device::{RenrakuDevice, known_towns};
pub use error::{MobileError, StorageTrouble, problem_sentence, storage_sentence};
pub use foreign::{CancelToken, DeviceKey, KeyFailure, ProgressListener, Vault, VaultFailure};
pub use outbox::RenrakuOutbox;
pub use patients::RenrakuPatients;
pub use person::RenrakuPerson;
pub use posts::RenrakuPosts;
pub use records::*;
pub use session::RenrakuSession;

uniffi::setup_scaffolding!();
