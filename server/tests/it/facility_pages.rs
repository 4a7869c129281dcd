//! The portal's pages about facilities, without JavaScript: map, tasks, correction, paper, the record.

use crate::both;
use crate::town::*;
use renraku_server::policy::MunicipalityPolicy;
use renraku_wire::*;
use reqwest::Method;

both!(
    the_public_list_shows_who_wishes_it,
    the_office_works_through_its_tasks,
    an_applicant_corrects_on_the_page,
    the_office_enters_paper_on_the_page,
    a_manager_keeps_the_record_on_the_page,
    a_trial_and_a_missing_mail_have_their_pages,
);

pub struct Page {
    pub status: u16,
    pub at: String,
    pub text: String,
}

impl Page {
    #[track_caller]
    pub fn shows(self, status: u16, words: &[&str]) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "{word} is missing in {}", self.text);
        }
        assert!(!self.text.contains("<script") && !self.text.contains("style=\""));
        self
    }

    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let start = self.text.split(&format!("name=\"{name}\"")).nth(1).expect(name);
        start.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }
}

/// A browser that follows where a form leads.
pub async fn send(client: &Client, request: reqwest::RequestBuilder) -> Page {
    let request = match &client.token {
        Some(token) => request.header("cookie", format!("__Host-renraku={token}")),
        None => request,
    };
    let response = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
    let (status, at) = (response.status().as_u16(), response.url().path().to_owned());
    Page { status, at, text: response.text().await.unwrap() }
}

pub async fn open(client: &Client, path: &str) -> Page {
    send(client, client.http.get(format!("{}{path}", client.base))).await
}

pub async fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> Page {
    let escape = |s: &str| s.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let body: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={}", escape(v))).collect();
    let request = client
        .http
        .request(Method::POST, format!("{}{path}", client.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"));
    send(client, request).await
}

pub async fn form_with(client: &Client, path: &str, fields: &[(&str, &str)], scan: &[u8]) -> Page {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.bytes());
    }
    let name = if scan.is_empty() { "" } else { "申請書.pdf" };
    let head = format!("--X\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"{name}\"\r\n\r\n");
    body.extend(head.bytes());
    body.extend_from_slice(scan);
    body.extend(b"\r\n--X--\r\n");
    let request = client
        .http
        .request(Method::POST, format!("{}{path}", client.base))
        .header("content-type", "multipart/form-data; boundary=X")
        .body(body);
    send(client, request).await
}

async fn the_public_list_shows_who_wishes_it(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let clinic = town.facility(&office, "架空診療所").await;
    let public = town.public();
    let list = async || public.get(&town.path("/facilities")).await.ok::<Vec<ListedFacility>>();
    assert!(list().await.is_empty(), "nobody is listed who did not wish it");
    let at = |latitude, longitude| MapListing {
        listed: true,
        position: Some(MapPosition { latitude, longitude }),
    };
    let path = format!("/v1/facilities/{}/map", nursing.id);
    let swapped = nursing.manager.put(&path, &at(137.98, 35.91)).await.refused(Code::FieldInvalid);
    assert_eq!(swapped.field.as_deref(), Some("latitude"));
    nursing.manager.put(&path, &at(35.915_123, 137.982_5)).await.done();
    office.put(&format!("/v1/facilities/{}/map", clinic.id), &at(35.9, 138.0)).await.done();
    let listed = list().await;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|f| f.name == "架空診療所"));
    let position = listed.iter().find(|f| f.name == "架空訪問看護").unwrap().position.unwrap();
    assert!((position.latitude - 35.915_123).abs() < 1e-6 && (position.longitude - 137.9825).abs() < 1e-6);
    open(&public, "/one").await.shows(200, &["/one/facilities"]);
    let page = open(&public, "/one/facilities").await;
    let page =
        page.shows(200, &["<svg", "geo:35.915123,137.982500", "openstreetmap.org", "架空診療所", "<circle"]);
    assert_eq!(page.text.matches("<circle").count(), 2);
    // Out again: by the page, and with the facility's suspension.
    let page = format!("/facilities/{}", nursing.id);
    let bad = [("listed", "true"), ("latitude", "north"), ("longitude", "137")];
    form(&nursing.manager, &format!("{page}/map"), &bad).await.shows(422, &["latitude-error", "north"]);
    form(&nursing.manager, &format!("{page}/map"), &[]).await.shows(200, &["公開の設定を変えました"]);
    let reason = FacilityReason { reason: "確認".into() };
    office.post(&format!("/v1/facilities/{}/suspension", clinic.id), &reason).await.done();
    assert!(list().await.is_empty());
    // A town without a list.
    let shy = MunicipalityPolicy { public_facility_map: false, ..MunicipalityPolicy::default() };
    let shy = host.town_with("two", shy).await;
    let office = shy.office().await;
    let facility = shy.facility(&office, "架空薬局").await;
    shy.public().get(&shy.path("/facilities")).await.refused(Code::NotOffered);
    let path = format!("/v1/facilities/{}/map", facility.id);
    facility.manager.put(&path, &at(35.9, 138.0)).await.refused(Code::NotOffered);
    assert!(!open(&shy.public(), "/two").await.shows(200, &[]).text.contains("/two/facilities"));
    open(&shy.public(), "/two/facilities").await.shows(409, &["not_offered"]);
    let page = open(&facility.manager, &format!("/facilities/{}", facility.id)).await.shows(200, &["change"]);
    assert!(!page.text.contains("latitude"));
}

/// No facility waits for this person; other rooms may have something.
async fn nothing_waits(client: &Client) {
    let page = open(client, "/tasks").await.shows(200, &["やること"]);
    let list = page.text.split("<h1>").nth(1).unwrap();
    assert!(!list.contains("架空"), "{list}");
}

async fn the_office_works_through_its_tasks(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    nothing_waits(&office).await;
    let new = FacilityApplication {
        manager_mail: "refused@example.invalid".into(),
        ..application("架空診療所")
    };
    town.public().post(&town.path("/facility-applications"), &new).await.done();
    let page = format!("/facilities/{}", new.id);
    open(&office, "/tasks").await.shows(200, &["架空診療所の利用申請を確認する", &page]);
    open(&office, &page).await.shows(200, &["承認待ち", "id=\"approve\"", "差し戻す"]);
    form(&office, &format!("{page}/approval"), &[]).await.shows(200, &["first-password"]);
    let mut listed = false;
    for _ in 0..200 {
        let tasks = open(&office, "/tasks").await;
        listed = tasks.text.contains("証明書のメールが届かない");
        if listed {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(listed, "a dead mail is a task");
    open(&office, &page).await.shows(200, &["届きません（送信エラー）", "550"]);
    let public = town.public();
    let told = [("name", "架空診療所"), ("manager_mail", "refused@example.invalid")];
    form(&public, "/one/no-mail", &told).await.shows(200, &["受け付けました"]);
    open(&office, "/tasks").await.shows(200, &["証明書のメールが届かない", "メールが届かない）に対応する"]);
    let shown = open(&office, &page).await.shows(200, &["id=\"no-mail\"", "対応済みにする"]);
    let id = shown.text.split("/ticket-mail").nth(1).unwrap();
    let id = id.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let bad = [("id", id.as_str()), ("ticket_mail", "no address")];
    form(&office, &format!("{page}/ticket-mail"), &bad)
        .await
        .shows(422, &["ticket_mail-error", "no address"]);
    let right = [("id", id.as_str()), ("ticket_mail", "right@example.invalid")];
    form(&office, &format!("{page}/ticket-mail"), &right).await.shows(200, &["前のNoは使えません"]);
    host.mails.nth("right@example.invalid", 0).await;
    nothing_waits(&office).await;
    // Changes and 廃止届 wait too; nobody else sees the tasks.
    let nursing = town.facility(&office, "架空訪問看護").await;
    let page = format!("/facilities/{}", nursing.id);
    form(&nursing.manager, &format!("{page}/closure"), &[("reason", "")])
        .await
        .shows(422, &["close-reason-error"]);
    form(&nursing.manager, &format!("{page}/closure"), &[("reason", "廃業")])
        .await
        .shows(200, &["事務局に届けました"]);
    open(&office, "/tasks").await.shows(200, &["架空訪問看護の廃止届を確認する"]);
    nothing_waits(&nursing.manager).await;
    let shown = open(&office, &page).await.shows(200, &["廃止届が出ています", "廃業"]);
    let id = shown.text.split("/facility-changes/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let facility = nursing.id.to_string();
    let refusal = format!("/facility-changes/{id}/refusal");
    let empty = [("facility", facility.as_str()), ("reason", " ")];
    form(&office, &refusal, &empty).await.shows(422, &["refuse-reason-error"]);
    let why = [("facility", facility.as_str()), ("reason", "まだ利用者がいます")];
    form(&office, &refusal, &why).await.shows(200, &["承認しないことを"]);
    nothing_waits(&office).await;
}

async fn an_applicant_corrects_on_the_page(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let new =
        FacilityApplication { manager_mail: "bbb@example.invalid".into(), ..application("架空診療所") };
    town.public().post(&town.path("/facility-applications"), &new).await.done();
    let page = format!("/facilities/{}", new.id);
    form(&office, &format!("{page}/return"), &[("reason", "")]).await.shows(422, &["return-reason-error"]);
    let reason = [("reason", "<番地>を確認してください")];
    form(&office, &format!("{page}/return"), &reason).await.shows(200, &["差し戻し", "訂正待ち"]);
    let token = host.mails.nth("bbb@example.invalid", 0).await.after("/one/corrections/");
    let public = town.public();
    let path = format!("/one/corrections/{token}");
    let shown = open(&public, &path).await.shows(200, &["番地", "架空診療所", "訂正して送る"]);
    assert!(!shown.text.contains("<番地>"));
    assert_eq!(shown.value("telephone"), new.telephone);
    let mut fields = vec![
        ("name", "架空診療所"),
        ("kind", "clinic"),
        ("place", "inside"),
        ("address", ""),
        ("telephone", "0000-12-3456"),
        ("manager_name", "管理 二郎"),
        ("manager_mail", "bbb@example.invalid"),
    ];
    form(&public, &path, &fields).await.shows(422, &["address-error", "番地"]);
    fields[3].1 = "架空町8-8";
    let done = form(&public, &path, &fields).await.shows(200, &["申請を受け付けました"]);
    assert_eq!(done.at, "/one/apply/done");
    open(&public, &path).await.shows(404, &["link_invalid", "期限切れ"]);
    open(&office, "/tasks").await.shows(200, &["訂正された申請を確認する"]);
    open(&office, &page).await.shows(200, &["架空町8-8", "以前の登録内容", "架空町1-2-3"]);
}

async fn the_office_enters_paper_on_the_page(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    open(&office, "/facilities").await.shows(200, &["/facilities/new"]);
    let id = open(&office, "/facilities/new").await.shows(200, &["受け取った日", "窓口"]).value("id");
    let mut fields = vec![
        ("id", id.as_str()),
        ("name", "架空紙の薬局"),
        ("kind", "pharmacy"),
        ("place", "outside"),
        ("address", "となり町1"),
        ("telephone", "0000-12-3456"),
        ("manager_name", "管理 二郎"),
        ("manager_mail", "kami@example.invalid"),
        ("channel", "post"),
        ("received_on", ""),
    ];
    form_with(&office, "/facilities/new", &fields, b"no paper")
        .await
        .shows(422, &["scan-error", "架空紙の薬局"]);
    let kept = form_with(&office, "/facilities/new", &fields, PDF).await;
    let kept = kept.shows(422, &["received_on-error", "scan-uploaded", "申請書.pdf"]);
    let uploaded = kept.value("uploaded");
    fields[9].1 = "2026-01-05";
    form_with(&office, "/facilities/new", &fields, b"").await.shows(422, &["scan-error"]);
    fields.push(("uploaded", &uploaded));
    let done = form_with(&office, "/facilities/new", &fields, b"").await;
    let done = done.shows(200, &["申請を登録しました", "郵送", "2026年1月5日", "事務 一郎", "区域の外"]);
    assert_eq!(done.at, format!("/facilities/{id}"));
    form_with(&office, "/facilities/new", &fields, b"").await.shows(200, &["申請を登録しました"]);
    let scan = open(&office, &format!("/facilities/{id}/scan")).await;
    assert_eq!((scan.status, scan.text.as_bytes()), (200, PDF));
    form(&office, &format!("/facilities/{id}/approval"), &[]).await.shows(200, &["first-password"]);
    let stranger = Client { token: Some("none".into()), ..office.clone() };
    let kept = form_with(&stranger, "/facilities/new", &fields, PDF).await;
    kept.shows(401, &["send-again", "架空紙の薬局", "id=\"scan\""]);
}

async fn a_manager_keeps_the_record_on_the_page(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (manager, id) = (&care.nursing.manager, care.nursing.id);
    let page = format!("/facilities/{id}");
    let own = open(manager, "/facility").await.shows(200, &["利用中", "nav-facility", "廃止届を出す"]);
    assert_eq!(own.at, page);
    assert!(!own.text.contains("id=\"suspend\"") && !own.text.contains("ticket_mail"), "the office's own");
    let mut fields = vec![
        ("id", ""),
        ("name", "架空看護"),
        ("kind", "home_nursing"),
        ("address", "架空町1-2-3"),
        ("telephone", ""),
        ("opening", "月〜金"),
    ];
    let change = own.value("id");
    fields[0].1 = &change;
    form(manager, &format!("{page}/changes"), &fields).await.shows(422, &["telephone-error", "架空看護"]);
    fields[4].1 = "0000-77-7777";
    let done = form(manager, &format!("{page}/changes"), &fields).await;
    done.shows(200, &["事務局に届けました", "0000-77-7777", "変更の確認待ち", "<h1>架空訪問看護</h1>"]);
    let shown = open(&care.office, &page).await.shows(200, &["架空看護", "変更を承認する"]);
    let id = shown.text.split("/facility-changes/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let facility = care.nursing.id.to_string();
    let confirm = format!("/facility-changes/{id}/confirmation");
    form(&care.office, &confirm, &[("facility", &facility)])
        .await
        .shows(200, &["<h1>架空看護</h1>", "変更しました"]);
    form(&care.office, &confirm, &[("facility", &facility)]).await.shows(409, &["state_conflict"]);
    // A refused form of the map keeps the box as it was sent.
    let map = format!("{page}/map");
    let place = [("latitude", "35.9"), ("longitude", "137.9")];
    form(manager, &map, &[&place[..], &[("listed", "true")]].concat())
        .await
        .shows(200, &["value=\"true\" checked"]);
    let bad = [("latitude", "北"), ("longitude", "137.9")];
    let refused = form(manager, &map, &bad).await.shows(422, &["北"]);
    assert!(!refused.text.contains("value=\"true\" checked"), "{}", refused.text);
    form(manager, &map, &[&bad[..], &[("listed", "true")]].concat())
        .await
        .shows(422, &["value=\"true\" checked"]);
    open(manager, &page).await.shows(200, &["value=\"true\" checked"]);
    // Handing over: the next manager has the page, the last one is led home.
    let manager_path = format!("{page}/manager");
    form(manager, &manager_path, &[("manager_mail", "n@example.invalid")])
        .await
        .shows(422, &["staff_id-error"]);
    let nurse = care.nurse.0.to_string();
    let given = [("staff_id", nurse.as_str()), ("manager_mail", "n@example.invalid")];
    let home = form(manager, &manager_path, &given).await.shows(200, &["nav-home"]);
    assert_eq!(home.at, "/");
    open(manager, &page).await.shows(409, &["role_insufficient"]);
    open(&care.nurse.1, "/facility").await.shows(200, &["試験 nurse.n（今の管理者）"]);
    let fresh = StaffId::new().to_string();
    let given =
        [("id", fresh.as_str()), ("manager_name", "架空 次子"), ("manager_mail", "j@example.invalid")];
    form(&care.office, &manager_path, &given).await.shows(200, &["first-password", "管理者を決めました"]);
    form(&care.office, &format!("{page}/suspension"), &[("reason", "事故")])
        .await
        .shows(200, &["利用停止", "resume"]);
    open(&care.nurse.1, "/facility").await.shows(401, &["facility_suspended"]);
    form(&care.office, &format!("{page}/resumption"), &[]).await.shows(200, &["利用を再開しました"]);
    form(&care.office, &format!("{page}/closure"), &[("reason", "廃業")]).await.shows(200, &["廃止しました"]);
    open(&care.nurse.1, "/facility").await.shows(401, &["certificate_revoked"]);
}

async fn a_trial_and_a_missing_mail_have_their_pages(host: Host) {
    let trial = MunicipalityPolicy {
        trial_mode: true,
        outside_facility: false,
        approval_mail_days: 3,
        ..MunicipalityPolicy::default()
    };
    let town = host.town_with("one", trial).await;
    let public = town.public();
    open(&public, "/one").await.shows(200, &["/one/no-mail"]);
    let closed = open(&public, "/one/apply").await.shows(200, &["試行期間中", "trial-closed"]);
    assert!(!closed.text.contains("id=\"apply\""));
    let bad = [("name", ""), ("manager_mail", "a@example.invalid")];
    open(&public, "/one/no-mail").await.shows(200, &["3日以内"]);
    form(&public, "/one/no-mail", &bad).await.shows(422, &["name-error", "a@example.invalid"]);
    let unknown = [("name", "ない診療所"), ("manager_mail", "a@example.invalid")];
    for _ in 0..2 {
        form(&public, "/one/no-mail", &unknown).await.shows(200, &["受け付けました"]);
    }
    let shouted = [("name", "ない診療"), ("manager_mail", "A@example.invalid")];
    form(&public, "/one/no-mail", &shouted).await.shows(200, &["受け付けました"]);
    // Of one address one a day: the office sees it, and settles it.
    let office = town.office().await;
    open(&office, "/tasks").await.shows(200, &["という連絡1件に対応する", "/facilities#stray"]);
    let list = open(&office, "/facilities").await.shows(200, &["ない診療所", "a@example.invalid"]);
    let settle = list.text.split("/no-mail-reports/").nth(1).unwrap().split('/').next().unwrap();
    let settle = format!("/no-mail-reports/{settle}/settlement");
    form(&office, &settle, &[]).await.shows(200, &["対応済みにしました"]);
    form(&office, &settle, &[]).await.shows(404, &[]);
    assert!(!open(&office, "/tasks").await.text.contains("という連絡"));
    open(&public, "/one/corrections/unknown").await.shows(404, &["link_invalid"]);
    let open_town = MunicipalityPolicy { outside_facility: false, ..MunicipalityPolicy::default() };
    let _two = host.town_with("two", open_town).await;
    let fields = [
        ("name", "となりの診療所"),
        ("kind", "clinic"),
        ("place", "outside"),
        ("address", "となり町1"),
        ("telephone", "0000-12-3456"),
        ("manager_name", "管理 二郎"),
        ("manager_mail", "a@example.invalid"),
    ];
    form(&public, "/two/apply", &fields)
        .await
        .shows(422, &["place-error", "facility_outside", "となりの診療所"]);
}
