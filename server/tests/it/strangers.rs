//! "Not there" and "not yours" are one answer: for every route that names a thing, an id that nobody has, one of
//! another town and one of another facility or team of the same town are refused alike — the same status, the same
//! body, and the same statements to the database in the same order, which is what takes the time.

use crate::both;
use crate::statements::{Answered, ask, ask_public};
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::Id;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{inbox_line, notice, stray_mail_report};
use renraku_server::run;
use renraku_wire::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

both!(a_strangers_ids_are_nobodys_ids, another_towns_links_are_nobodys_links);

/// A route of the care host: method, path with `{id}`, what the id names, and a body that would do.
struct Route {
    method: &'static str,
    path: &'static str,
    names: &'static str,
    body: Body,
}

/// What is sent; where the path has no `{id}`, the body brings it.
enum Body {
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

fn today() -> String {
    clock::japan(clock::now()).date().to_string()
}

fn new_staff(_: &str) -> Value {
    json!({ "id": StaffId::new(), "login_id": "new.one", "name": "新人", "profession": "nurse", "mail": null,
            "forwarding_mail": null })
}

fn change(_: &str) -> Value {
    json!({ "id": FacilityChangeId::new(), "name": "別名", "kind": "home_nursing", "address": "別の所",
            "telephone": "0000-99-9999", "opening": "" })
}

/// Somebody else's registration document, and a colleague who is none.
fn patient_with(document: MediaId, member: StaffId) -> Value {
    serde_json::to_value(registration(document, &[member])).unwrap()
}

fn routes() -> Vec<Route> {
    let mut all = vec![
        bare("DELETE", "/v1/sessions/{id}", "session"),
        form("/sessions", "session", |id| text(&[("id", id)])),
        // Facilities.
        get("/v1/facilities/{id}", "facility"),
        get("/v1/facilities/{id}/scan", "facility"),
        json_to("POST", "/v1/facilities/{id}/return", "facility", reason),
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
        .filter(|r| r.path.contains("{id}"))
        .map(|r| (r.method.to_owned(), r.path.to_owned()))
        .collect();
    let mapped = mapped();
    assert!(mapped.len() > 70, "the URL map is not read: {mapped:?}");
    let missing: Vec<_> = mapped.difference(&listed).collect();
    assert!(missing.is_empty(), "give each a line in routes(): {missing:?}");
    let gone: Vec<_> = listed.difference(&mapped).collect();
    assert!(gone.is_empty(), "there is no such route any more: {gone:?}");
}

/// The ids of things, by what they are: one of each that a route can name.
type Things = BTreeMap<&'static str, String>;

const KINDS: [&str; 14] = [
    "session",
    "facility",
    "change",
    "report",
    "staff",
    "device",
    "patient",
    "post",
    "media",
    "document",
    "notice",
    "undelivered",
    "line",
    "incident",
];

fn nobodys() -> Things {
    KINDS.into_iter().map(|kind| (kind, Id::new().to_string())).collect()
}

async fn things(host: &Host, town: &Town<'_>, care: &Care) -> Things {
    let (nurse, nursing) = (&care.nurse.1, care.nursing.id);
    let post = new_post("記録", vec![announcement(MediaKind::Photo, b"a picture")]);
    nurse.post(&format!("/v1/patients/{}/posts", care.patient), &post).await.done();
    let incident = IncidentId::new();
    let report = NewIncident {
        id: incident,
        kind: IncidentKind::LostDevice,
        noticed_at: Timestamp(clock::now()),
        description: "端末が見当たりません。".into(),
        device_id: None,
    };
    nurse.post("/v1/incidents", &report).await.done();
    let changed = change("");
    care.nursing.manager.post(&format!("/v1/facilities/{nursing}/changes"), &changed).await.done();
    let sessions: OwnSessions = nurse.get("/v1/sessions").await.ok();
    let document = consent_document(nurse).await;
    let (line, stray) = (Id::new(), Id::new());
    let (told, dead): (Id, Id) = host
        .server
        .app
        .db
        .write(async |c| {
            let all: Vec<Id> = run!(
                c,
                load,
                notice::table.filter(notice::municipality_id.eq(town.id)).select(notice::id).limit(2)
            )?;
            let this = diesel::update(notice::table.find((town.id, all[1])));
            run!(c, execute, this.set((notice::state.eq("dead"), notice::done_at.eq(clock::now()))))?;
            run!(
                c,
                execute,
                diesel::insert_into(inbox_line::table).values((
                    inbox_line::municipality_id.eq(town.id),
                    inbox_line::id.eq(line),
                    inbox_line::facility_id.eq(Id::from(nursing)),
                    inbox_line::staff_id.eq(Id::from(care.nurse.0)),
                    inbox_line::kind.eq("post_published"),
                    inbox_line::created_at.eq(clock::now()),
                ))
            )?;
            run!(
                c,
                execute,
                diesel::insert_into(stray_mail_report::table).values((
                    stray_mail_report::municipality_id.eq(town.id),
                    stray_mail_report::id.eq(stray),
                    stray_mail_report::name.eq("誰か"),
                    stray_mail_report::mail.eq("who@example.invalid"),
                    stray_mail_report::day.eq(today()),
                    stray_mail_report::reported_at.eq(clock::now()),
                ))
            )?;
            Ok((all[0], all[1]))
        })
        .await
        .unwrap();
    BTreeMap::from([
        ("session", sessions.sessions[0].id.to_string()),
        ("facility", nursing.to_string()),
        ("change", changed["id"].as_str().unwrap().to_owned()),
        ("report", stray.to_string()),
        ("staff", care.nurse.0.to_string()),
        ("device", nurse.identity.as_ref().unwrap().device_id.unwrap().to_string()),
        ("patient", care.patient.to_string()),
        ("post", post.id.to_string()),
        ("media", post.media[0].id.to_string()),
        ("document", document.to_string()),
        ("notice", told.to_string()),
        ("undelivered", dead.to_string()),
        ("line", line.to_string()),
        ("incident", incident.to_string()),
    ])
}

async fn answer(host: &Host, client: &Client, route: &Route, things: &Things) -> Answered {
    let id = &things[route.names];
    let body = match &route.body {
        Body::None => ("", vec![]),
        Json(make) => ("application/json", make(id).to_string().into_bytes()),
        Form(make) => {
            let escape = |s: &str| s.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            let fields: Vec<_> = make(id).iter().map(|(n, v)| format!("{n}={}", escape(v))).collect();
            ("application/x-www-form-urlencoded", fields.join("&").into_bytes())
        }
        Multipart => (
            "multipart/form-data; boundary=b",
            "--b\r\ncontent-disposition: form-data; name=\"body\"\r\n\r\n記録\r\n--b--\r\n".into(),
        ),
        Chunk => ("application/offset+octet-stream", b"a pict".to_vec()),
    };
    let answer = ask(host, client, (route.method, &route.path.replace("{id}", id)), body).await;
    // What the caller wrote themselves may come back.
    Answered { body: answer.body.replace(id, "{id}"), ..answer }
}

/// In what two answers differ.
fn apart(nobodys: &Answered, theirs: &Answered) -> String {
    let short = |all: &[String]| -> Vec<String> {
        all.iter()
            .map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect())
            .collect()
    };
    if (nobodys.status, &nobodys.body) != (theirs.status, &theirs.body) {
        return format!("{} {}\nand {} {}", nobodys.status, nobodys.body, theirs.status, theirs.body);
    }
    format!("{:#?}\nand {:#?}", short(&nobodys.statements), short(&theirs.statements))
}

async fn a_strangers_ids_are_nobodys_ids(host: Host) {
    let (one, two) = (host.town("one").await, host.town("two").await);
    let (care, elsewhere) = (one.care_team().await, two.care_team().await);
    // Of another facility of the same town: in no team, but with every right that the role has.
    let pharmacy = one.facility(&care.office, "架空薬局").await;
    let (_, member) = one.member(&pharmacy, "yakuzai.y", Profession::Pharmacist).await;
    let (here, there) = (things(&host, &one, &care).await, things(&host, &two, &elsewhere).await);
    let own = ["session", "notice", "line", "document"];
    let (mut refused_by_nobody, mut told) = (vec![], vec![]);
    for route in routes() {
        let name = format!("{} {} ({})", route.method, route.path, route.names);
        let mut not_there = false;
        for (who, client) in
            [("a manager", &pharmacy.manager), ("a member", &member), ("the office", &care.office)]
        {
            let mut strange = vec![("of another town", &there)];
            if who != "the office" || own.contains(&route.names) {
                strange.push(("of the same town", &here));
            }
            for (whose, things) in strange {
                // Twice again where they differ: a transaction that lost against a worker's is sent anew.
                for left in (0..3).rev() {
                    let nobodys = answer(&host, client, &route, &nobodys()).await;
                    let theirs = answer(&host, client, &route, things).await;
                    not_there |= nobodys.status == 404;
                    assert!(nobodys.statements.len() > 2, "nothing is heard: {nobodys:?}");
                    assert!((400..500).contains(&nobodys.status), "{name}, {who}: {nobodys:?}");
                    if nobodys == theirs {
                        break;
                    }
                    if left == 0 {
                        told.push(format!("{name}, asked by {who}, {whose}: {}", apart(&nobodys, &theirs)));
                    }
                }
            }
        }
        if !not_there && route.path.contains("{id}") {
            refused_by_nobody.push(name);
        }
    }
    assert!(told.is_empty(), "not there and not yours are told apart: {told:#?}");
    assert!(refused_by_nobody.is_empty(), "never got as far as the id: {refused_by_nobody:#?}");
    // Nothing came of it.
    for team in [&care, &elsewhere] {
        team.nurse.1.get("/v1/session").await.done();
        team.nursing.manager.get(&format!("/v1/facilities/{}", team.nursing.id)).await.done();
    }
}

/// The public host: a link and an authority of another town are as those that nobody has.
async fn another_towns_links_are_nobodys_links(host: Host) {
    let (one, two) = (host.town("one").await, host.town("two").await);
    let office = two.office().await;
    let applied: FacilityApplied =
        two.public().post(&two.path("/facility-applications"), &application("架空訪問看護")).await.ok();
    let path = format!("/v1/facilities/{}/return", applied.id);
    office.post(&path, &json!({ "reason": "住所を確認してください" })).await.done();
    let mail = host.mails.nth("kanri@example.invalid", 0).await;
    let link = mail.body.split("/two/corrections/").nth(1).unwrap();
    let link = link.split_whitespace().next().unwrap().to_owned();
    two.public().get(&two.path(&format!("/corrections/{link}"))).await.done();
    let nobodys: String = "A".repeat(link.len());
    let theirs =
        renraku_server::tls::authority_id(&host.server.app.authority(two.id).await.unwrap().certificate());
    let body = serde_json::to_vec(&application("訂正")).unwrap();
    let fields = b"name=a&kind=home_nursing&address=b&telephone=0000-11-1111&manager_name=c&manager_mail=k%40example.invalid";
    let form = ("application/x-www-form-urlencoded", fields.to_vec());
    for (method, path, (of_nobody, of_another), body) in [
        ("GET", "/v1/municipalities/one/corrections/", (&nobodys, &link), ("", vec![])),
        ("POST", "/v1/municipalities/one/corrections/", (&nobodys, &link), ("application/json", body)),
        ("GET", "/one/corrections/", (&nobodys, &link), ("", vec![])),
        ("POST", "/one/corrections/", (&nobodys, &link), form),
        ("GET", "/one/crl/", (&"0".repeat(theirs.len()), &theirs), ("", vec![])),
    ] {
        let mut last = None;
        for _ in 0..3 {
            let absent = ask_public(&host, (method, &format!("{path}{of_nobody}")), body.clone()).await;
            let other = ask_public(&host, (method, &format!("{path}{of_another}")), body.clone()).await;
            assert_eq!(absent.status, 404, "{method} {path}: {absent:?}");
            last = (absent != other).then(|| apart(&absent, &other));
            if last.is_none() {
                break;
            }
        }
        assert!(last.is_none(), "{method} {path}: {}", last.unwrap());
    }
    assert_eq!(one.slug, "one");
}
