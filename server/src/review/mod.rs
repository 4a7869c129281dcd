//! The yearly review of access (R-AUTH4): a facility's manager goes through accounts, roles and devices,
//! says of each whether it is as it should be, and signs. What was signed is a record.
//!
//! Not here: changing what was found wrong (`staff`, `device`).

pub mod api;
pub mod pages;
pub mod remind;
pub mod rules;
pub mod store;
