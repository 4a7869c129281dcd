//! Reading with and without the server, receipts, pushes.

use crate::files::SMALL_PICTURE;
use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{PASSWORD, Town, found, now};
use renraku_core::{Cancel, Clock, CoreError, StorageTrouble};
use renraku_wire::*;
use std::sync::Arc;
use std::time::Duration;

/// Somebody else's post, already on the server.
fn colleague_posts(town: &Town, body: &str) -> PostId {
    let new = NewPost {
        id: PostId::new(),
        body: body.into(),
        urgent: true,
        body_site: Some(BodySite::LeftHeel),
        written_at: Timestamp(1),
        media: vec![],
    };
    let post = town.as_post(town.patient.id, &new, town.facts().posts.len());
    town.facts().posts.push(post);
    new.id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_can_be_read_without_the_server() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (patient, staff) = (town.patient.id, session.staff().id);
    let nothing = {
        town.network.set_down(true);
        let nothing = session.patients().await.map(drop);
        town.network.set_down(false);
        nothing
    };
    assert_eq!(nothing, Err(CoreError::Offline { code: None }));
    let first = colleague_posts(&town, "first");
    let second = colleague_posts(&town, "second");
    let fresh = (
        session.patients().await.unwrap(),
        session.patient(patient).await.unwrap(),
        session.timeline(patient, None).await.unwrap(),
    );
    assert!(!fresh.0.stale && !fresh.1.stale && !fresh.2.stale);
    drop(session);
    town.network.set_down(true);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    let kept = (
        session.patients().await.unwrap(),
        session.patient(patient).await.unwrap(),
        session.timeline(patient, None).await.unwrap(),
    );
    assert!(kept.0.stale && kept.1.stale && kept.2.stale);
    assert_eq!((kept.0.value, kept.1.value), (fresh.0.value, fresh.1.value));
    assert_eq!(kept.2.value, fresh.2.value);
    assert_eq!(kept.2.value.posts.iter().map(|p| p.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(session.post(first).await.unwrap().value.body, "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_there_at_once_and_says_how_old_it_is() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (patient, session) = (town.patient.id, Arc::new(session));
    assert_eq!(session.patients_last_seen().await, Ok(None));
    assert_eq!(session.patient_last_seen(patient).await, Ok(None));
    assert_eq!(session.timeline_last_seen(patient, None).await, Ok(None));
    let post = colleague_posts(&town, "first");
    let before = phone.clock.now();
    let fresh = (
        session.patients().await.unwrap(),
        session.patient(patient).await.unwrap(),
        session.timeline(patient, None).await.unwrap(),
    );
    let after = phone.clock.now();
    phone.clock.hours(5);
    for hang in [true, false] {
        town.facts().hangs = hang;
        town.network.set_down(!hang);
        let looking = tokio::spawn({
            let session = session.clone();
            async move { session.patients().await.map(drop) }
        });
        let kept = async {
            (
                session.patients_last_seen().await.unwrap().unwrap(),
                session.patient_last_seen(patient).await.unwrap().unwrap(),
                session.timeline_last_seen(patient, None).await.unwrap().unwrap(),
                session.post_last_seen(post).await.unwrap().unwrap(),
            )
        };
        let kept = tokio::time::timeout(Duration::from_secs(20), kept).await.expect("no network is asked");
        assert!(!hang || !looking.is_finished(), "who asks the server still waits for it");
        looking.abort();
        assert!(kept.0.stale && kept.1.stale && kept.2.stale && kept.3.stale);
        for at in [kept.0.seen_at, kept.1.seen_at, kept.2.seen_at, kept.3.seen_at] {
            assert!((before..=after).contains(&at.unwrap()), "{at:?}");
        }
        assert_eq!(
            (&kept.0.value, &kept.1.value, &kept.2.value),
            (&fresh.0.value, &fresh.1.value, &fresh.2.value)
        );
        assert_eq!(kept.3.value.body, "first");
    }
    session.acknowledge(post, true).await.unwrap();
    let touched = session.post_last_seen(post).await.unwrap().unwrap();
    assert!(
        touched.value.acknowledged && (before..=after).contains(&touched.seen_at.unwrap()),
        "as old as it was"
    );
    assert_eq!(session.timeline_last_seen(patient, Some("2026")).await, Ok(None), "a page of the server's");
    let forged = session.timeline_last_seen(patient, Some("stored:x")).await.map(drop);
    assert!(matches!(forged, Err(CoreError::Invalid { .. })));

    phone.clock.hours(70);
    let over = Err(CoreError::Storage { kind: StorageTrouble::LeaseOver });
    assert_eq!(session.patients_last_seen().await.map(drop), over);
    assert_eq!(session.timeline_last_seen(patient, None).await.map(drop), over);
    phone.clock.hours(-75);
    assert!(session.patients_last_seen().await.is_err(), "the clock was set back");
    town.network.set_down(false);
    session.patients().await.unwrap();
    assert!(session.patients_last_seen().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_last_keeps_to_the_towns_window() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let policy = DevicePolicy { offline_days: 1, ..session.policy().clone() };
    town.facts().policy = Some(policy);
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    colleague_posts(&town, "first");
    session.patients().await.unwrap();
    session.timeline(town.patient.id, None).await.unwrap();
    town.network.set_down(true);
    assert!(session.timeline_last_seen(town.patient.id, None).await.unwrap().is_some());
    phone.clock.hours(30);
    assert_eq!(session.timeline_last_seen(town.patient.id, None).await, Ok(None), "the day has passed");
    assert!(session.patients_last_seen().await.unwrap().is_some(), "names stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_timeline_is_paged_from_the_store() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    for n in 0..70 {
        colleague_posts(&town, &format!("{n}"));
    }
    assert_eq!(session.timeline(town.patient.id, None).await.unwrap().value.posts.len(), 70);
    town.network.set_down(true);
    let (mut bodies, mut before) = (Vec::new(), None);
    loop {
        let page = session.timeline(town.patient.id, before.as_deref()).await.unwrap().value;
        assert!(page.posts.len() <= limits::TIMELINE_PAGE);
        bodies.extend(page.posts.into_iter().map(|p| p.body));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let newest_first: Vec<String> = (0..70).rev().map(|n| n.to_string()).collect();
    assert_eq!(bodies, newest_first);
    let servers_cursor = session.timeline(town.patient.id, Some("2026")).await.map(drop);
    assert_eq!(servers_cursor, Err(CoreError::Offline { code: None }));
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_kept_until_the_server_has_them() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let post = colleague_posts(&town, "read me");
    session.timeline(town.patient.id, None).await.unwrap();
    town.network.set_down(true);
    session.mark_read(post).await.unwrap();
    session.acknowledge(post, true).await.unwrap();
    let seen = session.post(post).await.unwrap();
    assert!(seen.stale && seen.value.read && seen.value.acknowledged);
    assert!(town.facts().receipts.is_empty());
    town.network.set_down(false);
    session.flush(true).await.unwrap();
    let receipt = town.facts().receipts[&post];
    assert_eq!(receipt.acknowledged, Some(true));
    town.facts().receipts.clear();
    session.flush(true).await.unwrap();
    assert!(town.facts().receipts.is_empty(), "sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_nothing_while_locked_and_fetches_the_post() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    session.patients().await.unwrap();
    let post = colleague_posts(&town, "仙骨部に発赤あり");
    let id = NoticeId::new();
    let patient_id = Some(town.patient.id);
    let notice = Notice { id, kind: NoticeKind::PostPublished, patient_id, post_id: Some(post) };
    town.facts().notices.insert(id, notice);
    let payload = serde_json::json!({
        "aps": { "alert": "新しい連絡があります" },
        "renraku": PushPayload { kind: NoticeKind::PostPublished, id },
    });
    let shown = session.handle_push(&payload.to_string()).await.unwrap();
    assert_eq!(shown.locked, "新しい連絡があります");
    let unlocked = shown.unlocked.unwrap();
    assert_eq!(unlocked.post_id, Some(post));
    assert_eq!(unlocked.patient_name.as_deref(), Some("箕輪 花子"));
    assert_eq!(unlocked.preview.as_deref(), Some("仙骨部に発赤あり"));
    assert!(unlocked.urgent);
    assert!(town.facts().receipts.is_empty(), "shown is not read");

    town.network.set_down(true);
    assert_eq!(session.post(post).await.unwrap().value.body, "仙骨部に発赤あり", "kept for reading");
    let offline = session.handle_push(&payload.to_string()).await.unwrap();
    assert!(offline.unlocked.is_none() && offline.locked == "新しい連絡があります");
    town.network.set_down(false);
    let strange = serde_json::json!(PushPayload { kind: NoticeKind::PostPublished, id: NoticeId::new() });
    assert!(session.handle_push(&strange.to_string()).await.unwrap().unlocked.is_none());
    assert!(matches!(session.handle_push("{}").await, Err(CoreError::Invalid { .. })));

    let staff = session.staff().id;
    phone.device.set_pin(staff, None, "194502".into()).await.unwrap();
    phone.device.lock(staff).await;
    let shut = session.handle_push(&payload.to_string()).await.unwrap();
    assert!(shut.unlocked.is_none() && shut.locked == "新しい連絡があります", "behind the PIN");
    town.facts().over.insert("the-token-1".into());
    let over = session.handle_push(&payload.to_string()).await.unwrap();
    assert!(over.unlocked.is_none() && over.locked == "新しい連絡があります", "signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_fetched_once_and_written_where_asked() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 300)];
    composed(&session, post).await;
    let own = session.outbox().await.unwrap()[0].media[0].id;
    assert!(session.thumbnail(own).await.unwrap().starts_with(&[0xFF, 0xD8]), "one's own, before it is sent");
    let early = session.media(own, &phone.file("early.jpg"), &Cancel::new()).await;
    assert_eq!(early, Err(CoreError::NotFound));
    session.flush(true).await.unwrap();

    let (_other, doctor) = Phone::with_nurse(&town).await;
    doctor.timeline(town.patient.id, None).await.unwrap();
    for _ in 0..2 {
        assert_eq!(doctor.thumbnail(own).await.unwrap(), SMALL_PICTURE);
    }
    assert_eq!(town.facts().thumbnails_served, 1);
    let length = doctor.media(own, &phone.file("one.jpg"), &Cancel::new()).await.unwrap();
    town.network.set_down(true);
    assert_eq!(doctor.media(own, &phone.file("two.jpg"), &Cancel::new()).await, Ok(length));
    let (one, two) =
        (std::fs::read(phone.file("one.jpg")).unwrap(), std::fs::read(phone.file("two.jpg")).unwrap());
    assert!(one == two && one == town.facts().files[&own].bytes);
    assert!(matches!(
        doctor.media(own, &phone.file("two.jpg"), &Cancel::new()).await,
        Err(CoreError::Storage { .. })
    ));
    assert!(!phone.file("early.jpg").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_go_with_their_posts() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 100)];
    let post = composed(&session, post).await;
    session.flush(true).await.unwrap();
    let picture = session.outbox().await.unwrap()[0].media[0].id;
    let served = || town.facts().thumbnails_served;

    let (other, doctor) = Phone::with_nurse(&town).await;
    doctor.patients().await.unwrap();
    doctor.timeline(town.patient.id, None).await.unwrap();
    for _ in 0..2 {
        doctor.thumbnail(picture).await.unwrap();
    }
    doctor.timeline(town.patient.id, None).await.unwrap();
    doctor.thumbnail(picture).await.unwrap();
    assert_eq!(served(), 1, "kept");
    let gone = town.facts().posts.remove(0);
    assert_eq!(doctor.post(post).await.map(drop), Err(CoreError::NotFound));
    for _ in 0..2 {
        doctor.thumbnail(picture).await.unwrap();
    }
    assert_eq!(served(), 3, "gone with the post, and not kept without one");

    town.facts().posts.push(gone);
    let policy = DevicePolicy { offline_patients: 0, ..doctor.policy().clone() };
    doctor.timeline(town.patient.id, None).await.unwrap();
    doctor.thumbnail(picture).await.unwrap();
    doctor.thumbnail(picture).await.unwrap();
    assert_eq!(served(), 4);
    town.facts().policy = Some(policy);
    let doctor = other.device.sign_in("nurse", PASSWORD).await.unwrap();
    doctor.thumbnail(picture).await.unwrap();
    assert_eq!(served(), 5, "no patient is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_taken_back_takes_its_picture_along() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 100)];
    let post = composed(&session, post).await;
    let picture = session.outbox().await.unwrap()[0].media[0].id;
    assert!(session.thumbnail(picture).await.is_ok());
    session.cancel(post).await.unwrap();
    assert_eq!(session.thumbnail(picture).await, Err(CoreError::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_timeline_is_in_the_servers_order() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let hour = 3_600_000;
    for (place, ago) in [1, 3, 2, 3].into_iter().enumerate() {
        // Written where there was no network, and taken later than others' newer ones.
        let new = NewPost {
            id: PostId::new(),
            body: place.to_string(),
            urgent: false,
            body_site: None,
            written_at: Timestamp(now() - ago * hour),
            media: vec![],
        };
        let mut post = town.as_post(town.patient.id, &new, place);
        post.written_at = Timestamp(1_000_000_000_000 - ago * hour);
        town.facts().posts.push(post);
    }
    let bodies = |page: renraku_wire::PostPage| page.posts.into_iter().map(|p| p.body).collect::<Vec<_>>();
    let online = bodies(session.timeline(town.patient.id, None).await.unwrap().value);
    assert_eq!(online, ["0", "2", "3", "1"], "as the server has it: last written first, then by id");
    town.network.set_down(true);
    assert_eq!(bodies(session.timeline(town.patient.id, None).await.unwrap().value), online);
    assert_eq!(
        bodies(session.timeline_last_seen(town.patient.id, None).await.unwrap().unwrap().value),
        online
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_is_not_shown_any_more_is_not_shown_from_here_either() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    colleague_posts(&town, "仙骨部に発赤あり");
    let id = town.patient.id;
    session.patients().await.unwrap();
    session.patient(id).await.unwrap();
    session.timeline(id, None).await.unwrap();
    for by_page in [true, false] {
        town.facts().hidden = true;
        if by_page {
            assert_eq!(session.patient(id).await.unwrap_err(), CoreError::NotFound);
        } else {
            assert_eq!(session.timeline(id, None).await.unwrap_err(), CoreError::NotFound);
        }
        town.facts().hidden = false;
        assert_eq!(session.patient_last_seen(id).await, Ok(None));
        assert_eq!(session.timeline_last_seen(id, None).await, Ok(None));
        session.patients().await.unwrap();
        session.patient(id).await.unwrap();
        session.timeline(id, None).await.unwrap();
        assert!(session.patient_last_seen(id).await.unwrap().is_some());
    }
}
