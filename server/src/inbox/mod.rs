//! The shared inbox of a facility (F13–F15): notices to colleagues without an own mail address, claimed and
//! ticked off by whoever is there.
//!
//! Claiming gives no access: what a line leads to opens only to those who have the right to it. Not here:
//! making the lines (`notice`, in the transaction of what they tell of).

pub mod api;
pub mod pages;
pub mod remind;
pub mod rules;
pub mod store;
