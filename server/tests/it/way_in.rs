//! The office that has lost its only device or password is let in again by the operator's command, beside the running
//! server; nothing is changed by a command that cannot be carried out.

use crate::ceremony::Hosts;
use crate::operator::Operator;
use crate::town::{Client, PASSWORD, Town, csr};
use renraku_wire::*;

/// What the command printed, line by line.
fn printed(text: &str) -> Vec<String> {
    text.lines().map(|l| l.rsplit(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_is_let_in_again() {
    for operator in Operator::each().await {
        operator.good(&["init"]);
        let create = ["municipality", "create", "--slug", "one", "--name", "試験町"];
        let who = ["--login-id", "jimukyoku", "--staff-name", "事務 一郎"];
        let first = printed(&operator.good(&[&create[..], &who].concat()));
        let hosts = Hosts::of(&operator);
        let let_in = |rest: &[&str]| {
            let words = [&["municipality", "let-office-in", "--slug", "one"][..], rest].concat();
            printed(&operator.good(&words))
        };
        // The first No was mistyped until it was worth nothing.
        let public = hosts.public();
        let enrol = async |number: &str, password: &str| {
            let request = Town::certificate_request(number, password, &csr().1);
            public.post("/v1/municipalities/one/certificates", &request).await
        };
        for _ in 0..5 {
            enrol(&first[0], "mistyped").await.refused(Code::TicketInvalid);
        }
        enrol(&first[0], &first[1]).await.refused(Code::TicketInvalid);
        let [number, password] = <[String; 2]>::try_from(let_in(&[])).unwrap();
        let device = hosts.enrol_in("one", &number, &password).await;
        // The password was forgotten: the old one ends, with its sessions.
        let mut office: Client = hosts.care(&device);
        let words = let_in(&["--login-id", "ＪＩＭＵＫＹＯＫＵ"]);
        assert_eq!(words[2], "jimukyoku");
        office.first_sign_in("jimukyoku", &words[3]).await;
        let words = let_in(&["--login-id", "jimukyoku"]);
        assert_eq!(office.get("/v1/session").await.status, 401);
        let wrong = SignIn { id: None, login_id: "jimukyoku".into(), password: PASSWORD.into() };
        office.post("/v1/session", &wrong).await.refused(Code::SignInRefused);
        office.first_sign_in("jimukyoku", &words[3]).await;
        // Its only person is gone: a new account. Suspended, it is let in again.
        let words = let_in(&["--login-id", "atarashii", "--staff-name", "新任 花子"]);
        let mut second = hosts.care(&hosts.enrol_in("one", &words[0], &words[1]).await);
        let opened = second.first_sign_in("atarashii", &words[3]).await;
        let reason = Suspending { id: SuspensionId::new(), reason: "試験".into(), agreed: true };
        office.post(&format!("/v1/staff/{}/suspension", opened.staff.id), &reason).await.done();
        let words = let_in(&["--login-id", "atarashii"]);
        second.first_sign_in("atarashii", &words[3]).await;
        // What cannot be done changes nothing.
        drop((office, second, hosts));
        operator.good(&["verify-audit"]);
        let refused = |rest: &[&str], why: &str| {
            let words = [&["municipality", "let-office-in", "--slug"][..], rest].concat();
            operator.refused(&words, &[why, "nothing was changed"]);
        };
        refused(&["two"], "there is no town two");
        refused(&["a b"], "there is no town");
        refused(&["one", "--login-id", "nobody"], "nobody has this user id");
    }
}
