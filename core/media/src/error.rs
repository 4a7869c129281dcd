//! What can go wrong, in cases a caller can act on. No case carries a path or a byte of the file.

use std::io;

/// Why a photo, film or document was not made or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Not what it claims to be, damaged, or cut off. Ask for another file.
    #[error("the file is damaged or not of a kind that can be read")]
    Unreadable,
    /// Whole, but of a kind that this build cannot handle: HEIC, a lossless, arithmetic or twelve-bit JPEG, a
    /// codec without a decoder or encoder, HDR in colours that could not be brought to a usual screen. Let the
    /// operating system convert it first.
    #[error("this kind of file is not supported: {what}")]
    Unsupported {
        /// The kind.
        what: &'static str,
    },
    /// Over a limit. Ask for a smaller or shorter one.
    #[error("too large: {what} is over {limit}")]
    TooLarge {
        /// What was measured: `bytes`, `pixels`, `side`, `milliseconds`, `frames`.
        what: &'static str,
        /// The most that is allowed.
        limit: u64,
    },
    /// Holds more than pictures and sound: a tag, a comment, bytes after the end.
    #[error("not stripped: {what}")]
    NotStripped {
        /// The segment or box, by its technical name (`APP1`, `moov/udta`).
        what: String,
    },
    /// [`crate::Cancel`] was set. Nothing is left behind.
    #[error("cancelled")]
    Cancelled,
    /// No room on the storage.
    #[error("no room left on the storage")]
    StorageFull,
    /// A mark that is no area of the picture, or too many of them. Nothing is made: a mark is never passed over.
    #[error("a mark that is no area of the picture")]
    BadMark,
    /// Pixels of the platform's decoder that do not fit their numbers.
    #[error("pixels that do not fit their size")]
    BadPixels,
    /// A file could not be opened or read, there was no memory (`OutOfMemory`), or the phone's encoder could not be
    /// had, failed on the way or made what is no film (`ResourceBusy`). Nothing of it is the file's fault: it may go
    /// well the next time.
    #[error("input or output failed: {0}")]
    Io(io::ErrorKind),
}

impl MediaError {
    pub(crate) fn extra(what: impl Into<String>) -> Self {
        Self::NotStripped { what: what.into() }
    }
}

impl From<io::Error> for MediaError {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            kind => Self::Io(kind),
        }
    }
}
