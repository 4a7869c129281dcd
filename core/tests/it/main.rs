//! The core against a small town of the tests' own: real TLS 1.3 with client certificates, real HTTP/2, and
//! a network that can be cut. The real server is tried end to end in `tests/`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod attached;
mod broken;
mod drafts;
mod enrolling;
mod files;
mod handing_over;
mod killed;
mod lease;
mod leaving;
mod line;
mod locked;
mod making;
mod namespace;
mod network;
mod nonsense;
mod patience;
mod phone;
mod preparing;
mod reading;
mod refused;
mod renewing;
mod revoked;
mod scanned;
mod sealed;
mod sending;
mod slow;
mod town;
mod towns;
