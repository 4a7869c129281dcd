//! Photo, film and document for Renraku: plan, compress, strip, verify.
//!
//! A device compresses and strips with [`photo::prepare`] and `video::transcode`; the server checks the
//! same promises again with [`photo::verify`], [`film::verify`] and [`document::verify`], and trusts no
//! client. Bytes or files in, bytes or files out. Every call blocks the thread it is made on; [`Cancel`] may be
//! set from any other. What this crate is not: it knows no network, no store,
//! no patient, and it never logs what it reads.
//!
//! Features: `video` (default) brings FFmpeg for transcoding. Without it everything else is pure Rust, so
//! the server never lets FFmpeg near a stranger's bytes. `fixture` makes synthetic photos and films for tests.

mod boxes;
mod cancel;
pub mod document;
mod error;
pub mod film;
#[cfg(feature = "fixture")]
pub mod fixture;
mod jpeg;
pub mod photo;
mod samples;
mod sps;
#[cfg(feature = "video")]
pub mod video;

pub use cancel::Cancel;
pub use error::MediaError;
