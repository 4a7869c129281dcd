//! Pushes and mails against the fakes, over real sockets: what is delivered, what each refusal
//! becomes, and that nothing but a generic line, a kind and an id leaves the town.

use futures_util::future::join_all;
use renraku_server::mail::{Mail, MailConfig, MailOutcome, Mailer};
use renraku_server::push::{ApnsConfig, FcmConfig, Outcome, Push, PushConfig, Pusher};
use renraku_tests::fakes::{Apns, Google, Pki, Smtp};
use renraku_wire::{NoticeId, NoticeKind, PushPayload, PushProvider};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(10);

struct Town {
    apns: Apns,
    google: Google,
    pusher: Pusher,
}

fn config(apns: &Apns, google: &Google, timeout: Duration) -> PushConfig {
    PushConfig {
        apns: Some(ApnsConfig {
            key_p8_pem: apns.key_p8_pem.clone(),
            key_id: apns.key_id.clone(),
            team_id: apns.team_id.clone(),
            topic: apns.topic.clone(),
            endpoint: apns.url.clone(),
            extra_root_pem: Some(apns.root_pem.clone()),
        }),
        fcm: Some(FcmConfig {
            service_account_json: google.service_account_json.clone(),
            endpoint: google.url.clone(),
            extra_root_pem: Some(google.root_pem.clone()),
        }),
        timeout,
    }
}

async fn town(timeout: Duration) -> Town {
    let pki = Pki::new();
    let (apns, google) = (Apns::start(&pki).await, Google::start(&pki).await);
    let pusher = Pusher::new(&config(&apns, &google, timeout)).expect("a valid configuration");
    Town { apns, google, pusher }
}

fn push(provider: PushProvider, token: &str) -> Push {
    let payload = PushPayload { kind: NoticeKind::PostPublished, id: NoticeId::new() };
    Push { provider, token: token.into(), payload }
}

impl Town {
    async fn apns(&self, token: &str) -> Outcome {
        self.pusher.send(&push(PushProvider::Apns, token)).await
    }

    async fn fcm(&self, token: &str) -> Outcome {
        self.pusher.send(&push(PushProvider::Fcm, token)).await
    }
}

fn retry(after: Option<u64>, reason: &str) -> Outcome {
    Outcome::Retry { after: after.map(Duration::from_secs), reason: reason.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_a_connection_and_a_credential() {
    let town = town(SOON).await;
    let many = |provider| (0..200).map(move |n| push(provider, &format!("ok-{n}")));
    let pushes: Vec<_> = many(PushProvider::Apns).chain(many(PushProvider::Fcm)).collect();
    let outcomes = join_all(pushes.iter().map(|p| town.pusher.send(p))).await;
    assert!(outcomes.iter().all(|o| *o == Outcome::Delivered), "{outcomes:?}");
    assert_eq!(town.apns.wait_for(200, SOON).await.len(), 200);
    assert_eq!(town.google.wait_for(200, SOON).await.len(), 200);
    assert_eq!((town.apns.connections(), town.apns.provider_tokens()), (1, 1));
    assert_eq!((town.google.connections(), town.google.token_requests()), (1, 1));
}

#[tokio::test]
async fn nothing_but_a_line_a_kind_and_an_id_is_carried() {
    let town = town(SOON).await;
    for kind in [NoticeKind::PatientRegistered, NoticeKind::PostPublished] {
        let id = NoticeId::new();
        for provider in [PushProvider::Apns, PushProvider::Fcm] {
            let push = Push { provider, token: "ok-1".into(), payload: PushPayload { kind, id } };
            assert_eq!(town.pusher.send(&push).await, Outcome::Delivered);
        }
        let (apple, google) = (town.apns.received().pop().unwrap(), town.google.received().pop().unwrap());
        assert_eq!((&apple.id, &google.id), (&id.to_string(), &id.to_string()));
        assert_eq!(
            apple.payload,
            json!({
                "aps": { "alert": kind.line(), "sound": "default", "mutable-content": 1 },
                "renraku": { "kind": kind, "id": id },
            })
        );
        assert_eq!(
            google.payload,
            json!({ "message": {
                "token": "ok-1",
                "data": { "kind": kind, "id": id },
                "notification": { "body": kind.line() },
                "android": { "priority": "high", "ttl": "604800s" },
            } })
        );
        let mut names: Vec<_> =
            apple.headers.keys().map(|n| n.as_str()).filter(|n| n.starts_with("apns-")).collect();
        names.sort_unstable();
        assert_eq!(names, ["apns-expiration", "apns-id", "apns-priority", "apns-push-type", "apns-topic"]);
    }
}

#[tokio::test]
async fn a_second_try_carries_the_same_id() {
    let town = town(SOON).await;
    let push = push(PushProvider::Apns, "down-1");
    for _ in 0..2 {
        assert_eq!(town.pusher.send(&push).await, retry(None, "apns 503 ServiceUnavailable"));
    }
    let ids: Vec<_> = town.apns.received().into_iter().map(|r| r.id).collect();
    assert_eq!(ids, [push.payload.id.to_string(), push.payload.id.to_string()]);
}

#[tokio::test]
async fn each_refusal_has_its_outcome() {
    let town = town(SOON).await;
    let dead = |since_ms| Outcome::DeadToken { since_ms };
    assert_eq!(town.apns("gone-1").await, dead(Some(1_700_000_000_000)));
    assert_eq!(town.apns("bad-1").await, dead(None));
    assert_eq!(town.apns("busy-1").await, retry(Some(7), "apns 429 TooManyRequests"));
    assert_eq!(town.apns("html-1").await, retry(None, "apns 502 no reason given"));

    assert_eq!(town.fcm("gone-1").await, dead(None));
    assert_eq!(town.fcm("mismatch-1").await, dead(None));
    assert_eq!(town.fcm("bad-1").await, dead(None));
    assert_eq!(town.fcm("badfield-1").await, Outcome::Refused { reason: "fcm 400 INVALID_ARGUMENT".into() });
    assert_eq!(town.fcm("busy-1").await, retry(Some(7), "fcm 429 QUOTA_EXCEEDED"));
    assert_eq!(town.fcm("down-1").await, retry(None, "fcm 503 UNAVAILABLE"));
    assert_eq!(town.fcm("html-1").await, retry(None, "fcm 203 that cannot be read"));
    assert!(town.apns.wait_for(0, SOON).await.is_empty() && town.google.wait_for(0, SOON).await.is_empty());
}

#[tokio::test]
async fn an_expired_provider_token_is_renewed_once() {
    let town = town(SOON).await;
    assert_eq!(town.apns("ok-1").await, Outcome::Delivered);
    assert_eq!(town.apns("expired-1").await, Outcome::Delivered);
    let statuses: Vec<_> = town.apns.received().iter().map(|r| r.status.as_u16()).collect();
    assert_eq!((statuses, town.apns.provider_tokens()), (vec![200, 403, 200], 2));

    let Outcome::Retry { after: Some(after), .. } = town.apns("expired-2").await else {
        panic!("renewed too soon")
    };
    assert!(after > Duration::from_secs(19 * 60) && after <= Duration::from_secs(20 * 60), "{after:?}");
    assert_eq!(town.apns("ok-2").await, Outcome::Delivered);
    assert_eq!(town.apns.provider_tokens(), 2);
}

#[tokio::test]
async fn a_refused_access_token_is_renewed_once() {
    let town = town(SOON).await;
    assert_eq!(town.fcm("ok-1").await, Outcome::Delivered);
    assert_eq!(town.fcm("expired-1").await, Outcome::Delivered);
    assert_eq!((town.google.token_requests(), town.google.connections()), (2, 1));
    assert!(matches!(town.fcm("expired-2").await, Outcome::Retry { after: Some(_), .. }));
    assert_eq!(town.google.token_requests(), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    let town = town(Duration::from_millis(300)).await;
    let begun = Instant::now();
    for token in ["slow-1", "slowbody-1"] {
        let given_up = retry(None, "no whole answer within 300ms");
        assert_eq!((town.apns(token).await, town.fcm(token).await), (given_up.clone(), given_up), "{token}");
    }
    assert!(begun.elapsed() < SOON);
    assert_eq!(
        (town.apns("ok-1").await, town.apns.connections()),
        (Outcome::Delivered, 1),
        "the connection lives on"
    );
}

#[tokio::test]
async fn a_broken_connection_is_dialled_anew() {
    let town = town(SOON).await;
    assert_eq!(town.apns("ok-1").await, Outcome::Delivered);
    town.apns.hang_up();
    // The end of the old connection may be noticed only by the push that meets it.
    let outcome = town.apns("ok-2").await;
    assert!(matches!(outcome, Outcome::Delivered | Outcome::Retry { .. }), "{outcome:?}");
    assert_eq!(town.apns("ok-3").await, Outcome::Delivered);
    assert_eq!(town.apns.connections(), 2);
}

#[tokio::test]
async fn a_stranger_is_not_spoken_to() {
    let pki = Pki::new();
    let (apns, google) = (Apns::start(&pki).await, Google::start(&pki).await);
    let mut config = config(&apns, &google, SOON);
    config.apns.as_mut().unwrap().extra_root_pem = None;
    config.fcm.as_mut().unwrap().extra_root_pem = Some(Pki::new().root_pem());
    let pusher = Pusher::new(&config).unwrap();
    for provider in [PushProvider::Apns, PushProvider::Fcm] {
        let Outcome::Retry { reason, .. } = pusher.send(&push(provider, "ok-1")).await else {
            panic!("{provider:?}")
        };
        assert!(reason.contains("invalid peer certificate") && !reason.contains("ok-1"), "{reason}");
    }
    assert_eq!((apns.connections(), google.token_requests()), (0, 0));
}

#[tokio::test]
async fn wrong_credentials_wait_for_somebody_to_look() {
    let pki = Pki::new();
    let (apns, google) = (Apns::start(&pki).await, Google::start(&pki).await);
    let mut config = config(&apns, &google, SOON);
    config.apns.as_mut().unwrap().team_id = "ANOTHER".into();
    let account = &mut config.fcm.as_mut().unwrap().service_account_json;
    *account = account.replace("push@", "another@");
    let pusher = Pusher::new(&config).unwrap();
    let apple = pusher.send(&push(PushProvider::Apns, "ok-1")).await;
    assert_eq!(apple, retry(Some(300), "apns 403 InvalidProviderToken"));
    let pushes: Vec<_> = (0..20).map(|_| push(PushProvider::Fcm, "ok-1")).collect();
    for outcome in join_all(pushes.iter().map(|p| pusher.send(p))).await {
        assert_eq!(outcome, retry(Some(300), "fcm token: 400 invalid_grant"));
    }
    assert_eq!(google.token_requests(), 1, "twenty waiting, one question");
}

/// Prints only: a shared machine's clock is no judge. `cargo test … -- --nocapture` shows it.
#[tokio::test(flavor = "multi_thread")]
async fn one_push_after_another_is_quick() {
    let town = town(SOON).await;
    let mut times = Vec::new();
    for n in 0..200 {
        let begun = Instant::now();
        assert_eq!(town.apns(&format!("ok-{n}")).await, Outcome::Delivered);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "apns, 200 in sequence on loopback: median {:?}, p95 {:?}, max {:?}",
        times[100], times[190], times[199]
    );
}

fn mail(to: &str) -> Mail {
    let body = "連絡からのお知らせです。\n.\n新しい連絡があります。アプリまたはポータルでご確認ください。\n";
    Mail {
        to: to.into(),
        subject: "【連絡】新しい連絡があります".into(),
        body: body.into(),
        id: Uuid::now_v7(),
    }
}

#[tokio::test]
async fn mails_arrive_whole_over_a_kept_connection() {
    let smtp = Smtp::start().await;
    let from = "連絡 <renraku@town.example>".to_owned();
    let mailer = Mailer::new(&MailConfig { smtp_url: smtp.url.clone(), from, extra_root_pem: None }).unwrap();
    let sent: Vec<_> = (0..5).map(|n| mail(&format!("nurse{n}@home.example"))).collect();
    for mail in &sent {
        assert_eq!(mailer.send(mail).await, MailOutcome::Delivered);
        assert_eq!(mailer.send(mail).await, MailOutcome::Delivered);
    }
    let got = smtp.wait_for(10, SOON).await;
    assert_eq!(got.len(), 10);
    assert!(smtp.connections() <= 4, "{}", smtp.connections());
    for (mail, tries) in sent.iter().zip(got.chunks(2)) {
        for got in tries {
            assert_eq!((got.from.as_str(), &got.to), ("renraku@town.example", &vec![mail.to.clone()]));
            assert_eq!(got.header("subject"), Some(mail.subject.as_str()));
            assert_eq!(got.header("message-id"), Some(format!("<{}@town.example>", mail.id).as_str()));
            assert_eq!(got.body.trim_end(), mail.body.trim_end());
        }
    }
}

#[tokio::test]
async fn a_carriers_refusal_is_told_without_the_address() {
    let smtp = Smtp::start().await;
    let config = MailConfig { smtp_url: smtp.url.clone(), from: "a@b.example".into(), extra_root_pem: None };
    let mailer = Mailer::new(&config).unwrap();
    let refused = MailOutcome::Refused { reason: "smtp 550".into() };
    assert_eq!(mailer.send(&mail("reject-1@home.example")).await, refused);
    assert_eq!(
        mailer.send(&mail("later-1@home.example")).await,
        MailOutcome::Retry { reason: "smtp 451".into() }
    );
    assert_eq!(mailer.send(&mail("ok@home.example")).await, MailOutcome::Delivered);
    assert_eq!(smtp.received().len(), 1);
    drop(smtp);
    let MailOutcome::Retry { reason } = mailer.send(&mail("ok@home.example")).await else {
        panic!("nobody is there")
    };
    assert!(!reason.contains('@'), "{reason}");
}
