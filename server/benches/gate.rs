//! What getting in costs: a request's authentication on both databases, signing in beside argon2 alone,
//! full mutual-TLS handshakes beside OpenSSL's own server. The real server, over real TLS, with the fixtures
//! of the tests. Prints figures and judges none; clients share the machine with the server.
//!
//! PostgreSQL is found under `RENRAKU_TEST_POSTGRES` (`scripts/with-postgres`), and `openssl` on the path.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on stops")]
#![allow(dead_code, reason = "the fixtures are those of the tests")]

#[path = "../tests/it/client.rs"]
mod client;
#[path = "../tests/it/mailbox.rs"]
mod mailbox;
#[path = "../tests/it/town.rs"]
mod town;

use argon2::password_hash::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::sql_types::Integer;
use renraku_server::access::{self, Credentials, Of, Read, token_hash};
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{certificate, staff};
use renraku_server::run;
use renraku_wire::{PatientId, SignIn};
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use town::{Care, Client, Host, PASSWORD, Town};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    for (name, host) in [("SQLite", Host::sqlite().await), ("PostgreSQL", Host::postgres().await)] {
        let town = host.town("one").await;
        let care = town.care_team().await;
        authentication(name, &host, &care).await;
        strangers(name, &town, &care).await;
        signing_in(name, &host, &care).await;
        if host.server.app.db.is_sqlite() {
            handshakes(&host, &care.nurse.1);
        }
        drop(care);
        host.server.stop().await;
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Certificate, session and capability, in a transaction of their own as a request about a patient begins, and all
/// by themselves as other requests begin: all of what that takes, from the pool and back. Beside it the least that
/// the database can be asked.
async fn authentication(name: &str, host: &Host, care: &Care) {
    let app = &host.server.app;
    let device = care.nurse.1.identity.as_ref().unwrap().device_id.unwrap();
    let (serial, key_sha256): (String, String) = app
        .db
        .read(async |c| {
            let of_device =
                certificate::table.filter(certificate::device_id.eq(renraku_server::db::Id::from(device)));
            Ok(run!(c, get_result, of_device.select((certificate::serial, certificate::key_sha256)))?)
        })
        .await
        .unwrap();
    let credentials = Credentials {
        serial: Some(serial),
        key_sha256: Some(key_sha256),
        token_hash: care.nurse.1.token.as_deref().map(token_hash),
        seen: app.seen.clone(),
    };
    let (app, patient) = (app.clone(), care.patient);
    // On the runtime's threads, where requests are answered.
    let rounds = tokio::spawn(async move {
        let of = Of::Patient(patient.into());
        let mut times: [Vec<Duration>; 3] = Default::default();
        for round in 0..3_000 {
            let mut took = [Duration::ZERO; 3];
            let start = Instant::now();
            black_box(
                app.db.read(async |c| access::patient::<Read>(c, &credentials, of).await).await.unwrap(),
            );
            took[0] = start.elapsed();
            let start = Instant::now();
            black_box(app.db.glance(async |c| access::signed_in(c, &credentials).await).await.unwrap());
            took[1] = start.elapsed();
            let start = Instant::now();
            let one = app
                .db
                .glance(async |c| Ok(run!(c, get_result::<i32>, diesel::select(1.into_sql::<Integer>()))?));
            black_box(one.await.unwrap());
            took[2] = start.elapsed();
            // The first rounds open connections and warm caches.
            if round >= 200 {
                times.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
            }
        }
        times
    });
    let [patient, signed_in, one] = rounds.await.unwrap().map(|mut times| median(&mut times));
    println!(
        "{name:<10} authentication adds    median {patient:.3} ms with a patient, {signed_in:.3} ms without (SELECT 1 takes {one:.3} ms)"
    );
}

/// How long the refusal of a patient's id takes: one that nobody has, one of the same town, one of another.
async fn strangers(name: &str, town: &Town<'_>, care: &Care) {
    let elsewhere = town.host.town("two").await.care_team().await;
    let asking = town.facility(&care.office, "架空薬局").await.manager;
    let ids = [PatientId::new(), care.patient, elsewhere.patient];
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..600 {
        for (times, id) in times.iter_mut().zip(ids) {
            let start = Instant::now();
            assert_eq!(asking.get(&format!("/v1/patients/{id}")).await.status, 404);
            if round >= 50 {
                times.push(start.elapsed());
            }
        }
    }
    let [nobodys, mine, others] = times.map(|mut t| median(&mut t));
    println!(
        "{name:<10} a refused id           nobody's {nobodys:.3} ms, same town's {mine:.3} ms (ratio {:.2}), another town's {others:.3} ms (ratio {:.2})",
        mine / nobodys,
        others / nobodys
    );
}

/// Passwords a second that argon2 checks on two threads, and sign-ins a second of several people at once, in
/// turns; each turn of sign-ins is held against the turns of argon2 before and after it, for the machine's own pace
/// wanders, and the ratio is the median of the turns'. The people's own devices are not the server's cost: the
/// processor time that they took is left out, and printed.
async fn signing_in(name: &str, host: &Host, care: &Care) {
    const ROUNDS: usize = 15;
    const EACH: usize = 40;
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    let hash: String = host
        .server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                get_result,
                staff::table.filter(staff::login_id.eq("nurse.n")).select(staff::password_hash)
            )?)
        })
        .await
        .unwrap();
    let mut turns = Vec::new();
    let mut before = passwords_alone(EACH, &hash);
    for _ in 0..ROUNDS {
        let (root, url) = (host.root.clone(), host.server.app.care_url.clone());
        let identity = care.nurse.1.identity.clone().unwrap();
        let devices = std::thread::spawn(move || {
            devices_sign_in(EACH, || Client::new(&root, &url, Some(identity.clone())))
        });
        let (all, devices) = tokio::task::spawn_blocking(|| devices.join().unwrap()).await.unwrap();
        let after = passwords_alone(EACH, &hash);
        let alone = f64::midpoint(before, after);
        before = after;
        // With cores to spare the devices keep the server from nothing.
        let share = if cores <= 2.0 { devices / cores } else { 0.0 };
        turns.push(((all - share) / alone, alone, devices / all));
    }
    turns.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let percent = |turn: usize| (turns[turn].0 - 1.0) * 100.0;
    let (ratio, alone, devices) = turns[ROUNDS / 2];
    let alone = EACH as f64 / alone;
    println!(
        "{name:<10} sign-ins               {:.1}/s, argon2 alone {:.1}/s: everything else costs {:.1} % of argon2 (half of the turns between {:.1} and {:.1}; beside it, the devices' own side took {:.1} % of the processors)",
        alone / ratio,
        alone,
        percent(ROUNDS / 2),
        percent(ROUNDS / 4),
        percent(ROUNDS - 1 - ROUNDS / 4),
        devices / cores * 100.0
    );
}

/// Seconds that so many passwords take to check, on two threads, each in memory that it keeps, as the server
/// hands its memory on.
fn passwords_alone(count: usize, hash: &str) -> f64 {
    let parsed = PasswordHash::new(hash).unwrap();
    let params = Params::try_from(&parsed).unwrap();
    let mut buffer = [0; 64];
    let salt = parsed.salt.unwrap().decode_b64(&mut buffer).unwrap();
    let expected = parsed.hash.unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut memory = vec![Block::default(); params.block_count()];
                for _ in 0..count / 2 {
                    let mut out = [0; 32];
                    let password = PASSWORD.as_bytes();
                    argon2.hash_password_into_with_memory(password, salt, &mut out, &mut memory).unwrap();
                    assert_eq!(out, expected.as_bytes());
                }
            });
        }
    });
    start.elapsed().as_secs_f64()
}

/// Sign-ins of several people, all on one thread: seconds that they took, and seconds of a processor that
/// this thread did.
fn devices_sign_in(count: usize, device: impl Fn() -> Client) -> (f64, f64) {
    /// Two are hashed at once; with as many again waiting, none of the two places is ever empty.
    const AT_ONCE: usize = 4;
    let sign_in = SignIn { id: None, login_id: "nurse.n".into(), password: PASSWORD.into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let devices: Vec<Client> = (0..AT_ONCE).map(|_| device()).collect();
        // Connects.
        for device in &devices {
            assert_eq!(device.get("/v1/session").await.status, 401);
        }
        let (start, worked) = (Instant::now(), processor_seconds());
        let each = devices.iter().map(async |device| {
            for _ in 0..count / AT_ONCE {
                device.post("/v1/session", &sign_in).await.done();
            }
        });
        futures_util::future::join_all(each).await;
        (start.elapsed().as_secs_f64(), processor_seconds() - worked)
    })
}

/// What this thread has had of a processor, as Linux counts it.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same client, `openssl s_time`, with a device's certificate, against our care host and against
/// `openssl s_server` that asks for the same certificate.
fn handshakes(host: &Host, client: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let identity = client.identity.as_ref().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    };
    let chain: String = identity.chain.iter().map(|c| pem("CERTIFICATE", c)).collect();
    let device = file("device.pem", &(chain + &pem("PRIVATE KEY", &identity.key)));
    let authority = file("authority.pem", &pem("CERTIFICATE", identity.chain.last().unwrap()));
    let ours = host.server.care.to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut theirs = Command::new("openssl");
    theirs.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-tls1_3", "-quiet", "-Verify", "2"]);
    theirs.arg("-cert").arg(&device).arg("-key").arg(&device).arg("-CAfile").arg(&authority);
    let _theirs =
        Stopped(theirs.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    std::thread::sleep(Duration::from_millis(300));
    let mut rates = [vec![], vec![]];
    for _ in 0..3 {
        for (rates, address) in rates.iter_mut().zip([ours.clone(), format!("127.0.0.1:{port}")]) {
            rates.push(handshakes_a_second(&address, &device));
        }
    }
    let [ours, theirs] = rates.map(|mut r: Vec<f64>| {
        r.sort_by(f64::total_cmp);
        r[r.len() / 2]
    });
    println!(
        "full mutual-TLS handshakes, openssl s_time: {ours:.0}/s here, {theirs:.0}/s with openssl s_server: ratio {:.2}",
        ours / theirs
    );
}

fn handshakes_a_second(address: &str, device: &std::path::Path) -> f64 {
    let mut command = Command::new("openssl");
    command.args(["s_time", "-connect", address, "-new", "-time", "3", "-tls1_3"]);
    command.arg("-cert").arg(device).arg("-key").arg(device);
    let output = command.output().unwrap();
    // "1234 connections in 4 real seconds, …": whole seconds of the wall, so the clock is ours.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let count =
        text.lines().find_map(|l| l.split_once(" connections in ").filter(|(_, rest)| rest.contains("real")));
    let (count, rest) = count.unwrap_or_else(|| panic!("openssl s_time said: {text}"));
    let seconds: f64 = rest.split(' ').next().unwrap().parse().unwrap();
    count.trim().parse::<f64>().unwrap() / seconds
}
