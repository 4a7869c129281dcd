//! What the camera wrote is handed over: sealed when the post is kept, all of it or nothing, and gone when it is made or
//! not wanted.

use crate::killed::resumed;
use crate::phone::{Phone, composed, noisy_photo};
use crate::preparing::{entries, film, prepare, with};
use crate::town::found;
use renraku_core::{Attachment, Cancel, CoreError, Draft, FileState};
use renraku_wire::{Code, MediaKind, PostId};
use std::sync::Arc;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_while_others_are_made_or_taken_back_is_never_lost() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let making = tokio::spawn({
        let session = session.clone();
        async move {
            loop {
                session.prepare(Cancel::new(), None).await.unwrap();
            }
        }
    });
    for n in 0..40 {
        let path = phone.file(&format!("{n}.jpg"));
        let shot = Attachment { hand_over: true, ..noisy_photo(path, 32) };
        let id = session.compose(with(town.patient.id, &format!("{n}"), vec![shot])).await.unwrap();
        if n % 4 == 3 {
            session.cancel(id).await.unwrap();
        }
    }
    making.abort();
    let _ = making.await;
    assert_eq!(prepare(&session).await.1, 0);
    let items = session.outbox().await.unwrap();
    let made = |item: &renraku_core::Item| item.media.iter().all(|m| m.state == FileState::Made);
    assert!(items.len() == 30 && items.iter().all(made), "{items:?}");
    assert_eq!(entries(&phone, "app/sources"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_on_the_disk_is_no_picture_and_holds_no_other_up() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = |name: &str| Attachment { hand_over: true, ..noisy_photo(phone.file(name), 64) };
    let walk = |name: &str| Attachment { hand_over: true, ..film(phone.file(name), 1.0) };
    let files = vec![photo("one.jpg"), photo("two.jpg"), walk("one.mp4"), walk("two.mp4"), walk("three.mp4")];
    session.compose(with(town.patient.id, "two", files)).await.unwrap();
    let media = session.outbox().await.unwrap().remove(0).media;
    let folder = std::fs::read_dir(phone.file("app/sources")).unwrap().next().unwrap().unwrap().path();
    // In a photo, in the midst of a film, and in its index.
    for (n, part) in [(0, 0.5), (2, 0.5), (3, 0.99)] {
        let path = folder.join(media[n].id.to_string());
        let mut bytes = std::fs::read(&path).unwrap();
        let at = (bytes.len() as f64 * part) as usize;
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(prepare(&session).await, (2, 3));
    let states: Vec<_> = session.outbox().await.unwrap()[0].media.iter().map(|m| m.state).collect();
    let bad = FileState::Failed { code: Code::MediaUnreadable };
    assert_eq!(states, [bad, FileState::Made, bad, bad, FileState::Made]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_an_id_of_its_own_is_kept_once() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let id = PostId::new();
    let shot = Attachment { hand_over: true, ..noisy_photo(phone.file("camera.jpg"), 64) };
    let post = Draft { id: Some(id), ..with(town.patient.id, "x", vec![shot]) };
    let twice = tokio::join!(session.compose(post.clone()), session.compose(post.clone()));
    assert_eq!(twice, (Ok(id), Ok(id)));
    assert_eq!(
        session.compose(post.clone()).await,
        Ok(id),
        "the camera's file is gone, and nobody misses it"
    );
    assert_eq!((session.outbox().await.unwrap().len(), entries(&phone, "app/sources")), (1, 1));
    assert_eq!(prepare(&session).await, (1, 0));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(session.compose(post).await, Ok(id), "sent");
    assert_eq!(town.facts().attempts, [id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn handing_over_can_be_stopped_and_nothing_is_taken() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let shot = Attachment { hand_over: true, ..noisy_photo(phone.file("camera.jpg"), 64) };
    let cancel = Cancel::new();
    cancel.cancel();
    let stopped = session.compose_until(with(town.patient.id, "x", vec![shot]), &cancel).await;
    assert_eq!(stopped, Err(CoreError::Cancelled));
    assert!(phone.file("camera.jpg").exists() && entries(&phone, "app/sources") == 0);
    assert!(session.outbox().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_while_handing_over_has_handed_over_all_or_nothing() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let (path, bytes, mut kept) = (phone.file("walk.mp4"), vec![7; 8_000_000], 0);
    for n in 0..16 {
        std::fs::write(&path, &bytes).unwrap();
        let mut walk = Attachment::new(MediaKind::Video, path.clone(), String::new());
        walk.hand_over = true;
        let post = with(town.patient.id, &format!("{n}"), vec![walk]);
        let composing = tokio::spawn({
            let session = session.clone();
            async move { session.compose(post).await }
        });
        tokio::time::sleep(Duration::from_millis(4 * n)).await;
        composing.abort();
        let _ = composing.await;
        let settled = async {
            loop {
                let listed = session.outbox().await.unwrap().len();
                let expected = kept + usize::from(!path.exists());
                if listed == expected && entries(&phone, "app/sources") == listed {
                    return listed;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        kept = tokio::time::timeout(TIME, settled).await.expect("all or nothing");
    }
    println!("{kept} of 16 were kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_goes_when_it_is_sealed_and_with_its_owner() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let folder = phone.folder.path().to_owned();
    let photo = |name: &str| Attachment { hand_over: true, ..noisy_photo(folder.join(name), 64) };
    composed(&session, with(town.patient.id, "one", vec![photo("one.jpg")])).await;
    assert!(!phone.file("one.jpg").exists() && entries(&phone, "app/sources") == 0);
    session.compose(with(town.patient.id, "two", vec![photo("two.jpg")])).await.unwrap();
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    let (phone, session) = resumed(phone, staff).await;
    assert_eq!(prepare(&session).await, (1, 0), "after a restart");
    session.compose(with(town.patient.id, "three", vec![photo("three.jpg")])).await.unwrap();
    assert_eq!(entries(&phone, "app/sources"), 1);
    phone.device.forget_person(staff).await.unwrap();
    assert_eq!(entries(&phone, "app/sources"), 0);
    assert!(matches!(session.prepare(Cancel::new(), None).await, Err(CoreError::Storage { .. })));
}
