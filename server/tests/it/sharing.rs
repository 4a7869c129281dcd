//! Patients, consent, team, posts, who has read.

use crate::both;
use crate::town::*;
use renraku_server::policy::{MunicipalityPolicy, preset};
use renraku_wire::*;

both!(
    a_registration_is_whole_or_not_at_all,
    who_registers_is_the_towns_policy,
    only_the_team_sees_a_patient,
    a_post_sent_twice_is_one_post,
    posts_are_checked,
    a_wrong_clock_keeps_no_post_back,
    pages_follow_each_other,
    who_read_and_who_acknowledged,
    a_notice_is_its_recipients,
);

async fn a_registration_is_whole_or_not_at_all(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let nurse = &care.nurse.1;
    let list = async || nurse.get("/v1/patients").await.ok::<PatientList>().patients.len();
    assert_eq!(list().await, 1);
    let team = [care.nurse.0, care.doctor.0];
    // No document, somebody else's document, a document used for another patient.
    let none = registration(MediaId::new(), &team);
    nurse.post("/v1/patients", &none).await.refused(Code::ConsentMissing);
    let foreign = consent_document(&care.doctor.1).await;
    nurse.post("/v1/patients", &registration(foreign, &team)).await.refused(Code::ConsentMissing);
    let document = consent_document(nurse).await;
    let stranger = registration(document, &[care.nurse.0, StaffId::new()]);
    nurse.post("/v1/patients", &stranger).await.refused(Code::TeamInvalid);
    nurse.post("/v1/patients", &registration(document, &[])).await.refused(Code::TeamInvalid);
    let unnamed = NewPatient { name: String::new(), ..registration(document, &team) };
    assert_eq!(
        nurse.post("/v1/patients", &unnamed).await.refused(Code::FieldInvalid).field.as_deref(),
        Some("name")
    );
    assert_eq!(list().await, 1, "nothing was stored by halves");
    let good = registration(document, &team);
    nurse.post("/v1/patients", &good).await.done();
    nurse.post("/v1/patients", &good).await.done();
    assert_eq!(list().await, 2, "sent twice, registered once");
    let other = NewPatient { name: "別人".into(), ..good };
    nurse.post("/v1/patients", &other).await.refused(Code::IdConflict);
}

async fn who_registers_is_the_towns_policy(host: Host) {
    let town = host.town_with("minowa", preset("minowa").unwrap()).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let document = consent_document(&nurse).await;
    nurse.post("/v1/patients", &registration(document, &[nurse_id])).await.refused(Code::RoleInsufficient);
    let document = consent_document(&office).await;
    let young = NewPatient { birth_date: "1999-01-01".into(), ..registration(document, &[nurse_id]) };
    office.post("/v1/patients", &young).await.refused(Code::FieldInvalid);
    office.post("/v1/patients", &registration(document, &[nurse_id])).await.done();
    let seen: PatientList = nurse.get("/v1/patients").await.ok();
    assert_eq!(seen.patients.len(), 1);
}

async fn only_the_team_sees_a_patient(host: Host) {
    let policy = MunicipalityPolicy { office_sees_all_patients: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let care = town.care_team().await;
    let (_, outsider) = town.member(&care.nursing, "helper.h", Profession::Helper).await;
    let path = format!("/v1/patients/{}", care.patient);
    let record: Patient = care.doctor.1.get(&path).await.ok();
    assert_eq!((record.team.len(), record.age >= 86), (2, true));
    for client in [&outsider, &care.office] {
        let there = client.get(&path).await.refused(Code::NotFound);
        let nowhere = client.get(&format!("/v1/patients/{}", PatientId::new())).await.refused(Code::NotFound);
        assert_eq!(there, nowhere);
        assert!(client.get("/v1/patients").await.ok::<PatientList>().patients.is_empty());
    }
}

async fn a_post_sent_twice_is_one_post(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let post = new_post("左踵の発赤は縮小。\n処置を続けます。", vec![]);
    let tries = (0..5).map(|_| {
        let (nurse, path, post) = (care.nurse.1.clone(), path.clone(), post.clone());
        async move { nurse.post(&path, &post).await.status }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [201; 5]);
    let page: PostPage = care.doctor.1.get(&path).await.ok();
    assert_eq!(page.posts.len(), 1);
    assert_eq!(page.posts[0].body, post.body);
    let changed = NewPost { body: "別の文".into(), ..post.clone() };
    care.nurse.1.post(&path, &changed).await.refused(Code::IdConflict);
    care.doctor.1.post(&path, &post).await.refused(Code::IdConflict);
}

async fn posts_are_checked(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let refused = async |post: NewPost| {
        care.nurse.1.post(&path, &post).await.refused(Code::FieldInvalid).field.unwrap()
    };
    assert_eq!(refused(new_post(" ", vec![])).await, "body");
    assert_eq!(refused(new_post("a\u{0}b", vec![])).await, "body");
    assert_eq!(refused(new_post(&"あ".repeat(limits::POST_CHARS + 1), vec![])).await, "body");
    let document = announcement(MediaKind::Document, PDF);
    assert_eq!(refused(new_post("a", vec![document])).await, "media");
    assert!(care.doctor.1.get(&path).await.ok::<PostPage>().posts.is_empty());
    care.doctor.1.get(&format!("{path}?before=nonsense")).await.refused(Code::FieldInvalid);
}

async fn a_wrong_clock_keeps_no_post_back(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let now = renraku_server::clock::now();
    for (claimed, believed) in [
        (now + 86_400_000, false),
        (now + 1_000_000, false),
        (0, false),
        (now - 61 * 86_400_000, false),
        (now - 59 * 86_400_000, true),
        (now - 1_000, true),
    ] {
        let post = NewPost { written_at: Timestamp(claimed), ..new_post("a", vec![]) };
        let kept: Post = care.nurse.1.post(&path, &post).await.ok();
        let written = if believed { Timestamp(claimed) } else { kept.received_at };
        assert_eq!(kept.written_at, written, "{claimed}");
        // Sent twice, it is one post.
        assert_eq!(care.nurse.1.post(&path, &post).await.ok::<Post>(), kept);
    }
    assert_eq!(care.doctor.1.get(&path).await.ok::<PostPage>().posts.len(), 6);
}

async fn pages_follow_each_other(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let total = limits::TIMELINE_PAGE + 5;
    for n in 0..total {
        care.nurse.1.post(&path, &new_post(&format!("{n}"), vec![])).await.done();
    }
    let first: PostPage = care.doctor.1.get(&path).await.ok();
    assert_eq!(first.posts.len(), limits::TIMELINE_PAGE);
    let next = first.next.clone().unwrap();
    let second: PostPage = care.doctor.1.get(&format!("{path}?before={next}")).await.ok();
    assert_eq!((second.posts.len(), second.next), (5, None));
    let mut all: Vec<_> = first.posts.iter().chain(&second.posts).map(|p| p.id).collect();
    all.dedup();
    assert_eq!(all.len(), total);
    let list: PatientList = care.doctor.1.get("/v1/patients").await.ok();
    assert_eq!(list.patients[0].unread as usize, total);
}

async fn who_read_and_who_acknowledged(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let post = new_post("ご確認ください。", vec![]);
    care.nurse.1.post(&format!("/v1/patients/{}/posts", care.patient), &post).await.done();
    let (receipt, receipts) =
        (format!("/v1/posts/{}/receipt", post.id), format!("/v1/posts/{}/receipts", post.id));
    let before: ReceiptList = care.nurse.1.get(&receipts).await.ok();
    assert_eq!(before.receipts.len(), 1);
    assert!(before.receipts[0].read_at.is_none());
    care.doctor.1.get(&receipts).await.refused(Code::RoleInsufficient);
    let seen = NewReceipt { read_at: Timestamp(renraku_server::clock::now()), acknowledged: None };
    care.doctor.1.put(&receipt, &seen).await.done();
    care.doctor.1.put(&receipt, &NewReceipt { acknowledged: Some(true), ..seen }).await.done();
    let after: ReceiptList = care.nurse.1.get(&receipts).await.ok();
    assert_eq!(after.receipts[0].staff_id, care.doctor.0);
    assert!(after.receipts[0].read_at.is_some() && after.receipts[0].acknowledged_at.is_some());
    let own: Post = care.nurse.1.get(&format!("/v1/posts/{}", post.id)).await.ok();
    assert_eq!((own.read_count, own.acknowledged_count, own.read), (1, 1, true));
    care.doctor.1.put(&receipt, &NewReceipt { acknowledged: Some(false), ..seen }).await.done();
    let back: ReceiptList = care.nurse.1.get(&receipts).await.ok();
    assert!(back.receipts[0].read_at.is_some() && back.receipts[0].acknowledged_at.is_none());
}

async fn a_notice_is_its_recipients(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let push = PushRegistration { provider: PushProvider::Apns, token: "device-token-1".into() };
    care.doctor.1.put("/v1/session/push", &push).await.done();
    let post = new_post("ご確認ください。", vec![]);
    care.nurse.1.post(&format!("/v1/patients/{}/posts", care.patient), &post).await.done();
    let ids: Vec<(renraku_server::db::Id, String)> = host
        .server
        .app
        .db
        .read(async |c| {
            use renraku_server::db::prelude::*;
            use renraku_server::db::schema::notice;
            Ok(renraku_server::run!(
                c,
                load,
                notice::table
                    .filter(notice::staff_id.eq(renraku_server::db::Id::from(care.doctor.0)))
                    .filter(notice::kind.eq("post_published"))
                    .select((notice::id, notice::channel))
            )?)
        })
        .await
        .unwrap();
    let mut channels: Vec<_> = ids.iter().map(|(_, c)| c.as_str()).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["apns", "mail"]);
    for (id, _) in &ids {
        let notice: Notice = care.doctor.1.get(&format!("/v1/notices/{id}")).await.ok();
        assert_eq!((notice.patient_id, notice.post_id), (Some(care.patient), Some(post.id)));
        care.nurse.1.get(&format!("/v1/notices/{id}")).await.refused(Code::NotFound);
    }
}
