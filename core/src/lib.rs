//! What a device needs to take part in Renraku: certificate, session, API client, sealed store, outbox.
//!
//! Shells (through `renraku-mobile`) and the end-to-end tests go in by [`Device`]: open it, enrol once, sign
//! in, and work with the [`Session`]; where a person has a PIN, [`Device::unlock`] comes before. Reading works
//! without a network from what was last seen; composing always does. Errors come out as [`CoreError`]. Below, each area stands alone: [`identity`] (key, CSR, TLS),
//! [`vault`] (the platform's keystore), [`api`] (the typed client), the sealed store, the outbox.
//!
//! Not here: screens, the server, and how pictures are made small (`renraku-media`).

pub mod api;
mod clock;
mod compose;
mod device;
mod error;
#[cfg(test)]
mod hostile;
pub mod identity;
mod lock;
mod outbox;
mod people;
mod push;
pub mod runtime;
mod session;
mod store;
mod town;
pub mod vault;

pub use clock::{Clock, SystemClock};
pub use compose::{Attachment, PixelLayout, Progress};
pub use device::{CertificateStatus, Device, DeviceSettings, Diagnosed, NewDevice, Unlock};
pub use error::{CoreError, StorageTrouble};
pub use lock::{PIN_CHARS, PIN_TRIES, PersonLock};
pub use outbox::{FileState, FlushReport, Item, ItemMedia, ItemState, Text};
pub use people::Person;
pub use push::{PushShown, Unlocked};
pub use renraku_media::Cancel;
pub use renraku_media::photo::{Cover, Mark, Shape};
pub use session::{Draft, PrepareReport, Seen, Session};
pub use town::towns;
