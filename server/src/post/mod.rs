//! Posts: publishing, the timeline, who read them and who acknowledged them.
//!
//! A post is never overwritten. Not here: the bytes of its pictures and films (`media`).

pub mod api;
pub mod compose;
pub mod pages;
pub mod publish;
pub mod receipt;
pub mod rules;
pub mod store;
pub mod view;
