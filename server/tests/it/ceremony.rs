//! The authority's ceremony as docs/operation.md tells it, walked with the real binary: make, back up, lose,
//! put back, roll. And every copy that must not be put back.

use crate::operator::{Operator, Serving, limited, said};
use crate::town::*;
use renraku_server::db::Db;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{certificate, municipality, old_authority, revocation_list};
use renraku_server::run;
use renraku_server::secret::OperatorSecret;
use renraku_server::tls::authority_id;
use renraku_wire::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;
use x509_parser::prelude::FromDer as _;

/// The two hosts of a running server as a device meets them.
pub struct Hosts {
    serving: Serving,
    root: CertificateDer<'static>,
}

impl Hosts {
    pub fn of(operator: &Operator) -> Self {
        let serving = operator.serving();
        Self { root: CertificateDer::from_pem_file(operator.path("host/authority.pem")).unwrap(), serving }
    }

    pub fn care(&self, identity: &Identity) -> Client {
        Client::new(&self.root, &self.serving.care, Some(identity.clone()))
    }

    pub fn public(&self) -> Client {
        Client::new(&self.root, &self.serving.public, None)
    }

    pub async fn enrol_in(&self, slug: &str, number: &str, password: &str) -> Identity {
        let (key, csr) = csr();
        let request = Town::certificate_request(number, password, &csr);
        let path = format!("/v1/municipalities/{slug}/certificates");
        identity(&key, &self.public().post(&path, &request).await.ok())
    }

    async fn enrol(&self, number: &str, password: &str) -> Identity {
        self.enrol_in("one", number, password).await
    }

    async fn another(&self, admin: &Client) -> Identity {
        let ticket: EnrolmentTicket = admin.post("/v1/devices/tickets", &NewTicket::another()).await.ok();
        self.enrol(&ticket.number, &ticket.password).await
    }

    /// Number and length of the published list.
    async fn list(&self) -> (u64, usize) {
        let answer = self.public().get("/one/crl").await.done();
        let (_, list) =
            x509_parser::revocation_list::CertificateRevocationList::from_der(&answer.body).unwrap();
        let number = list.crl_number().unwrap().iter_u64_digits().next().unwrap();
        (number, list.iter_revoked_certificates().count())
    }
}

async fn revoke(office: &Client, device: &Identity) {
    let path = format!("/v1/devices/{}/revocation", device.device_id.unwrap());
    office.post(&path, &serde_json::json!({ "reason": "紛失", "kind": "lost" })).await.done();
}

async fn database(operator: &Operator) -> Db {
    let secret = OperatorSecret::read(&operator.path("operator.secret")).unwrap();
    let file = format!("sqlite:{}", operator.path("renraku.db").display());
    Db::open(operator.database.as_deref().unwrap_or(&file), &secret.database_key()).await.unwrap()
}

async fn record(operator: &Operator) -> (Vec<u8>, Vec<u8>) {
    let db = database(operator).await;
    db.read(async |c| {
        let row = (municipality::authority_cert, municipality::authority_key_sealed);
        Ok(run!(c, get_result, municipality::table.filter(municipality::slug.eq("one")).select(row))?)
    })
    .await
    .unwrap()
}

async fn put(operator: &Operator, certificate: &[u8], sealed: &[u8]) {
    let db = database(operator).await;
    db.write(async |c| {
        let this = diesel::update(municipality::table.filter(municipality::slug.eq("one")));
        let row =
            (municipality::authority_cert.eq(certificate), municipality::authority_key_sealed.eq(sealed));
        Ok(run!(c, execute, this.set(row))?)
    })
    .await
    .unwrap();
}

const CREATE: [&str; 10] = [
    "municipality",
    "create",
    "--slug",
    "one",
    "--name",
    "試験町",
    "--login-id",
    "jimukyoku",
    "--staff-name",
    "事務 一郎",
];

fn import(file: &Path) -> Vec<&str> {
    vec!["authority", "import", "--slug", "one", "--file", file.to_str().unwrap()]
}

fn export<'a>(slug: &'a str, file: &'a Path) -> Vec<&'a str> {
    vec!["authority", "export", "--slug", slug, "--out", file.to_str().unwrap()]
}

/// Makes all certificates the work of one authority.
async fn signed_by(operator: &Operator, id: &str) {
    let db = database(operator).await;
    db.write(async |c| {
        let all = diesel::update(certificate::table);
        Ok(run!(c, execute, all.set(certificate::authority.eq(id)))?)
    })
    .await
    .unwrap();
}

/// Who made each certificate.
async fn signers(operator: &Operator) -> Vec<String> {
    let db = database(operator).await;
    let all: Vec<Option<String>> = db
        .read(async |c| Ok(run!(c, load, certificate::table.select(certificate::authority))?))
        .await
        .unwrap();
    all.into_iter().map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make_back_up_lose_put_back_roll() {
    for operator in Operator::each().await {
        operator.good(&["init"]);
        let made: serde_json::Value =
            serde_json::from_str(&operator.good(&[&CREATE[..], &["--json"]].concat())).unwrap();
        let said = |name: &str| made[name].as_str().unwrap().to_owned();
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("one.age");
        operator.good(&export("one", &copy));
        let hosts = Hosts::of(&operator);
        let first = hosts.enrol(&said("number"), &said("password")).await;
        let mut office = hosts.care(&first);
        office.first_sign_in("jimukyoku", &said("first_password")).await;
        let lost = hosts.another(&office).await;
        revoke(&office, &lost).await;
        let before = hosts.list().await;
        assert_eq!(before.1, 1);
        drop(hosts);
        let (certificate, sealed) = record(&operator).await;
        // Lost in every way that a record can be: empty, half written, key or certificate alone, garbage; the
        // lists of revocations and the hosts' folder with it.
        for (c, k) in [
            (&[][..], &[][..]),
            (&certificate[..certificate.len() / 2], &sealed[..sealed.len() / 2]),
            (&certificate[..], &[][..]),
            (&[][..], &sealed[..]),
            (b"garbage", b"garbage"),
        ] {
            put(&operator, c, k).await;
            operator.refused(&["serve"], &["the authority of one cannot be opened", "authority import"]);
            assert!(operator.good(&import(&copy)).contains("is back, and signs"));
            assert!(operator.good(&import(&copy)).contains("stands; nothing was changed"));
            assert_eq!(record(&operator).await.0, certificate);
        }
        // One byte of the certificate, which still reads: of its signature, its name, its serial number.
        let (_, sealed) = record(&operator).await;
        let name = certificate.windows(7).position(|bytes| bytes == b"Renraku").unwrap();
        for place in [certificate.len() - 1, name, 15] {
            let mut altered = certificate.clone();
            altered[place] ^= 1;
            // With the key lost, too; and with the key, having signed for a while.
            put(&operator, &altered, b"garbage").await;
            assert!(operator.good(&import(&copy)).contains("is back, and signs"), "{place}");
            put(&operator, &altered, &sealed).await;
            signed_by(&operator, &authority_id(&altered)).await;
            assert!(operator.good(&import(&copy)).contains("is back, and signs"), "{place}");
            assert!(operator.good(&import(&copy)).contains("stands; nothing was changed"));
            assert_eq!(record(&operator).await.0, certificate);
            let now = signers(&operator).await;
            assert!(now.len() > 1 && now.iter().all(|id| *id == authority_id(&certificate)), "{now:?}");
        }
        let db = database(&operator).await;
        db.write(async |c| Ok(run!(c, execute, diesel::delete(revocation_list::table))?)).await.unwrap();
        drop(db);
        std::fs::remove_dir_all(operator.path("host")).unwrap();
        let hosts = Hosts::of(&operator);
        let token = office.token.clone();
        let mut office = hosts.care(&first);
        office.token = token;
        office.get("/v1/session").await.done();
        office.sign_in("jimukyoku", PASSWORD).await;
        hosts.care(&lost).get("/v1/session").await.refused(Code::CertificateRevoked);
        let after = hosts.list().await;
        assert!(after.0 >= before.0 && after.1 == 1, "{before:?} {after:?}: the numbers do not fall back");
        let another = hosts.another(&office).await;
        assert_eq!(another.chain[1].as_ref(), certificate, "the same authority signs");
        revoke(&office, &another).await;
        let last = hosts.list().await;
        assert!(last.0 > after.0 && last.1 == 2, "{after:?} {last:?}");
        drop(hosts);
        // Roll: the copy of the older one still serves until it is retired.
        operator.good(&["authority", "roll", "--slug", "one"]);
        let newer = elsewhere.path().join("newer.age");
        operator.good(&export("one", &newer));
        let db = database(&operator).await;
        db.write(async |c| {
            let this = diesel::update(old_authority::table);
            Ok(run!(c, execute, this.set(old_authority::key_sealed.eq(Some(&b"x"[..]))))?)
        })
        .await
        .unwrap();
        drop(db);
        operator.refused(&["serve"], &["authority import"]);
        assert!(operator.good(&import(&copy)).contains("the older authority"));
        let (_, sealed) = record(&operator).await;
        put(&operator, &[], &sealed[..9]).await;
        operator.refused(&import(&copy), &["older authority", "made after the last roll"]);
        assert!(operator.good(&import(&newer)).contains("is back, and signs"));
        let hosts = Hosts::of(&operator);
        hosts.care(&first).get("/v1/session").await.refused(Code::SessionInvalid);
        drop(hosts);
        operator.good(&["verify-audit"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_does_not_fit_changes_nothing() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let [stranger, _] = Operator::each().await;
        let stranger = stranger.with_town();
        let elsewhere = tempfile::tempdir().unwrap();
        let file = |name: &str| elsewhere.path().join(name);
        let (copy, theirs, two) = (file("one.age"), file("theirs.age"), file("two.age"));
        operator.good(&export("one", &copy));
        stranger.good(&export("one", &theirs));
        let second = ["municipality", "create", "--slug", "two", "--name", "第二町", "--login-id"];
        operator.good(&[&second[..], &["jimukyoku", "--staff-name", "事務 次郎"]].concat());
        operator.good(&export("two", &two));
        let their_secret = stranger.path("operator.secret");
        let their_secret = their_secret.to_str().unwrap();
        let with = |copy: &Path, flag: &str| {
            let mut words: Vec<String> = import(copy).into_iter().map(str::to_owned).collect();
            words.extend([flag.to_owned(), their_secret.to_owned()]);
            words
        };
        let refused = |words: &[String], sentence: &[&str]| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            operator.refused(&words, &[sentence, &["nothing was changed"]].concat());
        };
        let (certificate, sealed) = record(&operator).await;
        for damaged in [false, true] {
            if damaged {
                put(&operator, &certificate, &sealed[..sealed.len() - 5]).await;
            }
            // With a wrong secret, and with one that opens the copy but not what stands.
            refused(&with(&copy, "--secret-file"), &["operator's secret"]);
            refused(&with(&theirs, "--secret-file"), &["secret"]);
            operator
                .refused(&import(&theirs), &["sealed to another operator's secret", "nothing was changed"]);
            refused(
                &with(&theirs, "--copy-secret"),
                &["another one", if damaged { "Name a copy" } else { "roll" }],
            );
            operator.refused(&import(&two), &["is of the town two, not of one", "nothing was changed"]);
            let whole = std::fs::read(&copy).unwrap();
            for cut in [0, 20, whole.len() / 2, whole.len() - 1] {
                std::fs::write(file("cut.age"), &whole[..cut]).unwrap();
                operator.refused(&import(&file("cut.age")), &["damaged or cut short", "nothing was changed"]);
            }
            let secret = OperatorSecret::read(&operator.path("operator.secret")).unwrap();
            std::fs::write(file("other.age"), secret.seal(b"{}").unwrap()).unwrap();
            operator
                .refused(&import(&file("other.age")), &["not a copy of an authority", "authority export"]);
            operator.refused(&import(&file("none.age")), &["cannot be read", "nothing was changed"]);
            assert_eq!(record(&operator).await.0, certificate);
        }
        // A full disk.
        if operator.database.is_none() {
            let before = operator.files();
            let output = limited(&operator, &import(&copy));
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("ree space") && said.contains("nothing was changed"), "{said}");
            assert_eq!(operator.files(), before);
        }
        assert!(operator.good(&import(&copy)).contains("is back"));
        // Changed since, the secret of that time opens the copy.
        let old = file("old.secret");
        std::fs::copy(operator.path("operator.secret"), &old).unwrap();
        operator.good(&["secret", "change"]);
        operator.refused(&import(&copy), &["sealed to another operator's secret", "when it was made"]);
        put(&operator, &[], &[]).await;
        let words = [import(&copy), vec!["--copy-secret", old.to_str().unwrap()]].concat();
        assert!(operator.good(&words).contains("is back"));
        operator.good(&["authority", "roll", "--slug", "one"]);
        operator.good(&["authority", "retire", "--slug", "one"]);
        operator.refused(&words, &["has retired", "made after the last roll", "nothing was changed"]);
        drop(operator.serving());
        operator.good(&["verify-audit"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_takes_the_copy_with_the_town() {
    for (operator, fresh) in Operator::each().await.into_iter().zip(Operator::each().await) {
        let operator = operator.with_town();
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("one.age");
        operator.good(&export("one", &copy));
        let (certificate, _) = record(&operator).await;
        fresh.refused(&import(&copy), &["secret cannot be read"]);
        // The copy of the secret that was kept away from the machine.
        std::fs::copy(operator.path("operator.secret"), fresh.path("operator.secret")).unwrap();
        fresh.refused(&import(&copy), &["nothing was changed", "backup", "municipality create"]);
        let of = |slug| {
            let words = ["municipality", "create", "--slug", slug];
            [&words, &CREATE[4..], &["--authority", copy.to_str().unwrap()]].concat()
        };
        if fresh.database.is_some() {
            fresh.refused(&of("other"), &["is of the town one, not of other", "nothing was changed"]);
        }
        fresh.good(&of("one"));
        assert_eq!(record(&fresh).await.0, certificate);
        let standing = fresh.good(&["authority", "status", "--slug", "one"]);
        assert!(standing.starts_with(&authority_id(&certificate)), "{standing}");
        assert!(fresh.good(&import(&copy)).contains("stands; nothing was changed"));
        drop(fresh.serving());
    }
}
