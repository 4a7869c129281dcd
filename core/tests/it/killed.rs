//! Killed at any instant: a process of its own composes, changes, takes back and sends, and is killed by the
//! system again and again. Nothing that it acknowledged is lost, nothing is there twice, each patient's posts
//! are in order.

use crate::phone::{Phone, draft, noisy_photo, of_another_process, text};
use crate::town::found;
use renraku_core::{Cancel, Device, ItemState, Session};
use renraku_wire::{PatientId, PostId, StaffId};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 25;
const TIME: Duration = Duration::from_secs(45);

/// The phone's process. Says on its standard output what it was told; ends only by being killed.
#[ignore = "it is started, and killed, by the test below"]
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var("RENRAKU_PHONE").map(PathBuf::from) else { return };
    let word = |name: &str| std::env::var(name).unwrap();
    let round = word("RENRAKU_ROUND");
    let device = Device::open(of_another_process(&folder)).unwrap();
    let staff: StaffId = word("RENRAKU_STAFF").parse().unwrap();
    let patients: [PatientId; 2] =
        ["RENRAKU_PATIENT_0", "RENRAKU_PATIENT_1"].map(|name| word(name).parse().unwrap());
    let session = Arc::new(device.resume(staff).await.unwrap());
    tokio::spawn({
        let session = session.clone();
        async move {
            loop {
                session.flush(true).await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    for n in 0u32.. {
        let mut post = draft(patients[(n % 2) as usize], &format!("{round}-{n}"));
        if n % 5 == 4 {
            post.attachments = vec![noisy_photo(folder.join("camera.jpg"), 64)];
        }
        post.keep_as_draft = n % 4 == 3;
        let kept_as_draft = post.keep_as_draft;
        let id = session.compose(post).await.unwrap();
        println!("KEPT {id}");
        session.prepare(Cancel::new(), None).await.unwrap();
        if kept_as_draft {
            session.edit(id, text(&format!("{round}-{n}"))).await.unwrap();
            session.release(id).await.unwrap();
        }
        if n % 6 == 5 {
            println!("BACK? {id}");
            let answer = if session.cancel(id).await.is_ok() { "BACK" } else { "KEPT" };
            println!("{answer} {id}");
        }
    }
}

/// The phone's process: this program, at an ignored test of its own.
pub fn phones_process(
    test: &str,
    phone: &Phone,
    round: u32,
    staff: StaffId,
    patients: [PatientId; 2],
) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("RENRAKU_PHONE", phone.folder.path())
        .env("RENRAKU_ROUND", round.to_string())
        .env("RENRAKU_STAFF", staff.to_string())
        .env("RENRAKU_PATIENT_0", patients[0].to_string())
        .env("RENRAKU_PATIENT_1", patients[1].to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What the phone said of a post, the last word counts.
fn listen(output: impl std::io::Read, said: &mut HashMap<PostId, String>, order: &mut Vec<PostId>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let Some((word, id)) = line.split_once(' ') else { continue };
        let (true, Ok(id)) = (["KEPT", "BACK?", "BACK"].contains(&word), id.parse()) else { continue };
        if said.insert(id, word.to_owned()).is_none() {
            order.push(id);
        }
    }
}

pub async fn resumed(phone: Phone, staff: StaffId) -> (Phone, Session) {
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    (phone, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_nothing_is_sent_twice_and_the_order_stays() {
    let town = found().await;
    let (mut phone, session) = Phone::with_nurse(&town).await;
    let (staff, other) = (session.staff().id, PatientId::new());
    drop(session);
    std::fs::write(phone.file("roots.pem"), &town.web.pem).unwrap();
    let (mut said, mut order) = (HashMap::new(), Vec::new());
    let (start, mut kills) = (Instant::now(), 0);
    for round in 0..ROUNDS {
        if start.elapsed() > TIME {
            break;
        }
        let patients = [town.patient.id, other];
        let mut child = phones_process("killed::child", &phone, round, staff, patients).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let hear = tokio::task::spawn_blocking(move || {
            let (mut said, mut order) = (HashMap::new(), Vec::new());
            listen(output, &mut said, &mut order);
            (said, order)
        });
        tokio::time::sleep(Duration::from_millis(50 + rand::random::<u64>() % 900)).await;
        assert!(child.try_wait().unwrap().is_none(), "the phone ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let (heard, heard_order) = hear.await.unwrap();
        said.extend(heard);
        order.extend(heard_order);
        if round % 5 == 4 {
            let (now, session) = resumed(phone, staff).await;
            let listed: HashSet<PostId> = session.outbox().await.unwrap().iter().map(|i| i.id).collect();
            let there = |id: &PostId| listed.contains(id);
            let lost = said.iter().find(|(id, word)| *word == "KEPT" && !there(id));
            assert!(lost.is_none(), "round {round}: {lost:?} is in no state");
            phone = now;
        }
    }
    let (_phone, session) = resumed(phone, staff).await;
    session.prepare(Cancel::new(), None).await.unwrap();
    while session.flush(true).await.unwrap().remaining > 0 {
        assert!(start.elapsed() < TIME * 3, "it does not come to an end");
    }
    let items = session.outbox().await.unwrap();
    let left = items.iter().find(|i| i.state != ItemState::Sent && i.state != ItemState::Draft);
    assert!(left.is_none(), "{left:?}");
    let drafts: HashSet<PostId> =
        items.iter().filter(|i| i.state == ItemState::Draft).map(|i| i.id).collect();

    let facts = town.facts();
    let arrived: HashMap<PostId, usize> = facts.posts.iter().enumerate().map(|(n, p)| (p.id, n)).collect();
    let bodies: HashSet<&str> = facts.posts.iter().map(|p| p.body.as_str()).collect();
    assert_eq!((arrived.len(), bodies.len()), (facts.posts.len(), facts.posts.len()), "one of each");
    let kept = said.iter().filter(|(_, word)| *word == "KEPT").count();
    println!("{kills} kills, {kept} posts kept, {} attempts", facts.attempts.len());
    assert!(kills >= 5 && kept > 20, "{kills} kills, {kept} kept: too few to tell");
    for (id, word) in &said {
        match word.as_str() {
            "KEPT" => assert!(arrived.contains_key(id) || drafts.contains(id), "{id} was lost"),
            "BACK" => assert!(!arrived.contains_key(id), "{id} was taken back"),
            _ => {}
        }
    }
    // A draft goes to the end of the line when it is let go, so it has its place from there.
    let in_line = |id: &&PostId| {
        let body = arrived.get(*id).map(|n| &facts.posts[*n].body);
        body.and_then(|b| b.split_once('-')?.1.parse::<u32>().ok()).is_some_and(|n| n % 4 != 3)
    };
    for patient in [town.patient.id, other] {
        let places: Vec<usize> = order
            .iter()
            .filter(in_line)
            .map(|id| arrived[id])
            .filter(|n| facts.posts[*n].patient_id == patient)
            .collect();
        assert!(places.is_sorted(), "a patient's posts are in order: {places:?}");
        assert!(places.len() > 5);
    }
}

/// The phone's process, which ends by itself while it is at work with its store, and while it lets go of it.
#[ignore = "it is started by the test below"]
#[tokio::test(flavor = "multi_thread")]
async fn leaver() {
    let Ok(folder) = std::env::var("RENRAKU_PHONE").map(PathBuf::from) else { return };
    let word = |name: &str| std::env::var(name).unwrap();
    let round: u64 = word("RENRAKU_ROUND").parse().unwrap();
    let staff: StaffId = word("RENRAKU_STAFF").parse().unwrap();
    let patient: PatientId = word("RENRAKU_PATIENT_0").parse().unwrap();
    let device = Arc::new(Device::open(of_another_process(&folder)).unwrap());
    for _ in 0..4 {
        let device = device.clone();
        tokio::spawn(async move {
            loop {
                let session = device.resume(staff).await.unwrap();
                for _ in 0..3 {
                    session.compose(draft(patient, "written")).await.unwrap();
                    session.outbox().await.unwrap();
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(100 + 7 * round)).await;
    println!("ENDS");
    std::process::exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_while_it_writes_does_not_crash() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    drop(session);
    std::fs::write(phone.file("roots.pem"), &town.web.pem).unwrap();
    for round in 0..10 {
        let child =
            phones_process("killed::leaver", &phone, round, staff, [town.patient.id; 2]).output().unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(said.contains("ENDS") && child.status.success(), "{:?} {said}", child.status);
    }
    let (_phone, session) = resumed(phone, staff).await;
    assert!(session.outbox().await.unwrap().len() > 3);
}
