//! Signing in and out, passwords, and where a person's pushes go.
//!
//! A session is an opaque random token, stored hashed, bound to the certificate and the facility it was
//! opened with. Not here: what a session may do (`access`).

pub mod api;
mod opening;
pub mod pages;
pub mod password;
pub mod people;
pub mod roll;
pub mod rules;
pub mod sign_in;
pub mod store;
pub mod tally;
