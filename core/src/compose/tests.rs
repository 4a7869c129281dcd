//! What is told while a file is made.

use super::*;
use std::sync::Mutex;

#[derive(Default)]
struct Heard(Mutex<Vec<f32>>);

impl Progress for Heard {
    fn on_progress(&self, done: f32) {
        self.0.lock().unwrap().push(done);
    }
}

fn policy() -> DevicePolicy {
    DevicePolicy {
        post_chars_guidance: 400,
        video_seconds: 60,
        photo_bytes: 1_500_000,
        photo_quality: 80,
        video_bytes: 20_000_000,
        video_rate: 30,
        offline_lease_hours: 72,
        relock_seconds: 300,
        offline_days: 30,
        offline_patients: 40,
        urgent_flag: true,
        thumbs_ack: true,
    }
}

#[test]
fn ten_times_a_second_more_each_time_and_the_end_once() {
    let heard = Arc::new(Heard::default());
    let mut told = Told::new(Some(heard.clone()));
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < 4 * PAUSE {
        // Halfway through, two more files are added: what was told is not taken back.
        let all = if start.elapsed() < 2 * PAUSE { 2 } else { 4 };
        let part = start.elapsed().as_secs_f32() / (4 * PAUSE).as_secs_f32();
        told.tell(0, part, all);
        number += 1;
    }
    assert!(number > 100);
    let most = start.elapsed().as_millis() / PAUSE.as_millis() + 1;
    let before = heard.0.lock().unwrap().clone();
    assert!(before.len() >= 2 && before.len() as u128 <= most, "{before:?}");
    // At once, however short ago the last was.
    for _ in 0..3 {
        told.tell(3, 1.0, 4);
    }
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard[before.len()..], [1.0]);
    assert!(heard.windows(2).all(|w| w[0] < w[1]), "{heard:?}");
}

#[test]
fn a_film_is_not_done_before_it_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.mov");
    renraku_media::fixture::phone_film(&path, 1.0).unwrap();
    let film = Attachment::new(MediaKind::Video, path, String::new());
    let planned = Planned::all(vec![film], folder.path(), &Cancel::new()).unwrap().remove(0).planned;
    let original = planned.original(folder.path()).unwrap().unwrap();
    let heard = Arc::new(Heard::default());
    let mut told = Told::new(Some(heard.clone()));
    let (start, mut parts) = (Instant::now(), Vec::new());
    let mut tell = |part: f32| {
        parts.push(part);
        told.tell(0, part, 1);
    };
    let made = make(&planned, &original, &policy(), &mut tell, &Cancel::new()).map_err(CoreError::from);
    assert!(made.unwrap().thumbnail.is_some());
    let most = start.elapsed().as_millis() / PAUSE.as_millis() + 1;
    assert!(parts.len() > 1 && parts.iter().all(|part| *part < 1.0), "{parts:?}");
    let heard = heard.0.lock().unwrap();
    assert!(!heard.is_empty() && heard.len() as u128 <= most, "{heard:?}");
}

#[test]
fn what_may_pass_is_no_files_fault() {
    use std::io::ErrorKind;
    // An encoder that is somebody else's just now, want of memory, a disk that does not answer.
    for kind in [ErrorKind::ResourceBusy, ErrorKind::OutOfMemory, ErrorKind::TimedOut] {
        assert!(!is_the_files_fault(&MediaError::Io(kind)), "{kind}");
    }
    assert!(is_the_files_fault(&MediaError::Unreadable));
    assert!(is_the_files_fault(&MediaError::Unsupported { what: "HEIC" }));
    assert!(is_the_files_fault(&MediaError::TooLarge { what: "pixels", limit: 1 }));
}
