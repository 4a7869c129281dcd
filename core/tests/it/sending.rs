//! The outbox over a network that fails.

use crate::phone::{Phone, composed, draft, noisy_photo, text};
use crate::town::{PASSWORD, found};
use renraku_core::{Cancel, CoreError, Draft, ItemState, Session, StorageTrouble};
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{Code, MediaState, PatientId, PostId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

async fn compose(session: &Session, draft: Draft) -> PostId {
    composed(session, draft).await
}

async fn state(session: &Session, id: PostId) -> ItemState {
    session.outbox().await.unwrap().iter().find(|i| i.id == id).unwrap().state.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn composed_offline_killed_and_sent_after_all() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    drop(session);
    town.network.set_down(true);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    let mut post = draft(town.patient.id, "左踵の発赤、2cm");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 600)];
    let token = Cancel::new();
    let id = session.compose(post).await.unwrap();
    session.prepare(token.clone(), None).await.unwrap();
    assert!(!token.is_cancelled(), "only a caller who goes away stops the work");
    std::fs::remove_file(phone.file("camera.jpg")).unwrap();
    let report = session.flush(true).await.unwrap();
    assert!(report.offline && report.remaining == 1 && report.next_try_at.is_some(), "{report:?}");
    assert_eq!(state(&session, id).await, ItemState::Waiting, "surely not sent");
    drop(session);

    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    town.network.set_down(false);
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.failed, report.remaining), (1, 0, 0), "{report:?}");
    assert_eq!(state(&session, id).await, ItemState::Sent);
    let facts = town.facts();
    assert_eq!(facts.posts.len(), 1);
    assert_eq!((facts.posts[0].id, facts.posts[0].body.as_str()), (id, "左踵の発赤、2cm"));
    let stored = facts.files.values().next().unwrap();
    assert_eq!(stored.state, MediaState::Ready);
    assert!(image::load_from_memory(&stored.bytes).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_due_waits() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    town.network.set_down(true);
    compose(&session, draft(town.patient.id, "one")).await;
    session.flush(false).await.unwrap();
    town.network.set_down(false);
    let report = session.flush(false).await.unwrap();
    assert_eq!((report.sent, report.remaining, report.offline), (0, 1, false));
    assert!(town.facts().attempts.is_empty());
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_stores_nothing_twice() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let id = compose(&session, draft(town.patient.id, "one")).await;
    town.facts().lose_posts_answer = true;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(state(&session, id).await, ItemState::Sent);
    {
        let facts = town.facts();
        assert_eq!((facts.attempts.len(), facts.posts.len()), (2, 1));
    }
    // Nor does it wait when the first question of a pass has no answer.
    compose(&session, draft(town.patient.id, "two")).await;
    town.network.lose_answer();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_can_no_longer_be_changed() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let id = compose(&session, draft(town.patient.id, "one")).await;
    town.facts().refuse = Some(("one".into(), Code::Internal));
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.failed, report.remaining), (0, 1));
    assert_eq!(state(&session, id).await, ItemState::Sending);
    let late = CoreError::Conflict { code: Code::StateConflict };
    assert_eq!(session.edit(id, text("two")).await, Err(late.clone()));
    assert_eq!(session.cancel(id).await, Err(late));
    town.facts().refuse = None;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_sends_at_most_one_chunk_again_per_cut() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    let id = compose(&session, post).await;
    let length = session.outbox().await.unwrap()[0].media[0].length;
    assert!(length > 4 * DEVICE_CHUNK_BYTES as u64, "{length} bytes are too few to cut");
    let mut passes = 0;
    while state(&session, id).await != ItemState::Sent {
        // Every pass starts with a cut in the middle of some chunk, and so do its later connections.
        town.network.cut_after(400_000);
        session.flush(true).await.unwrap();
        passes += 1;
        assert!(passes < 20, "no progress");
    }
    let (facts, cuts) = (town.facts(), town.network.cuts.load(Ordering::SeqCst));
    let again = facts.chunk_bytes - length;
    assert!(cuts > 0, "nothing was cut");
    assert!(again <= cuts * DEVICE_CHUNK_BYTES as u64, "{again} bytes again for {cuts} cuts");
    let stored = facts.files.values().next().unwrap();
    assert_eq!((stored.state, stored.bytes.len() as u64), (MediaState::Ready, length));
    assert_eq!(facts.posts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_chunk_whose_answer_was_lost_is_not_sent_again() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 200)];
    let id = compose(&session, post).await;
    let length = session.outbox().await.unwrap()[0].media[0].length;
    assert!(length < DEVICE_CHUNK_BYTES as u64, "one chunk");
    let flush = tokio::spawn(async move { session.flush(true).await.map(drop) });
    while town.facts().chunk_bytes < length {
        tokio::task::yield_now().await;
    }
    flush.abort();
    let _ = flush.await;
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().remaining, 0);
    assert_eq!(state(&session, id).await, ItemState::Sent);
    assert_eq!(town.facts().chunk_bytes, length);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_two_chunks_it_goes_on_at_the_next() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let mut post = draft(town.patient.id, "photo");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 2048)];
    let id = compose(&session, post).await;
    let length = session.outbox().await.unwrap()[0].media[0].length;
    let flush = tokio::spawn(async move { session.flush(true).await.map(drop) });
    while town.facts().chunk_bytes < 2 * DEVICE_CHUNK_BYTES as u64 {
        tokio::task::yield_now().await;
    }
    flush.abort();
    let _ = flush.await;
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(state(&session, id).await, ItemState::Sent);
    let facts = town.facts();
    assert!(facts.chunk_bytes - length <= DEVICE_CHUNK_BYTES as u64);
    assert_eq!(facts.attempts.len(), 1, "the text was not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn order_is_kept_per_patient_and_a_refusal_holds_nobody_up() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let other = PatientId::new();
    let first = compose(&session, draft(town.patient.id, "1 held")).await;
    let second = compose(&session, draft(town.patient.id, "2")).await;
    let others = compose(&session, draft(other, "3")).await;
    town.facts().refuse = Some(("held".into(), Code::Unavailable));
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.remaining), (1, 2));
    assert_eq!(town.facts().attempts, [first, others], "the second waits for the first");
    town.facts().refuse = Some(("held".into(), Code::ConsentMissing));
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.failed, report.remaining), (1, 1, 0));
    assert_eq!(state(&session, first).await, ItemState::Failed { code: Code::ConsentMissing, field: None });
    assert_eq!(state(&session, second).await, ItemState::Sent);

    town.facts().refuse = None;
    session.edit(first, text("1 better")).await.unwrap();
    session.release(first).await.unwrap();
    assert_eq!(session.flush(false).await.unwrap().sent, 1);
    let bodies: Vec<String> = town.facts().posts.iter().map(|p| p.body.clone()).collect();
    assert_eq!(bodies, ["3", "2", "1 better"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_wait_for_the_person_and_waiting_posts_can_be_changed_or_taken_back() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let kept = compose(&session, Draft { keep_as_draft: true, ..draft(town.patient.id, "draft") }).await;
    let changed = compose(&session, draft(town.patient.id, "typo")).await;
    let taken_back = compose(&session, draft(town.patient.id, "wrong patient")).await;
    session.edit(changed, text("right")).await.unwrap();
    session.cancel(taken_back).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(town.facts().attempts, [changed]);
    session.release(kept).await.unwrap();
    session.flush(true).await.unwrap();
    let bodies: Vec<String> = town.facts().posts.iter().map(|p| p.body.clone()).collect();
    assert_eq!(bodies, ["right", "draft"]);
    assert_eq!(session.cancel(taken_back).await, Err(CoreError::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_out_nothing_is_lost() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let id = compose(&session, draft(town.patient.id, "later")).await;
    town.facts().shut = Some(Code::FacilitySuspended);
    let refused = session.flush(true).await.map(drop);
    assert_eq!(refused, Err(CoreError::Certificate { code: Code::FacilitySuspended }));
    assert_eq!(state(&session, id).await, ItemState::Waiting);
    town.facts().shut = None;
    session.sign_out().await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_before_it_is_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let empty = session.compose(draft(town.patient.id, "  ")).await;
    assert!(matches!(empty, Err(CoreError::Invalid { field: Some(f), .. }) if f == "body"));
    let long = session.compose(draft(town.patient.id, &"長".repeat(2001))).await;
    assert!(matches!(long, Err(CoreError::Invalid { .. })));
    let mut gone = draft(town.patient.id, "x");
    gone.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
    gone.attachments[0].path = phone.file("gone.jpg");
    assert_eq!(session.compose(gone).await, Err(CoreError::Storage { kind: StorageTrouble::File }));
    assert!(session.outbox().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_goes_up_at_once() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let bytes: Vec<u8> = (0..600_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(phone.file("consent.pdf"), &bytes).unwrap();
    town.network.cut_after(300_000);
    let id = session.upload_document(&phone.file("consent.pdf"), "同意書").await.unwrap();
    let facts = town.facts();
    assert!(facts.files[&id].bytes == bytes && facts.files[&id].state == MediaState::Ready);
    assert_eq!(town.network.cuts.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phones_photo_and_film_leave_without_a_trace_of_where_they_were_made() {
    use renraku_core::{Attachment, Progress};
    use renraku_media::{film, fixture, photo};
    use renraku_wire::MediaKind;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Heard(Mutex<Vec<f32>>);
    impl Progress for Heard {
        fn on_progress(&self, done: f32) {
            self.0.lock().unwrap().push(done);
        }
    }

    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    std::fs::write(phone.file("heel.jpg"), fixture::phone_photo(1)).unwrap();
    fixture::phone_film(&phone.file("dressing.mp4"), 1.0).unwrap();
    let attachment = |kind, name| Attachment::new(kind, phone.file(name), String::new());
    let mut post = draft(town.patient.id, "左踵");
    post.attachments =
        vec![attachment(MediaKind::Photo, "heel.jpg"), attachment(MediaKind::Video, "dressing.mp4")];
    let heard = Arc::new(Heard::default());
    session.compose(post).await.unwrap();
    session.prepare(Cancel::new(), Some(heard.clone())).await.unwrap();
    assert_eq!(heard.0.lock().unwrap().last(), Some(&1.0));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);

    let facts = town.facts();
    for media in &facts.posts[0].media {
        let stored = &facts.files[&media.id];
        assert_eq!(stored.state, MediaState::Ready);
        match media.kind {
            MediaKind::Photo => {
                let facts = photo::verify(&stored.bytes, &photo::Limits::default()).unwrap();
                assert_eq!(facts.width.max(facts.height), 2048);
            }
            _ => drop(film::verify(&stored.bytes, &film::Limits::default()).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_can_be_changed_while_nobody_answers() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let id = compose(&session, draft(town.patient.id, "one")).await;
    town.facts().hangs = true;
    let session = Arc::new(session);
    let sending = session.clone();
    let flush = tokio::spawn(async move { sending.flush(true).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(state(&session, id).await, ItemState::Waiting);
    session.edit(id, text("two")).await.unwrap();
    // Killed meanwhile, it still waits.
    flush.abort();
    let _ = flush.await;
    drop(session);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(state(&session, id).await, ItemState::Waiting);
    town.facts().hangs = false;
    session.flush(true).await.unwrap();
    assert_eq!(town.facts().posts[0].body, "two");
}
