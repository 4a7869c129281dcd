//! "Not there" and "not yours" are one answer: for every route that names a thing, an id that nobody has,
//! one of another town and one of another facility or team of the same town are refused alike.

use crate::both;
use crate::town::*;
use renraku_wire::*;
use reqwest::Method;
use serde_json::{Value, json};

both!(a_strangers_ids_are_nobodys_ids);

/// What a town has: one of each thing that a route can name.
struct Things {
    patient: PatientId,
    post: PostId,
    media: MediaId,
    facility: FacilityId,
    device: DeviceId,
    staff: StaffId,
    incident: IncidentId,
}

impl Things {
    fn nobodys() -> Self {
        Self {
            patient: PatientId::new(),
            post: PostId::new(),
            media: MediaId::new(),
            facility: FacilityId::new(),
            device: DeviceId::new(),
            staff: StaffId::new(),
            incident: IncidentId::new(),
        }
    }

    async fn of(care: &Care) -> Self {
        let nurse = &care.nurse.1;
        let picture = announcement(MediaKind::Photo, b"a picture");
        let post = new_post("記録", vec![picture]);
        nurse.post(&format!("/v1/patients/{}/posts", care.patient), &post).await.done();
        let incident = NewIncident {
            id: IncidentId::new(),
            kind: IncidentKind::LostDevice,
            noticed_at: Timestamp(renraku_server::clock::now()),
            description: "端末が見当たりません。".into(),
            device_id: None,
        };
        nurse.post("/v1/incidents", &incident).await.done();
        Self {
            patient: care.patient,
            post: post.id,
            media: post.media[0].id,
            facility: care.nursing.id,
            device: nurse.identity.as_ref().unwrap().device_id.unwrap(),
            staff: care.nurse.0,
            incident: incident.id,
        }
    }

    /// Every route that names one of them, with a body that would do.
    fn routes(&self) -> Vec<(Method, String, Option<Value>)> {
        let Self { patient, post, media, facility, device, staff, incident } = self;
        let get = |path: String| (Method::GET, path, None);
        let send = |method: Method, path: String, body: Value| (method, path, Some(body));
        vec![
            get(format!("/v1/patients/{patient}")),
            get(format!("/v1/patients/{patient}/posts")),
            send(
                Method::POST,
                format!("/v1/patients/{patient}/posts"),
                serde_json::to_value(new_post("記録", vec![])).unwrap(),
            ),
            get(format!("/v1/posts/{post}")),
            get(format!("/v1/posts/{post}/receipts")),
            send(
                Method::PUT,
                format!("/v1/posts/{post}/receipt"),
                json!({ "read_at": renraku_server::clock::now(), "acknowledged": true }),
            ),
            get(format!("/v1/media/{media}")),
            get(format!("/v1/media/{media}/thumbnail")),
            send(
                Method::POST,
                format!("/v1/facilities/{facility}/tickets"),
                json!({ "id": TicketId::new() }),
            ),
            send(Method::POST, format!("/v1/devices/{device}/revocation"), json!({ "reason": "紛失" })),
            send(Method::PUT, format!("/v1/devices/{device}/name"), json!({ "name": "端末" })),
            get(format!("/v1/facilities/{facility}")),
            send(
                Method::POST,
                format!("/v1/facilities/{facility}/closure"),
                json!({ "id": FacilityChangeId::new(), "reason": "閉所" }),
            ),
            send(
                Method::PUT,
                format!("/v1/facilities/{facility}/map"),
                json!({ "listed": false, "position": null }),
            ),
            get(format!("/v1/staff/{staff}")),
            send(
                Method::PUT,
                format!("/v1/staff/{staff}"),
                json!({ "name": "別人", "profession": "nurse", "role": "member", "mail": null,
                        "forwarding_mail": null, "may_export": false }),
            ),
            send(
                Method::POST,
                format!("/v1/staff/{staff}/first-password"),
                json!({ "id": FirstPasswordId::new() }),
            ),
            send(
                Method::POST,
                format!("/v1/staff/{staff}/leaving"),
                json!({ "left_on": renraku_server::clock::japan(renraku_server::clock::now()).date().to_string(),
                        "successor": null }),
            ),
            get(format!("/v1/incidents/{incident}")),
            send(
                Method::POST,
                format!("/v1/incidents/{incident}/entries"),
                json!({ "id": EntryId::new(), "step": "note", "text": "追記", "duty": null }),
            ),
            get(format!("/v1/notices/{staff}")),
            get(format!("/facilities/{facility}")),
            get(format!("/staff/{staff}")),
            get(format!("/incidents/{incident}")),
            get(format!("/patients/{patient}")),
            get(format!("/posts/{post}/receipts")),
            get(format!("/notices/{staff}")),
        ]
    }
}

async fn answers(client: &Client, things: &Things) -> Vec<(String, u16, String)> {
    let mut answers = vec![];
    for (method, path, body) in things.routes() {
        let name =
            format!("{method} {}", path.split('/').filter(|p| p.len() < 30).collect::<Vec<_>>().join("/"));
        let request = client.request(method, &path);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = client.send(request).await;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        answers.push((name, answer.status, body));
    }
    answers
}

async fn a_strangers_ids_are_nobodys_ids(host: Host) {
    let (one, two) = (host.town("one").await, host.town("two").await);
    let (care, elsewhere) = (one.care_team().await, two.care_team().await);
    // A manager of another facility of the same town: in no team, but with every right that a manager has.
    let pharmacy = one.facility(&care.office, "架空薬局").await;
    let nobodys = answers(&pharmacy.manager, &Things::nobodys()).await;
    for (name, status, body) in &nobodys {
        assert_eq!(*status, 404, "{name}: {body}");
    }
    let (here, there) = (Things::of(&care).await, Things::of(&elsewhere).await);
    assert_eq!(answers(&pharmacy.manager, &here).await, nobodys, "of the same town");
    assert_eq!(answers(&pharmacy.manager, &there).await, nobodys, "of another town");
    // Nothing came of it.
    elsewhere.nurse.1.get("/v1/session").await.done();
    care.nurse.1.get("/v1/session").await.done();
}
