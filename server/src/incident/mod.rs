//! Incident reports (F56): whoever notices something reports it; the facility's manager assesses and sends
//! it on; the office receives it, keeps the privacy law's clocks (R-P2), and ends it with measures. Every
//! entry stays as it was written. Only the reporter, their facility's manager and the office see a report.
//!
//! Not here: suspending the id (`staff`) or revoking the device (`device`) that a report names.

pub mod api;
pub mod entries;
pub mod pages;
pub mod people;
pub mod report;
pub mod rules;
pub mod store;
mod words;
