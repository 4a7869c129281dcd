//! Facilities: application and its correction, the office's decisions, changes, the manager, suspension,
//! closure, the public list and map, the directory.
//!
//! Not here: their staff (`staff`) and their devices (`device`).

pub mod api;
pub mod apply;
pub mod change;
pub mod decide;
pub mod map;
pub mod pages;
pub mod rules;
pub mod store;
