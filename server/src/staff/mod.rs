//! Staff: individual accounts, made by the facility's manager.
//!
//! Not here: signing in (`session`).

pub mod add;
pub mod api;
pub mod pages;
pub mod rules;
pub mod store;
