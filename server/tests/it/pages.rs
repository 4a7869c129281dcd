//! The portal's pages over HTTP: who may open them, what a form keeps, what a change must come with.

use crate::both;
use crate::town::*;
use renraku_wire::*;
use reqwest::Method;
use reqwest::header::HeaderMap;

both!(
    public_pages_open_without_a_certificate,
    a_pick_up_sent_twice_is_one_file,
    an_application_keeps_what_was_typed,
    signing_in_leads_back_and_sets_a_strict_cookie,
    changes_from_elsewhere_are_refused,
    a_patient_is_registered_with_a_form,
    a_post_with_a_photo_is_read_and_acknowledged,
    the_office_approves_and_revokes,
);

/// A person at a browser: forms, a cookie, no redirects followed.
pub struct Browser {
    http: reqwest::Client,
    base: String,
    pub cookie: Option<String>,
}

pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    #[track_caller]
    pub fn shows(self, status: u16, words: &[&str]) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "{word} is missing in {}", self.text);
        }
        self
    }

    #[track_caller]
    pub fn lacks(self, word: &str) -> Self {
        assert!(!self.text.contains(word), "{word} is in {}", self.text);
        self
    }

    #[track_caller]
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.headers["location"].to_str().unwrap()
    }

    /// The value of the first input of this name.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let start = self.text.split(&format!("name=\"{name}\"")).nth(1).expect(name);
        start.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub fn text_of(&self, id: &str) -> String {
        let start = self.text.split(&format!("id=\"{id}\">")).nth(1).expect(id);
        start.split('<').next().unwrap().to_owned()
    }
}

impl Browser {
    pub fn new(host: &Host, base: &str, identity: Option<&Identity>) -> Self {
        use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(host.root.clone()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(renraku_server::tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(i) => {
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(i.key.clone()));
                builder.with_client_auth_cert(i.chain.clone(), key).unwrap()
            }
        };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { http, base: base.to_owned(), cookie: None }
    }

    pub fn public(host: &Host) -> Self {
        Self::new(host, &host.server.app.public_url, None)
    }

    /// A browser on the device of a client that signed in before, with the same session.
    pub fn of(host: &Host, client: &Client) -> Self {
        let mut browser = Self::new(host, &host.server.app.care_url, client.identity.as_ref());
        browser.cookie = client.token.as_ref().map(|t| format!("__Host-renraku={t}"));
        browser
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        Page { status, headers, text }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let escape = |s: &str| s.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let body: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={}", escape(v))).collect();
        self.request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"))
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(self.form(path, fields).header("sec-fetch-site", "same-origin")).await
    }

    pub async fn post_file(&self, path: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.bytes());
        }
        let (name, file_name, bytes) = file;
        let head = format!(
            "--X\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n--X--\r\n");
        let request = self
            .request(Method::POST, path)
            .header("content-type", "multipart/form-data; boundary=X")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(body)).await
    }
}

async fn public_pages_open_without_a_certificate(host: Host) {
    let town = host.town("one").await;
    let browser = Browser::public(&host);
    browser.get("/").await.shows(200, &["試験町", "href=\"/one\""]);
    let home =
        browser.get("/one").await.shows(200, &["/one/apply", "/one/certificate", "/one/diagnosis", "電話"]);
    let policy = home.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(home.headers.contains_key("strict-transport-security"));
    assert!(!home.text.contains("<script") && !home.text.contains("style=\""));
    browser.get("/one/diagnosis").await.shows(200, &["R-101", "tel:0000000000"]);
    browser.get("/nowhere").await.shows(404, &["<html lang=\"ja\">", "not_found"]);
    let style = home.text.split("href=\"/assets/style-").nth(1).unwrap().split('"').next().unwrap();
    let style = browser.get(&format!("/assets/style-{style}")).await.shows(200, &["--accent"]);
    assert!(style.headers["cache-control"].to_str().unwrap().contains("immutable"));
    // The API still answers as it did.
    let refused = town.public().get("/v1/municipalities/nowhere").await;
    refused.refused(Code::NotFound);
    let (number, password) = &town.office_ticket;
    let wrong = [("number", number.as_str()), ("password", "wrong"), ("device_name", "受付のパソコン")];
    let page =
        browser.post("/one/certificate", &wrong).await.shows(422, &["ticket_invalid", "受付のパソコン"]);
    assert_eq!(page.value("number"), *number);
    let right = [("number", number.as_str()), ("password", password.as_str()), ("device_name", "PC-1")];
    let file = browser.post("/one/certificate", &right).await.shows(200, &[]);
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"renraku-one-PC-1.p12\"");
    browser.post("/one/certificate", &right).await.shows(409, &["ticket_used"]);
}

async fn a_pick_up_sent_twice_is_one_file(host: Host) {
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::{audit, device};
    use renraku_server::run;
    let town = host.town("one").await;
    let browser = Browser::public(&host);
    let page = browser.get("/one/certificate").await.shows(200, &["証明書"]).value("page");
    assert_eq!(page.len(), 24);
    let (number, password) = &town.office_ticket;
    let form = |page: &str, password: &str, name: &str| {
        [("page", page), ("number", number), ("password", password), ("device_name", name)]
            .map(|(name, value)| (name, value.to_owned()))
    };
    let send = async |form: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/one/certificate", &fields).await
    };
    let wrong = send(form(&page, "wrong", "PC")).await.shows(422, &["ticket_invalid"]);
    assert_eq!(wrong.value("page"), page, "what is sent again comes from the same page");
    let right = || form(&page, password, "PC");
    let (one, two) = futures_util::future::join(send(right()), send(right())).await;
    let file = one.shows(200, &[]).text;
    assert!(!file.is_empty());
    assert_eq!(file, two.shows(200, &[]).text, "pressed twice");
    assert_eq!(file, send(right()).await.shows(200, &[]).text, "the download broke");
    // Whoever else knows No and password gets nothing; nor does the same page for another device.
    let other = browser.get("/one/certificate").await.value("page");
    assert_ne!(other, page);
    for form in [form(&other, password, "PC"), form("", password, "PC"), form(&page, password, "PC-2")] {
        send(form).await.shows(409, &["ticket_used"]);
    }
    send(form(&page, "wrong", "PC")).await.shows(422, &["ticket_invalid"]);
    let (devices, again): (i64, i64) = host
        .server
        .app
        .db
        .read(async |c| {
            let again = audit::table.filter(audit::action.eq("device.enrol_again"));
            Ok((run!(c, get_result, device::table.count())?, run!(c, get_result, again.count())?))
        })
        .await
        .unwrap();
    assert_eq!((devices, again), (1, 2));
}

async fn an_application_keeps_what_was_typed(host: Host) {
    let _town = host.town("one").await;
    let browser = Browser::public(&host);
    let id = browser.get("/one/apply").await.shows(200, &["申請する"]).value("id");
    let mut fields = vec![
        ("id", id.as_str()),
        ("name", "架空<訪問>看護"),
        ("kind", "home_nursing"),
        ("address", "架空町1-2"),
        ("telephone", "0000-11-2222"),
        ("manager_name", "管理 花子"),
        ("manager_mail", "no address"),
    ];
    let again = browser.post("/one/apply", &fields).await;
    let again = again.shows(422, &["error-summary", "manager_mail-error", "value=\"home_nursing\" selected"]);
    assert_eq!((again.value("id"), again.value("telephone").as_str()), (id.clone(), "0000-11-2222"));
    assert!(!again.text.contains("<訪問>"), "what was typed must be escaped");
    fields[6].1 = "kanri@example.invalid";
    assert_eq!(browser.post("/one/apply", &fields).await.leads_to(), "/one/apply/done");
    assert_eq!(browser.post("/one/apply", &fields).await.leads_to(), "/one/apply/done");
    browser.get("/one/apply/done").await.shows(200, &["1日以内"]);
}

async fn signing_in_leads_back_and_sets_a_strict_cookie(host: Host) {
    let town = host.town("one").await;
    let identity = town.enrol(&town.office_ticket.0, &town.office_ticket.1).await;
    let mut browser = Browser::new(&host, &host.server.app.care_url, Some(&identity));
    assert_eq!(browser.get("/devices?x=1").await.leads_to(), "/sign-in?next=/devices%3Fx%3D1");
    assert_eq!(browser.get("/sign-in?next=//evil.invalid").await.value("next"), "/");
    let next = browser.get("/sign-in?next=/devices%3Fx%3D1").await.value("next");
    let wrong = [("login_id", "jimukyoku"), ("password", "nonsense-99"), ("next", next.as_str())];
    let page = browser.post("/sign-in", &wrong).await.shows(422, &["sign_in_refused"]);
    assert_eq!((page.value("login_id").as_str(), page.value("next").as_str()), ("jimukyoku", "/devices?x=1"));
    assert!(!page.text.contains("nonsense-99"));
    let right =
        [("login_id", "jimukyoku"), ("password", town.office_password.as_str()), ("next", next.as_str())];
    let opened = browser.post("/sign-in", &right).await;
    assert_eq!(opened.leads_to(), "/password?next=/devices%3Fx%3D1");
    let cookie = opened.headers["set-cookie"].to_str().unwrap();
    for part in ["__Host-renraku=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    assert_eq!(browser.get("/devices").await.leads_to(), "/password?next=/devices");
    let typed = |new, again| {
        [("current", town.office_password.as_str()), ("new", new), ("again", again), ("next", next.as_str())]
    };
    browser.post("/password", &typed(PASSWORD, "other")).await.shows(422, &["again-error"]);
    browser.post("/password", &typed("jimukyoku1", "jimukyoku1")).await.shows(422, &["new-error"]);
    assert_eq!(browser.post("/password", &typed(PASSWORD, PASSWORD)).await.leads_to(), "/devices?x=1");
    let page = browser.get("/devices").await.shows(200, &["試験端末", "今使っている端末", "事務 一郎"]);
    assert_eq!(page.headers["cache-control"], "no-store");
    let out = browser.post("/sign-out", &[]).await;
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/devices").await.leads_to(), "/sign-in?next=/devices");
}

async fn changes_from_elsewhere_are_refused(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let browser = Browser::of(&host, &office);
    let own = host.server.app.care_url.clone();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.invalid"),
        ("origin", "null"),
        ("x-nothing", "x"),
    ] {
        let request = browser.form("/sign-out", &[]).header(name, value);
        browser.send(request).await.shows(400, &["request_malformed", "ほかのサイト"]);
        let request = browser.form("/v1/facilities", &[]).header(name, value);
        let json = browser.send(request).await;
        assert_eq!(
            (json.status, &json.headers["content-type"]),
            (400, &"application/problem+json".parse().unwrap())
        );
    }
    browser.get("/devices").await.shows(200, &[]);
    let request = browser.form("/sign-out", &[]).header("origin", own);
    assert_eq!(browser.send(request).await.leads_to(), "/sign-in");
}

async fn a_patient_is_registered_with_a_form(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let browser = Browser::of(&host, &nurse);
    let fresh = browser.get("/patients/new").await.shows(200, &["試験 nurse.n"]);
    let (id, consent, nurse_id) = (fresh.value("id"), fresh.value("consent_id"), nurse_id.to_string());
    let mut fields = vec![
        ("id", id.as_str()),
        ("consent_id", consent.as_str()),
        ("name", "架空 太郎"),
        ("kana", ""),
        ("gender", "male"),
        ("birth_date", "1938-03-04"),
        ("address", "架空町3"),
        ("telephone", ""),
        ("care_level", "22"),
        ("member", nurse_id.as_str()),
        ("lead", nurse_id.as_str()),
        ("giver", "patient"),
        ("giver_name", ""),
        ("form", "municipal"),
        ("obtained_on", "2026-01-05"),
    ];
    let file = ("document", "同意書.pdf", PDF);
    let back = browser.post_file("/patients/new", &fields, file).await;
    let back = back.shows(422, &["kana-error", "document-uploaded", "架空 太郎", "同意書.pdf"]);
    let uploaded = back.value("uploaded");
    let none = ("document", "", b"".as_slice());
    let bad = browser.post_file("/patients/new", &fields, ("document", "x.pdf", b"no document")).await;
    bad.shows(422, &["document-error"]);
    fields[3].1 = "カクウ タロウ";
    fields.push(("uploaded", &uploaded));
    fields[10].0 = "nothing";
    browser.post_file("/patients/new", &fields, none).await.shows(422, &["team-error", "document-uploaded"]);
    fields[10].0 = "lead";
    let done = browser.post_file("/patients/new", &fields, none).await;
    assert_eq!(done.leads_to(), format!("/patients/{id}"));
    browser.get("/").await.shows(200, &["架空 太郎", "88歳・男"]);
    browser.get(&format!("/patients/{id}")).await.shows(200, &["カクウ タロウ", "要介護2", "担当者"]);
    // Pressed twice, file and all: one more patient, and both answers lead to it.
    let (helper, _) = town.member(&nursing, "helper.h", Profession::Helper).await;
    let (manager, _) = town.member(&nursing, "manager.m", Profession::CareManager).await;
    let others = [helper.to_string(), manager.to_string()];
    let fresh = browser.get("/patients/new").await.shows(200, &[]);
    let (id, consent) = (fresh.value("id"), fresh.value("consent_id"));
    let mut again = fields.clone();
    again.retain(|(name, _)| *name != "uploaded");
    again[0].1 = &id;
    again[1].1 = &consent;
    again[2].1 = "架空 次郎";
    again.extend(others.iter().map(|other| ("member", other.as_str())));
    let press = || browser.post_file("/patients/new", &again, file);
    let (one, two) = futures_util::future::join(press(), press()).await;
    for done in [one, two, press().await] {
        assert_eq!(done.leads_to(), format!("/patients/{id}"));
    }
    assert_eq!(browser.get("/").await.shows(200, &[]).text.matches("架空 次郎").count(), 1);
    // A session that ended gives everything back.
    let stranger = Browser { cookie: Some("__Host-renraku=none".into()), ..Browser::of(&host, &nurse) };
    let kept = stranger.post_file("/patients/new", &fields, file).await;
    kept.shows(401, &["send-again", "name=\"kana\" value=\"カクウ タロウ\"", "id=\"document\""]);
}

async fn a_post_with_a_photo_is_read_and_acknowledged(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (nurse, doctor) = (Browser::of(&host, &care.nurse.1), Browser::of(&host, &care.doctor.1));
    let path = format!("/patients/{}", care.patient);
    let id = nurse.get(&path).await.shows(200, &["架空 花子", "急ぎは電話", "100文字"]).value("id");
    let mut png = std::io::Cursor::new(Vec::new());
    let picture =
        image::RgbImage::from_fn(900, 600, |x, y| image::Rgb([(x % 250) as u8, (y % 240) as u8, 90]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let fields = [
        ("id", id.as_str()),
        ("body", "左かかとの\r\n<b>発赤</b>です。"),
        ("urgent", "true"),
        ("body_site", "left_heel"),
        ("description", "左かかとの赤み"),
    ];
    let bad = nurse.post_file(&path, &fields, ("photo", "a.jpg", b"no picture")).await;
    bad.shows(422, &["photo-error", "&#60;b&#62;発赤", "value=\"left_heel\" selected", "checked"]);
    let photo = ("photo", "a.png", png.get_ref().as_slice());
    assert_eq!(nurse.post_file(&path, &fields, photo).await.leads_to(), format!("{path}?sent=1"));
    assert_eq!(nurse.post_file(&path, &fields, photo).await.leads_to(), format!("{path}?sent=1"));
    let other = [("id", id.as_str()), ("body", "別の文章")];
    let kept = nurse.post_file(&path, &other, ("photo", "", b"")).await;
    assert_ne!(kept.shows(409, &["別の文章", "body-error"]).value("id"), id);
    doctor.get("/").await.shows(200, &["未読 1件"]);
    let seen = doctor.get(&path).await;
    let seen = seen.shows(
        200,
        &["緊急（重要）", "左踵", "alt=\"左かかとの赤み\"", "既読 1人", "新着", "&#60;b&#62;発赤"],
    );
    assert_eq!(seen.text.matches("<article").count(), 1, "sent twice, published once");
    let thumbnail = seen.text.split("src=\"/v1/media/").nth(1).unwrap().split('"').next().unwrap();
    let thumbnail = doctor.get(&format!("/v1/media/{thumbnail}")).await.shows(200, &[]);
    assert_eq!(thumbnail.headers["content-type"], "image/jpeg");
    let acknowledge = format!("/posts/{id}/acknowledgement");
    let pressed = doctor.post(&acknowledge, &[("on", "true")]).await;
    assert_eq!(pressed.leads_to(), format!("{path}#post-{id}"));
    let again = doctor.get(&path).await.shows(200, &["確認済み", "既読 1人"]);
    assert!(!again.text.contains("新着"));
    let list = nurse.get(&format!("/posts/{id}/receipts")).await;
    list.shows(200, &["試験 doctor.d", "医師", "1人のうち 1人が読みました。👍 1人"]);
    doctor.get(&format!("/posts/{id}/receipts")).await.shows(409, &["role_insufficient", "権限"]);
    let absent = PatientId::new();
    doctor.get(&format!("/patients/{absent}")).await.shows(404, &["not_found", "ホームへ戻る"]);
}

async fn the_office_approves_and_revokes(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let browser = Browser::of(&host, &office);
    let two = [application("架空診療所"), application("架空薬局")];
    for new in &two {
        town.public().post(&town.path("/facility-applications"), new).await.done();
    }
    browser.get("/").await.shows(200, &["件あります", "nav-facilities", "nav-staff", "nav-devices"]);
    browser.get("/facilities").await.shows(200, &["架空診療所", "承認する", "却下する"]);
    let approved = browser.post(&format!("/facilities/{}/approval", two[0].id), &[]).await;
    let approved = approved.shows(200, &["架空診療所", "first-password"]);
    let (login, first) = (approved.text_of("login-id"), approved.text_of("first-password"));
    // The button pressed twice shows the same account, until it is used.
    let approval = format!("/facilities/{}/approval", two[0].id);
    browser.post(&approval, &[]).await.shows(200, &[&login, &first]);
    let rejected = browser.post(&format!("/facilities/{}/rejection", two[1].id), &[]).await;
    assert_eq!(rejected.leads_to(), "/facilities?rejected=1");
    let facility = two[0].id.to_string();
    let ticket = browser.post("/devices/tickets", &[("facility", &facility)]).await.shows(201, &["アプリ"]);
    let identity = town.enrol(&ticket.text_of("ticket-number"), &ticket.text_of("ticket-password")).await;
    let mut manager = town.care(identity);
    manager.first_sign_in(&login, &first).await;
    browser.post(&approval, &[]).await.shows(409, &["state_conflict"]);
    let desk = Browser::of(&host, &manager);
    desk.get("/facilities").await.shows(409, &["role_insufficient"]);
    let id = desk.get("/staff").await.shows(200, &["管理 二郎"]).value("id");
    let mut fields =
        vec![("id", id.as_str()), ("name", "医師 三郎"), ("profession", ""), ("login_id", "jimukyoku")];
    desk.post("/staff", &fields).await.shows(422, &["profession-error", "医師 三郎"]);
    fields[2].1 = "physician";
    desk.post("/staff", &fields).await.shows(409, &["login_id-error", "already_taken"]);
    fields[3].1 = "saburo.i";
    desk.post("/staff", &fields).await.shows(200, &["saburo.i", "first-password", "医師 三郎"]);
    let device = manager.identity.as_ref().unwrap().device_id.unwrap();
    let revocation = format!("/devices/{device}/revocation");
    browser.post(&revocation, &[("reason", " ")]).await.shows(422, &[&format!("reason-{device}")]);
    assert_eq!(browser.post(&revocation, &[("reason", "紛失")]).await.leads_to(), "/devices?revoked=1");
    browser.get("/devices").await.shows(200, &["失効済み"]);
    desk.get("/staff").await.shows(401, &["certificate_revoked", "/one/diagnosis"]);
    desk.get("/nowhere").await.shows(404, &["not_found"]);
}
