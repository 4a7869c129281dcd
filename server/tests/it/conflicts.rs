//! What is sent under an id that its sender made: the same again is the same thing, and anything else under that id
//! is refused and changes nothing, in every room.

use crate::both;
use crate::town::*;
use renraku_server::clock;
use renraku_wire::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

both!(another_thing_under_the_same_id_is_refused);

/// Who has been sent what so far: the addresses of the requests that carry an id of the caller's.
#[derive(Default)]
struct Tried(BTreeSet<String>);

impl Tried {
    /// Sends `body`, the same again, and then each of `bent` under the same id.
    async fn once(&mut self, client: &Client, template: &str, path: &str, body: &Value, bent: &[Value]) {
        self.0.insert(template.to_owned());
        client.post(path, body).await.done();
        client.post(path, body).await.done();
        assert!(!bent.is_empty(), "{template}");
        for other in bent {
            assert_ne!(other, body, "{template}");
            let answer = client.post(path, other).await;
            assert_eq!(answer.status, 409, "{template} {other}: {}", String::from_utf8_lossy(&answer.body));
            answer.refused(Code::IdConflict);
        }
        client.post(path, body).await.done();
    }
}

/// The body with other values; a name with a dot reaches into a part of it.
fn with(body: &Value, changes: &[(&str, Value)]) -> Vec<Value> {
    changes
        .iter()
        .map(|(name, value)| {
            let mut bent = body.clone();
            let place = format!("/{}", name.replace('.', "/"));
            *bent.pointer_mut(&place).unwrap_or_else(|| panic!("{place} in {body}")) = value.clone();
            bent
        })
        .collect()
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap()
}

async fn another_thing_under_the_same_id_is_refused(host: Host) {
    let town = host.town("one").await;
    let Care { office, nurse, doctor, nursing, patient } = town.care_team().await;
    let today = clock::japan(clock::now()).date().to_string();
    let mut tried = Tried::default();

    // Facilities.
    let path = town.path("/facility-applications");
    let body = value(&application("別の訪問看護"));
    let bent = with(
        &body,
        &[
            ("name", json!("改名")),
            ("kind", json!("pharmacy")),
            ("address", json!("別の所")),
            ("telephone", json!("0000-77-7777")),
            ("manager_name", json!("別人")),
            ("manager_mail", json!("another@example.invalid")),
            ("outside", json!(true)),
        ],
    );
    tried.once(&town.public(), "/v1/municipalities/{slug}/facility-applications", &path, &body, &bent).await;
    let (scan, same, other_scan) =
        (consent_document(&office).await, consent_document(&office).await, another_document(&office).await);
    let body = json!({ "application": application("紙の訪問看護"), "channel": "fax", "received_on": today,
                       "scan": scan });
    let bent = with(
        &body,
        &[
            ("application.name", json!("改名")),
            ("channel", json!("post")),
            ("received_on", json!("2026-01-05")),
            ("scan", json!(other_scan)),
        ],
    );
    tried.once(&office, "/v1/facility-applications", "/v1/facility-applications", &body, &bent).await;
    // The page keeps the scan anew each time that the form is sent: the same scan is the same application.
    let anew = with(&body, &[("scan", json!(same))]).remove(0);
    office.post("/v1/facility-applications", &anew).await.done();
    // Returned, and corrected on paper.
    let id = body["application"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/facilities/{id}/return");
    let letter = NoticeId::new();
    let body = json!({ "id": letter, "reason": "番地", "mail": "kanri@example.invalid", "replaces": null });
    let bent = with(
        &body,
        &[
            ("reason", json!("電話番号")),
            ("mail", json!("another@example.invalid")),
            ("replaces", json!(letter)),
        ],
    );
    tried.once(&office, "/v1/facilities/{id}/return", &path, &body, &bent).await;
    let body = json!({ "application": application("紙の訪問看護 東"), "channel": "post", "scan": scan,
                       "received_on": today, "corrects": id, "replaces": letter });
    let bent = with(
        &body,
        &[
            ("application.address", json!("別の所")),
            ("channel", json!("hand")),
            ("scan", json!(other_scan)),
            ("corrects", json!(nursing.id)),
            ("corrects", json!(null)),
            ("replaces", json!(null)),
        ],
    );
    tried.once(&office, "/v1/facility-applications", "/v1/facility-applications", &body, &bent).await;
    let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", nursing.id)).await.ok();
    let facility = record.facility;
    let path = format!("/v1/facilities/{}/changes", nursing.id);
    let template = "/v1/facilities/{id}/changes";
    for (client, name) in [(&office, "架空訪問看護 東"), (&nursing.manager, "架空訪問看護 西")]
    {
        let body = json!({ "id": FacilityChangeId::new(), "name": name, "kind": "home_nursing",
                           "address": facility.address, "telephone": facility.telephone, "opening": "" });
        let changes = [
            ("name", json!("改名")),
            ("kind", json!("pharmacy")),
            ("address", json!("別の所")),
            ("telephone", json!("0000-77-7777")),
            ("opening", json!("毎日")),
        ];
        tried.once(client, template, &path, &body, &with(&body, &changes)).await;
    }
    let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", nursing.id)).await.ok();
    assert_eq!((record.facility.name.as_str(), record.opening.as_str()), ("架空訪問看護 東", ""));
    let path = format!("/v1/facilities/{}/closure", nursing.id);
    let body = json!({ "id": FacilityChangeId::new(), "reason": "閉所" });
    let bent = with(&body, &[("reason", json!("移転"))]);
    tried.once(&nursing.manager, "/v1/facilities/{id}/closure", &path, &body, &bent).await;
    let path = format!("/v1/facilities/{}/ticket-mail", nursing.id);
    let body = json!({ "id": NoticeId::new(), "mail": "kanri@example.invalid" });
    let bent = with(&body, &[("mail", json!("another@example.invalid")), ("mail", json!(null))]);
    tried.once(&office, "/v1/facilities/{id}/ticket-mail", &path, &body, &bent).await;
    let path = format!("/v1/facilities/{}/manager", nursing.id);
    let body = json!({ "id": FirstPasswordId::new(), "staff_id": StaffId::new(), "name": "後任 三郎",
                       "mail": "kounin@example.invalid" });
    let bent = with(
        &body,
        &[
            ("staff_id", json!(StaffId::new())),
            ("staff_id", json!(nurse.0)),
            ("name", json!("別人")),
            ("mail", json!("another@example.invalid")),
        ],
    );
    tried.once(&office, "/v1/facilities/{id}/manager", &path, &body, &bent).await;

    // Staff.
    let clinic = town.facility(&office, "架空診療所二").await;
    let new_staff = |login_id: &str| {
        json!({ "id": StaffId::new(), "login_id": login_id, "name": "新人", "profession": "nurse", "mail": null,
                "forwarding_mail": null })
    };
    let changes = [
        ("login_id", json!("other.one")),
        ("name", json!("別人")),
        ("profession", json!("pharmacist")),
        ("mail", json!("shinjin@example.invalid")),
        ("forwarding_mail", json!("daihyo@example.invalid")),
    ];
    let body = new_staff("shinjin.a");
    tried.once(&clinic.manager, "/v1/staff", "/v1/staff", &body, &with(&body, &changes)).await;
    let path = format!("/v1/facilities/{}/staff", clinic.id);
    let body = new_staff("shinjin.b");
    tried.once(&office, "/v1/facilities/{id}/staff", &path, &body, &with(&body, &changes)).await;
    let (a, b) = (StaffId::new(), StaffId::new());
    for (id, login_id) in [(a, "shinjin.c"), (b, "shinjin.d")] {
        let mut body = new_staff(login_id);
        body["id"] = json!(id);
        clinic.manager.post("/v1/staff", &body).await.done();
    }
    tried.0.insert("/v1/staff/{id}/first-password".to_owned());
    let body = json!({ "id": FirstPasswordId::new() });
    for _ in 0..2 {
        clinic.manager.post(&format!("/v1/staff/{a}/first-password"), &body).await.done();
    }
    clinic.manager.post(&format!("/v1/staff/{b}/first-password"), &body).await.refused(Code::IdConflict);
    let body = json!({ "id": SuspensionId::new(), "reason": "漏えい", "agreed": false });
    let bent = with(&body, &[("reason", json!("別の理由")), ("agreed", json!(true))]);
    tried
        .once(&office, "/v1/staff/{id}/suspension", &format!("/v1/staff/{a}/suspension"), &body, &bent)
        .await;
    office.post(&format!("/v1/staff/{b}/suspension"), &body).await.refused(Code::IdConflict);

    // Devices.
    let device = clinic.manager.identity.as_ref().unwrap().device_id;
    for (template, path) in [
        ("/v1/devices/tickets", "/v1/devices/tickets".to_owned()),
        ("/v1/facilities/{id}/tickets", format!("/v1/facilities/{}/tickets", clinic.id)),
    ] {
        let body = json!({ "id": TicketId::new(), "facility_id": clinic.id, "replaces": null });
        let bent = with(&body, &[("replaces", json!(device))]);
        tried.once(&clinic.manager, template, &path, &body, &bent).await;
        office.post(&path, &body).await.refused(Code::IdConflict);
    }

    // Duties and incidents.
    let status: TrainingStatus = doctor.1.get("/v1/training").await.ok();
    let body = json!({ "id": TrainingId::new(), "material_version": status.material_version });
    let bent = with(&body, &[("material_version", json!("2001-1"))]);
    tried.once(&doctor.1, "/v1/training/completions", "/v1/training/completions", &body, &bent).await;
    nurse.1.post("/v1/training/completions", &body).await.refused(Code::IdConflict);
    let review: AccessReview = clinic.manager.get("/v1/access-review").await.ok();
    let kept: Vec<Value> =
        review.staff.iter().map(|s| json!({ "staff_id": s.staff_id, "verdict": "unchanged" })).collect();
    let devices: Vec<Value> =
        review.devices.iter().map(|d| json!({ "device_id": d.device_id, "verdict": "unchanged" })).collect();
    let body = json!({ "id": ReviewId::new(), "staff": kept, "devices": devices });
    let bent = with(&body, &[("devices.0.verdict", json!("leave"))]);
    tried.once(&clinic.manager, "/v1/access-reviews", "/v1/access-reviews", &body, &bent).await;
    let body = json!({ "id": IncidentId::new(), "kind": "lost_device", "noticed_at": clock::now(),
                       "description": "端末が見当たりません。", "device_id": null });
    let bent = with(
        &body,
        &[
            ("kind", json!("unauthorised_access")),
            ("noticed_at", json!(clock::now() - 60_000)),
            ("description", json!("見つかりました。")),
            ("device_id", json!(doctor.1.identity.as_ref().unwrap().device_id)),
        ],
    );
    tried.once(&doctor.1, "/v1/incidents", "/v1/incidents", &body, &bent).await;
    let path = format!("/v1/incidents/{}/entries", body["id"].as_str().unwrap());
    let body = json!({ "id": EntryId::new(), "step": "note", "text": "追記", "duty": null });
    let bent = with(&body, &[("text", json!("別の追記")), ("step", json!("close"))]);
    tried.once(&doctor.1, "/v1/incidents/{id}/entries", &path, &body, &bent).await;

    // Documents, patients, posts.
    let body = value(&announcement(MediaKind::Document, PDF));
    let bent = with(
        &body,
        &[
            ("length", json!(PDF.len() + 1)),
            ("sha256", json!("ab".repeat(32))),
            ("description", json!("別の説明")),
        ],
    );
    tried.once(&nurse.1, "/v1/media", "/v1/media", &body, &bent).await;
    let document = consent_document(&nurse.1).await;
    let body = value(&registration(document, &[nurse.0, doctor.0]));
    let bent = with(
        &body,
        &[
            ("name", json!("別人")),
            ("kana", json!("ベツジン")),
            ("gender", json!("male")),
            ("birth_date", json!("1941-05-01")),
            ("address", json!("別の所")),
            ("telephone", json!("0000-77-7777")),
            ("care_level", json!("24")),
            ("consent.obtained_on", json!("2026-01-06")),
            ("team.1.lead", json!(true)),
        ],
    );
    tried.once(&nurse.1, "/v1/patients", "/v1/patients", &body, &bent).await;
    let path = format!("/v1/patients/{patient}/posts");
    let body = value(&new_post("記録", vec![]));
    let bent =
        with(&body, &[("body", json!("別の記録")), ("urgent", json!(true)), ("body_site", json!(null))]);
    tried.once(&nurse.1, "/v1/patients/{id}/posts", &path, &body, &bent).await;

    // The list is whole: every request whose body has an id of the caller's.
    let document = serde_json::to_value(<renraku_server::router::ApiDocument as utoipa::OpenApi>::openapi());
    let document = document.unwrap();
    let schemas = &document["components"]["schemas"];
    let carries = |operation: &Value| {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str()?.rsplit('/').next()?;
        let of = &schemas[name]["properties"];
        (!of["id"].is_null() || !of["application"].is_null()).then_some(())
    };
    let mut missing = vec![];
    for (path, operations) in document["paths"].as_object().unwrap() {
        // Signing in: twice is one session, whatever else (`once`).
        if carries(&operations["post"]).is_some() && !tried.0.contains(path) && path != "/v1/session" {
            missing.push(path);
        }
    }
    missing.retain(|p| !p.contains("/corrections/"));
    assert!(missing.is_empty(), "send these twice, and bent: {missing:?}");
    assert!(tried.0.len() > 18, "{:?}", tried.0);
}

/// Not the bytes of [`consent_document`].
async fn another_document(client: &Client) -> MediaId {
    let bytes = [PDF, b"\n"].concat();
    let new = announcement(MediaKind::Document, &bytes);
    client.post("/v1/media", &new).await.done();
    client.upload(new.id, &bytes).await.done();
    new.id
}
