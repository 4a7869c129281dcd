//! Staff: individual accounts (F08, F10–F13, F55). Their facility's manager makes, changes and ends them, the
//! office does so for every facility and suspends ids, and each person keeps the own mail address.
//!
//! An account is never deleted: who leaves keeps the name under old posts. Not here: signing in and
//! passwords (`session`).

pub mod account;
pub mod add;
pub mod api;
pub mod change;
pub mod detail;
pub mod leave;
pub mod on_file;
pub mod pages;
pub mod person;
pub mod profile;
pub mod rules;
pub mod store;
pub mod suspend;
pub mod suspension;
pub mod teams;

/// Of a request for a first password in [`crate::sent`].
pub const FIRST_PASSWORD: &str = "first_password";
