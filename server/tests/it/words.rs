//! The town's own words for the person supported, the place, its staff, a post and the team's lead (F17): nothing
//! that is shown or sent has them written in.

use crate::both;
use crate::pages::Browser;
use crate::town::*;
use renraku_server::policy::{has_words, preset};
use renraku_wire::*;
use std::path::{Path, PathBuf};

both!(refusals_and_hints_speak_the_towns_words);

/// What towns say, the words of the shipped presets too.
const SAID: [&str; 12] = [
    "支援対象者",
    "スタッフ",
    "担当者",
    "施設",
    "投稿",
    "事業所",
    "患者",
    "利用者",
    "記事",
    "代表者",
    "メッセージ",
    "支援者",
];

/// Where they may be written: each of these is said by way of `worded`, or lists words to choose from.
const WORDED: [&str; 6] = [
    "device/finding.rs",
    "municipality/settings/table.rs",
    "municipality/texts/shipped.rs",
    "policy/mod.rs",
    "policy/presets.rs",
    "policy/words.rs",
];

fn files(folder: &Path, ends: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ends, found);
        } else if path.extension().is_some_and(|e| e == ends) {
            found.push(path);
        }
    }
}

fn named(text: &str) -> Option<&'static str> {
    SAID.into_iter().find(|word| text.contains(word))
}

#[test]
fn no_template_and_no_text_has_a_towns_word_written_in() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut templates, mut sources) = (vec![], vec![]);
    files(&server.join("templates"), "html", &mut templates);
    files(&server.join("src"), "rs", &mut sources);
    assert!(templates.len() > 40 && sources.len() > 100);
    let mut found = vec![];
    for path in templates {
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            found.extend(named(line).map(|word| format!("{}: {word}: {}", path.display(), line.trim())));
        }
    }
    for path in sources {
        let name = path.strip_prefix(server.join("src")).unwrap().to_str().unwrap().to_owned();
        if WORDED.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let mut before = "";
        for line in code.lines() {
            let said = !line.trim_start().starts_with("//")
                && !line.contains("worded(")
                && !before.ends_with("worded(");
            found.extend(named(line).filter(|_| said).map(|word| format!("{name}: {word}: {}", line.trim())));
            before = line.trim_end();
        }
    }
    // The settings say which words nobody can choose.
    found.retain(|f| !f.starts_with("municipality/settings/rules.rs: 利用者: if word == "));
    assert!(found.is_empty(), "say it with the policy's words, or through `worded`: {found:#?}");
}

async fn refusals_and_hints_speak_the_towns_words(host: Host) {
    let mut policy = preset("izumo").unwrap();
    policy.words.staff = "働き手".into();
    policy.words.lead = "まとめ役".into();
    policy.words.facility = "拠点".into();
    policy.trial_mode = false;
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    let place = town.facility(&office, "架空拠点").await;
    let (id, member) = town.member(&place, "kango.k", Profession::Nurse).await;
    let told = |answer: Answer| serde_json::from_slice::<Problem>(&answer.body).unwrap().detail;
    // JSON, on both hosts.
    let detail = told(member.get("/v1/devices").await);
    assert!(detail.contains("拠点の管理者") && !has_words(&detail), "{detail}");
    let weak = PasswordChange { current: PASSWORD.into(), new: "password".into() };
    let detail = told(member.post("/v1/session/password", &weak).await);
    assert!(detail.contains("拠点名") && !has_words(&detail), "{detail}");
    office
        .post(&format!("/v1/facilities/{}/suspension", place.id), &serde_json::json!({ "reason": "試験" }))
        .await
        .done();
    let detail = told(member.get("/v1/session").await);
    assert!(detail.starts_with("この拠点の利用は"), "{detail}");
    office.post(&format!("/v1/facilities/{}/resumption", place.id), &()).await.done();
    // Pages with hints that name them.
    let desk = Browser::of(&host, &office);
    let page = desk
        .get(&format!("/staff/{id}"))
        .await
        .shows(200, &["まとめ役の支援チーム", "まとめ役を引き継ぎます"]);
    page.lacks("担当者");
    let page = desk
        .get("/devices/codes?code=R-107")
        .await
        .shows(200, &["端末の属する拠点", "この拠点の利用は", "拠点の一覧"]);
    let page = page.lacks("施設");
    page.lacks("スタッフ");
    let answer = town.public().get("/one/apply").await.done();
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("利用する働き手と端末") && !has_words(&text), "{text}");
    // What was written into a record when the place closed.
    let closing = serde_json::json!({ "id": FacilityChangeId::new(), "reason": "閉所" });
    office.post(&format!("/v1/facilities/{}/closure", place.id), &closing).await.done();
    desk.get("/devices/codes?search=架空拠点").await.shows(200, &["拠点の廃止"]).lacks("施設");
}
