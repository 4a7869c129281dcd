//! Going away: in the middle of a call, or by signing out. Nothing is half done, and nobody waits for the network.

use crate::phone::{Phone, draft, ticket};
use crate::town::{PASSWORD, Town, found};
use renraku_core::{CoreError, StorageTrouble, Unlock};
use renraku_wire::{Code, NoticeId, NoticeKind, PushPayload};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Barrier;

const PIN: &str = "194502";

fn signed_out<T>() -> Result<T, CoreError> {
    Err(CoreError::SignedOut { code: Code::SessionInvalid })
}

/// Waits until the town was told of the end of so many sessions.
async fn told(town: &Town, sessions: usize) -> Vec<String> {
    let told = async {
        while town.facts().signed_out.len() < sessions {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        town.facts().signed_out.clone()
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("the town is told")
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_waits_for_no_network_and_the_server_hears_of_it_later() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.patients().await.unwrap();
    session.compose(draft(town.patient.id, "kept")).await.unwrap();
    town.facts().hangs = true;
    let out = tokio::time::timeout(Duration::from_secs(20), session.sign_out()).await;
    assert_eq!(out, Ok(Ok(())), "no answer is waited for");
    assert_eq!(
        session.patients_last_seen().await.map(drop),
        Err(CoreError::Storage { kind: StorageTrouble::Locked })
    );
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    assert!(town.facts().signed_out.is_empty());

    // A restart, and the network goes: the next one who comes tells the server.
    town.facts().hangs = false;
    town.network.set_down(true);
    drop(session);
    let phone = phone.restart();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    town.network.set_down(false);
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    assert_eq!(told(&town, 1).await, ["the-token-1"]);
    let again = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(again.outbox().await.unwrap()[0].body, "kept");
    again.flush(true).await.unwrap();
    assert_eq!(town.facts().signed_out.len(), 1, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_hears_of_it_although_the_vault_takes_nothing() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    // A folder where the vault's record would be.
    std::fs::create_dir(phone.file("vault").join(hex::encode("leaving"))).unwrap();
    town.network.set_down(true);
    session.sign_out().await.unwrap();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    town.network.set_down(false);
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    assert_eq!(told(&town, 1).await, ["the-token-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sign_in_that_was_killed_left_behind_opens_nothing_and_is_ended() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.patients().await.unwrap();
    drop(session);
    // As far as the store, and no further.
    let files = std::fs::read_dir(phone.file("app/people")).unwrap().map(|e| e.unwrap().path());
    let open: Vec<_> = files.filter(|f| f.to_str().unwrap().ends_with("-open")).collect();
    assert_eq!(open.len(), 1);
    std::fs::remove_file(&open[0]).unwrap();
    let phone = phone.restart();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    assert_eq!(told(&town, 1).await, ["the-token-1"]);
    // Nor does what another session left there.
    std::fs::write(&open[0], [7; 32]).unwrap();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    phone.device.resume(staff).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_up_a_session_meanwhile_ends_no_sign_in() {
    let town = found().await;
    let (phone, first) = Phone::with_nurse(&town).await;
    let (staff, phone) = (first.staff().id, Arc::new(phone));
    let over = Arc::new(AtomicBool::new(false));
    let taking_up = tokio::spawn({
        let (phone, over) = (phone.clone(), over.clone());
        async move {
            let mut times = 0;
            while !over.load(Ordering::SeqCst) {
                phone.device.resume(staff).await.unwrap();
                times += 1;
            }
            times
        }
    });
    for _ in 0..12 {
        let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
        session.patients().await.unwrap();
        session.patients_last_seen().await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    assert!(taking_up.await.unwrap() > 12);
    let ended = told(&town, 12).await;
    assert_eq!(ended.len(), 12);
    assert!(!ended.contains(&"the-token-13".to_owned()), "each but the newest, which nobody left: {ended:?}");
    phone.device.resume(staff).await.unwrap().patients().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_behind_a_pin_is_over_for_who_opens_it_offline() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.patients().await.unwrap();
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    phone.device.lock(staff).await;
    town.facts().over.insert("the-token-1".into());
    let payload = serde_json::json!(PushPayload { kind: NoticeKind::PostPublished, id: NoticeId::new() });
    assert!(session.handle_push(&payload.to_string()).await.unwrap().unlocked.is_none());
    drop(session);
    town.network.set_down(true);
    phone.device.unlock(staff, Unlock::Pin(PIN.into())).await.unwrap();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_session_that_leaves_takes_no_newer_one_along() {
    let town = found().await;
    let (phone, older) = Phone::with_nurse(&town).await;
    let staff = older.staff().id;
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    phone.device.lock(staff).await;
    phone.device.unlock(staff, Unlock::Pin(PIN.into())).await.unwrap();
    let newer = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    older.sign_out().await.unwrap();
    newer.patients().await.unwrap();
    newer.patients_last_seen().await.unwrap().unwrap();
    phone.device.resume(staff).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_locks_what_a_pin_guards_and_keeps_nothing_that_opens_it() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.patients().await.unwrap();
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    town.network.set_down(true);
    session.sign_out().await.unwrap();
    let locked = || Err(CoreError::Storage { kind: StorageTrouble::Locked });
    assert_eq!(phone.device.resume(staff).await.map(drop), locked());
    town.network.set_down(false);
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), locked(), "the PIN comes first");
    // The session that this sign-in had opened on the server is ended there again.
    let mut ended = told(&town, 2).await;
    ended.sort();
    assert_eq!(ended, ["the-token-1", "the-token-2"]);
    phone.device.unlock(staff, Unlock::Pin(PIN.into())).await.unwrap();
    assert_eq!(phone.device.resume(staff).await.map(drop), signed_out());
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
    phone.device.forget().await.unwrap();
    assert_eq!(std::fs::read_dir(phone.file("vault")).unwrap().count(), 0, "nothing is kept of anybody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_given_up_at_its_end_goes_on_with_the_same_no() {
    let town = found().await;
    let phone = Arc::new(Phone::new(&town));
    let held = Arc::new(Barrier::new(2));
    town.facts().hold_enrolment = Some(held.clone());
    let enrolling = tokio::spawn({
        let phone = phone.clone();
        async move { phone.enrol("1234").await }
    });
    held.wait().await;
    enrolling.abort();
    assert!(enrolling.await.unwrap_err().is_cancelled());
    held.wait().await;
    assert!(phone.device.municipality().is_none(), "nothing is half done");
    phone.device.enrol(ticket(town.public_url.clone())).await.unwrap();
    assert_eq!(town.facts().issued.len(), 1, "one device");
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_given_up_leaves_no_open_session() {
    let town = found().await;
    let phone = Arc::new(Phone::new(&town));
    phone.enrol("1234").await.unwrap();
    for n in 1..=2 {
        let held = Arc::new(Barrier::new(2));
        town.facts().hold_sign_in = Some(held.clone());
        let signing_in = tokio::spawn({
            let phone = phone.clone();
            async move { phone.device.sign_in("nurse", PASSWORD).await.map(drop) }
        });
        held.wait().await;
        signing_in.abort();
        assert!(signing_in.await.unwrap_err().is_cancelled());
        held.wait().await;
        assert_eq!(told(&town, n).await[n - 1], format!("the-token-{n}"));
    }
    assert!(phone.device.people().await.unwrap().is_empty());
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_again_has_one_session_on_the_server() {
    let town = found().await;
    let (phone, older) = Phone::with_nurse(&town).await;
    let staff = older.staff().id;
    // What the newer one takes the place of has no other end: pushes would go on after signing out.
    town.network.set_down(true);
    phone.device.sign_in("nurse", PASSWORD).await.unwrap_err();
    town.network.set_down(false);
    assert!(phone.device.resume(staff).await.is_ok(), "until there is a newer one");
    let newer = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(told(&town, 1).await, ["the-token-1"]);
    newer.patients().await.unwrap();
    newer.sign_out().await.unwrap();
    assert_eq!(told(&town, 2).await, ["the-token-1", "the-token-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_on_a_device_is_signed_out() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    phone.device.forget_person(staff).await.unwrap();
    assert_eq!(told(&town, 1).await, ["the-token-1"]);
    // Nobody has the store open.
    phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let phone = phone.restart();
    phone.device.forget_person(staff).await.unwrap();
    assert_eq!(told(&town, 2).await, ["the-token-1", "the-token-2"]);
    assert!(phone.device.people().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_under_way_brings_nobody_back_whom_the_device_forgot() {
    let town = found().await;
    let phone = Arc::new(Phone::new(&town));
    phone.enrol("1234").await.unwrap();
    let held = Arc::new(Barrier::new(2));
    town.facts().hold_sign_in = Some(held.clone());
    let signing_in = tokio::spawn({
        let phone = phone.clone();
        async move { phone.device.sign_in("nurse", PASSWORD).await.map(drop) }
    });
    held.wait().await;
    phone.device.forget().await.unwrap();
    held.wait().await;
    assert_eq!(signing_in.await.unwrap(), Err(CoreError::Certificate { code: Code::CertificateMissing }));
    assert!(phone.device.people().await.unwrap().is_empty());
    assert!(!phone.file("app/people").exists(), "nor any store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_farewell_to_a_session_that_is_over_ends_no_other() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    town.facts().farewell = Some(Code::Internal);
    session.sign_out().await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    session.patients().await.unwrap();
    // The town knows the old one no more. It is told, and hears nothing new.
    town.facts().farewell = Some(Code::SessionInvalid);
    session.flush(true).await.unwrap();
    let noted = async {
        while town.facts().farewells_refused == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noted).await.expect("the town is asked");
    town.network.set_down(true);
    assert!(session.patients_last_seen().await.unwrap().is_some(), "whoever is at work stays in");
}
