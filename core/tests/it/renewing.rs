//! The certificate's renewal: before its end, with a key of its own, in one step.

use crate::phone::{Phone, draft};
use crate::town::{PASSWORD, Town, found, now};
use renraku_core::identity::DeviceKey;
use renraku_core::{CoreError, Diagnosed};
use renraku_wire::{Code, PushProvider, Timestamp};
use std::sync::Arc;
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
    let staff = session.staff().id;
    assert!(phone.device.resume(staff).await.is_ok(), "what was kept can be read");
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

/// A phone whose people have their own passwords, with a certificate that ends in so many days.
async fn settled(days: i64) -> (Phone, renraku_core::Session) {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + days * DAY));
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    town.facts().settled = true;
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    (phone, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_renews_by_itself_and_nobody_notices() {
    let (phone, session) = settled(10).await;
    assert_eq!(phone.town.facts().renewed.len(), 1);
    assert_eq!(phone.town.facts().sign_ins, 2, "once more with the new one");
    assert!(!phone.device.certificate().unwrap().renewal_due);
    assert!(!session.patients().await.unwrap().stale, "the session is the new certificate's");
    assert!(phone.key.sign(b"x").is_err(), "the old key is gone");
    phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    let facts = phone.town.facts();
    assert_eq!((facts.renewed.len(), facts.sign_ins), (1, 3), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_lasts_is_left_alone() {
    let (phone, _session) = settled(200).await;
    let facts = phone.town.facts();
    assert_eq!((facts.renewed.len(), facts.sign_ins), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_does_not_put_the_renewal_off() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    town.facts().settled = true;
    phone.clock.hours(-100 * 24);
    assert!(!phone.device.certificate().unwrap().renewal_due, "by the phone's clock there is time");
    phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(town.facts().renewed.len(), 1, "by the server's there is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hinders_the_renewal_does_not_hinder_the_signing_in() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    let first = phone.device.enrolment().unwrap().certificate;
    town.facts().settled = true;
    for code in [Code::RenewalTooEarly, Code::Unavailable, Code::Internal, Code::CsrKeyUnsupported] {
        town.facts().no_renewal = Some(code);
        let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
        assert!(!session.patients().await.unwrap().stale, "{code:?}");
        assert_eq!(phone.device.enrolment().unwrap().certificate, first, "{code:?}");
    }
    town.facts().no_renewal = None;
    phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_ne!(phone.device.enrolment().unwrap().certificate, first, "the next time it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sits_at_the_same_tablet_is_asked_to_sign_in_again_and_loses_nothing() {
    let town = found().await;
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    town.facts().not_after = None;
    let doctor = phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    let id = doctor.compose(draft(town.patient.id, "later")).await.unwrap();
    let nurse = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    phone.device.renew_certificate(&nurse).await.unwrap();
    // Her connection breaks: the next handshake would need the key that is gone.
    town.network.cut_after(0);
    let asked = loop {
        match doctor.flush(true).await {
            Ok(report) => assert!(report.remaining > 0, "sent with a certificate that was replaced"),
            Err(e) => break e,
        }
    };
    assert_eq!(asked, CoreError::SignedOut { code: Code::SessionInvalid });
    assert_eq!(phone.device.people().await.unwrap().len(), 2, "nothing was wiped");
    drop(doctor);
    let doctor = phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    assert_eq!(doctor.outbox().await.unwrap()[0].id, id);
    assert_eq!(doctor.flush(true).await.unwrap().sent, 1);
}

/// A phone whose certificate is due, and whose people have their own passwords. Nobody signed in yet.
async fn due() -> Phone {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    town.facts().settled = true;
    phone
}

async fn two_sign_ins_renew_once(second: &str) {
    let phone = due().await;
    phone.town.facts().together = Some(Arc::new(tokio::sync::Barrier::new(2)));
    let (one, two) =
        tokio::join!(phone.device.sign_in("nurse", PASSWORD), phone.device.sign_in(second, PASSWORD));
    let (one, two) = (one.unwrap(), two.unwrap());
    {
        let facts = phone.town.facts();
        assert_eq!((facts.renewals, facts.renewed.len()), (1, 1), "one renewal reaches the town");
        assert_eq!(facts.sign_ins, 4, "both once more with the new one");
    }
    let renewed = phone.device.enrolment().unwrap().certificate;
    assert_eq!(phone.town.facts().renewed.values().next(), Some(&renewed));
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Ready));
    // No connection that was open before is left: the certificate that they show is the one that is kept.
    phone.town.network.set_down(true);
    assert_eq!(one.register_push(PushProvider::Fcm, "token").await, Err(CoreError::Offline { code: None }));
    phone.town.network.set_down(false);
    // Of one person the newer session counts.
    let staff = [one.staff().id, two.staff().id];
    for staff in staff {
        let session = phone.device.resume(staff).await.unwrap();
        assert!(!session.patients().await.unwrap().stale);
        session.compose(draft(phone.town.patient.id, "kept")).await.unwrap();
        session.flush(true).await.unwrap();
    }
    assert_eq!(phone.town.facts().posts.len(), 2);
    assert!(phone.key.sign(b"x").is_err(), "the old key is gone");
    phone.spare.sign(b"x").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_sign_in_at_once_renew_once() {
    two_sign_ins_renew_once("doctor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_who_signs_in_twice_at_once_renews_once() {
    two_sign_ins_renew_once("nurse").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_tap_renews_once() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, session) = Phone::with_nurse(&town).await;
    let taps =
        tokio::join!(phone.device.renew_certificate(&session), phone.device.renew_certificate(&session));
    let (first, second) = (taps.0.map(drop), taps.1.map(drop));
    assert!(first.is_ok() || second.is_ok());
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    assert_eq!(first.and(second), Err(over.clone()), "the other finds it done");
    assert_eq!(phone.device.renew_certificate(&session).await.map(drop), Err(over), "and whoever is late");
    assert_eq!(town.facts().renewals, 1, "one renewal reaches the town");
    assert_eq!(phone.device.people().await.unwrap().len(), 1);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(!session.patients().await.unwrap().stale);
    drop(session);
    assert_eq!(phone.restart().device.diagnose().await, Ok(Diagnosed::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_goes_right_after_the_renewal_does_not_hinder_the_signing_in() {
    let phone = due().await;
    let town = phone.town.clone();
    town.facts().down_at_sign_in = Some(2);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(town.network.is_down());
    assert!(!phone.device.certificate().unwrap().renewal_due, "it is renewed");
    session.compose(draft(town.patient.id, "later")).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 1, "work goes on");
    town.network.set_down(false);
    drop(session);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(town.facts().renewals, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_given_up_while_it_renews_leaves_what_was_before() {
    let phone = Arc::new(due().await);
    let town = phone.town.clone();
    given_up_while_it_renews(&phone, async {}).await;
    told(&town, "the-token-1").await;
    let staff = phone.device.people().await.unwrap()[0].staff_id;
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    assert_eq!(phone.device.resume(staff).await.map(drop), Err(over), "nobody gets in without a password");

    town.facts().no_renewal = Some(Code::Internal);
    phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    town.facts().no_renewal = None;
    given_up_while_it_renews(&phone, async {}).await;
    told(&town, "the-token-3").await;
    let before = phone.device.resume(staff).await.unwrap();
    before.patients().await.unwrap();
    assert!(!town.facts().signed_out.contains(&"the-token-2".to_owned()), "it was open before");

    // Unless it ended meanwhile.
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    given_up_while_it_renews(&phone, async {
        town.facts().over.insert("the-token-2".into());
        assert_eq!(before.patients().await.map(drop), Err(over.clone()));
    })
    .await;
    told(&town, "the-token-4").await;
    assert_eq!(phone.device.resume(staff).await.map(drop), Err(over));
}

/// Waits until the town was told of a session's end.
async fn told(town: &Town, token: &str) {
    let told = async {
        while !town.facts().signed_out.iter().any(|ended| ended == token) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), told).await.expect("the town is told");
}

async fn given_up_while_it_renews(phone: &Arc<Phone>, meanwhile: impl Future<Output = ()>) {
    let town = phone.town.clone();
    let held = Arc::new(tokio::sync::Barrier::new(2));
    town.facts().hold_renewal = Some(held.clone());
    let signing_in = tokio::spawn({
        let phone = phone.clone();
        async move { phone.device.sign_in("nurse", PASSWORD).await.map(drop) }
    });
    held.wait().await;
    meanwhile.await;
    signing_in.abort();
    assert!(signing_in.await.unwrap_err().is_cancelled());
    town.facts().hold_renewal = None;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_right_after_the_renewal_is_told() {
    let phone = due().await;
    let town = phone.town.clone();
    town.facts().refuse_sign_in = Some((2, Code::AccountLocked));
    let refused = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
    assert_eq!(refused, Err(CoreError::SignedOut { code: Code::AccountLocked }));
    assert_eq!(phone.device.people().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_forgotten_during_its_renewal_stays_so() {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * DAY));
    let (phone, session) = Phone::with_nurse(&town).await;
    let held = Arc::new(tokio::sync::Barrier::new(2));
    town.facts().hold_renewal = Some(held.clone());
    let meanwhile = async {
        held.wait().await;
        phone.device.forget().await.unwrap();
        held.wait().await;
    };
    let (renewed, ()) = tokio::join!(phone.device.renew_certificate(&session), meanwhile);
    assert_eq!(renewed.map(drop), Err(CoreError::Certificate { code: Code::CertificateMissing }));
    assert_eq!(town.facts().renewed.len(), 1, "the town's answer was a new certificate");
    assert!(phone.spare.sign(b"x").is_err(), "its key is gone");
    drop(session);
    assert_eq!(phone.restart().device.diagnose().await, Ok(Diagnosed::NotEnrolled));
}
