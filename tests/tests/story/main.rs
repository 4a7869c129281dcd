//! The story, from an empty folder to a nurse's photo on the team's phones, with nothing mocked between the
//! first line and the last: the server is the binary that ships, the PCs speak its API over mutual TLS, the
//! phones are what the shells call. Told once on SQLite and once on PostgreSQL.
//!
//! Not here: what bad input gets, and the portal's pages.

mod caring;
mod ending;
mod handshake;
mod opening;
mod originals;
mod world;

use renraku_tests::harness::{Database, Fakes, ServerOptions, ServerProcess, verify_audit};

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    tell(ServerOptions::new(folder.path().join("data"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::create().await.unwrap_or_else(|e| panic!("{e}"));
    let options = ServerOptions::new(folder.path().join("data"));
    tell(ServerOptions { database: Some(database.url.clone()), ..options }).await;
    database.drop().await.expect("the database goes");
}

async fn tell(options: ServerOptions) {
    let fakes = Fakes::start().await.expect("Apple, Google and a mail carrier");
    let options = ServerOptions { fakes: Some(fakes.settings.clone()), ..options };

    let created = opening::the_operator_creates_a_town(&options).await;
    let server = ServerProcess::start(options).await.unwrap_or_else(|e| panic!("{e}"));
    let town = opening::the_office_signs_in(&server, &created).await;
    let facilities = opening::facilities_apply_and_are_approved(&town, &fakes).await;
    opening::only_this_towns_certificates_reach_the_care_host(&town, &facilities).await;
    let team = opening::managers_add_their_staff(&town, &facilities).await;

    let patient = caring::a_patient_is_registered(&facilities, &team, &fakes).await;
    let post = caring::the_nurse_posts(&team, patient).await;
    world::the_others_are_told(&fakes, &team).await;
    caring::the_doctor_looks(&team, &fakes, post).await;
    caring::the_care_manager_acknowledges(&team, &fakes, post).await;
    caring::the_nurse_sees_who_read(&team, post).await;

    ending::the_office_revokes_the_nurses_phone(&town, &team).await;
    world::nobody_was_told_too_much(&fakes, &team);
    drop(team);
    let log = server.log();
    let options = server.stop().await.unwrap_or_else(|e| panic!("{e}"));
    ending::nothing_is_readable_at_rest(&options, &log);
    let verdict = verify_audit(&options).await.unwrap_or_else(|e| panic!("{e}"));
    ending::every_step_is_in_the_audit_chain(&verdict);
}
