//! What rows of a town's policy do: who consents and how, what a post may be, who sees its readers.

use crate::both;
use crate::policy::{page, set};
use crate::town::*;
use renraku_server::policy::{ExtraCertificate, MunicipalityPolicy, ReadHistory, preset};
use renraku_wire::*;
use serde_json::json;

both!(
    the_town_says_who_explains_a_consent,
    the_town_says_who_consents_on_which_form,
    a_town_without_urgent_and_thumbs_has_neither,
    the_town_says_who_sees_the_readers,
);

async fn the_town_says_who_explains_a_consent(host: Host) {
    let way = MunicipalityPolicy {
        trial_mode: false,
        extra_certificate: ExtraCertificate::SelfService,
        ..preset("takahagi").unwrap()
    };
    let town = host.town_with("takahagi", way).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (_, helper) = town.member(&nursing, "helper.h", Profession::Helper).await;
    let register = async |client: &Client| {
        let document = consent_document(client).await;
        client.post("/v1/patients", &registration(document, &[nurse_id])).await
    };
    register(&helper).await.refused(Code::RoleInsufficient);
    assert_eq!(helper.get("/patients/new").await.status, 409, "told before anything is typed");
    register(&nurse).await.done();
    register(&office).await.done();
    set(&office, &[("/consent/delivery", json!(["upload"]))]).await;
    register(&office).await.refused(Code::RoleInsufficient);
    set(&office, &[("/consent/explainers", json!(["helper"]))]).await;
    register(&helper).await.done();
    register(&nurse).await.refused(Code::RoleInsufficient);
    let list: PatientList = nurse.get("/v1/patients").await.ok();
    assert_eq!(list.patients.len(), 3, "a refused registration leaves nothing");
}

async fn the_town_says_who_consents_on_which_form(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let by_family = async || {
        let mut new = registration(consent_document(&nurse).await, &[nurse_id]);
        new.consent.giver = ConsentGiver::Family;
        new.consent.giver_name = Some("試験 次郎".into());
        new.consent.form = ConsentForm::OwnClause;
        nurse.post("/v1/patients", &new).await
    };
    by_family().await.done();
    let form = page(nurse.get("/patients/new").await);
    assert!(form.contains("id=\"giver-family\"") && form.contains("id=\"form-own_clause\""));
    set(&office, &[("/consent/forms", json!(["municipal"]))]).await;
    assert_eq!(by_family().await.refused(Code::FieldInvalid).field.as_deref(), Some("consent.form"));
    set(&office, &[("/consent/givers", json!(["patient"]))]).await;
    assert_eq!(by_family().await.refused(Code::FieldInvalid).field.as_deref(), Some("consent.giver"));
    let form = page(nurse.get("/patients/new").await);
    assert!(!form.contains("id=\"giver-family\"") && !form.contains("id=\"form-own_clause\""));
    assert!(form.contains("id=\"giver-patient\"") && form.contains("id=\"form-municipal\""));
}

async fn a_town_without_urgent_and_thumbs_has_neither(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (nurse, doctor) = (&care.nurse.1, &care.doctor.1);
    let posts = format!("/v1/patients/{}/posts", care.patient);
    let urgent = NewPost { urgent: true, ..new_post("ご確認ください。", vec![]) };
    nurse.post(&posts, &urgent).await.done();
    let receipt = format!("/v1/posts/{}/receipt", urgent.id);
    let seen = NewReceipt { read_at: Timestamp(renraku_server::clock::now()), acknowledged: Some(true) };
    doctor.put(&receipt, &seen).await.done();
    let timeline = format!("/patients/{}", care.patient);
    assert!(page(doctor.get(&timeline).await).contains("👍"));
    set(&care.office, &[("/urgent_flag", json!(false)), ("/thumbs_ack", json!(false))]).await;

    let again: Post = nurse.post(&posts, &urgent).await.ok();
    assert!(again.urgent, "what was stored before is stored still");
    let other = NewPost { id: PostId::new(), ..urgent.clone() };
    assert_eq!(nurse.post(&posts, &other).await.refused(Code::FieldInvalid).field.as_deref(), Some("urgent"));
    assert_eq!(
        doctor.put(&receipt, &seen).await.refused(Code::FieldInvalid).field.as_deref(),
        Some("acknowledged")
    );
    doctor.put(&receipt, &NewReceipt { acknowledged: None, ..seen }).await.done();
    let shown: Post = doctor.get(&format!("/v1/posts/{}", urgent.id)).await.ok();
    assert_eq!((shown.acknowledged, shown.acknowledged_count, shown.read_count), (false, 0, 1));
    for (client, path) in [(doctor, timeline.clone()), (nurse, format!("/posts/{}/receipts", urgent.id))] {
        let shown = page(client.get(&path).await);
        assert!(!shown.contains("👍") && !shown.contains("name=\"urgent\""), "{path}");
    }
    let list: PostPage = doctor.get(&posts).await.ok();
    assert_eq!(list.posts.len(), 1, "a refused post leaves nothing");
    // What was pressed is shown again when the town takes 👍 up again.
    set(&care.office, &[("/thumbs_ack", json!(true))]).await;
    assert_eq!(doctor.get(&format!("/v1/posts/{}", urgent.id)).await.ok::<Post>().acknowledged_count, 1);
}

async fn the_town_says_who_sees_the_readers(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let post = new_post("ご確認ください。", vec![]);
    // The nurse leads; the doctor writes.
    care.doctor.1.post(&format!("/v1/patients/{}/posts", care.patient), &post).await.done();
    let receipts = format!("/v1/posts/{}/receipts", post.id);
    let timeline = format!("/patients/{}", care.patient);
    for (author, lead) in [(true, true), (false, true), (true, false), (false, false)] {
        let rows = serde_json::to_value(ReadHistory { author, lead }).unwrap();
        set(&care.office, &[("/read_history", rows)]).await;
        for (client, may) in [(&care.doctor.1, author), (&care.nurse.1, lead)] {
            let answer = client.get(&receipts).await;
            if may {
                answer.ok::<ReceiptList>();
            } else {
                answer.refused(Code::RoleInsufficient);
            }
            let link = format!("href=\"/posts/{}/receipts\"", post.id);
            assert_eq!(page(client.get(&timeline).await).contains(&link), may);
        }
    }
}
