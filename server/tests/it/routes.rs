//! Every route of the care host that names a thing by its id, with something that it would take. The list is held
//! against the URL map's source: a new route with an id must be on it.

use crate::town::*;
use renraku_server::clock;
use renraku_wire::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A route of the care host: method, path with `{id}`, what the id names, and a body that would do.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub names: &'static str,
    pub body: Body,
}

/// What is sent; where the path has no `{id}`, the body brings it.
pub enum Body {
    None,
    Json(fn(&str) -> Value),
    Form(fn(&str) -> Vec<(&'static str, String)>),
    Multipart,
    Chunk,
}

use Body::{Chunk, Form, Json, Multipart};

const fn get(path: &'static str, names: &'static str) -> Route {
    Route { method: "GET", path, names, body: Body::None }
}

const fn bare(method: &'static str, path: &'static str, names: &'static str) -> Route {
    Route { method, path, names, body: Body::None }
}

const fn json_to(
    method: &'static str,
    path: &'static str,
    names: &'static str,
    body: fn(&str) -> Value,
) -> Route {
    Route { method, path, names, body: Json(body) }
}

const fn form(
    path: &'static str,
    names: &'static str,
    fields: fn(&str) -> Vec<(&'static str, String)>,
) -> Route {
    Route { method: "POST", path, names, body: Form(fields) }
}

fn text(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn reason(_: &str) -> Value {
    json!({ "reason": "理由" })
}

fn reasoned(_: &str) -> Vec<(&'static str, String)> {
    text(&[("reason", "理由"), ("left_on", &today())])
}

pub fn today() -> String {
    clock::japan(clock::now()).date().to_string()
}

fn new_staff(_: &str) -> Value {
    json!({ "id": StaffId::new(), "login_id": "new.one", "name": "新人", "profession": "nurse", "mail": null,
            "forwarding_mail": null })
}

pub fn change(_: &str) -> Value {
    json!({ "id": FacilityChangeId::new(), "name": "別名", "kind": "home_nursing", "address": "別の所",
            "telephone": "0000-99-9999", "opening": "" })
}

/// Somebody else's registration document, and a colleague who is none.
fn patient_with(document: MediaId, member: StaffId) -> Value {
    serde_json::to_value(registration(document, &[member])).unwrap()
}

pub fn routes() -> Vec<Route> {
    let mut all = vec![
        bare("DELETE", "/v1/sessions/{id}", "session"),
        form("/sessions", "session", |id| text(&[("id", id)])),
        // Facilities.
        get("/v1/facilities/{id}", "facility"),
        get("/v1/facilities/{id}/scan", "facility"),
        json_to(
            "POST",
            "/v1/facilities/{id}/return",
            "facility",
            |_| json!({ "id": NoticeId::new(), "reason": "理由", "mail": "k@example.invalid" }),
        ),
        json_to("POST", "/v1/facilities/{id}/rejection", "facility", reason),
        json_to("POST", "/v1/facilities/{id}/suspension", "facility", reason),
        bare("POST", "/v1/facilities/{id}/resumption", "facility"),
        json_to(
            "POST",
            "/v1/facilities/{id}/closure",
            "facility",
            |_| json!({ "id": FacilityChangeId::new(), "reason": "閉所" }),
        ),
        json_to("POST", "/v1/facilities/{id}/changes", "facility", change),
        json_to("POST", "/v1/facilities/{id}/manager", "facility", |_| {
            json!({ "id": FirstPasswordId::new(), "staff_id": StaffId::new(), "name": null,
                    "mail": "k@example.invalid" })
        }),
        json_to("POST", "/v1/facilities/{id}/manager", "facility", |_| {
            json!({ "id": FirstPasswordId::new(), "staff_id": StaffId::new(), "name": "新しい人",
                    "mail": "k@example.invalid" })
        }),
        json_to(
            "PUT",
            "/v1/facilities/{id}/map",
            "facility",
            |_| json!({ "listed": false, "position": null }),
        ),
        json_to(
            "POST",
            "/v1/facilities/{id}/ticket-mail",
            "facility",
            |_| json!({ "id": NoticeId::new(), "mail": null }),
        ),
        bare("POST", "/v1/facilities/{id}/no-mail-settlement", "facility"),
        bare("POST", "/v1/facility-changes/{id}/confirmation", "change"),
        json_to("POST", "/v1/facility-changes/{id}/refusal", "change", reason),
        bare("POST", "/v1/facilities/{id}/approval", "facility"),
        json_to("POST", "/v1/facilities/{id}/tickets", "facility", |_| json!({ "id": TicketId::new() })),
        json_to("POST", "/v1/facilities/{id}/staff", "facility", new_staff),
        json_to(
            "POST",
            "/v1/devices/tickets",
            "facility",
            |id| json!({ "id": TicketId::new(), "facility_id": id }),
        ),
        json_to(
            "POST",
            "/v1/devices/tickets",
            "device",
            |id| json!({ "id": TicketId::new(), "replaces": id }),
        ),
        json_to("POST", "/v1/facility-applications", "document", |id| {
            json!({ "application": application("紙の訪問看護"), "channel": "fax", "received_on": today(),
                    "scan": id })
        }),
        json_to("POST", "/v1/facility-applications", "facility", |id| {
            json!({ "application": application("紙の訪問看護"), "channel": "fax", "received_on": today(),
                    "scan": MediaId::new(), "corrects": id })
        }),
        get("/facilities/new?corrects={id}", "facility"),
        get("/facilities/{id}", "facility"),
        get("/facilities/{id}/scan", "facility"),
        form("/facilities/{id}/return", "facility", reasoned),
        form("/facilities/{id}/suspension", "facility", reasoned),
        form("/facilities/{id}/resumption", "facility", reasoned),
        form("/facilities/{id}/closure", "facility", reasoned),
        form("/facilities/{id}/changes", "facility", |_| {
            text(&[
                ("name", "別名"),
                ("kind", "home_nursing"),
                ("address", "別"),
                ("telephone", "0000-99-9999"),
            ])
        }),
        form("/facilities/{id}/manager", "facility", |_| {
            text(&[("staff_id", &StaffId::new().to_string()), ("manager_mail", "k@example.invalid")])
        }),
        form("/facilities/{id}/map", "facility", |_| vec![]),
        form("/facilities/{id}/ticket-mail", "facility", |_| text(&[("ticket_mail", "k@example.invalid")])),
        form("/facilities/{id}/no-mail-settlement", "facility", |_| vec![]),
        form("/no-mail-reports/{id}/settlement", "report", |_| vec![]),
        form("/facility-changes/{id}/confirmation", "change", |_| {
            text(&[("facility", &FacilityId::new().to_string())])
        }),
        form("/facility-changes/{id}/refusal", "change", |_| {
            text(&[("facility", &FacilityId::new().to_string()), ("reason", "理由")])
        }),
        form("/facilities/{id}/approval", "facility", |_| vec![]),
        form("/facilities/{id}/rejection", "facility", reasoned),
        // Staff.
        get("/v1/staff/{id}", "staff"),
        json_to("PUT", "/v1/staff/{id}", "staff", |_| {
            json!({ "name": "別人", "profession": "nurse", "role": "member", "mail": null,
                    "forwarding_mail": null, "may_export": false })
        }),
        json_to(
            "POST",
            "/v1/staff/{id}/first-password",
            "staff",
            |_| json!({ "id": FirstPasswordId::new() }),
        ),
        json_to(
            "POST",
            "/v1/staff/{id}/leaving",
            "staff",
            |_| json!({ "left_on": today(), "successor": null }),
        ),
        json_to(
            "POST",
            "/v1/staff/{id}/suspension",
            "staff",
            |_| json!({ "id": SuspensionId::new(), "reason": "理由", "agreed": true }),
        ),
        bare("POST", "/v1/staff/{id}/resumption", "staff"),
        get("/v1/staff?facility={id}", "facility"),
        get("/staff?facility={id}", "facility"),
        get("/staff/{id}", "staff"),
        form("/staff/{id}", "staff", |_| {
            text(&[("name", "別人"), ("profession", "nurse"), ("role", "member")])
        }),
        form("/staff/{id}/first-password", "staff", |_| vec![]),
        form("/staff/{id}/leaving", "staff", reasoned),
        form("/staff/{id}/suspension", "staff", reasoned),
        form("/staff/{id}/resumption", "staff", |_| vec![]),
        // Devices.
        json_to("POST", "/v1/devices/{id}/revocation", "device", |_| json!({ "reason": "紛失" })),
        json_to("PUT", "/v1/devices/{id}/name", "device", |_| json!({ "name": "端末" })),
        form("/devices/{id}/name", "device", |_| text(&[("device_name", "端末")])),
        form("/devices/{id}/revocation", "device", |_| text(&[("reason", "紛失"), ("kind", "lost")])),
        form("/devices/tickets", "device", |id| text(&[("replaces", id)])),
        // Patients, posts, media.
        get("/v1/patients/{id}", "patient"),
        get("/v1/patients/{id}/posts", "patient"),
        json_to("POST", "/v1/patients/{id}/posts", "patient", |_| {
            serde_json::to_value(new_post("記録", vec![])).unwrap()
        }),
        json_to("POST", "/v1/patients", "document", |id| patient_with(id.parse().unwrap(), StaffId::new())),
        get("/v1/posts/{id}", "post"),
        get("/v1/posts/{id}/receipts", "post"),
        json_to(
            "PUT",
            "/v1/posts/{id}/receipt",
            "post",
            |_| json!({ "read_at": clock::now(), "acknowledged": true }),
        ),
        get("/v1/media/{id}", "media"),
        get("/v1/media/{id}/thumbnail", "media"),
        bare("PUT", "/v1/media/{id}/thumbnail", "media"),
        bare("HEAD", "/v1/media/{id}/upload", "media"),
        bare("DELETE", "/v1/media/{id}/upload", "media"),
        Route { method: "PATCH", path: "/v1/media/{id}/upload", names: "media", body: Chunk },
        get("/patients/{id}", "patient"),
        Route { method: "POST", path: "/patients/{id}", names: "patient", body: Multipart },
        form("/posts/{id}/acknowledgement", "post", |_| text(&[("on", "true")])),
        get("/posts/{id}/receipts", "post"),
        // Notices, the inbox, incidents.
        get("/v1/notices/{id}", "notice"),
        get("/notices/{id}", "notice"),
        bare("POST", "/v1/undelivered/{id}/handled", "undelivered"),
        form("/undelivered/{id}/handled", "undelivered", |_| vec![]),
        bare("POST", "/v1/inbox/{id}/claim", "line"),
        bare("DELETE", "/v1/inbox/{id}/claim", "line"),
        bare("POST", "/v1/inbox/{id}/done", "line"),
        form("/inbox/{id}/claim", "line", |_| vec![]),
        form("/inbox/{id}/return", "line", |_| vec![]),
        form("/inbox/{id}/done", "line", |_| vec![]),
        get("/v1/incidents/{id}", "incident"),
        get("/incidents/{id}", "incident"),
        form("/incidents/{id}/entries", "incident", |_| text(&[("step", "note"), ("text", "追記")])),
    ];
    all.push(json_to(
        "POST",
        "/v1/incidents/{id}/entries",
        "incident",
        |_| json!({ "id": EntryId::new(), "step": "note", "text": "追記", "duty": null }),
    ));
    all.push(json_to("POST", "/v1/incidents", "device", |id| {
        json!({ "id": IncidentId::new(), "kind": "lost_device", "noticed_at": clock::now(),
                "description": "端末が見当たりません。", "device_id": id })
    }));
    all
}

/// Method and path of every route with an id, as the care host's URL map has them.
fn mapped() -> BTreeSet<(String, String)> {
    let source = include_str!("../../src/router.rs");
    let care = source.split("pub fn care(").nth(1).unwrap().split("\n}\n").next().unwrap();
    let mut found = BTreeSet::new();
    for route in care.split(".route(").skip(1) {
        let mut quoted = route.split('"');
        let path = quoted.nth(1).unwrap();
        let handlers = quoted.collect::<Vec<_>>().join("");
        if !path.contains("{id}") {
            continue;
        }
        let before = found.len();
        for (call, method) in [
            ("get(", "GET"),
            ("posting(", "POST"),
            (".post(", "POST"),
            ("put(", "PUT"),
            ("delete(", "DELETE"),
            ("head(", "HEAD"),
            ("patch(", "PATCH"),
        ] {
            let called = handlers.match_indices(call).any(|(at, _)| {
                !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') || call.starts_with('.')
            });
            if called {
                found.insert((method.to_owned(), path.to_owned()));
            }
        }
        assert!(found.len() > before, "what does {path} take? {handlers}");
    }
    found
}

#[test]
fn every_route_that_carries_an_id_is_on_the_list() {
    let listed: BTreeSet<(String, String)> = routes()
        .into_iter()
        .filter(|r| r.path.split('?').next().is_some_and(|path| path.contains("{id}")))
        .map(|r| (r.method.to_owned(), r.path.to_owned()))
        .collect();
    let mapped = mapped();
    assert!(mapped.len() > 70, "the URL map is not read: {mapped:?}");
    let missing: Vec<_> = mapped.difference(&listed).collect();
    assert!(missing.is_empty(), "give each a line in routes(): {missing:?}");
    let gone: Vec<_> = listed.difference(&mapped).collect();
    assert!(gone.is_empty(), "there is no such route any more: {gone:?}");
}
