//! Pictures, films and documents: announcing, resumable upload, checking, serving.
//!
//! A file arrives in chunks, each sealed as it comes. With the last byte its length, digest and content
//! are checked with the same crate that made it on the device; what does not pass is thrown away.

pub mod api;
pub mod overdue;
pub mod poster;
pub mod serve;
pub mod store;
pub mod upload;
