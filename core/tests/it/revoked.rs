//! A lost device: at its next contact nothing is left on it. Only the town's own word does that.

use crate::phone::{Phone, draft};
use crate::town::{PASSWORD, SLUG, found, now};
use renraku_core::{CoreError, Diagnosed, NewDevice};
use renraku_wire::{Code, Platform, Timestamp};
use std::sync::atomic::Ordering;

const REVOKED: CoreError = CoreError::Certificate { code: Code::CertificateRevoked };
const REPLACED: CoreError = CoreError::Certificate { code: Code::CertificateReplaced };

fn is_wiped(phone: &Phone) -> bool {
    let vault = std::fs::read_dir(phone.file("vault")).unwrap().count();
    vault == 0 && !phone.file("app/people").exists() && !phone.file("app/sources").exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_wiped_at_its_next_contact() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.compose(draft(town.patient.id, "secret")).await.unwrap();
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
    session.compose(draft(town.patient.id, "kept")).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_that_could_not_enrol_anew_still_says_why() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    town.facts().revoked = true;
    assert_eq!(session.patients().await.map(drop), Err(REVOKED));
    drop(session);
    town.network.set_down(true);
    assert_eq!(phone.enrol("1234").await, Err(CoreError::Offline { code: None }));
    let phone = phone.restart();
    let refused = Ok(Diagnosed::Refused { code: Code::CertificateRevoked });
    assert_eq!(phone.device.diagnose().await, refused);
    town.network.set_down(false);
    town.facts().revoked = false;
    phone.enrol("1234").await.unwrap();
    let phone = phone.restart();
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Ready), "the mark is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_not_lost_with_the_answer_to_a_revoked_device() {
    use renraku_core::identity::DeviceKey;
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    town.facts().revoked = true;
    assert_eq!(session.patients().await.map(drop), Err(REVOKED));
    drop(session);
    town.facts().revoked = false;
    // The town may have given a certificate to the new key when the answer is lost, or the app killed.
    assert!(phone.enrol("9999").await.is_err());
    let key = phone.key.public_key().unwrap();
    let phone = phone.restart();
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(REVOKED), "it still says why");
    assert!(phone.enrol("9999").await.is_err());
    phone.enrol("1234").await.unwrap();
    assert_eq!(phone.key.public_key().unwrap(), key, "the one that the town knows");
    assert_eq!(phone.restart().device.diagnose().await, Ok(Diagnosed::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_certificate_wipes_nothing_and_a_new_one_sends_what_waits() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.compose(draft(town.patient.id, "kept")).await.unwrap();
    phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    town.facts().shut = Some(Code::CertificateReplaced);
    assert_eq!(session.flush(true).await.map(drop), Err(REPLACED));
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(REPLACED));
    assert_eq!(session.outbox().await.unwrap().len(), 1);
    drop(session);

    let phone = phone.restart();
    assert!(!is_wiped(&phone));
    assert_eq!(phone.device.people().await.unwrap().len(), 2);
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 1, "nothing is lost");
    let first = phone.device.enrolment().unwrap().certificate;
    let untold = phone.enrol("1234").await;
    assert_eq!(
        untold,
        Err(CoreError::Conflict { code: Code::StateConflict }),
        "for all that it knows, it is good"
    );
    let refused = Ok(Diagnosed::Refused { code: Code::CertificateReplaced });
    assert_eq!(phone.device.diagnose().await, refused);
    let ticket = CoreError::Certificate { code: Code::TicketInvalid };
    assert_eq!(phone.enrol("9999").await, Err(ticket));
    assert_eq!(phone.device.enrolment().unwrap().certificate, first, "as it was");
    phone.enrol("1234").await.unwrap();
    assert_ne!(phone.device.enrolment().unwrap().certificate, first);
    town.facts().shut = None;
    drop(session);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(town.facts().posts.len(), 1);
    drop(session);
    let phone = phone.restart();
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::Ready));
    assert!(!phone.device.resume(staff).await.unwrap().patients().await.unwrap().stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_device_enrols_anew_only_where_it_was() {
    let (town, other) = (found().await, found().await);
    let (phone, session) = Phone::with_nurse(&town).await;
    town.facts().shut = Some(Code::CertificateReplaced);
    assert_eq!(session.patients().await.map(drop), Err(REPLACED));
    let elsewhere = NewDevice {
        public_url: other.public_url.clone(),
        slug: SLUG.into(),
        number: "1234".into(),
        password: "ticket".into(),
        device_name: "訪問用スマホ1".into(),
        platform: Platform::Android,
    };
    let refused = phone.device.enrol(elsewhere).await.map(drop);
    assert_eq!(refused, Err(CoreError::Conflict { code: Code::StateConflict }));
    phone.enrol("1234").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_for_a_replaced_certificate_is_told_as_that() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    drop(session);
    town.network.forged.store(true, Ordering::SeqCst);
    town.facts().shut = Some(Code::CertificateReplaced);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.patients().await.map(drop), Err(REPLACED), "the public host's word counts");
    assert!(!is_wiped(&phone));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_the_mark_everything_is_wiped_all_the_same() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    session.compose(draft(town.patient.id, "secret")).await.unwrap();
    // Stands for a full disk: nothing can be written under that name.
    std::fs::create_dir(phone.file("app/revoked")).unwrap();
    town.facts().revoked = true;
    assert_eq!(session.flush(true).await.map(drop), Err(REVOKED));
    assert!(is_wiped(&phone));
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(REVOKED));
}

/// A phone with something to send and a certificate that ends in ten days.
async fn with_something_to_send() -> (Phone, renraku_core::Session) {
    let town = found().await;
    town.facts().not_after = Some(Timestamp(now() + 10 * 86_400_000));
    let (phone, session) = Phone::with_nurse(&town).await;
    session.compose(draft(town.patient.id, "kept")).await.unwrap();
    let early = phone.enrol("1234").await;
    assert_eq!(early, Err(CoreError::Conflict { code: Code::StateConflict }), "it is good");
    (phone, session)
}

async fn enrols_anew_and_sends(phone: Phone, session: renraku_core::Session) {
    drop(session);
    let first = phone.device.enrolment().unwrap().certificate;
    phone.enrol("1234").await.unwrap();
    assert_ne!(phone.device.enrolment().unwrap().certificate, first);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_whose_time_is_over_by_the_phones_clock_costs_nobodys_outbox() {
    let (phone, session) = with_something_to_send().await;
    phone.clock.hours(10 * 24 + 1);
    enrols_anew_and_sends(phone, session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_server_calls_expired_costs_nobodys_outbox() {
    let (phone, session) = with_something_to_send().await;
    phone.town.facts().shut = Some(Code::CertificateExpired);
    let expired = CoreError::Certificate { code: Code::CertificateExpired };
    assert_eq!(session.flush(true).await.map(drop), Err(expired));
    phone.town.facts().shut = None;
    enrols_anew_and_sends(phone, session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_gone_costs_nobodys_outbox() {
    let (phone, session) = with_something_to_send().await;
    let staff = session.staff().id;
    drop(session);
    phone.key.gone.store(true, Ordering::SeqCst);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    let missing = CoreError::Certificate { code: Code::CertificateMissing };
    assert_eq!(session.flush(true).await.map(drop), Err(missing));
    assert_eq!(session.outbox().await.unwrap().len(), 1);
    enrols_anew_and_sends(phone, session).await;
}
