//! What is half written is kept as a draft again and again, and the last word counts. Not here: what is handed over with
//! a post that is kept once.

use crate::phone::{Phone, composed, noisy_photo, text};
use crate::preparing::{entries, film, prepare, with};
use crate::town::found;
use renraku_core::{Attachment, Cancel, CoreError, Draft, ItemState};
use renraku_wire::{Code, PostId};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_gives_place_to_what_was_written_since() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let id = Some(PostId::new());
    let photo = |name: &str| Attachment { hand_over: true, ..noisy_photo(phone.file(name), 64) };
    let draft = |body: &str, files| Draft { id, keep_as_draft: true, ..with(town.patient.id, body, files) };
    composed(&session, draft("left", vec![photo("one.jpg"), photo("two.jpg")])).await;
    // Not made when it is replaced.
    session.compose(draft("left heel", vec![photo("three.jpg")])).await.unwrap();
    session.compose(draft("left heel, red", vec![photo("four.jpg")])).await.unwrap();
    assert_eq!(entries(&phone, "app/sources"), 1, "what nobody wants any more is gone");
    // What cannot be kept leaves what is.
    let lost = Attachment { path: phone.file("nowhere.jpg"), ..photo("five.jpg") };
    session.compose(draft("never", vec![lost])).await.unwrap_err();
    let items = session.outbox().await.unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].body.as_str(), items[0].media.len()), ("left heel, red", 1));
    assert_eq!(items[0].state, ItemState::Draft);
    assert_eq!(session.flush(true).await.unwrap().sent, 0);

    // Tapped twice it is the same one.
    let twice =
        draft("left heel, red", vec![Attachment { path: phone.file("four.jpg"), ..photo("spare.jpg") }]);
    session.compose(twice).await.unwrap();
    assert_eq!(session.outbox().await.unwrap(), items);

    // And goes with the last word, as soon as that is no draft.
    let sent = Draft { keep_as_draft: false, ..draft("left heel, red, 2 cm", vec![photo("six.jpg")]) };
    assert_eq!(Some(composed(&session, sent.clone()).await), id);
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    let posts = town.facts().posts.clone();
    assert_eq!((posts.len(), posts[0].body.as_str(), posts[0].media.len()), (1, "left heel, red, 2 cm", 1));

    // From then on it is this post, whatever comes under its id.
    std::fs::write(phone.file("six.jpg"), b"left behind by a kill").unwrap();
    assert_eq!(Some(session.compose(sent.clone()).await.unwrap()), id);
    assert!(!phone.file("six.jpg").exists(), "what is handed over is no more where it was");
    let more = Draft { attachments: vec![photo("six.jpg"), photo("seven.jpg")], ..sent };
    let too_late = CoreError::Conflict { code: Code::StateConflict };
    assert_eq!(session.compose(more).await, Err(too_late), "it has one picture");
    assert!(phone.file("six.jpg").exists() && phone.file("seven.jpg").exists());
    assert_eq!(session.outbox().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_sent_twice_leaves_once() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = Attachment { hand_over: true, ..noisy_photo(phone.file("camera.jpg"), 64) };
    let post = Draft { id: Some(PostId::new()), ..with(town.patient.id, "one", vec![photo]) };
    session.compose(Draft { keep_as_draft: true, ..post.clone() }).await.unwrap();
    // The same words and files, and this time they may go.
    composed(&session, post).await;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(town.facts().posts[0].media.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_file_that_a_post_still_needs_where_it_is_stays_there() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = noisy_photo(phone.file("camera.jpg"), 64);
    let post = Draft { id: Some(PostId::new()), ..with(town.patient.id, "one", vec![photo.clone()]) };
    session.compose(post.clone()).await.unwrap();
    let again = Draft { attachments: vec![Attachment { hand_over: true, ..photo }], ..post };
    session.compose(again).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_be_replaced_let_go_and_taken_back_while_its_film_is_made() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (session, id) = (Arc::new(session), PostId::new());
    let walk = film(phone.file("walk.mp4"), 1.0);
    let making = tokio::spawn({
        let session = session.clone();
        async move {
            loop {
                session.prepare(Cancel::new(), None).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    for n in 0..12 {
        let walk = Attachment { path: phone.file(&format!("{n}.mp4")), hand_over: true, ..walk.clone() };
        std::fs::copy(phone.file("walk.mp4"), &walk.path).unwrap();
        let post = with(town.patient.id, &format!("{n}"), vec![walk]);
        session.compose(Draft { id: Some(id), keep_as_draft: true, ..post }).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20 * (n % 4))).await;
        if n == 5 {
            session.cancel(id).await.unwrap();
        }
    }
    session.edit(id, text("the last")).await.unwrap();
    session.release(id).await.unwrap();
    making.abort();
    assert!(making.await.unwrap_err().is_cancelled());
    assert_eq!(prepare(&session).await.1, 0);
    while session.flush(true).await.unwrap().remaining > 0 {}
    let posts = town.facts().posts.clone();
    assert_eq!((posts.len(), posts[0].body.as_str(), posts[0].media.len()), (1, "the last", 1));
    assert_eq!(entries(&phone, "app/sources"), 0);
}
