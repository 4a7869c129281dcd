//! What a server would refuse for good is told before it is kept; what it refuses all the same can be mended.

use crate::phone::{Phone, draft, noisy_photo, text};
use crate::town::{PASSWORD, found};
use renraku_core::{CoreError, Draft, ItemState, Session, Text};
use renraku_wire::{Code, DevicePolicy, PostId};

fn urgent(body: &str) -> Text {
    Text { urgent: true, ..text(body) }
}

fn invalid(field: &str) -> CoreError {
    CoreError::Invalid { code: Code::FieldInvalid, field: Some(field.to_owned()) }
}

fn without_marks(session: &Session) -> DevicePolicy {
    DevicePolicy { urgent_flag: false, thumbs_ack: false, ..session.policy().clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_the_town_does_not_have_are_refused_before_they_are_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    town.facts().policy = Some(without_marks(&session));
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let marked = Draft { text: urgent("one"), ..draft(town.patient.id, "") };
    assert_eq!(session.compose(marked).await, Err(invalid("urgent")));
    assert!(session.outbox().await.unwrap().is_empty());
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    assert_eq!(session.edit(id, urgent("two")).await, Err(invalid("urgent")));
    session.flush(true).await.unwrap();
    assert_eq!(session.acknowledge(id, true).await, Err(invalid("acknowledged")));
    assert!(town.facts().receipts.is_empty());
    session.acknowledge(id, false).await.unwrap();
    assert_eq!(town.facts().receipts[&id].acknowledged, Some(false), "taken back in any town");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_marked_before_the_town_gave_up_the_mark_says_what_is_at_fault_and_is_mended() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let marked = Draft { text: urgent("one"), ..draft(town.patient.id, "") };
    let id = session.compose(marked).await.unwrap();
    town.facts().policy = Some(without_marks(&session));
    assert_eq!(session.flush(true).await.unwrap().failed, 1);
    let item = session.outbox().await.unwrap().remove(0);
    let failed = ItemState::Failed { code: Code::FieldInvalid, field: Some("urgent".into()) };
    assert_eq!((item.id, item.state), (id, failed));
    session.edit(id, text("one")).await.unwrap();
    session.release(id).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(session.outbox().await.unwrap()[0].state, ItemState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_that_the_town_does_not_take_does_not_cost_the_reading() {
    let town = found().await;
    let (_phone, session) = Phone::with_nurse(&town).await;
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    session.flush(true).await.unwrap();
    town.facts().policy = Some(without_marks(&session));
    session.acknowledge(id, true).await.unwrap();
    assert_eq!(town.facts().receipts[&id].acknowledged, None, "read");
    assert_eq!(session.flush(true).await.unwrap().next_try_at, None, "and nothing is left of it");
    let kept = session.post_last_seen(id).await.unwrap().unwrap().value;
    assert!(kept.read && !kept.acknowledged, "shown as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_field_takes_is_refused_before_it_is_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let described = |description: &str| {
        let mut post = draft(town.patient.id, "one");
        post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 64)];
        post.attachments[0].description = description.to_owned();
        post
    };
    for bad in ["左踵\n右踵", "a\u{b}b", &"長".repeat(201)] {
        assert_eq!(session.compose(described(bad)).await, Err(invalid("description")), "{bad:?}");
        let document = session.upload_document(&phone.file("camera.jpg"), bad).await;
        assert_eq!(document, Err(invalid("description")), "{bad:?}");
    }
    assert_eq!(session.compose(draft(town.patient.id, "a\u{b}b")).await, Err(invalid("body")));
    assert!(session.outbox().await.unwrap().is_empty());
    session.compose(described(&format!(" {}\n", "長".repeat(200)))).await.unwrap();
    let long = format!("\n{}\r\n\t", "長".repeat(2000));
    let id: PostId = session.compose(draft(town.patient.id, &long)).await.unwrap();
    assert_eq!(session.edit(id, text("a\u{0}b")).await, Err(invalid("body")));
    assert_eq!(session.edit(id, text(&"長".repeat(2001))).await, Err(invalid("body")));
    session.edit(id, text("two\nlines\tand a tab")).await.unwrap();
}
