//! A server, or something in front of it, that answers what was never agreed.

use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{Nonsense, Wrong, found};
use renraku_core::{Cancel, CoreError, ItemState};
use renraku_wire::MediaState;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_an_error_and_what_was_composed_stays() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    for (place, nonsense) in Nonsense::ALL.into_iter().enumerate() {
        let mut post = draft(town.patient.id, &format!("{nonsense:?}"));
        post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
        let id = composed(&session, post).await;
        town.facts().nonsense = Some(nonsense);
        let report = session.flush(true).await.unwrap();
        assert_eq!((report.sent, report.failed, report.remaining), (0, 0, 1), "{nonsense:?}");
        let item = session.outbox().await.unwrap().pop().unwrap();
        assert!(item.id == id && matches!(item.state, ItemState::Waiting | ItemState::Sending));
        assert!(item.next_try_at.0 > 0, "{nonsense:?} is not tried again and again");
        let read = session.patients().await;
        let told = matches!(read, Err(CoreError::Unexpected { .. } | CoreError::Offline { .. }));
        assert!(told, "{nonsense:?}: {read:?}");
        assert!(session.patient(town.patient.id).await.is_err(), "{nonsense:?}");
        session.mark_read(id).await.unwrap();
        town.facts().nonsense = None;
        assert_eq!(session.flush(true).await.unwrap().sent, 1, "{nonsense:?}");
        let facts = town.facts();
        assert_eq!(facts.posts.len(), place + 1, "once");
        // Nothing at all is what the server says to a receipt that it keeps.
        let believed = matches!(nonsense, Nonsense::Empty);
        assert!(believed || facts.receipts.contains_key(&id), "{nonsense:?}: the receipt was kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_may_have_passed_on_is_not_changed_any_more() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    town.facts().nonsense_to_posts = Some(Nonsense::Gateway);
    session.flush(true).await.unwrap();
    let item = session.outbox().await.unwrap().pop().unwrap();
    assert_eq!((item.id, item.state), (id, ItemState::Sending));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_without_asking_again_and_again_and_a_pass_can_be_stopped() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let seen = session.outbox_changed(0, Duration::from_secs(5)).await.unwrap();
    let quiet = session.outbox_changed(seen, Duration::from_millis(50)).await.unwrap();
    assert_eq!(quiet, seen, "nothing happened");
    let session = std::sync::Arc::new(session);
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.outbox_changed(seen, Duration::from_secs(30)).await }
    });
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    composed(&session, post).await;
    assert!(waiting.await.unwrap().unwrap() > seen);

    let flush = tokio::spawn({
        let session = session.clone();
        async move { session.flush(true).await }
    });
    while town.facts().chunk_bytes == 0 {
        tokio::task::yield_now().await;
    }
    session.stop_sending();
    let report = flush.await.unwrap().unwrap();
    assert_eq!((report.sent, report.remaining), (0, 1), "{report:?}");
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    phone.device.set_pin(session.staff().id, None, "194502".into()).await.unwrap();
    phone.device.lock(session.staff().id).await;
    assert!(session.outbox_changed(0, Duration::from_secs(5)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_something_else_is_believed_of_neither_text_nor_file() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    for wrong in [Wrong::AnotherPost, Wrong::AnotherPatient, Wrong::Offset, Wrong::State, Wrong::Verdict] {
        let mut post = draft(town.patient.id, &format!("{wrong:?}"));
        post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 1024)];
        let id = composed(&session, post).await;
        town.facts().wrong = Some(wrong);
        let report = session.flush(true).await.unwrap();
        assert_eq!((report.sent, report.failed, report.remaining), (0, 0, 1), "{wrong:?}");
        let item = session.outbox().await.unwrap().pop().unwrap();
        assert_eq!((item.id, item.state), (id, ItemState::Sending), "{wrong:?}");
        let text = matches!(wrong, Wrong::Offset | Wrong::State | Wrong::Verdict);
        assert_eq!((item.text_sent, item.media[0].done), (text, false), "{wrong:?}");
        let own = session.timeline(town.patient.id, None).await.unwrap().value.posts;
        assert_eq!(own.iter().any(|post| post.id == id), text, "{wrong:?}");

        town.facts().wrong = None;
        for file in town.facts().files.values_mut().filter(|f| f.state == MediaState::Unknown) {
            file.state = MediaState::Ready;
        }
        assert_eq!(session.flush(true).await.unwrap().sent, 1, "{wrong:?}: nothing is lost");
        let facts = town.facts();
        let file = &facts.files[&item.media[0].id];
        assert_eq!(
            (file.state, file.bytes.len() as u64),
            (MediaState::Ready, item.media[0].length),
            "{wrong:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_announced_again_when_the_answer_is_of_another() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "its photo follows");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
    session.compose(post).await.unwrap();
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.remaining), (0, 1), "the text has left");
    session.prepare(Cancel::new(), None).await.unwrap();
    town.facts().wrong = Some(Wrong::Announcement);
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.failed, report.remaining), (0, 0, 1));
    assert_eq!(session.outbox().await.unwrap()[0].media[0].uploaded, 0);
    town.facts().wrong = None;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_somebody_else_is_neither_shown_nor_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "post");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
    let post = composed(&session, post).await;
    session.flush(true).await.unwrap();
    let (patient, photo) = (town.patient.id, town.facts().posts[0].media[0].id);
    // Somebody else's phone, which has nothing yet.
    let (_other, session) = Phone::with_nurse(&town).await;
    town.facts().wrong = Some(Wrong::Page);
    session.patient(patient).await.unwrap_err();
    session.timeline(patient, None).await.unwrap_err();
    session.post(post).await.unwrap_err();
    session.thumbnail(photo).await.unwrap_err();
    town.facts().wrong = None;
    session.patients().await.unwrap();
    assert_eq!(session.patient_last_seen(patient).await, Ok(None));
    assert_eq!(session.timeline_last_seen(patient, None).await, Ok(None));
    assert_eq!(session.post_last_seen(post).await, Ok(None));
    session.thumbnail(photo).await.unwrap();
    session.patient(patient).await.unwrap();
    assert_eq!(session.timeline(patient, None).await.unwrap().value.posts[0].id, post);
}
