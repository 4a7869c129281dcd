//! The yearly security training (F57): what to read, who has declared to have read it, who is due.
//!
//! Not here: the yearly review of accounts and devices (`review`).

pub mod api;
pub mod material;
pub mod pages;
pub mod remind;
pub mod rules;
pub mod store;
