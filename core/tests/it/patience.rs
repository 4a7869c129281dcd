//! When the outbox is tried again, and what goes before what.

use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{found, now};
use renraku_core::Clock;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{PatientId, PostId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Barrier;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_each_wait_is_longer_whatever_waits() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    town.network.set_down(true);
    for patient in [town.patient.id, town.patient.id, PatientId::new()] {
        session.compose(draft(patient, "one")).await.unwrap();
    }
    for with_receipt in [false, true] {
        if with_receipt {
            session.mark_read(PostId::new()).await.unwrap();
            phone.clock.ahead.fetch_add(200_000, Ordering::SeqCst);
        }
        let mut longest = 0;
        for tries in 0..6 {
            let now = phone.clock.now().0;
            let report = session.flush(false).await.unwrap();
            assert!(report.offline && report.remaining == 3, "{report:?}");
            let wait = report.next_try_at.unwrap().0 - now;
            let least = if with_receipt { 0 } else { 1000 << tries };
            assert!(wait >= least, "{wait} ms after {tries} tries");
            longest = longest.max(wait);
            phone.clock.ahead.fetch_add(wait + 1, Ordering::SeqCst);
        }
        assert!(longest >= 32_000, "{longest} ms");
    }
    town.network.set_down(false);
    assert_eq!(session.flush(true).await.unwrap().sent, 3);
    assert_eq!(session.flush(false).await.unwrap().next_try_at, None, "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_another_post_is_not_due_and_a_receipt_comes_back_when_it_was_asked_to() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    for body in ["first", "second"] {
        session.compose(draft(town.patient.id, body)).await.unwrap();
    }
    town.facts().busy = Some(120);
    let now = phone.clock.now().0;
    let report = session.flush(true).await.unwrap();
    assert!(!report.offline && report.remaining == 2, "{report:?}");
    assert!(report.next_try_at.unwrap().0 - now >= 120_000, "{report:?}");
    town.facts().busy = None;
    session.flush(true).await.unwrap();

    town.facts().busy = Some(300);
    let post = town.facts().posts[0].id;
    session.mark_read(post).await.unwrap();
    let now = phone.clock.now().0;
    let report = session.flush(false).await.unwrap();
    assert!(report.next_try_at.unwrap().0 - now >= 290_000, "{report:?}");
    town.facts().busy = None;
    session.flush(false).await.unwrap();
    assert!(town.facts().receipts.is_empty(), "before its time");
    phone.clock.ahead.fetch_add(301_000, Ordering::SeqCst);
    session.flush(false).await.unwrap();
    assert!(town.facts().receipts.contains_key(&post));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_holds_nothing_up() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    phone.clock.hours(50);
    town.network.set_down(true);
    session.compose(draft(town.patient.id, "one")).await.unwrap();
    session.flush(true).await.unwrap();
    phone.clock.hours(-50);
    town.network.set_down(false);
    assert_eq!(session.flush(false).await.unwrap().sent, 1);
    // Written two days from now by the phone; the town says when it was, and the phone shows what the town says.
    let written_at = town.facts().posts[0].written_at;
    assert!(written_at.0 <= now(), "{written_at:?}");
    let item = session.outbox().await.unwrap().remove(0);
    assert!(item.written_at.0 > now() + 3_600_000);
    let kept = session.post_last_seen(item.id).await.unwrap().unwrap().value;
    assert_eq!(kept.written_at, written_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_gains_bytes_waits_no_longer_each_time() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let mut film = draft(town.patient.id, "long");
    film.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    composed(&session, film).await;
    let mut before = 0;
    for round in 0..3 {
        let held = Arc::new(Barrier::new(2));
        town.facts().hold_chunk = Some(held.clone());
        let sending = session.clone();
        let sending = tokio::spawn(async move { sending.flush(true).await });
        held.wait().await;
        // One chunk is taken, the next one refused.
        town.facts().busy = Some(1);
        held.wait().await;
        let report = sending.await.unwrap().unwrap();
        assert_eq!((report.sent, report.remaining), (0, 1), "{report:?}");
        let item = session.outbox().await.unwrap().remove(0);
        assert!(item.media[0].uploaded > before, "round {round}: a chunk more");
        before = item.media[0].uploaded;
        assert_eq!(item.tries, 1, "round {round}: in vain once since it gained");
        let wait = item.next_try_at.0 - phone.clock.now().0;
        assert!(wait <= 2_000, "round {round}: {wait} ms");
        town.facts().busy = None;
    }
    // In vain, it waits longer each time.
    town.facts().busy = Some(1);
    session.flush(true).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].tries, 2);
    town.facts().busy = None;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_arrived_without_an_answer_are_gained_too() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let mut film = draft(town.patient.id, "long");
    film.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    composed(&session, film).await;
    let passing = || {
        let held = Arc::new(Barrier::new(2));
        town.facts().hold_chunk = Some(held.clone());
        let session = session.clone();
        (held, tokio::spawn(async move { session.flush(true).await }))
    };
    // The first chunk is kept, nobody hears of it, and the next question is refused, twice more in vain.
    let (held, sending) = passing();
    held.wait().await;
    town.facts().busy = Some(1);
    town.network.lose_answer();
    held.wait().await;
    sending.await.unwrap().unwrap();
    for _ in 0..2 {
        session.flush(true).await.unwrap();
    }
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.tries, item.media[0].uploaded), (3, 0));
    // Asked again, the server tells of it, before any other byte is sent.
    town.facts().busy = None;
    let (held, sending) = passing();
    held.wait().await;
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.tries, item.media[0].uploaded), (0, DEVICE_CHUNK_BYTES as u64));
    held.wait().await;
    assert_eq!(sending.await.unwrap().unwrap().sent, 1);
    let length = item.media[0].length;
    assert_eq!(town.facts().chunk_bytes, length, "nothing was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_and_a_receipt_do_not_wait_for_the_film_before_them() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let mut film = draft(town.patient.id, "long");
    film.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    let film = composed(&session, film).await;
    let held = Arc::new(Barrier::new(2));
    town.facts().hold_chunk = Some(held.clone());
    let sending = session.clone();
    let sending = tokio::spawn(async move { sending.flush(true).await });
    held.wait().await;
    let text = session.compose(draft(town.patient.id, "urgent")).await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(20), session.acknowledge(film, true)).await;
    assert_eq!(read, Ok(Ok(())), "kept, and no longer waited for");
    assert!(town.facts().receipts.is_empty());
    held.wait().await;
    let report = sending.await.unwrap().unwrap();
    assert_eq!((report.sent, report.remaining, report.next_try_at), (2, 0, None));
    let facts = town.facts();
    assert!(facts.chunks > 2, "{} chunks", facts.chunks);
    assert_eq!(facts.attempts, [film, text]);
    assert_eq!(facts.chunks_before, [0, 1], "before the second chunk");
    assert_eq!(facts.receipts[&film].acknowledged, Some(true));
}
