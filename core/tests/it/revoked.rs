//! A lost device: at its next contact nothing is left on it. Only the town's own word does that.

use crate::phone::{Phone, draft};
use crate::town::{PASSWORD, found};
use renraku_core::{Cancel, CoreError, Diagnosed};
use renraku_wire::Code;
use std::sync::atomic::Ordering;

const REVOKED: CoreError = CoreError::Certificate { code: Code::CertificateRevoked };

fn is_wiped(phone: &Phone) -> bool {
    let vault = std::fs::read_dir(phone.file("vault")).unwrap().count();
    vault == 0 && !phone.file("app/people").exists() && !phone.file("app/work").exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_wiped_at_its_next_contact() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.compose(draft(town.patient.id, "secret"), Cancel::new(), None).await.unwrap();
    phone.device.set_pin(staff, None, "194502".into()).await.unwrap();
    let doctor = phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    assert!(!is_wiped(&phone));
    town.facts().revoked = true;
    assert_eq!(session.flush(true).await.map(drop), Err(REVOKED));
    assert!(is_wiped(&phone), "stores, keys, certificate, everyone's");
    assert!(matches!(doctor.outbox().await, Err(CoreError::Storage { .. })), "open stores, too");
    assert_eq!(phone.device.resume(staff).await.map(drop), Err(REVOKED));
    assert_eq!(session.patients().await.map(drop), Err(REVOKED));

    let phone = phone.restart();
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Refused { code: Code::CertificateRevoked }));
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(REVOKED));
    town.facts().revoked = false;
    phone.enrol("1234").await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(session.outbox().await.unwrap().is_empty());
    assert_eq!(phone.restart().device.diagnose().await, Ok(Diagnosed::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_why_is_a_contact_too() {
    let town = found().await;
    let (phone, _session) = Phone::with_nurse(&town).await;
    town.facts().revoked = true;
    let refused = Ok(Diagnosed::Refused { code: Code::CertificateRevoked });
    assert_eq!(phone.device.diagnose().await, refused);
    assert!(is_wiped(&phone));
    assert_eq!(phone.device.diagnose().await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_anybody_may_send_wipes_nothing_by_itself() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.compose(draft(town.patient.id, "kept"), Cancel::new(), None).await.unwrap();
    drop(session);
    town.network.forged.store(true, Ordering::SeqCst);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.patients().await.map(drop), Err(REVOKED), "told, but not believed");
    assert_eq!(session.outbox().await.unwrap().len(), 1);
    town.facts().revoked = true;
    assert_eq!(session.patients().await.map(drop), Err(REVOKED));
    assert!(is_wiped(&phone), "the public host confirmed it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_that_was_killed_half_way_is_finished_at_the_next_start() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    drop(session);
    std::fs::write(phone.file("app/revoked"), b"").unwrap();
    let phone = phone.restart();
    assert!(is_wiped(&phone));
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(REVOKED));
}
