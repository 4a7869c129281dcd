//! Posts on their way: what an item is, which states it goes through, what may be done to it when.
//!
//! ```text
//! draft → waiting ⇄ sending → sent
//!            ↑          ↓
//!            └─ retry ─ failed(code)
//! ```
//! `sending` means that the server may already have the text, so it can no longer be changed or taken back.
//! A file of an item is planned, then made (or it cannot be); the text waits for none, and the server is told that
//! they follow. Sending itself is in `flush`, one file's upload in `upload`. Not here: making pictures small
//! (compose).

mod backoff;
mod flush;
mod judge;
mod receipts;
mod upload;

pub(crate) use backoff::Retry;
pub use flush::FlushReport;
pub(crate) use flush::{flush, flush_receipts, standing};
pub(crate) use judge::FlushError;
pub(crate) use upload::{Owner, Source, Upload, UploadError};

use renraku_wire::{BodySite, Code, MediaId, MediaKind, PatientId, PostId, Timestamp};

/// Where an item stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Kept, not to be sent yet (下書き).
    Draft,
    /// To be sent as soon as the network allows (送信待ち). May be changed and cancelled.
    Waiting,
    /// On its way (送信中): the server may have the text, or has it and media follow.
    Sending,
    /// The server has all of it (送信済).
    Sent,
    /// The server refused it for good, and said why (失敗). May be changed, tried again or cancelled.
    Failed {
        /// Why.
        code: Code,
        /// The field at fault as the contract names it (`urgent`, `body` …), where the server said it.
        field: Option<String>,
    },
}

/// Where a file of an item stands on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Being made small and sealed, or to be (準備中): [`crate::Session::prepare`] does it. The text does not wait.
    Planned,
    /// Made and sealed: `uploaded` and `done` tell how far it is.
    Made,
    /// It cannot be made (失敗). The text goes without it.
    Failed {
        /// Why.
        code: Code,
    },
}

/// One file of an item.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemMedia {
    /// Its id, on the server too.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub state: FileState,
    /// Length in bytes; 0 until it is made.
    pub length: u64,
    /// Bytes that the server said it has.
    pub uploaded: u64,
    /// True when the server has checked and kept it.
    pub done: bool,
    /// What it shows.
    pub description: String,
}

impl std::fmt::Debug for ItemMedia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ItemMedia")
            .field("id", &self.id)
            .field("uploaded", &self.uploaded)
            .finish_non_exhaustive()
    }
}

/// One post in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// The post's id, made here.
    pub id: PostId,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Where it stands.
    pub state: ItemState,
    /// The text.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body.
    pub body_site: Option<BodySite>,
    /// When it was written, by this device's clock.
    pub written_at: Timestamp,
    /// True when the server has the text.
    pub text_sent: bool,
    /// Its files, in order.
    pub media: Vec<ItemMedia>,
    /// How often it was tried in vain.
    pub tries: u32,
    /// When it is tried next, if it was tried in vain.
    pub next_try_at: Timestamp,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// The text part of a post, as the person wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// The text. May be empty when there are media.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body, where the post is about one.
    pub body_site: Option<BodySite>,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("urgent", &self.urgent).finish_non_exhaustive()
    }
}

/// Why an item could not be touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ItemError {
    /// No such item.
    #[error("no such item")]
    Missing,
    /// It is on its way or sent.
    #[error("the item is on its way or sent")]
    TooLate,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
