//! What Apple, Google and the mail carrier got to see.

use crate::opening::Team;
use renraku_tests::fakes::{Received, ReceivedMail};
use renraku_tests::harness::Fakes;
use renraku_wire::NoticeKind;
use serde_json::Value;
use std::time::Duration;

/// The three places.
pub const FACILITIES: [&str; 3] =
    ["あおぞら訪問看護ステーション", "山野内科医院", "ひまわり居宅介護支援事業所"];
/// The manager of each.
pub const MANAGER: &str = "管野 理子";
/// Nurse, doctor, care manager.
pub const TEAM: [&str; 3] = ["看田 まもり", "医山 治", "支川 結"];
/// The patient, and how the name is read.
pub const PATIENT: (&str, &str) = ("試験 梅子", "シケン ウメコ");
/// What the nurse writes.
pub const BODY: &str = "左踵の褥瘡、発赤3cm、滲出液少量。\n被覆材を交換しました。明日も確認します。";
/// What no third party may read: names, places, and what the post is about, in any language.
const SECRET: [&str; 29] = [
    "あおぞら",
    "山野",
    "ひまわり",
    "訪問看護",
    "内科",
    "居宅",
    "管野",
    "理子",
    "看田",
    "まもり",
    "医山",
    "支川",
    "試験",
    "梅子",
    "シケン",
    "ウメコ",
    "左踵",
    "褥瘡",
    "発赤",
    "滲出液",
    "被覆材",
    "交換",
    "heel",
    "Heel",
    "ulcer",
    "pressure",
    "wound",
    "写真",
    "動画",
];
/// A push or mail is on its way for less than this.
const DELIVERY: Duration = Duration::from_secs(30);

/// Waits until everybody in `expected` got as many notices of a kind as named, and gives the pushes.
pub async fn pushes_of(fakes: &Fakes, token: &str, kind: NoticeKind) -> Vec<Received> {
    let end = tokio::time::Instant::now() + DELIVERY;
    loop {
        let mut all = fakes.apns.received();
        all.extend(fakes.google.received());
        let found: Vec<_> = all.into_iter().filter(|p| p.token == token && kind_of(p) == kind).collect();
        if !found.is_empty() || tokio::time::Instant::now() > end {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Mails of a kind to this address, once there is one.
pub async fn mails_of(fakes: &Fakes, address: &str, kind: NoticeKind) -> Vec<ReceivedMail> {
    let end = tokio::time::Instant::now() + DELIVERY;
    loop {
        let wanted = |m: &ReceivedMail| m.to == [address] && m.body.contains(kind.line());
        let found: Vec<_> = fakes.smtp.received().into_iter().filter(wanted).collect();
        if !found.is_empty() || tokio::time::Instant::now() > end {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The part of a push that the app reads.
pub fn part(push: &Received) -> Value {
    let (apple, google) = (&push.payload["renraku"], &push.payload["message"]["data"]);
    if apple.is_object() { apple.clone() } else { google.clone() }
}

fn kind_of(push: &Received) -> NoticeKind {
    serde_json::from_value(part(push)["kind"].clone()).expect("a kind")
}

/// Step 7: every device and mail address of the other members, over all three ways.
pub async fn the_others_are_told(fakes: &Fakes, team: &Team) {
    for person in [&team.doctor, &team.care_manager] {
        let pushes = pushes_of(fakes, person.push_token, NoticeKind::PostPublished).await;
        assert_eq!(pushes.len(), 1, "one push to {}", person.login_id);
        for address in person.mails {
            let mails = mails_of(fakes, address, NoticeKind::PostPublished).await;
            assert_eq!(mails.len(), 1, "one mail to {address}");
        }
    }
    let apple = pushes_of(fakes, team.doctor.push_token, NoticeKind::PostPublished).await;
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&apple[0].payload), ["aps", "renraku"]);
    assert!(apple[0].payload["aps"].to_string().contains(NoticeKind::PostPublished.line()));
    assert_eq!(apple[0].headers["apns-push-type"], "alert");
    for person in [&team.doctor, &team.care_manager] {
        let push = pushes_of(fakes, person.push_token, NoticeKind::PostPublished).await.remove(0);
        assert_eq!(keys(&part(&push)), ["id", "kind"], "a kind and an opaque id, and no more");
    }
}

/// Step 7, looked at from the end, when everything that will be sent was sent.
pub fn nobody_was_told_too_much(fakes: &Fakes, team: &Team) {
    let (apple, google, mails) = (fakes.apns.received(), fakes.google.received(), fakes.smtp.received());
    let count = |pushes: &[Received], token: &str, kind| {
        pushes.iter().filter(|p| p.token == token && kind_of(p) == kind).count()
    };
    for kind in [NoticeKind::PatientRegistered, NoticeKind::PostPublished] {
        let author = usize::from(kind == NoticeKind::PatientRegistered);
        assert_eq!(count(&apple, team.nurse.push_token, kind), author, "the nurse knows her own post");
        assert_eq!(count(&apple, team.doctor.push_token, kind), 1);
        assert_eq!(count(&google, team.care_manager.push_token, kind), 1);
    }
    assert_eq!((apple.len(), google.len()), (3, 2));
    // Three approvals, four addresses for the new patient, three for the post.
    assert_eq!(mails.len(), 3 + 4 + 3);

    let mut seen = Vec::new();
    for push in apple.iter().chain(&google) {
        seen.push(format!("{} {} {:?} {}", push.token, push.id, push.headers, push.payload));
    }
    for mail in &mails {
        seen.push(format!("{} {:?} {:?} {} {}", mail.from, mail.to, mail.headers, mail.body, mail.raw));
    }
    let lines = |line: &str| seen.iter().filter(|text| text.contains(line)).count();
    assert!(
        lines(NoticeKind::PostPublished.line()) >= 4,
        "the texts are readable here, so the check means something"
    );
    for text in &seen {
        reveals_nothing(text);
    }
}

/// Fails when a text holds a name or a clinical word.
#[track_caller]
pub fn reveals_nothing(text: &str) {
    for word in SECRET {
        assert!(!text.contains(word), "{word} in {text}");
    }
    for line in BODY.lines() {
        assert!(!text.contains(line));
    }
}
