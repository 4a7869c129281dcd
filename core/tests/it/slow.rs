//! Over a line of 300 kbit/s that breaks at random: at most one chunk is sent again for each break.
//!
//! Twice at once: over a line that this program makes slow by itself, always; and in a network namespace of its
//! own, where the system shapes the packets (`tc netem` with delay and loss, or `tbf` where the kernel has no
//! netem), where one may make such a thing. `RENRAKU_UPLOAD_MEGABYTES` sets the size; without it it is two.

use crate::namespace;
use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{PASSWORD, Town, found};
use rand::Rng;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{DevicePolicy, MediaState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// 300 kbit/s, in bytes.
const RATE: u64 = 300_000 / 8;

/// Makes loopback slow in a namespace of its own, says how, and goes on as the program given.
const NAMESPACE: &str = r#"
ip link set lo mtu 1500 up || exit 77
if tc qdisc add dev lo root netem rate 300kbit delay 40ms 10ms loss 0.3% 2>/dev/null; then
  export RENRAKU_LINE="tc netem: 300 kbit/s, 40 ms, 0.3 % lost"
elif tc qdisc add dev lo root tbf rate 300kbit burst 16kb latency 400ms 2>/dev/null; then
  export RENRAKU_LINE="tc tbf: 300 kbit/s (this kernel has no netem)"
else
  exit 77
fi
exec "$0" "$@"
"#;

fn bytes() -> u64 {
    let asked = std::env::var("RENRAKU_UPLOAD_MEGABYTES").ok().and_then(|n| n.parse::<u64>().ok());
    asked.unwrap_or(2) * 1_000_000
}

/// Plans the next break as soon as the last one happened.
async fn break_it_again_and_again(town: Arc<Town>) {
    loop {
        if !town.network.is_to_be_cut() {
            town.network.cut_after(rand::rng().random_range(200_000..900_000));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn upload(line: &str, rate: u64) {
    let town = found().await;
    let phone = Phone::new(&town);
    phone.enrol("1234").await.unwrap();
    let mut session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let policy = DevicePolicy { photo_bytes: 8_000_000, photo_quality: 95, ..session.policy().clone() };
    town.facts().policy = Some(policy);
    session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let photo = noisy_photo(phone.file("camera.jpg"), 1045);
    let mut length = 0;
    while length < bytes() {
        composed(&session, one(&town, photo.clone())).await;
        let items = session.outbox().await.unwrap();
        length = items.iter().flat_map(|i| &i.media).map(|m| m.length).sum();
    }
    town.network.trickle(rate);
    let breaking = tokio::spawn(break_it_again_and_again(town.clone()));
    let start = Instant::now();
    while session.flush(true).await.unwrap().remaining > 0 {}
    let seconds = start.elapsed().as_secs_f64();
    breaking.abort();
    let cuts = town.network.cuts.load(Ordering::SeqCst);
    let facts = town.facts();
    let again = facts.chunk_bytes - length;
    println!(
        "UPLOAD over {line}: {length} bytes in {seconds:.0} s, {cuts} breaks, {again} bytes again \
         (at most {}), {} requests",
        cuts * DEVICE_CHUNK_BYTES as u64,
        facts.chunks
    );
    assert!(cuts >= 2, "{cuts} breaks are too few to tell");
    assert!(again <= cuts * DEVICE_CHUNK_BYTES as u64, "{again} bytes again for {cuts} breaks");
    let chunk = DEVICE_CHUNK_BYTES as u64;
    let needed: u64 = facts.files.values().map(|f| f.new.length.div_ceil(chunk)).sum();
    assert!(facts.chunks <= needed + cuts, "{} requests for {needed} chunks and {cuts} breaks", facts.chunks);
    assert!(
        facts.files.values().all(|f| f.state == MediaState::Ready && f.bytes.len() as u64 == f.new.length)
    );
}

fn one(town: &Town, photo: renraku_core::Attachment) -> renraku_core::Draft {
    renraku_core::Draft { attachments: vec![photo], ..draft(town.patient.id, "photo") }
}

/// What runs in the namespace.
#[ignore = "it is started by the test below, in a namespace of its own"]
#[tokio::test(flavor = "multi_thread")]
async fn in_the_namespace() {
    let line = std::env::var("RENRAKU_LINE").expect("it is started by the test below");
    upload(&line, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_one_chunk_is_sent_again_for_each_break() {
    let system = || namespace::run(&["--net"], NAMESPACE, &["slow::in_the_namespace"]);
    let system = tokio::task::spawn_blocking(system);
    upload("a line made slow by the test: 300 kbit/s", RATE).await;
    if let Some(said) = system.await.unwrap() {
        let line = said.lines().find(|line| line.contains("UPLOAD over tc"));
        println!("{}", line.expect("the system's line was slow"));
    }
}

/// A chunk of 256 KiB at 48 kbit/s takes 44 s; this one is smaller, on a line that is slower still.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_may_take_longer_than_any_answer_may() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = noisy_photo(phone.file("camera.jpg"), 300);
    composed(&session, one(&town, photo)).await;
    let length = session.outbox().await.unwrap()[0].media[0].length;
    assert!(length <= DEVICE_CHUNK_BYTES as u64, "{length} bytes are more than a chunk");
    town.network.trickle(length / 36);
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.offline), (1, false));
    let facts = town.facts();
    assert_eq!((facts.chunks, facts.chunk_bytes), (1, length), "nothing was sent twice");
}
