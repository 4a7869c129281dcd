//! The public portal: its address as a 2-D code, the contact block, and the texts that the office writes.

use crate::both;
use crate::policy::{controls, page, send_form, set, typed};
use crate::town::*;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::portal_text;
use renraku_server::policy::{MunicipalityPolicy, preset};
use renraku_server::run;
use renraku_wire::*;
use serde_json::json;

both!(
    the_home_shows_its_address_as_a_code,
    every_public_page_says_whom_to_ask,
    a_trial_is_said_on_the_portal,
    agreements_and_whose_terms_apply_are_public,
    the_rules_are_there_before_anybody_writes_them,
    the_office_writes_the_portals_texts,
    announcements_are_shown_on_their_days,
    a_text_changed_twice_is_one_version,
    the_office_writes_an_announcement_in_a_form,
);

fn today(days: i64) -> String {
    renraku_server::clock::japan(renraku_server::clock::now() + days * 86_400_000).date().to_string()
}

fn change(version: u32, title: &str, body: &str) -> PortalTextChange {
    PortalTextChange {
        version,
        title: title.into(),
        body: body.into(),
        publish_from: None,
        publish_until: None,
        withdrawn: false,
    }
}

async fn the_home_shows_its_address_as_a_code(host: Host) {
    let town = host.town("one").await;
    let home = page(town.public().get("/one").await);
    let address = format!("{}/one", host.server.app.public_url);
    // That a reader finds the address in such a picture is tested where it is made.
    assert!(home.contains(&renraku_server::portal::code::svg(&address).unwrap()));
    assert!(home.contains(&format!("<a href=\"{address}\">{address}</a>")), "and in letters");
}

async fn every_public_page_says_whom_to_ask(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    set(
        &office,
        &[
            ("/contact/office", json!("在宅連携の窓口")),
            ("/contact/section", json!("健康福祉課 在宅係")),
            ("/contact/telephone", json!("0000-12-3456（内線626）")),
            ("/contact/fax", json!("0000-12-3457")),
            ("/contact/mail", json!("madoguchi@town.invalid")),
            ("/contact/hours", json!("平日 9:00〜16:00")),
            ("/contact/document", json!("第3版 2026年4月1日")),
        ],
    )
    .await;
    let public = town.public();
    let mut pages = vec![page(office.get("/settings").await)];
    for path in ["", "/guide", "/apply", "/apply/done", "/certificate", "/diagnosis"] {
        pages.push(page(public.get(&format!("/one{path}")).await));
    }
    pages.push(String::from_utf8(public.get("/one/nowhere").await.body).unwrap());
    for shown in pages {
        let block = shown.split("id=\"contact\"").nth(1).unwrap_or_else(|| panic!("{shown}"));
        for told in [
            "在宅連携の窓口",
            "健康福祉課 在宅係",
            "href=\"tel:0000123456\"",
            "（内線626）",
            "FAX 0000-12-3457",
            "mailto:madoguchi@town.invalid",
            "平日 9:00〜16:00",
            "第3版 2026年4月1日",
        ] {
            assert!(block.contains(told), "{told} is missing in {block}");
        }
    }
    let info: MunicipalityInfo = public.get(&town.path("")).await.ok();
    assert_eq!(
        (info.contact.section.as_str(), info.contact.document.as_str()),
        ("健康福祉課 在宅係", "第3版 2026年4月1日")
    );
}

async fn a_trial_is_said_on_the_portal(host: Host) {
    let town = host.town_with("takahagi", preset("takahagi").unwrap()).await;
    let office = town.office().await;
    let public = town.public();
    let texts = async || public.get(&town.path("/texts")).await.ok::<Vec<PortalText>>();
    let home = page(public.get("/takahagi").await);
    assert!(home.contains("id=\"trial\"") && home.contains("今は試行期間です"));
    assert!(home.contains("事務局が指定した事業所"), "in the town's words");
    assert!(texts().await.iter().any(|t| t.topic == PortalTopic::Trial));
    let withdrawn = PortalTextChange { withdrawn: true, ..change(0, "試行", "文章") };
    office.put("/v1/portal/texts/trial", &withdrawn).await.done();
    let home = page(public.get("/takahagi").await);
    assert!(home.contains("id=\"trial\""), "the trial is said even when its text was taken away");
    set(&office, &[("/trial_mode", json!(false))]).await;
    assert!(!page(public.get("/takahagi").await).contains("試行期間"));
    assert!(texts().await.iter().all(|t| t.topic != PortalTopic::Trial));
}

async fn agreements_and_whose_terms_apply_are_public(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let public = town.public();
    let guide = page(public.get("/one/guide").await);
    assert!(
        guide.contains("id=\"no-agreements\"")
            && guide.contains("その人が住む自治体の利用規約が適用されます")
    );
    set(
        &office,
        &[(
            "/wide_area_agreements",
            json!([
                {"partner": "架空市", "since": "2024-09-01", "until": null},
                {"partner": "架空<村>", "since": "2024-09-01", "until": today(0)},
                {"partner": "昔の町", "since": "2020-04-01", "until": today(-1)},
            ]),
        )],
    )
    .await;
    let guide = page(public.get("/one/guide").await);
    let list = guide.split("id=\"agreements\"").nth(1).unwrap().split("</ul>").next().unwrap();
    assert!(list.contains("架空市") && list.contains("2024年9月1日〜") && list.contains("架空&#60;村&#62;"));
    assert!(!list.contains("昔の町"), "an agreement that ended is not shown");
    assert!(page(public.get("/one").await).contains("href=\"/one/guide\""));
}

async fn the_rules_are_there_before_anybody_writes_them(host: Host) {
    let town = host.town_with("izumo", preset("izumo").unwrap()).await;
    let guide = page(town.public().get("/izumo/guide").await);
    for (topic, told) in [
        ("terms", "電子証明書とパスワードの両方"),
        ("legal_basis", "個人情報の保護に関する法律"),
        ("staff_rules", "電話で伝えます"),
        ("devices", "ウイルス対策を新しい状態に保ちます"),
        ("devices", "端末を初期化してから手放します"),
        ("devices", "持ち歩くスマートフォンやタブレット"),
        ("facility_duties", "個人情報の取り扱いの決まり"),
        ("vendor", "事業者への連絡と調整は事務局がします"),
    ] {
        let start = guide.split(&format!("id=\"text-{topic}\"")).nth(1).unwrap_or_else(|| panic!("{topic}"));
        assert!(start.split("</section>").next().unwrap().contains(told), "{topic}: {told}");
    }
    assert!(guide.contains("患者") && guide.contains("事業所で定めた"));
    let public: Vec<PortalText> = town.public().get(&town.path("/texts")).await.ok();
    assert_eq!(public.len(), 7);
    assert!(public.iter().all(|t| t.version == 0 && t.changed_at.is_none()));
}

async fn the_office_writes_the_portals_texts(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let new = change(0, "個人情報の<条例>", "■根拠\n・架空町の条例\n・<b>法律</b>\n\n一行目\n二行目");
    let put: PortalText = office.put("/v1/portal/texts/legal_basis", &new).await.ok();
    assert_eq!((put.version, put.topic), (1, PortalTopic::LegalBasis));
    let guide = page(town.public().get("/one/guide").await);
    let text = guide.split("id=\"text-legal_basis\"").nth(1).unwrap().split("</section>").next().unwrap();
    for told in [
        "個人情報の&#60;条例&#62;",
        "第1版",
        "<h3>根拠</h3>",
        "<li>架空町の条例</li>",
        "<li>&#60;b&#62;法律&#60;/b&#62;</li>",
        "一行目\n二行目",
    ] {
        assert!(text.contains(told), "{told} is missing in {text}");
    }
    let all: Vec<PortalText> = office.get("/v1/portal/texts").await.ok();
    assert_eq!(all.iter().filter(|t| t.version > 0).count(), 1);
    for (bad, field) in [
        (change(1, " ", "文"), "title"),
        (change(1, "題", ""), "body"),
        (
            PortalTextChange { publish_from: Some("2026-02-30".into()), ..change(1, "題", "文") },
            "publish_from",
        ),
        (
            PortalTextChange {
                publish_from: Some("2026-04-02".into()),
                publish_until: Some("2026-04-01".into()),
                ..change(1, "題", "文")
            },
            "publish_until",
        ),
    ] {
        let problem = office.put("/v1/portal/texts/legal_basis", &bad).await.refused(Code::FieldInvalid);
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    for key in ["nonsense", "announcement", "unknown", "LEGAL_BASIS"] {
        let path = format!("/v1/portal/texts/{key}");
        office.put(&path, &change(0, "題", "文")).await.refused(Code::NotFound);
        assert_eq!(office.get(&format!("/portal-texts/{key}")).await.status, 404);
    }
    let nursing = town.facility(&office, "架空訪問看護").await;
    nursing
        .manager
        .put("/v1/portal/texts/terms", &change(0, "題", "文"))
        .await
        .refused(Code::RoleInsufficient);
    nursing.manager.get("/v1/portal/texts").await.refused(Code::RoleInsufficient);
    // Another town's portal says what it said.
    let other = host.town_with("two", MunicipalityPolicy::default()).await;
    assert!(!page(other.public().get("/two/guide").await).contains("架空町の条例"));
    // A version is never changed.
    let db = &host.server.app.db;
    let rows = portal_text::table.filter(portal_text::municipality_id.eq(town.id));
    let changed =
        db.write(async |c| Ok(run!(c, execute, diesel::update(rows).set(portal_text::body.eq("別")))?)).await;
    let deleted = db.write(async |c| Ok(run!(c, execute, diesel::delete(rows))?)).await;
    assert!(changed.is_err() && deleted.is_err());
}

async fn announcements_are_shown_on_their_days(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let announce = async |title: &str, from: i64, until: i64, withdrawn: bool| {
        let key = PostId::new().to_string();
        let new = PortalTextChange {
            publish_from: Some(today(from)),
            publish_until: Some(today(until)),
            withdrawn,
            ..change(0, title, "本文です。")
        };
        office.put(&format!("/v1/portal/texts/{key}"), &new).await.done();
        key
    };
    let shown = announce("今日のお知らせ", 0, 0, false).await;
    announce("明日のお知らせ", 1, 2, false).await;
    announce("昨日のお知らせ", -3, -1, false).await;
    announce("取り下げたお知らせ", 0, 0, true).await;
    let home = page(town.public().get("/one").await);
    let list: Vec<PortalText> = town.public().get(&town.path("/texts")).await.ok();
    for other in ["明日の", "昨日の", "取り下げた"] {
        assert!(!home.contains(other) && list.iter().all(|t| !t.title.contains(other)), "{other}");
    }
    assert!(home.contains("今日のお知らせ") && home.contains(&format!("id=\"text-{shown}\"")));
    let announced: Vec<_> = list.iter().filter(|t| t.topic == PortalTopic::Announcement).collect();
    assert_eq!((announced.len(), announced[0].key.as_str()), (1, shown.as_str()));
    let all = page(office.get("/portal-texts").await);
    for told in ["表示中", "表示の前", "表示の終わり", "取り下げ", "お知らせ（4件）"]
    {
        assert!(all.contains(told), "{told} is missing in {all}");
    }
    let later = PortalTextChange { withdrawn: true, ..change(1, "今日のお知らせ", "本文です。") };
    office.put(&format!("/v1/portal/texts/{shown}"), &later).await.done();
    assert!(!page(town.public().get("/one").await).contains("今日のお知らせ"));
}

async fn a_text_changed_twice_is_one_version(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let put = |key: &str, new: PortalTextChange| {
        let (office, path) = (office.clone(), format!("/v1/portal/texts/{key}"));
        async move { office.put(&path, &new).await }
    };
    let key = PostId::new().to_string();
    let same = (0..5).map(|_| put(&key, change(0, "お知らせ", "本文")));
    for answer in futures_util::future::join_all(same).await {
        assert_eq!(answer.ok::<PortalText>().version, 1);
    }
    let rivals = ["一", "二", "三", "四"].map(|body| put(&key, change(1, "お知らせ", body)));
    let mut outcomes: Vec<_> =
        futures_util::future::join_all(rivals).await.iter().map(|a| a.status).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409, 409, 409]);
    put(&key, change(0, "別", "別")).await.refused(Code::StateConflict);
    put(&PostId::new().to_string(), change(4, "別", "別")).await.refused(Code::StateConflict);
    let versions: i64 = host
        .server
        .app
        .db
        .read(async |c| {
            Ok(run!(c, get_result, portal_text::table.filter(portal_text::name.eq(&key)).count())?)
        })
        .await
        .unwrap();
    assert_eq!(versions, 2);
}

async fn the_office_writes_an_announcement_in_a_form(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let list = page(office.get("/portal-texts").await);
    assert!(list.contains("href=\"/portal-texts/new\"") && list.contains("href=\"/portal-texts/terms\""));
    let fresh = page(office.get("/portal-texts/new").await);
    let action = fresh.split("action=\"/portal-texts/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/portal-texts/{action}");
    let mut form = controls(&fresh);
    typed(&mut form, "body", "二行の\r\n<本文>です。");
    let back = send_form(&office, &path, &form).await;
    assert_eq!(back.status, 422);
    let back = back.text;
    assert!(back.contains("title-error") && back.contains("&#60;本文&#62;") && back.contains(&path));
    typed(&mut form, "title", "研修のお知らせ");
    for _ in 0..2 {
        let saved = send_form(&office, &path, &form).await;
        assert_eq!((saved.status, saved.landed.as_str()), (200, "/portal-texts?saved=1"));
    }
    assert!(page(town.public().get("/one").await).contains("二行の\n&#60;本文&#62;です。"));
    // The next version, from the page of the first.
    let mut next = controls(&page(office.get(&path).await));
    typed(&mut next, "title", "研修の日が変わりました");
    assert_eq!(send_form(&office, &path, &next).await.landed, "/portal-texts?saved=1");
    let page_of_it = page(office.get(&path).await);
    assert!(page_of_it.contains("第1版") && page_of_it.contains("第2版") && page_of_it.contains("事務 一郎"));
    let late = send_form(&office, &path, &form).await;
    assert_eq!(late.status, 409, "the first form again, after the second was saved");
    let terms = controls(&page(office.get("/portal-texts/terms").await));
    assert!(terms.iter().any(|(name, text)| name == "body" && text.contains("支援対象者")));
}
