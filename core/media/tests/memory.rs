//! How much memory a 4K film takes, and how soon work on one stops. The measured process is this program
//! itself, started again: its peak is then nobody else's.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]
#![cfg(all(feature = "video", target_os = "linux"))]

use renraku_media::{Cancel, MediaError, video};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Names the film for the process that is measured.
const FILM: &str = "RENRAKU_TEST_FILM";

/// Films that take much memory, each in its own way.
#[derive(Clone, Copy, Debug)]
enum Large {
    /// 4K with as many pictures kept at hand as its level allows.
    Plain,
    /// The same in ten bits, HDR.
    Deep,
    /// 300 MB of noise, not 4K: whoever keeps what was read has them all.
    Noisy,
}

fn film(folder: &Path, large: Large) -> PathBuf {
    let path = folder.join(format!("{large:?}.mov"));
    let kind: &[&str] = match large {
        Large::Plain => &["-crf", "20", "-pix_fmt", "yuv420p"],
        Large::Deep => &[
            "-crf",
            "20",
            "-pix_fmt",
            "yuv420p10le",
            "-color_trc",
            "arib-std-b67",
            "-color_primaries",
            "bt2020",
            "-colorspace",
            "bt2020nc",
        ],
        Large::Noisy => &["-vf", "noise=alls=60:allf=t+u", "-qp", "10", "-pix_fmt", "yuv420p"],
    };
    let size = match large {
        Large::Plain | Large::Deep => "size=3840x2160:rate=30:duration=1",
        Large::Noisy => "size=1920x1080:rate=60:duration=2",
    };
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi"])
        .args(["-i", &format!("testsrc2={size}"), "-f", "lavfi", "-i", "sine=duration=1"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-refs", "5"])
        .args(kind)
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    path
}

/// Most memory that this process ever had in use, in kilobytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_large_film_takes_less_than_300_megabytes() {
    if let Some(film) = env::var_os(FILM) {
        let film = PathBuf::from(film);
        video::transcode(&film, &video::Plan::default(), &mut |_| (), &Cancel::new()).unwrap();
        println!("peak={}", peak());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for large in [Large::Plain, Large::Deep, Large::Noisy] {
        let film = film(folder.path(), large);
        let out = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "a_large_film_takes_less_than_300_megabytes",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FILM, &film)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let said = String::from_utf8(out.stdout).unwrap();
        let peak = said.split("peak=").nth(1).and_then(|s| s.split_whitespace().next()).unwrap();
        println!("{large:?}: peak {peak} kB of a file of {} kB", fs::metadata(&film).unwrap().len() / 1024);
        assert!(peak.parse::<u64>().unwrap() < 300 * 1024, "{large:?}: {peak} kB");
    }
}

#[test]
fn work_on_a_4k_film_stops_soon_whenever_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let input = film(folder.path(), Large::Plain);
    let mut waits: Vec<Duration> = [0, 20, 170, 250, 330, 400, 480, 550, 610]
        .into_iter()
        .filter_map(|after| {
            let cancel = Cancel::new();
            let flag = cancel.clone();
            let other = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(after));
                flag.cancel();
                Instant::now()
            });
            let mut begun = false;
            let plan = video::Plan::default();
            let result = video::transcode(&input, &plan, &mut |done| begun |= done > 0.0, &cancel);
            let waited = other.join().unwrap().elapsed();
            // A quick machine may be ready before it is asked.
            if after > 90 && result.is_ok() {
                return None;
            }
            assert_eq!(result, Err(MediaError::Cancelled), "after {after} ms");
            // Asked before any picture was made, it says nothing of how long work takes to stop.
            begun.then_some(waited)
        })
        .collect();
    // The median: what counts is the work between two looks at the flag, not what else a machine does.
    waits.sort_unstable();
    assert!(waits.len() >= 3, "too few waits began in the midst of the work: {waits:?}");
    assert!(waits[waits.len() / 2] < Duration::from_millis(200), "{waits:?}");
}
