//! Facilities: application, the office's decision, the directory.
//!
//! Not here: their staff (`staff`) and their devices (`device`).

pub mod api;
pub mod apply;
pub mod pages;
pub mod store;
