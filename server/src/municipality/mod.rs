//! The town itself: its name, policy and certificate authority, what its portal says, and what the public
//! may know of it.
//!
//! Not here: who applies to it (`facility`) and what its policy means (`policy`).

pub mod api;
pub mod pages;
pub mod settings;
pub mod store;
pub mod texts;
