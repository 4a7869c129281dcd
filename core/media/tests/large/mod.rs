//! Films that are much work, each in its own way.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part and may stop here")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy, Debug)]
pub enum Large {
    /// 4K with as many pictures kept at hand as its level allows.
    Plain,
    /// The same in ten bits, HDR.
    Deep,
    /// The same as phones record it: HEVC.
    Recorded,
    /// 300 MB of noise, not 4K: whoever keeps what was read has them all.
    Noisy,
}

pub fn film(folder: &Path, large: Large) -> PathBuf {
    const FOUR_K: &str = "size=3840x2160:rate=30:duration=1";
    const HDR: [&str; 8] = [
        "-pix_fmt",
        "yuv420p10le",
        "-color_trc",
        "arib-std-b67",
        "-color_primaries",
        "bt2020",
        "-colorspace",
        "bt2020nc",
    ];
    const AVC: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-refs", "5"];
    let path = folder.join(format!("{large:?}.mov"));
    let (size, kind) = match large {
        Large::Plain => (FOUR_K, [&AVC[..], &["-crf", "20", "-pix_fmt", "yuv420p"]].concat()),
        Large::Deep => (FOUR_K, [&AVC[..], &["-crf", "20"], &HDR].concat()),
        Large::Recorded => {
            let kept = "log-level=none:ref=5:bframes=4:b-adapt=0";
            let hevc = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", kept, "-tag:v", "hvc1"];
            ("size=3840x2160:rate=30:duration=0.7", [&hevc[..], &HDR].concat())
        }
        Large::Noisy => {
            let noise = ["-vf", "noise=alls=60:allf=t+u", "-qp", "10", "-pix_fmt", "yuv420p"];
            ("size=1920x1080:rate=60:duration=2", [&AVC[..], &noise].concat())
        }
    };
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi"])
        .args(["-i", &format!("testsrc2={size}"), "-f", "lavfi", "-i", "sine=duration=1"])
        .args(kind)
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    path
}
