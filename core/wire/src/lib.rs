//! The contract between Renraku's devices and its server.
//!
//! What crosses the network, and nothing else: ids, requests, responses, problem codes and limits.
//! JSON, `snake_case`, UUIDv7 ids, UTC milliseconds, RFC 9457 problem documents.
//! Readers tolerate unknown fields in answers, enums that a server may extend carry an `Unknown`;
//! requests refuse unknown fields, so a misspelt field is told and not dropped.
//!
//! Not here: rules, storage, screens. The glossary of terms stands in this crate's README.

mod application;
mod delivery;
mod duty;
mod facility;
mod ids;
mod incident;
mod media;
mod municipality;
mod notice;
mod patient;
mod people;
mod place;
mod portal;
mod post;
mod problem;
mod quiet;
mod session;
mod setup_code;

pub mod limits;
pub mod text;

pub use application::*;
pub use delivery::*;
pub use duty::*;
pub use facility::*;
pub use ids::*;
pub use incident::*;
pub use media::*;
pub use municipality::*;
pub use notice::*;
pub use patient::*;
pub use people::*;
pub use place::*;
pub use portal::*;
pub use post::*;
pub use problem::*;
pub use session::*;
pub use setup_code::*;
