//! Two figures of a phone: a page of 30 posts from the sealed store, and how long the core takes from the start of
//! its process until the person's outbox and timeline are there. Printed, never asserted: machines differ.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on may stop")]
#![allow(dead_code, reason = "the tests' town can do more than is needed here")]

#[path = "../tests/it/files.rs"]
mod files;
#[path = "../tests/it/line.rs"]
mod line;
#[path = "../tests/it/network.rs"]
mod network;
#[path = "../tests/it/phone.rs"]
mod phone;
#[path = "../tests/it/town/mod.rs"]
mod town;

use phone::Phone;
use renraku_core::vault::FileVault;
use renraku_core::{Device, DeviceSettings};
use renraku_wire::{NewPost, PatientId, PostId, Timestamp, limits};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Posts in the store: a busy month of one patient.
const POSTS: usize = 240;

fn main() {
    let started = Instant::now();
    let words: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let [_, word, folder, staff, patient, cursor] = words.as_slice()
        && word == "--cold"
    {
        runtime.block_on(cold(Path::new(folder), staff, patient, cursor));
        println!("{}", started.elapsed().as_micros());
    } else if words.iter().any(|word| word == "--bench") {
        runtime.block_on(bench());
    }
}

fn rounds(usual: usize) -> usize {
    std::env::var("RENRAKU_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Median and the slowest but one in twenty, in milliseconds.
fn told(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    (at(50), at(95))
}

async fn bench() {
    let town = town::found().await;
    let patient = town.patient.id;
    for n in 0..POSTS {
        let new = NewPost {
            id: PostId::new(),
            body: format!("{n}：左踵の発赤は2cm。体位変換を2時間ごとに続け、皮膚の様子を見ます。").repeat(2),
            urgent: n % 20 == 0,
            body_site: None,
            written_at: Timestamp(1),
            media: vec![],
        };
        let post = town.as_post(patient, &new, n);
        town.facts().posts.push(post);
    }
    let (phone, session) = Phone::with_nurse(&town).await;
    session.patients().await.unwrap();
    session.timeline(patient, None).await.unwrap();
    town.network.set_down(true);
    // The first page would look for the server first.
    let cursor = session.timeline(patient, None).await.unwrap().value.next.unwrap();
    let mut times = Vec::new();
    for _ in 0..rounds(300) {
        let start = Instant::now();
        let page = session.timeline(patient, Some(&cursor)).await.unwrap();
        times.push(start.elapsed());
        assert_eq!(page.value.posts.len(), limits::TIMELINE_PAGE);
    }
    let (median, slow) = told(times);
    println!(
        "a page of 30 posts from the sealed store: median {median:.2} ms, p95 {slow:.2} ms (wanted: under 5)"
    );

    let staff = session.staff().id.to_string();
    drop(session);
    std::fs::write(phone.file("roots.pem"), &town.web.pem).unwrap();
    let Phone { folder, device, .. } = phone;
    drop(device);
    let (mut inside, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds(31) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.arg("--cold").arg(folder.path()).args([&staff, &patient.to_string(), &cursor]);
        let start = Instant::now();
        let output = child.output().unwrap();
        whole.push(start.elapsed());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let micros: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        inside.push(Duration::from_micros(micros));
    }
    let ((median, slow), (process, _)) = (told(inside), told(whole));
    println!(
        "cold start of the core, until the outbox and 30 posts are there: median {median:.1} ms, p95 {slow:.1} ms \
         (wanted: under 50); the whole process {process:.1} ms"
    );
}

async fn cold(folder: &Path, staff: &str, patient: &str, cursor: &str) {
    let device = Device::open(DeviceSettings {
        folder: folder.join("app"),
        vault: Arc::new(FileVault::open(folder.join("vault")).unwrap()),
        key: None,
        spare_key: None,
        extra_roots: Some(std::fs::read_to_string(folder.join("roots.pem")).unwrap()),
        town: None,
        clock: None,
    })
    .unwrap();
    let session = device.resume(staff.parse().unwrap()).await.unwrap();
    session.outbox().await.unwrap();
    let patient: PatientId = patient.parse().unwrap();
    let page = session.timeline(patient, Some(cursor)).await.unwrap();
    assert_eq!(page.value.posts.len(), limits::TIMELINE_PAGE);
}
