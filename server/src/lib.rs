//! Renraku's backend and portal.
//!
//! One room per thing the town talks about; each imports only what lies below it. The floors, top to
//! bottom: `serve` and the command line, `router`, the rooms, `access`, `audit` and `notice`, `portal`,
//! `state`, `policy`, `push`, `mail`, `throttle`, and the ground: `db`, `storage`, `tls`, `config`, `clock`, `error`.

pub mod access;
pub mod audit;
pub mod chores;
pub mod clock;
pub mod config;
pub mod db;
pub mod device;
pub mod error;
pub mod facility;
pub mod handover;
pub mod hashing;
pub mod inbox;
pub mod incident;
pub mod input;
pub mod mail;
pub mod media;
pub mod municipality;
pub mod notice;
pub mod patient;
pub mod policy;
pub mod portal;
pub mod post;
pub mod push;
pub mod review;
pub mod router;
pub mod secret;
pub mod seen;
pub mod sent;
pub mod serve;
pub mod session;
pub mod setup;
pub mod staff;
pub mod state;
pub mod storage;
pub mod throttle;
pub mod tls;
pub mod training;
pub mod unread;
pub mod worklist;
