//! Getting a certificate, using it, losing it.

use crate::line::Authority;
use crate::phone::{Phone, draft};
use crate::town::{PASSWORD, found, found_with};
use renraku_core::{CoreError, Diagnosed, StorageTrouble};
use renraku_wire::Code;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn the_chip_signs_the_request_and_every_handshake() {
    let town = found().await;
    let phone = Phone::new(&town);
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::NotEnrolled));
    phone.enrol("1234").await.unwrap();
    assert_eq!(phone.key.signed.load(Ordering::SeqCst), 1, "the request");
    assert_eq!(phone.device.municipality().unwrap().name, "箕輪町");
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(phone.key.signed.load(Ordering::SeqCst), 2, "the handshake");
    session.patients().await.unwrap();
    assert_eq!(phone.key.signed.load(Ordering::SeqCst), 2, "the same connection");
    assert!(session.must_change_password());
    session.change_password(PASSWORD, "another horse").await.unwrap();
    assert!(!session.must_change_password());

    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    let people = phone.device.people().await.unwrap();
    assert_eq!((people.len(), people[0].staff_id), (1, staff));
    let session = phone.device.resume(staff).await.unwrap();
    assert!(!session.must_change_password());
    assert!(!session.patients().await.unwrap().stale);
    assert_eq!(phone.key.signed.load(Ordering::SeqCst), 3, "nothing is resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_apart() {
    let town = found().await;
    let phone = Phone::new(&town);
    let certificate = |code| Err(CoreError::Certificate { code });
    assert_eq!(phone.enrol("9999").await, certificate(Code::TicketInvalid));
    let early = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
    assert_eq!(early, certificate(Code::CertificateMissing));
    phone.enrol("1234").await.unwrap();
    let again = phone.enrol("1234").await;
    assert_eq!(again, Err(CoreError::Conflict { code: Code::StateConflict }));
    let wrong = phone.device.sign_in("nurse", "wrong").await.map(drop);
    assert_eq!(wrong, Err(CoreError::SignedOut { code: Code::SignInRefused }));
    phone.key.locked.store(true, Ordering::SeqCst);
    let phone = phone.restart();
    let locked = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
    assert_eq!(locked, Err(CoreError::Storage { kind: StorageTrouble::Locked }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_certificate_was_lost_on_the_way_is_replaced() {
    let town = found().await;
    let phone = Phone::new(&town);
    town.network.lose_answer();
    let _ = phone.enrol("1234").await;
    let lost = {
        use renraku_core::identity::DeviceKey;
        phone.key.public_key().unwrap()
    };
    town.facts().keys.insert(lost[26..].to_vec());
    town.facts().issued.clear();
    phone.enrol("1234").await.unwrap();
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_towns_certificate_is_told_from_no_network() {
    let town = found_with(Some(Authority::new())).await;
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    for _ in 0..20 {
        let refused = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
        assert_eq!(refused, Err(CoreError::Certificate { code: Code::CertificateForeign }));
    }
    town.network.set_down(true);
    let offline = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
    assert_eq!(offline, Err(CoreError::Offline { code: None }));
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Offline));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_refused_on_its_open_connection() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    session.patients().await.unwrap();
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Ready));
    town.facts().revoked = true;
    let refused = session.patients().await.map(drop);
    assert_eq!(refused, Err(CoreError::Certificate { code: Code::CertificateRevoked }));
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Refused { code: Code::CertificateRevoked }));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_and_forgetting_leave_no_way_back() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.sign_out().await.unwrap();
    let back = phone.device.resume(staff).await.map(drop);
    assert_eq!(back, Err(CoreError::SignedOut { code: Code::SessionInvalid }));
    drop(session);
    phone.device.forget().await.unwrap();
    assert!(phone.device.people().await.unwrap().is_empty());
    assert!(!phone.file("app/people").exists());
    let phone = phone.restart();
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::NotEnrolled));
    phone.enrol("1234").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_suspended_reads_nothing_without_the_server_and_loses_nothing() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.patients().await.unwrap();
    session.compose(draft(town.patient.id, "kept")).await.unwrap();
    let again = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let signed_out = CoreError::SignedOut { code: Code::SessionInvalid };
    town.facts().over.insert("the-token-1".into());
    assert_eq!(session.patients().await.map(drop), Err(signed_out.clone()));
    drop((session, again));
    let phone = phone.restart();
    town.network.set_down(true);
    let session = phone.device.resume(staff).await.unwrap();
    assert!(session.patients().await.unwrap().stale, "the newer session is another one");
    town.network.set_down(false);
    town.facts().over.insert("the-token-2".into());
    let told = loop {
        // Its connection may still be the one that broke.
        match session.patients().await {
            Ok(seen) => assert!(seen.stale),
            Err(e) => break e,
        }
    };
    assert_eq!(told, signed_out);
    drop(session);
    town.network.set_down(true);
    assert_eq!(phone.device.resume(staff).await.map(drop), Err(signed_out.clone()));
    let phone = phone.restart();
    assert_eq!(phone.device.resume(staff).await.map(drop), Err(signed_out));
    town.network.set_down(false);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}
