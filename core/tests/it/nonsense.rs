//! A server, or something in front of it, that answers what was never agreed.

use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{Nonsense, Wrong, found};
use renraku_core::{Cancel, CoreError, ItemState, runtime};
use renraku_wire::MediaState;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
async fn changes_are_told_without_asking_again_and_again_and_a_pass_can_be_cancelled() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let seen = session.outbox_changed(0, Duration::from_secs(5)).await.unwrap();
    let quiet = session.outbox_changed(seen, Duration::from_millis(50)).await.unwrap();
    assert_eq!(quiet, seen, "nothing happened");
    let session = Arc::new(session);
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.outbox_changed(seen, Duration::from_secs(30)).await }
    });
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    composed(&session, post).await;
    assert!(waiting.await.unwrap().unwrap() > seen);

    let cancel = Cancel::new();
    let flush = tokio::spawn({
        let (session, cancel) = (session.clone(), cancel.clone());
        async move { runtime::run_until(async move { session.flush(true).await }, cancel).await }
    });
    // The second chunk is on its way.
    while town.facts().chunks < 2 {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    assert_eq!(flush.await.unwrap(), Ok(None));
    let item = session.outbox().await.unwrap().pop().unwrap();
    assert!(item.text_sent && item.tries == 0, "{item:?}: it was not tried in vain");
    assert!(item.media[0].uploaded >= DEVICE_CHUNK_BYTES as u64, "what arrived counts");
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    let length = item.media[0].length;
    let sent = town.facts().chunk_bytes;
    assert!(sent <= length + DEVICE_CHUNK_BYTES as u64, "{sent} of {length}: at most one chunk twice");
    assert_eq!(town.facts().attempts.len(), 1, "the text once");
    phone.device.set_pin(session.staff().id, None, "194502".into()).await.unwrap();
    phone.device.lock(session.staff().id).await;
    assert!(session.outbox_changed(0, Duration::from_secs(5)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_wake_a_screen_few_times() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let mut seen = session.outbox_changed(0, Duration::from_secs(5)).await.unwrap();
    let begun = Instant::now();
    let writing = tokio::spawn({
        let (session, patient) = (session.clone(), town.patient.id);
        async move {
            for n in 0..40 {
                session.compose(draft(patient, &n.to_string())).await.unwrap();
            }
        }
    });
    let mut woken = 0;
    loop {
        let over = writing.is_finished();
        let now = session.outbox_changed(seen, Duration::from_millis(300)).await.unwrap();
        woken += u128::from(now != seen);
        if over && now == seen {
            break;
        }
        seen = now;
    }
    writing.await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 40);
    let most = begun.elapsed().as_millis() / 100;
    assert!((1..=most).contains(&woken), "woken {woken} times, at most {most} may be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_a_server_that_answers_nothing_is_left_within_200_milliseconds() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    session.patients().await.unwrap();
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    town.facts().hangs = true;
    let mut waits = Vec::new();
    for round in 0..9 {
        let (session, cancel) = (session.clone(), Cancel::new());
        let stop = cancel.clone();
        let patient = town.patient.id;
        let asking = tokio::spawn(async move {
            let call = async move {
                match round % 3 {
                    0 => session.patients().await.map(drop),
                    1 => session.timeline(patient, None).await.map(drop),
                    _ => session.flush(true).await.map(drop),
                }
            };
            runtime::run_until(call, cancel).await
        });
        // Long enough to be under way, and not long after the flag was looked at for the first time.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!asking.is_finished(), "it hangs");
        stop.cancel();
        let cancelled = Instant::now();
        assert_eq!(asking.await.unwrap(), Ok(None));
        waits.push(cancelled.elapsed());
    }
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < Duration::from_millis(200), "{waits:?}");
    town.facts().hangs = false;
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.remaining), (1, 0));
    assert_eq!(town.facts().posts.iter().map(|post| post.id).collect::<Vec<_>>(), [id], "once");
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
