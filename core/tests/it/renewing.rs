//! The certificate's renewal: before its end, with a key of its own, in one step.

use crate::phone::Phone;
use crate::town::{PASSWORD, found, now};
use renraku_core::identity::DeviceKey;
use renraku_core::{CoreError, Diagnosed};
use renraku_wire::{Code, Timestamp};
use std::sync::atomic::Ordering;

const DAY: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_take_turns_and_the_switch_is_one_step() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, session) = Phone::with_nurse(&town).await;
    let first = phone.device.enrolment().unwrap();
    assert!(phone.device.certificate().unwrap().renewal_due);
    let status = phone.device.renew_certificate(&session).await.unwrap();
    assert!(!status.renewal_due && status.not_after > first.certificate.not_after);
    let second = phone.device.enrolment().unwrap();
    assert_ne!(second.certificate.chain[0], first.certificate.chain[0]);
    assert_eq!(second.certificate.device_id, first.certificate.device_id);

    let signed = phone.spare.signed.load(Ordering::SeqCst);
    drop(session);
    let phone = phone.restart();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(phone.spare.signed.load(Ordering::SeqCst) > signed, "the new key shook hands");
    assert!(phone.key.sign(b"x").is_err(), "the old key is gone");
    // Not due, says the device; the tests' town gives one all the same, but it must be better than this one.
    let no_better = phone.device.renew_certificate(&session).await.map(drop);
    assert_eq!(no_better, Err(CoreError::Unexpected { reference: None }));
    assert_eq!(phone.device.enrolment().unwrap().certificate, second.certificate);
    assert!(!session.patients().await.unwrap().stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_answer_was_kept_the_old_one_works_and_the_same_new_one_comes_again() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, session) = Phone::with_nurse(&town).await;
    let first = phone.device.enrolment().unwrap();
    let staff = session.staff().id;
    town.network.lose_answer();
    assert!(phone.device.renew_certificate(&session).await.is_err());
    assert_eq!(town.facts().renewed.len(), 1, "the town has issued it");
    drop(session);
    let phone = phone.restart();
    assert_eq!(phone.device.enrolment().unwrap().certificate, first.certificate);
    let session = phone.device.resume(staff).await.unwrap();
    assert!(!session.patients().await.unwrap().stale, "the old one works");
    phone.device.renew_certificate(&session).await.unwrap();
    assert_eq!(town.facts().renewed.len(), 1, "the same again");
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Ready));
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_certificate_that_was_replaced_is_not_the_end_of_the_device() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, session) = Phone::with_nurse(&town).await;
    phone.device.renew_certificate(&session).await.unwrap();
    town.facts().revoked = true;
    let over = session.patients().await.map(drop);
    assert_eq!(over, Err(CoreError::SignedOut { code: Code::SessionInvalid }), "sign in with the new one");
    assert_eq!(phone.device.people().await.unwrap().len(), 1, "nothing was wiped");
    town.facts().revoked = false;
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_told_without_the_server() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, _session) = Phone::with_nurse(&town).await;
    town.network.set_down(true);
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Offline));
    phone.clock.hours(11 * 24);
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Refused { code: Code::CertificateExpired }));
    phone.clock.hours(-100 * 365 * 24);
    let early = Ok(Diagnosed::Refused { code: Code::CertificateNotYetValid });
    assert_eq!(phone.device.diagnose().await, early);
}
