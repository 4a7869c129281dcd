//! "Not there" and "not yours" are one answer: for every route that names a thing, an id that nobody has, one of
//! another town and one of another facility or team of the same town are refused alike — the same status, the same
//! body, and the same statements to the database in the same order, which is what takes the time.

use crate::both;
use crate::routes::{Body, Route, change, routes, today};
use crate::statements::{Answered, ask, ask_public};
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::Id;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{inbox_line, notice, stray_mail_report};
use renraku_server::run;
use renraku_wire::*;
use serde_json::json;
use std::collections::BTreeMap;

both!(a_strangers_ids_are_nobodys_ids, another_towns_links_are_nobodys_links);

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
        Body::Json(make) => ("application/json", make(id).to_string().into_bytes()),
        Body::Form(make) => {
            let escape = |s: &str| s.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            let fields: Vec<_> = make(id).iter().map(|(n, v)| format!("{n}={}", escape(v))).collect();
            ("application/x-www-form-urlencoded", fields.join("&").into_bytes())
        }
        Body::Multipart => (
            "multipart/form-data; boundary=b",
            "--b\r\ncontent-disposition: form-data; name=\"body\"\r\n\r\n記録\r\n--b--\r\n".into(),
        ),
        Body::Chunk => ("application/offset+octet-stream", b"a pict".to_vec()),
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
                    assert!(!nobodys.statements.is_empty(), "nothing is heard: {nobodys:?}");
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
    office.post(&path, &json!({ "id": NoticeId::new(), "reason": "住所を確認してください" })).await.done();
    let mail = host.mails.nth("kanri@example.invalid", 0).await;
    let link = mail.body.split("/two/corrections/").nth(1).unwrap();
    let link = link.split_whitespace().next().unwrap().to_owned();
    two.public().get(&two.path(&format!("/corrections/{link}"))).await.done();
    let nobodys: String = "A".repeat(link.len());
    let theirs =
        renraku_server::tls::authority_id(host.server.app.authority(two.id).await.unwrap().certificate());
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
