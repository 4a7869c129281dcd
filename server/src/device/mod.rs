//! Devices: certificate No and password, enrolment, renewal, replacement, inventory, revocation and its
//! published list, notices of the end, login diagnosis.
//!
//! Not here: whether a certificate is good for a request (`access`), and how one is signed (`tls`).

pub mod api;
pub mod certificates;
pub mod diagnosis;
pub mod enrol;
pub mod expiry;
pub mod explain;
pub mod finding;
pub mod inventory;
pub mod issue;
pub mod pages;
pub mod pick_up;
pub mod renew;
pub mod revocation_list;
pub mod rules;
pub mod store;
pub mod tasks;
pub mod ticket;
