//! How long, how much and by which clock a device reads without the server.

use crate::phone::{Phone, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use renraku_core::{CoreError, ItemState, StorageTrouble, Text};
use renraku_wire::{Code, DevicePolicy, NewPost, PatientId, PostId, Timestamp};

fn storage<T>(kind: StorageTrouble) -> Result<T, CoreError> {
    Err(CoreError::Storage { kind })
}

#[tokio::test(flavor = "multi_thread")]
async fn after_72_hours_without_the_server_the_store_stays_shut_and_nothing_is_lost() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    session.patients().await.unwrap();
    town.network.set_down(true);
    let id = session.compose(draft(town.patient.id, "written in time")).await.unwrap();
    phone.clock.hours(71);
    assert!(session.patients().await.unwrap().stale);
    phone.clock.hours(2);
    assert_eq!(session.patients().await.map(drop), storage(StorageTrouble::LeaseOver));
    assert_eq!(session.timeline(town.patient.id, None).await.map(drop), storage(StorageTrouble::LeaseOver));
    let items = session.outbox().await.unwrap();
    assert_eq!((items[0].id, items[0].state.clone(), items[0].body.as_str()), (id, ItemState::Waiting, ""));
    // Nor may anybody write over what they cannot see.
    let text = Text { body: "blind".into(), urgent: true, body_site: None };
    assert_eq!(session.edit(id, text).await, Err(CoreError::Storage { kind: StorageTrouble::LeaseOver }));
    session.compose(draft(town.patient.id, "written late")).await.unwrap();
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(
        session.patients().await.map(drop),
        storage(StorageTrouble::LeaseOver),
        "after a restart, too"
    );
    town.network.set_down(false);
    assert_eq!(session.flush(true).await.unwrap().sent, 2);
    assert!(!session.patients().await.unwrap().stale);
    assert_eq!(session.outbox().await.unwrap()[0].body, "written in time");
    assert_eq!(town.facts().posts[0].body, "written in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_does_not_lengthen_the_lease() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    session.patients().await.unwrap();
    town.network.set_down(true);
    phone.clock.hours(70);
    assert!(session.patients().await.unwrap().stale);
    phone.clock.hours(-69);
    assert_eq!(session.patients().await.map(drop), storage(StorageTrouble::ClockSetBack));
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.patients().await.map(drop), storage(StorageTrouble::ClockSetBack));
    phone.clock.hours(69);
    assert!(session.patients().await.unwrap().stale, "corrected, the rest of the time is there");
    phone.clock.hours(3);
    assert_eq!(session.patients().await.map(drop), storage(StorageTrouble::LeaseOver));
    phone.clock.hours(-100);
    town.network.set_down(false);
    assert!(!session.patients().await.unwrap().stale, "the server's word heals both");
    town.network.set_down(true);
    assert!(session.patients().await.unwrap().stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_policys_days_and_patients_are_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let new = NewPost {
        id: PostId::new(),
        body: "old".into(),
        urgent: false,
        body_site: None,
        written_at: Timestamp(1),
        media: vec![],
    };
    let post = town.as_post(town.patient.id, &new, 0);
    town.facts().posts.push(post);
    let policy = |days, patients| DevicePolicy {
        offline_days: days,
        offline_patients: patients,
        ..session.policy().clone()
    };
    let (the_town, the_phone) = (&town, &phone);
    let offline = |session: renraku_core::Session| async move {
        let town = the_town;
        town.network.set_down(true);
        let seen = session.timeline(town.patient.id, None).await.map(|page| page.value.posts.len());
        town.network.set_down(false);
        seen
    };
    town.facts().policy = Some(policy(7, 50));
    let sign_in = || async move {
        let session = the_phone.device.sign_in("nurse", PASSWORD).await.unwrap();
        session.patients().await.unwrap();
        session
    };
    let again = sign_in().await;
    assert_eq!(again.policy().offline_days, 7, "signing in takes the policy along");
    again.timeline(town.patient.id, None).await.unwrap();
    assert_eq!(offline(again).await, Ok(1));
    phone.clock.hours(8 * 24);
    assert_eq!(offline(sign_in().await).await, Err(CoreError::Offline { code: None }), "a week has passed");
    phone.clock.hours(-8 * 24);
    town.facts().policy = Some(policy(7, 0));
    let session = sign_in().await;
    session.timeline(town.patient.id, None).await.unwrap();
    // Of a patient who is in no list yet: a push told of it.
    let post = town.as_post(PatientId::new(), &NewPost { id: PostId::new(), ..new }, 1);
    town.facts().posts.push(post.clone());
    session.post(post.id).await.unwrap();
    assert_eq!(session.post_last_seen(post.id).await, Ok(None));
    assert_eq!(offline(session).await, Err(CoreError::Offline { code: None }), "no patient is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_not_told_once_the_server_ended_the_session() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "secret");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
    let id = session.compose(post).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].body, "secret");
    town.facts().over.insert("the-token-1".into());
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    assert_eq!(session.patients().await.map(drop), Err(over));
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.id, item.state), (id, ItemState::Waiting), "where it stands is told");
    assert_eq!((item.body.as_str(), item.media[0].description.as_str()), ("", ""));
    let text = Text { body: "blind".into(), urgent: true, body_site: None };
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    assert_eq!(session.edit(id, text).await, Err(over));
    drop(session);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].body, "secret");
}
