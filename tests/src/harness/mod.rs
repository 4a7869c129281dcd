//! What an end-to-end run is made of: the real server as a process of its own, the world around it
//! (Apple, Google, mail), a PC with an installed certificate, phones, and a database to throw away.
//! Tests, the demonstration and the load drive the product through this and through nothing else.
//!
//! Not here: what is asserted, and any way into the server that a stranger does not have.

mod browser;
mod database;
mod outside;
mod phone;
mod server;
mod town;

pub use browser::{Browser, Pickup, answer, client_tls, exchange, stranger};
pub use database::Database;
pub use outside::Fakes;
pub use phone::{Phone, PhoneEnrolment};
pub use server::{
    Created, FakeSettings, ServerOptions, ServerProcess, create_municipality, server_binary, verify_audit,
};
pub use town::{Applied, Town, mailed_ticket};

use std::path::PathBuf;

/// Why the run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// Build it first: `cargo build -p renraku-server`.
    #[error("there is no server at {0}; build it first (cargo build -p renraku-server)")]
    NoServer(PathBuf),
    /// The server ended, or did not listen in time; its log tells why.
    #[error("the server did not start; the end of its log:\n{log}")]
    NotStarted {
        /// The last lines of its log.
        log: String,
    },
    /// A command of the server failed.
    #[error("`renraku-server {command}` failed:\n{output}")]
    Command {
        /// Which.
        command: String,
        /// What it said.
        output: String,
    },
    /// There is no PostgreSQL to test with.
    #[error("RENRAKU_TEST_POSTGRES is not set: run this through scripts/with-postgres")]
    NoPostgres,
    /// The PostgreSQL server refused.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// A file, process or pipe failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
