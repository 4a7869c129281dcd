//! Patients: registration with consent and team in one step, the list, the record.
//!
//! Not here: posts about them (`post`).

pub mod api;
pub mod pages;
pub mod register;
pub mod roll;
pub mod rules;
pub mod store;
pub mod waiting;
