//! The town's policy as the office edits it: one table says what each row is, and from it come the form,
//! the checks and the words of the history.
//!
//! Not here: what a row means to a rule (`policy` and the rooms), and the types (`policy`).

pub mod api;
mod changes;
mod form;
pub mod pages;
mod row;
pub mod rules;
pub mod store;
mod table;
