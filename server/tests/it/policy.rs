//! The town's policy: stored with its history, edited by the office as JSON and as a form.

use crate::both;
use crate::town::*;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{audit, municipality, policy_history};
use renraku_server::policy::{MunicipalityPolicy, PRESETS, preset};
use renraku_server::run;
use renraku_wire::*;
use reqwest::Method;
use serde_json::{Value, json};

both!(
    a_change_holds_from_the_next_request_on,
    the_same_change_twice_is_one_and_an_older_version_is_refused,
    the_contact_block_reaches_the_offices_own_row,
    a_policy_is_whole_and_every_row_is_checked,
    versions_are_never_overwritten,
    the_office_edits_its_settings_in_a_form,
    a_form_starts_from_a_preset,
    only_the_office_sees_and_changes_the_settings,
    the_towns_words_are_on_every_page,
);

/// A whole policy as a tool sends it, with some rows set.
pub fn edited(policy: &MunicipalityPolicy, rows: &[(&str, Value)]) -> Value {
    let mut policy = serde_json::to_value(policy).unwrap();
    for (at, held) in rows {
        *policy.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = held.clone();
    }
    policy
}

/// Sets rows of the policy in force, as the office does.
pub async fn set(office: &Client, rows: &[(&str, Value)]) {
    let now: Value = office.get("/v1/policy").await.ok();
    let policy: MunicipalityPolicy = serde_json::from_value(now["policy"].clone()).unwrap();
    let body = json!({"version": now["version"], "policy": edited(&policy, rows)});
    office.put("/v1/policy", &body).await.done();
}

/// Where a form led.
#[derive(Debug)]
pub struct Sent {
    pub status: u16,
    /// The page that the browser ends on.
    pub landed: String,
    pub text: String,
}

/// Sends a form with the session of this client, as its page would, and follows where it leads.
pub async fn send_form(client: &Client, path: &str, fields: &[(String, String)]) -> Sent {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--X--\r\n";
    let request = client
        .request(Method::POST, path)
        .header("content-type", "multipart/form-data; boundary=X")
        .header("sec-fetch-site", "same-origin")
        .body(body);
    let answer = request.send().await.unwrap();
    let query = answer.url().query().map(|q| format!("?{q}")).unwrap_or_default();
    Sent {
        status: answer.status().as_u16(),
        landed: format!("{}{query}", answer.url().path()),
        text: answer.text().await.unwrap(),
    }
}

/// The text of a page that opens.
#[track_caller]
pub fn page(answer: Answer) -> String {
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{text}");
    assert!(!text.contains("<script") && !text.contains(" style=\""), "{text}");
    text
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"")
}

/// What a browser would send of the page's last form, untouched.
pub fn controls(page: &str) -> Vec<(String, String)> {
    let form = page.rsplit("<form method=\"post\"").next().unwrap().split("</form>").next().unwrap();
    let mut sent = Vec::new();
    for tag in form.split('<') {
        let of = |name: &str| {
            let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
            Some(unescaped(value))
        };
        if let (true, Some(name)) = (tag.starts_with("input "), of("name")) {
            let ticked = !tag.contains("type=\"checkbox\"") && !tag.contains("type=\"radio\"");
            if ticked || tag.contains(" checked") {
                sent.push((name, of("value").unwrap_or_default()));
            }
        } else if let (true, Some(name)) = (tag.starts_with("textarea "), of("name")) {
            sent.push((name, unescaped(tag.split_once(">\n").map_or("", |(_, text)| text))));
        }
    }
    sent
}

/// Sets a control, as typing into it does.
pub fn typed(controls: &mut Vec<(String, String)>, name: &str, value: &str) {
    controls.retain(|(n, _)| n != name);
    controls.push((name.to_owned(), value.to_owned()));
}

async fn a_change_holds_from_the_next_request_on(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let posts = format!("/v1/patients/{}/posts", care.patient);
    let urgent = || NewPost { urgent: true, ..new_post("至急の連絡です。", vec![]) };
    care.nurse.1.post(&posts, &urgent()).await.done();
    let before: Value = care.office.get("/v1/policy").await.ok();
    assert_eq!((&before["version"], &before["changed_by"]), (&json!(1), &Value::Null));
    let change = json!({
        "version": 1,
        "policy": edited(&MunicipalityPolicy::default(), &[
            ("/urgent_flag", json!(false)),
            ("/device/offline_lease_hours", json!(24)),
        ]),
    });
    let after: Value = care.office.put("/v1/policy", &change).await.ok();
    assert_eq!((&after["version"], &after["policy"]["urgent_flag"]), (&json!(2), &json!(false)));
    let refused = care.nurse.1.post(&posts, &urgent()).await.refused(Code::FieldInvalid);
    assert_eq!(refused.field.as_deref(), Some("urgent"));
    let info: MunicipalityInfo = town.public().get(&town.path("")).await.ok();
    assert_eq!(info.device_policy.offline_lease_hours, 24);
    assert!(!info.device_policy.urgent_flag && info.device_policy.thumbs_ack, "devices are told");
    let logged: Vec<(String, Option<String>)> = host
        .server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                audit::table
                    .filter(audit::municipality_id.eq(town.id))
                    .filter(audit::action.eq("policy.change"))
                    .select((audit::detail, audit::object_id))
            )?)
        })
        .await
        .unwrap();
    let told = "version 2: urgent_flag, device.offline_lease_hours".to_owned();
    assert_eq!(logged, [(told, Some(town.id.to_string()))]);
}

async fn the_same_change_twice_is_one_and_an_older_version_is_refused(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let change = |version: i32, days: u32| json!({"version": version, "policy": edited(&MunicipalityPolicy::default(), &[("/ticket_days", json!(days))])});
    let same = (0..5).map(|_| {
        let (office, body) = (office.clone(), change(1, 3));
        async move { office.put("/v1/policy", &body).await.ok::<Value>()["version"].clone() }
    });
    assert_eq!(futures_util::future::join_all(same).await, vec![json!(2); 5]);
    office.put("/v1/policy", &change(1, 4)).await.refused(Code::StateConflict);
    office.put("/v1/policy", &change(3, 4)).await.refused(Code::StateConflict);
    let nothing: Value = office.put("/v1/policy", &change(2, 3)).await.ok();
    assert_eq!(nothing["version"], json!(2), "what says the same is no new version");
    let rivals = (5..10).map(|days| {
        let (office, body) = (office.clone(), change(2, days));
        async move { office.put("/v1/policy", &body).await.status }
    });
    let mut outcomes = futures_util::future::join_all(rivals).await;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409, 409, 409, 409]);
    let all: Vec<Value> = office.get("/v1/policy/versions").await.ok();
    let versions: Vec<_> = all.iter().map(|v| v["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(all[1]["policy"]["ticket_days"], json!(3));
}

async fn the_contact_block_reaches_the_offices_own_row(host: Host) {
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::facility;
    let town = host.town("one").await;
    let other = host.town("two").await;
    let (office, elsewhere) = (town.office().await, other.office().await);
    let nursing = town.facility(&office, "架空訪問看護").await;
    let rows = [
        ("/contact/office", json!("架空町 福祉課")),
        ("/contact/telephone", json!("0000-99-0001")),
        ("/contact/mail", json!("fukushi@example.invalid")),
    ];
    set(&office, &rows).await;
    let me: Staff = office.get("/v1/session").await.ok();
    assert_eq!(me.facility_name, "架空町 福祉課");
    let db = &host.server.app.db;
    let changed: Vec<(String, String, String)> = db
        .read(async |c| {
            let all = facility::table.filter(facility::manager_mail.eq("fukushi@example.invalid"));
            Ok(renraku_server::run!(
                c,
                load,
                all.select((facility::name, facility::telephone, facility::kind))
            )?)
        })
        .await
        .unwrap();
    assert_eq!(changed, [("架空町 福祉課".into(), "0000-99-0001".into(), "secretariat".into())]);
    assert_ne!(elsewhere.get("/v1/session").await.ok::<Staff>().facility_name, "架空町 福祉課");
    assert_eq!(nursing.manager.get("/v1/session").await.ok::<Staff>().facility_name, "架空訪問看護");
}

async fn a_policy_is_whole_and_every_row_is_checked(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let base = MunicipalityPolicy::default();
    let put = async |policy: Value| office.put("/v1/policy", &json!({"version": 1, "policy": policy})).await;
    for (at, bad) in [
        ("/words/patient", json!(" ")),
        ("/words/staff", json!("利用者")),
        ("/contact/mail", json!("nowhere")),
        ("/contact/telephone", json!("119")),
        ("/consent/givers", json!([])),
        ("/consent/forms", json!([])),
        ("/consent/scope_items", json!([])),
        ("/eligibility/min_age", json!(0)),
        ("/approval_mail_days", json!(0)),
        ("/certificate_days", json!(4_000)),
        ("/lock_after", json!(1)),
        ("/device/relock_seconds", json!(5)),
        ("/wide_area_agreements", json!([{"partner": "架空市", "since": "2026-13-01", "until": null}])),
    ] {
        let problem = put(edited(&base, &[(at, bad)])).await.refused(Code::FieldInvalid);
        assert_eq!(problem.field, Some(at[1..].replace('/', ".")));
    }
    let mut missing = edited(&base, &[]);
    missing.as_object_mut().unwrap().remove("trial_mode");
    let mut unknown = edited(&base, &[]);
    unknown["teleport"] = json!(true);
    for bad in [missing, unknown, edited(&base, &[("/extra_certificate", json!("anybody"))]), json!(7)] {
        put(bad).await.refused(Code::RequestMalformed);
    }
    let body = json!({"version": 1, "policy": edited(&base, &[]), "force": true});
    office.put("/v1/policy", &body).await.refused(Code::RequestMalformed);
    let now: Value = office.get("/v1/policy").await.ok();
    assert_eq!((&now["version"], &now["policy"]), (&json!(1), &edited(&base, &[])), "nothing changed");
    for (place, (name, _)) in PRESETS.iter().enumerate() {
        let body = json!({"version": place + 1, "policy": edited(&preset(name).unwrap(), &[])});
        office.put("/v1/policy", &body).await.done();
    }
}

async fn versions_are_never_overwritten(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    set(&office, &[("/ticket_days", json!(7))]).await;
    let db = &host.server.app.db;
    let all = policy_history::table.filter(policy_history::municipality_id.eq(town.id));
    let changed = db
        .write(async |c| Ok(run!(c, execute, diesel::update(all).set(policy_history::changed_at.eq(0)))?))
        .await;
    let deleted = db.write(async |c| Ok(run!(c, execute, diesel::delete(all))?)).await;
    assert!(changed.is_err() && deleted.is_err());
    let versions: Vec<Value> = office.get("/v1/policy/versions").await.ok();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["policy"]["ticket_days"], json!(7));
    let (stored, version): (String, i32) = db
        .read(async |c| {
            let town = municipality::table.find(town.id);
            Ok(run!(c, get_result, town.select((municipality::policy, municipality::policy_version)))?)
        })
        .await
        .unwrap();
    assert_eq!((MunicipalityPolicy::parse(&stored).unwrap().ticket_days, version), (7, 2));
}

async fn the_office_edits_its_settings_in_a_form(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    assert!(page(office.get("/").await).contains("href=\"/settings\""));
    let fresh = page(office.get("/settings").await);
    let untouched = controls(&fresh);
    let saved = send_form(&office, "/settings", &untouched).await;
    assert_eq!((saved.status, saved.landed.as_str()), (200, "/settings?saved=1"));
    let now: Value = office.get("/v1/policy").await.ok();
    assert_eq!((&now["version"], &now["policy"]), (&json!(1), &edited(&MunicipalityPolicy::default(), &[])));

    let mut form = untouched.clone();
    typed(&mut form, "words-facility", "事業所");
    typed(&mut form, "wide_area_agreements", "架空市, 2026-04-01\r\n架空村，2026-04-01，2027-03-31");
    typed(&mut form, "contact-section", "健康課<係>");
    typed(&mut form, "session_hours", "1000");
    let back = send_form(&office, "/settings", &form).await;
    assert_eq!(back.status, 422);
    let back = back.text;
    assert!(back.contains("href=\"#session_hours\"") && back.contains("1から24時間まで"), "{back}");
    assert!(back.contains("value=\"1000\"") && back.contains("架空市, 2026-04-01") && !back.contains("<係>"));
    assert_eq!(office.get("/v1/policy").await.ok::<Value>()["version"], json!(1));

    typed(&mut form, "session_hours", "8");
    form.retain(|(name, value)| name != "thumbs_ack" && (name != "consent-forms" || value != "own_clause"));
    assert_eq!(send_form(&office, "/settings", &form).await.landed, "/settings?saved=1");
    let again = send_form(&office, "/settings", &form).await;
    assert_eq!(again.landed, "/settings?saved=1", "a double click saves once");
    let now: Value = office.get("/v1/policy").await.ok();
    let policy = &now["policy"];
    assert_eq!(
        (&now["version"], &policy["session_hours"], &policy["thumbs_ack"]),
        (&json!(2), &json!(8), &json!(false))
    );
    assert_eq!(policy["consent"]["forms"], json!(["municipal"]));
    assert_eq!(policy["wide_area_agreements"][1]["until"], json!("2027-03-31"));

    let history = page(office.get("/settings/history").await);
    for told in ["第2版", "事務 一郎", "事業所", "12時間", "8時間", "架空市（2026-04-01〜）", "運用担当"]
    {
        assert!(history.contains(told), "{told} is missing in {history}");
    }
    // Somebody who began before that saves now.
    let mut late = untouched;
    typed(&mut late, "ticket_days", "5");
    let refused = send_form(&office, "/settings", &late).await;
    assert_eq!(refused.status, 409);
    let refused = refused.text;
    assert!(
        refused.contains("ほかの人が設定を変えました") && refused.contains("name=\"version\" value=\"1\"")
    );
    assert_eq!(office.get("/v1/policy").await.ok::<Value>()["version"], json!(2));
}

async fn a_form_starts_from_a_preset(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    set(&office, &[("/contact/office", json!("架空町 在宅係"))]).await;
    let filled = page(office.get("/settings?preset=minowa").await);
    assert!(filled.contains("「箕輪町の方式」の内容を入れました"));
    let before: Value = office.get("/v1/policy").await.ok();
    assert_eq!(before["version"], json!(2), "nothing is saved yet");
    assert_eq!(send_form(&office, "/settings", &controls(&filled)).await.landed, "/settings?saved=1");
    let after: Value = office.get("/v1/policy").await.ok();
    let expected = edited(
        &preset("minowa").unwrap(),
        &[("/contact", before["policy"]["contact"].clone()), ("/wide_area_agreements", json!([]))],
    );
    assert_eq!(after["policy"], expected);
    assert_eq!(office.get("/settings?preset=atlantis").await.status, 404);
}

async fn only_the_office_sees_and_changes_the_settings(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let body = json!({"version": 1, "policy": edited(&MunicipalityPolicy::default(), &[])});
    for client in [&nursing.manager, &nurse] {
        client.get("/v1/policy").await.refused(Code::RoleInsufficient);
        client.get("/v1/policy/versions").await.refused(Code::RoleInsufficient);
        client.put("/v1/policy", &body).await.refused(Code::RoleInsufficient);
        for path in ["/settings", "/settings/history", "/portal-texts", "/portal-texts/new"] {
            assert_eq!(client.get(path).await.status, 409, "{path}");
        }
        assert_eq!(send_form(client, "/settings", &[]).await.status, 409);
        assert!(!page(client.get("/").await).contains("/settings"));
    }
    let mut stranger = nurse.clone();
    stranger.token = None;
    stranger.get("/v1/policy").await.refused(Code::SessionInvalid);
    let kept = send_form(&stranger, "/settings", &[("words-patient".into(), "患者".into())]).await;
    assert_eq!(kept.status, 401, "a session that ended gives back what was typed");
    assert!(kept.text.contains("name=\"words-patient\" value=\"患者\""));
}

async fn the_towns_words_are_on_every_page(host: Host) {
    let town = host.town_with("izumo", preset("izumo").unwrap()).await;
    let care = town.care_team().await;
    let public = town.public();
    let mut pages = Vec::new();
    for path in ["", "/guide", "/apply", "/apply/done", "/certificate", "/diagnosis"] {
        pages.push((path, page(public.get(&format!("/izumo{path}")).await)));
    }
    let (timeline, text) = (format!("/patients/{}", care.patient), "/portal-texts/staff_rules");
    for path in ["/facilities", "/staff", "/devices", "/tasks", "/portal-texts", text, "/settings/history"] {
        pages.push((path, page(care.office.get(path).await)));
    }
    for path in ["/", "/patients/new", timeline.as_str(), "/password"] {
        pages.push((path, page(care.nurse.1.get(path).await)));
    }
    for (path, shown) in &pages {
        for other in ["支援対象者", "施設", "投稿"] {
            let place = shown.find(other).map(|at| shown[at..].chars().take(40).collect::<String>());
            assert_eq!(place, None, "{path} says {other}");
        }
    }
    assert!(pages[0].1.contains("事業所の登録申請") && pages[0].1.contains("在宅の患者"));
    // A refusal that names one of these things.
    let nobody =
        send_form(&care.nurse.1, "/facilities/0191d6a0-0000-7000-8000-000000000000/approval", &[]).await;
    let nobody = nobody.text;
    assert!(nobody.contains("事業所の管理者か事務局") && !nobody.contains("施設"), "{nobody}");
    // A change of a word shows at once.
    set(&care.office, &[("/words/patient", json!("支援を受ける方"))]).await;
    assert!(page(public.get("/izumo").await).contains("在宅の支援を受ける方"));
    assert!(page(care.nurse.1.get("/").await).contains("支援を受ける方の登録"));
}
