//! The portal as its people see it: a real browser goes the town's way through the pages, from the application
//! to the revoked device, with the certificate that the page itself handed out. With RENRAKU_SCREENSHOTS=1 it
//! leaves the pictures for the README in `docs/screenshots`.

mod chromium;

use chromium::Chromium;
use futures_util::FutureExt as _;
use renraku_media::fixture;
use renraku_tests::demo::people::PASSWORD;
use renraku_tests::demo::{Demo, DemoOptions, Story, consent_pdf};
use std::panic::AssertUnwindSafe;

const MAIL: &str = "asahi@demo.invalid";
const MANAGER: &str = "試験 明";
const MANAGER_PASSWORD: &str = "yama-to-kawa-62";

#[tokio::test(flavor = "multi_thread")]
async fn a_town_lives_on_its_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let options =
        DemoOptions { folder: folder.path().join("demo"), story: Story::short(), usual_ports: false };
    let demo = Demo::start(&options, &|line| println!("{line}")).await.expect("a town");
    let browser = Chromium::start().await;
    let told = AssertUnwindSafe(tell(&demo, &browser, folder.path())).catch_unwind().await;
    browser.stop().await;
    demo.stop().await;
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }
}

async fn tell(demo: &Demo, browser: &Chromium, folder: &std::path::Path) {
    apply(demo, browser).await;
    let (login_id, first_password) = approve(demo, browser).await;
    let door = pick_up(demo, browser).await;
    manage(browser, &door.url, &login_id, &first_password).await;
    register(browser, &door.url, folder).await;
    let patient = write(demo, browser, folder).await;
    acknowledge(demo, browser, &patient).await;
    look_round(demo, browser).await;
    revoke(demo, browser).await;
}

/// A facility's manager applies on the public host (F02).
async fn apply(demo: &Demo, browser: &Chromium) {
    browser.open(&demo.index().public).await;
    browser.picture("public-home").await;
    browser.press("#to-apply").await;
    browser.fill("#name", "あさひ薬局").await;
    browser.choose("#kind", "pharmacy").await;
    browser.fill("#address", "ひかり町旭四丁目4番").await;
    browser.fill("#telephone", "0000-00-1004").await;
    browser.fill("#manager_name", MANAGER).await;
    browser.fill("#manager_mail", MAIL).await;
    browser.picture("apply").await;
    browser.press("#apply").await;
    browser.wait("#applied").await;
}

async fn sign_in(browser: &Chromium, door: &str, login_id: &str, password: &str) {
    browser.open(&format!("{door}/")).await;
    browser.fill("#login_id", login_id).await;
    browser.fill("#password", password).await;
    browser.press("#sign-in").await;
}

/// The office approves; gives what it hands to the manager.
async fn approve(demo: &Demo, browser: &Chromium) -> (String, String) {
    let office = demo.index().door("office").to_owned();
    browser.open(&format!("{office}/")).await;
    browser.wait("#login_id").await;
    browser.picture("sign-in").await;
    sign_in(browser, &office, "jimukyoku", PASSWORD).await;
    browser.wait("#signed-in-as").await;
    browser.open(&format!("{office}/facilities")).await;
    browser.picture("facilities").await;
    correct(demo, browser).await;
    browser.open(&format!("{office}/facilities")).await;
    browser.press("[id^=approve-]").await;
    browser.wait("#approved").await;
    (browser.text_of("#login-id").await, browser.text_of("#first-password").await)
}

/// The office returns the application, and the applicant corrects it by the mailed link (F02).
async fn correct(demo: &Demo, browser: &Chromium) {
    browser.press("[id^=open-]").await;
    browser.press("#return-open").await;
    browser.fill("#return-reason", "番地を確かめてください").await;
    browser.press("#return").await;
    browser.wait("#return-state").await;
    browser.press("#return-open").await;
    browser.picture("returned").await;
    let mail = mailed(demo, "/corrections/").await;
    let token = mail.lines().find_map(|line| line.trim().split_once("/corrections/")).expect("in the mail").1;
    // Through the demo's own door, whose certificate the browser need not know.
    browser.open(&format!("{}/corrections/{token}", demo.index().public)).await;
    browser.set("#address", "ひかり町旭四丁目4番1号").await;
    browser.press("#apply").await;
    browser.wait("#applied").await;
}

/// The mail to the manager with these words in it, once it was sent.
async fn mailed(demo: &Demo, words: &str) -> String {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let all = demo.sent().into_iter();
        if let Some(mail) = all.filter(|sent| sent.to == MAIL).find(|sent| sent.whole.contains(words)) {
            break mail.whole;
        }
        assert!(std::time::Instant::now() < end, "no mail with {words} came");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The manager's PC gets its certificate with the mailed No and password (F05).
async fn pick_up(demo: &Demo, browser: &Chromium) -> renraku_tests::gateway::Gateway {
    let mail = mailed(demo, "証明書取得用No:").await;
    browser.open(&format!("{}/sent", demo.url)).await;
    assert!(browser.text().await.contains(MAIL), "the demo shows the mail");
    let line =
        |label| mail.lines().find_map(|l| l.strip_prefix(label)).expect("in the mail").trim().to_owned();
    let (number, password) = (line("証明書取得用No:"), line("パスワード:"));
    browser.open(&demo.index().public).await;
    browser.press("#to-certificate").await;
    browser.picture("certificate").await;
    browser.fill("#number", &number).await;
    browser.fill("#password", &password).await;
    browser.fill("#device_name", "あさひ薬局 受付PC").await;
    browser.press("#get-certificate").await;
    let file = browser.download("p12").await;
    demo.open_door(&file, &password).await.expect("the certificate works")
}

/// First sign-in, a new password, and an account for a colleague (F08).
async fn manage(browser: &Chromium, door: &str, login_id: &str, first_password: &str) {
    sign_in(browser, door, login_id, first_password).await;
    browser.fill("#current", first_password).await;
    browser.fill("#new", MANAGER_PASSWORD).await;
    browser.fill("#again", MANAGER_PASSWORD).await;
    browser.press("#change-password").await;
    // The page of the new password has no links yet.
    browser.wait("#nav-home").await;
    browser.open(&format!("{door}/staff")).await;
    browser.fill("#name", "試験 薫").await;
    browser.choose("#profession", "pharmacist").await;
    browser.fill("#login_id", "yaku1").await;
    browser.picture("staff").await;
    browser.press("#add-staff").await;
    browser.wait("#added").await;
    assert!(browser.text_of("#first-password").await.len() >= 8);
}

/// A patient with a consent and a team of three facilities (F29, F34, F39).
async fn register(browser: &Chromium, door: &str, folder: &std::path::Path) {
    let consent = folder.join("consent.pdf");
    std::fs::write(&consent, consent_pdf()).expect("a file");
    browser.open(&format!("{door}/patients/new")).await;
    browser.fill("#name", "試験 小春").await;
    browser.fill("#kana", "シケン コハル").await;
    browser.press("#gender-female").await;
    browser.set("#birth_date", "1940-05-01").await;
    browser.fill("#address", "ひかり町（架空）").await;
    browser.choose("#care_level", "23").await;
    for name in [MANAGER, "見本 花子", "見本 太郎"] {
        browser.tick(&format!("//label[contains(., '{name}')]/input[@name='member']")).await;
    }
    browser.tick(&format!("//label[contains(., '{MANAGER}')]/input[@name='lead']")).await;
    browser.press("#giver-patient").await;
    browser.press("#form-municipal").await;
    browser.set("#obtained_on", "2026-04-01").await;
    browser.fill("#document", &consent.display().to_string()).await;
    browser.picture("register-patient").await;
    browser.press("#register").await;
    assert!(browser.text_of("#patient-header").await.contains("試験 小春"));
}

/// The nurse reads the timeline and writes a post with a photo from the camera. Gives the page's path.
async fn write(demo: &Demo, browser: &Chromium, folder: &std::path::Path) -> String {
    let door = demo.index().door("nursing").to_owned();
    sign_in(browser, &door, "kango1", PASSWORD).await;
    browser.wait("#signed-in-as").await;
    browser.picture("home").await;
    browser.press("//a[contains(., '試験 ウメ')]").await;
    browser.wait("#timeline").await;
    assert_eq!(browser.count("article.post").await, 2);
    let photo = folder.join("IMG_0001.JPG");
    std::fs::write(&photo, fixture::phone_photo(16)).expect("a file");
    browser.press("#compose-open").await;
    browser.fill("#body", "左踵 2.0×1.5cm。滲出液はほとんどありません。").await;
    browser.choose("#body_site", "left_heel").await;
    browser.fill("#photo", &photo.display().to_string()).await;
    browser.fill("#description", "左踵の写真").await;
    browser.press("#publish").await;
    browser.wait("#done").await;
    assert_eq!(browser.count("article.post").await, 3);
    assert_eq!(browser.pictures_shown().await, 2, "the week's picture and the new one");
    browser.picture("timeline").await;
    let path = browser.address().await.strip_prefix(&door).expect("on this door").to_owned();
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The doctor presses 👍; the nurse, still signed in on her PC, sees who (F49, F50).
async fn acknowledge(demo: &Demo, browser: &Chromium, patient: &str) {
    let (nursing, clinic) = (demo.index().door("nursing").to_owned(), demo.index().door("clinic").to_owned());
    sign_in(browser, &clinic, "isha1", PASSWORD).await;
    browser.wait("#signed-in-as").await;
    browser.open(&format!("{clinic}{patient}")).await;
    let newest = browser.attribute("article.post", "id").await.expect("an id");
    let id = newest.strip_prefix("post-").expect("a post's id");
    assert_eq!(browser.attribute(&format!("#ack-{id}"), "aria-pressed").await.as_deref(), Some("false"));
    browser.press(&format!("#ack-{id}")).await;
    browser.wait(&format!("#ack-{id}[aria-pressed=true]")).await;
    browser.open(&format!("{nursing}{patient}")).await;
    browser.press(&format!("#receipts-{id}")).await;
    let doctor = browser.wait("//table[@id='receipts']//tr[contains(., '見本 太郎')]").await;
    assert!(doctor.text().await.expect("a text").contains('👍'));
    browser.picture("receipts").await;
}

/// The pages that nobody has opened on the way, as the office and as a stranger see them.
async fn look_round(demo: &Demo, browser: &Chromium) {
    let office = demo.index().door("office").to_owned();
    for path in ["tasks", "settings", "inbox", "incidents", "training"] {
        browser.look(&format!("{office}/{path}")).await;
        browser.picture(path).await;
    }
    for path in [
        "settings/history",
        "portal-texts",
        "facilities/new",
        "training/overview",
        "review",
        "review/overview",
        "devices/own",
        "devices/codes",
        "undelivered",
        "profile",
        "sessions",
        "password",
    ] {
        browser.look(&format!("{office}/{path}")).await;
    }
    let public = &demo.index().public;
    for path in ["guide", "facilities", "no-mail", "diagnosis"] {
        browser.look(&format!("{public}/{path}")).await;
    }
}

/// The office revokes the nurses' PC: its very next request is refused.
async fn revoke(demo: &Demo, browser: &Chromium) {
    let (office, nursing) = (demo.index().door("office").to_owned(), demo.index().door("nursing").to_owned());
    browser.open(&format!("{office}/devices")).await;
    browser.picture("devices").await;
    let card = "//li[contains(., 'ひなた 事務所PC')]";
    browser.press(&format!("{card}//summary[contains(@id, 'revoke-open-')]")).await;
    let reason = browser.wait(&format!("{card}//input[@name='reason']")).await;
    reason.send_keys("紛失").await.expect("a field");
    browser.press(&format!("{card}//button[contains(@class, 'danger')]")).await;
    assert!(browser.text_of("#done").await.contains("失効"));
    browser.open(&format!("{nursing}/")).await;
    let refused = browser.text().await;
    assert!(refused.contains("失効"), "{refused}");
    assert!(!refused.contains("ウメ"));
}
