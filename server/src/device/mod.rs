//! Devices: certificate No and password, enrolment, inventory, revocation, login diagnosis.
//!
//! Not here: whether a certificate is good for a request (`access`), and how one is signed (`tls`).

pub mod api;
pub mod diagnosis;
pub mod enrol;
pub mod pages;
pub mod store;
pub mod ticket;
