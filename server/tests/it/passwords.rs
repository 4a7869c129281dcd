//! Guessing, and what it cannot do.

use crate::both;
use crate::staff::new_staff;
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{sign_in_tally, staff};
use renraku_server::hashing::Hashing;
use renraku_server::policy::{MunicipalityPolicy, preset};
use renraku_server::run;
use renraku_wire::*;
use reqwest::Method;

both!(
    a_guesser_on_one_device_keeps_nobody_out_on_another,
    guessing_from_many_devices_does_not_reach_the_own_one,
    tries_at_another_facility_keep_no_newcomer_out,
    a_day_of_guessing_is_75_tries,
    ids_that_nobody_has_lock_alike,
    the_lock_says_how_long_in_the_towns_minutes,
    a_flood_of_sign_ins_is_told_to_come_back,
    passwords_that_a_colleague_would_guess_are_refused,
    of_two_changes_at_once_one_counts,
    the_new_password_is_no_second_guess_at_the_current_one,
);

fn sign_in(login_id: &str, password: &str) -> SignIn {
    SignIn { id: None, login_id: login_id.into(), password: password.into() }
}

async fn guess(device: &Client, login_id: &str) -> Answer {
    device.post("/v1/session", &sign_in(login_id, "wrong-wrong-9")).await
}

/// Lets so many milliseconds go by for all tallies.
async fn later(host: &Host, millis: i64) {
    let db = &host.server.app.db;
    db.write(async |c| {
        let set = (
            sign_in_tally::failed_at.eq(sign_in_tally::failed_at - millis),
            sign_in_tally::locked_until.eq(sign_in_tally::locked_until - millis),
        );
        run!(c, execute, diesel::update(sign_in_tally::table).set(set))?;
        Ok(())
    })
    .await
    .unwrap();
}

async fn a_guesser_on_one_device_keeps_nobody_out_on_another(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let thief = nursing.manager.clone();
    for _ in 0..4 {
        guess(&thief, "nurse.n").await.refused(Code::SignInRefused);
    }
    for _ in 0..20 {
        guess(&thief, "nurse.n").await.locked("15分");
    }
    // Not even with the right password, on the guesser's device. On the own one at once.
    thief.post("/v1/session", &sign_in("nurse.n", PASSWORD)).await.locked("15分");
    nurse.sign_in("nurse.n", PASSWORD).await;
    // A strange device is open too: one device alone does not bind the id elsewhere.
    let mut fresh = town.care(town.device(&nursing.manager, nursing.id).await);
    fresh.sign_in("nurse.n", PASSWORD).await;
    // Others on the guesser's device go on.
    let manager: Staff = nursing.manager.get("/v1/session").await.ok();
    assert_eq!(manager.role, Role::FacilityManager);
}

async fn guessing_from_many_devices_does_not_reach_the_own_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    for _ in 0..4 {
        let device = town.care(town.device(&nursing.manager, nursing.id).await);
        for _ in 0..5 {
            guess(&device, "nurse.n").await;
        }
    }
    let mut fresh = town.care(town.device(&nursing.manager, nursing.id).await);
    fresh.post("/v1/session", &sign_in("nurse.n", PASSWORD)).await.locked("1分");
    nurse.sign_in("nurse.n", PASSWORD).await;
    later(&host, 60_000).await;
    fresh.sign_in("nurse.n", PASSWORD).await;
}

async fn tries_at_another_facility_keep_no_newcomer_out(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let clinic = town.facility(&office, "架空診療所").await;
    town.member(&nursing, "nurse.n", Profession::Nurse).await;
    for _ in 0..4 {
        let device = town.care(town.device(&clinic.manager, clinic.id).await);
        for _ in 0..5 {
            guess(&device, "nurse.n").await;
        }
    }
    // There they are counted as those of her own facility would be, so that the count tells nothing.
    let device = town.care(town.device(&clinic.manager, clinic.id).await);
    guess(&device, "nurse.n").await.locked("1分");
    let mut fresh = town.care(town.device(&nursing.manager, nursing.id).await);
    fresh.sign_in("nurse.n", PASSWORD).await;
}

async fn a_day_of_guessing_is_75_tries(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    // The worst case: a device on which she signed in before.
    let mut tablet = nursing.manager.clone();
    tablet.sign_in("nurse.n", PASSWORD).await;
    let (mut passed, mut guesses) = (0, 0);
    while passed < 24 * 60 * 60_000 {
        let answer = guess(&tablet, "nurse.n").await;
        guesses += 1;
        if answer.status == 429 {
            let db = &host.server.app.db;
            let until: Vec<Option<i64>> = db
                .read(async |c| {
                    Ok(run!(
                        c,
                        load,
                        sign_in_tally::table
                            .filter(sign_in_tally::known_at.is_not_null())
                            .select(sign_in_tally::locked_until)
                    )?)
                })
                .await
                .unwrap();
            let wait = until.into_iter().flatten().max().unwrap() - clock::now();
            passed += wait.max(1);
            later(&host, wait + 1).await;
        }
    }
    assert_eq!(guesses, 75);
    nurse.sign_in("nurse.n", PASSWORD).await;
}

async fn ids_that_nobody_has_lock_alike(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    town.member(&nursing, "nurse.n", Profession::Nurse).await;
    // On the office's device the nurse's id is as unknown as nobody's.
    for login_id in ["nobody", "nurse.n", "かんごし"] {
        for _ in 0..4 {
            guess(&office, login_id).await.refused(Code::SignInRefused);
        }
        guess(&office, login_id).await.locked("15分");
    }
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.done();
}

async fn the_lock_says_how_long_in_the_towns_minutes(host: Host) {
    let policy = MunicipalityPolicy { lock_after: 2, lock_minutes: 7, ..preset("takahagi").unwrap() };
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    guess(&office, "jimukyoku").await.refused(Code::SignInRefused);
    guess(&office, "jimukyoku").await.locked("7分待つか、管理者に");
    later(&host, 3 * 60_000).await;
    guess(&office, "jimukyoku").await.locked("4分待つか");
    // The password form counts with the same tally.
    let change = PasswordChange { current: PASSWORD.into(), new: "niji-to-ame-no-hi".into() };
    office.post("/v1/session/password", &change).await.locked("4分待つか");
}

async fn a_flood_of_sign_ins_is_told_to_come_back(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let app = host.server.app.clone();
    let crowd = tokio::spawn(async move {
        let turns = (0..Hashing::BENCH).map(|_| async {
            let _turn = app.hashing.turn().await.unwrap();
            std::future::pending::<()>().await;
        });
        futures_util::future::join_all(turns).await;
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let answer = office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await;
    assert_eq!(answer.headers["retry-after"], "5");
    answer.refused(Code::Unavailable);
    let page = crate::pages::Browser::of(&host, &office);
    let page = page.post("/sign-in", &[("login_id", "jimukyoku"), ("password", PASSWORD)]).await;
    assert_eq!(page.shows(503, &["混み合っています"]).headers["retry-after"], "5");
    // Whoever is in goes on.
    office.get("/v1/session").await.done();
    crowd.abort();
    let _ = crowd.await;
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.done();
}

async fn passwords_that_a_colleague_would_guess_are_refused(host: Host) {
    let town = host.town("hoshizora").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let change = |new: &str| PasswordChange { current: PASSWORD.into(), new: new.into() };
    for weak in [
        "架空訪問看護2026",
        "hoshizora2026",
        "試験町1234",
        "kangoshi2026",
        "my-nurse.n-7Q",
        "20261122",
        PASSWORD,
    ] {
        nurse.post("/v1/session/password", &change(weak)).await.refused(Code::PasswordWeak);
    }
    nurse.post("/v1/session/password", &change("niji-to-ame-no-hi")).await.done();
    nurse.send(nurse.request(Method::GET, "/v1/session")).await.done();
}

async fn of_two_changes_at_once_one_counts(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let news = ["niji-to-ame-no-hi", "umi-no-kaze-to-tsuki"];
    let both = news.map(|new| {
        let office = office.clone();
        let change = PasswordChange { current: PASSWORD.into(), new: new.into() };
        async move { office.post("/v1/session/password", &change).await.status }
    });
    let statuses = futures_util::future::join_all(both).await;
    let done: Vec<_> = news.iter().zip(&statuses).filter(|(_, s)| **s < 300).collect();
    assert!(!done.is_empty(), "{statuses:?}");
    let mut opened = 0;
    for new in news {
        opened += usize::from(office.post("/v1/session", &sign_in("jimukyoku", new)).await.status < 300);
    }
    assert_eq!(opened, 1, "{statuses:?}");
}

async fn the_new_password_is_no_second_guess_at_the_current_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let new = new_staff("nurse.n");
    let given: StaffAdded = nursing.manager.post("/v1/staff", &new).await.ok();
    let mut nurse = town.care(town.device(&nursing.manager, nursing.id).await);
    nurse.sign_in("nurse.n", &given.first_password).await;
    // As if she had changed it to that, long ago.
    let own = staff::table.filter(staff::id.eq(renraku_server::db::Id::from(given.id)));
    let db = &host.server.app.db;
    db.write(async |c| Ok(run!(c, execute, diesel::update(own).set(staff::must_change_password.eq(false)))?))
        .await
        .unwrap();
    let guess = PasswordChange { current: "wrong-wrong-9".into(), new: given.first_password };
    nurse.post("/v1/session/password", &guess).await.refused(Code::SignInRefused);
}
