//! The core as the shells use it: real Kotlin on the JVM, and real Swift, through the generated bindings over
//! the real library, against the real server. What they check is in `mobile-bindings/tests/kotlin` and
//! `mobile-bindings/tests/swift`; here is what they play on, and what starts them.
//!
//! Kotlin runs with every `make test`, Swift with `make test-swift`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod built;
mod kotlin;
mod network;
mod stage;
mod swift;

use renraku_tests::harness::Database;
use stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn kotlin_on_sqlite() {
    kotlin::play(Stage::set(None).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kotlin_on_postgres() {
    let database = Database::create().await.unwrap_or_else(|e| panic!("{e}"));
    kotlin::play(Stage::set(Some(database.url.clone())).await).await;
    database.drop().await.expect("the database goes");
}

#[ignore = "make test-swift runs it: it needs a Swift compiler"]
#[tokio::test(flavor = "multi_thread")]
async fn swift_on_sqlite() {
    if swift::is_here() {
        swift::play(Stage::set(None).await).await;
    }
}
