//! The texts of the town's public portal (F60): announcements, terms, legal basis, rules. Shipped in our
//! own words, written anew by the office; plain text, every version kept.
//!
//! Not here: the list of agreements and the contact block, which are rows of the policy.

pub mod api;
pub mod pages;
pub mod rules;
mod shipped;
pub mod store;
