//! Making files that break off: by a kill, by a fault, by somebody who waits no longer.

use crate::killed::phones_process;
use crate::phone::{Phone, Watch, noisy_photo, of_another_process};
use crate::preparing::{film, prepare, with};
use crate::town::found;
use renraku_core::{Cancel, CoreError, Device, DeviceSettings, FileState, Progress};
use renraku_wire::{Code, StaffId};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const FAILED: FileState = FileState::Failed { code: Code::MediaUnreadable };

/// Holds up the work that tells it, until it is let go.
#[derive(Default)]
struct Holding(Mutex<bool>, Condvar, AtomicBool);

impl Holding {
    fn go(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

impl Progress for Holding {
    fn on_progress(&self, _: f32) {
        self.2.store(true, Ordering::SeqCst);
        println!("MAKING");
        let mut go = self.0.lock().unwrap();
        while !*go {
            go = self.1.wait(go).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_to_stop_does_not_wait_for_the_work_to_look() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let walk = film(phone.file("walk.mp4"), 1.0);
    session.compose(with(town.patient.id, "walks", vec![walk])).await.unwrap();
    let mut waits = Vec::new();
    let ear = loop {
        let (cancel, ear) = (Cancel::new(), Arc::new(Holding::default()));
        let making = tokio::spawn({
            let (session, cancel, ear) = (session.clone(), cancel.clone(), ear.clone());
            async move { session.prepare(cancel, Some(ear)).await }
        });
        while !ear.2.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        cancel.cancel();
        let cancelled = Instant::now();
        // The work itself is held up, and looks at no flag.
        let stopped = tokio::time::timeout(Duration::from_secs(20), making).await.unwrap().unwrap();
        assert_eq!(stopped, Err(CoreError::Cancelled));
        waits.push(cancelled.elapsed());
        if waits.len() == 9 {
            break ear;
        }
        ear.go();
    };
    // The median: what counts is how the core waits, not what else a machine does.
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < Duration::from_millis(200), "{waits:?}");
    assert_eq!(session.outbox().await.unwrap()[0].media[0].state, FileState::Planned);
    let again = tokio::spawn({
        let session = session.clone();
        async move { prepare(&session).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!again.is_finished(), "it keeps its turn until it has stopped");
    ear.go();
    assert_eq!(again.await.unwrap(), (1, 0), "made once, by the second call");
}

/// Panics as long as it is told of a first file.
struct Broken(AtomicU32);

impl Progress for Broken {
    fn on_progress(&self, done: f32) {
        if done < 0.5 {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("deliberate");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_making_breaks_off_holds_no_other_up_and_is_not_tried_for_ever() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (walk, photo) = (film(phone.file("walk.mp4"), 1.0), noisy_photo(phone.file("camera.jpg"), 64));
    session.compose(with(town.patient.id, "both", vec![walk, photo])).await.unwrap();
    let ear = Arc::new(Broken(AtomicU32::new(0)));
    let states = async || {
        let media = session.outbox().await.unwrap().remove(0).media;
        [media[0].state, media[1].state]
    };
    for hour in 0..4 {
        // However often within an hour.
        for _ in 0..2 {
            let broken = session.prepare(Cancel::new(), Some(ear.clone())).await;
            assert_eq!(broken, Err(CoreError::Unexpected { reference: None }), "{hour}");
            assert_eq!(states().await, [FileState::Planned, FileState::Made], "{hour}");
        }
        phone.clock.hours(1);
    }
    let report = session.prepare(Cancel::new(), Some(ear.clone())).await.unwrap();
    assert_eq!((report.made, report.failed), (0, 1), "not for ever");
    assert_eq!(states().await, [FAILED, FileState::Made]);
    assert!(ear.0.load(Ordering::SeqCst) >= 9);
    session.release(session.outbox().await.unwrap()[0].id).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0), "asked to, it begins anew");
}

/// The phone's process: makes a film, and never comes to the end.
#[ignore = "it is started, and killed, by the test below"]
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var("RENRAKU_PHONE").map(PathBuf::from) else { return };
    let word = |name: &str| std::env::var(name).unwrap();
    let clock = Arc::new(Watch::default());
    clock.hours(word("RENRAKU_ROUND").parse().unwrap());
    let settings = DeviceSettings { clock: Some(clock), ..of_another_process(&folder) };
    let device = Device::open(settings).unwrap();
    let staff: StaffId = word("RENRAKU_STAFF").parse().unwrap();
    let session = device.resume(staff).await.unwrap();
    let made = session.prepare(Cancel::new(), Some(Arc::new(Holding::default()))).await;
    println!("ENDED {made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_kills_the_process_is_given_up_and_one_that_is_killed_with_it_is_not() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let (walk, photo) = (film(phone.file("walk.mp4"), 1.0), noisy_photo(phone.file("camera.jpg"), 64));
    session.compose(with(town.patient.id, "both", vec![walk, photo])).await.unwrap();
    drop(session);
    std::fs::write(phone.file("roots.pem"), &town.web.pem).unwrap();
    // A system that ends an app in the background again and again counts once an hour.
    for hour in [0, 0, 0, 0, 0, 0, 1, 2, 3, 4] {
        let mut child =
            phones_process("making::child", &phone, hour, staff, [town.patient.id; 2]).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let begun = tokio::task::spawn_blocking(move || {
            let mut lines = output.lines().map_while(Result::ok);
            lines.find(|line| line.contains("MAKING") || line.contains("ENDED"))
        });
        let begun = begun.await.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(begun.as_ref().is_some_and(|line| line.contains("MAKING")), "hour {hour}: {begun:?}");
    }
    let phone = phone.restart();
    phone.clock.hours(5);
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 1), "the photo behind it is made");
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.media[0].state, item.media[1].state), (FAILED, FileState::Made));
    session.release(item.id).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0), "asked to, it begins anew");
}
