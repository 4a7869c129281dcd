//! Films with more light than usual screens show, and the picture that stands for a film.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]
#![cfg(feature = "video")]

mod pictures;

use pictures::{contains, decoded, near};
use renraku_media::{Cancel, MediaError, film, fixture, photo, video};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A film of ten-bit values: left a white sheet, right a skin, both as `transfer` codes them.
fn bright(path: &Path, transfer: &str, space: &str, white: u32) {
    let pictures = format!(
        "color=black:size=320x180:rate=10:duration=1.2,format=yuv420p10le,\
         geq=lum='if(lt(X,160),{white},560)':cb='if(lt(X,80),512,480)':cr='if(lt(X,80),512,560)'"
    );
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &pictures])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-pix_fmt", "yuv420p10le"])
        .args(["-color_trc", transfer, "-color_primaries", "bt2020", "-colorspace", space])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// The first picture as the `ffmpeg` command shows it.
fn shown(path: &Path, width: usize, height: usize) -> Vec<u8> {
    let out = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap()
        .stdout;
    assert_eq!(out.len(), width * height * 3);
    out
}

#[test]
fn hlg_and_pq_become_what_usual_screens_show() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    // 75 % of HLG and 58 % of PQ are both the light of a white sheet.
    for (transfer, white) in [("arib-std-b67", 721), ("smpte2084", 573)] {
        bright(&input, transfer, "bt2020nc", white);
        fixture::turn_film(&input).unwrap();
        let plan = video::Plan::default();
        let facts = fixture::transcoded(&input, &output, &plan).unwrap();
        assert_eq!((facts.width, facts.height), (180, 320), "{transfer}");
        let entries = "stream=pix_fmt,color_space,color_transfer,color_primaries";
        let probed = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "csv=p=0"])
            .arg(&output)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(probed.stdout).unwrap().trim(), "yuv420p,bt709,bt709,bt709");
        let picture = shown(&output, 180, 320);
        let at = |x: usize, y: usize| &picture[(y * 180 + x) * 3..][..3];
        let (white, skin) = (at(90, 40), at(90, 240));
        // Nearly white, and grey in all three colours; 214 is 85 % of 255.
        assert!(white.iter().all(|v| v.abs_diff(217) < 10), "{transfer} {white:?}");
        assert!(skin[0] > skin[1] + 12 && skin[1] > skin[2], "{transfer} {skin:?}");
        film::verify(&fs::read(&output).unwrap(), &film::Limits::default()).unwrap();
        // Its poster shows the same.
        let poster = video::poster(&input, &photo::Plan::default(), &Cancel::new()).unwrap();
        assert_eq!((poster.width, poster.height), (180, 320));
        let poster = decoded(&poster.photo);
        near(poster.get_pixel(90, 40), [white[0], white[1], white[2]], 6);
        near(poster.get_pixel(90, 240), [skin[0], skin[1], skin[2]], 12);
    }
    // Constant luminance needs another arithmetic: refused rather than shown in wrong colours.
    bright(&input, "smpte2084", "bt2020c", 573);
    let plan = video::Plan::default();
    let refused = fixture::transcoded(&input, &output, &plan).unwrap_err();
    assert_eq!(refused, MediaError::Unsupported { what: "HDR in an unusual colour space" });
}

#[test]
fn a_poster_of_the_original_and_of_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    fixture::phone_film(&input, 1.5).unwrap();
    fixture::transcoded(&input, &output, &video::Plan::default()).unwrap();
    let plan = photo::Plan { thumbnail_side: 200, ..photo::Plan::default() };
    let made = video::poster(&output, &plan, &Cancel::new()).unwrap();
    let original = video::poster(&input, &plan, &Cancel::new()).unwrap();
    assert_eq!((made.width, made.height), (720, 1280));
    assert_eq!((original.width, original.height), (946, 1680), "no larger than a film may be");
    for poster in [&made, &original] {
        for jpeg in [&poster.photo, &poster.thumbnail] {
            photo::verify(jpeg, &photo::Limits::default()).unwrap();
            for tag in [&b"35.9"[..], b"kitchen", b"2026", b"Lavc"] {
                assert!(!contains(jpeg, tag));
            }
        }
        let small = decoded(&poster.thumbnail);
        assert_eq!(small.height(), 200);
        assert!(small.width().abs_diff(112) < 2);
    }
    // The same moment, upright in both: small, they look alike.
    let (a, b) = (decoded(&made.thumbnail), decoded(&original.thumbnail));
    let off: u32 = (0..a.width().min(b.width()))
        .flat_map(|x| (0..200).map(move |y| (x, y)))
        .map(|(x, y)| u32::from(a.get_pixel(x, y).0[1].abs_diff(b.get_pixel(x, y).0[1])))
        .sum();
    assert!(off / (112 * 200) < 16, "{}", off / (112 * 200));
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(video::poster(&input, &plan, &cancel), Err(MediaError::Cancelled));
    let short = folder.path().join("short.mov");
    fixture::film(
        &short,
        &fixture::FilmOptions { width: 320, height: 180, seconds: 0.2, bits: 200_000, ..Default::default() },
    )
    .unwrap();
    let short = video::poster(&short, &plan, &Cancel::new()).unwrap();
    assert_eq!((short.width, short.height), (180, 320));
    assert_eq!(
        video::poster(&folder.path().join("none"), &plan, &Cancel::new()),
        Err(MediaError::Io(std::io::ErrorKind::NotFound))
    );
}

#[test]
fn a_film_whose_second_picture_comes_late_has_a_poster() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.mov");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=160x90:rate=30:duration=1,setpts='if(eq(N,0),0,PTS+3/TB)'")
        .args(["-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .arg(&input)
        .status()
        .unwrap();
    assert!(status.success());
    let poster = video::poster(&input, &photo::Plan::default(), &Cancel::new()).unwrap();
    assert_eq!((poster.width, poster.height), (160, 90));
    let played = video::play(&input, &Cancel::new()).unwrap();
    assert!(played.frames == 30 && played.duration_ms > 3_900, "{played:?}");
}

#[test]
fn a_check_believes_neither_the_container_nor_the_stream_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    let options = fixture::FilmOptions {
        width: 320,
        height: 180,
        seconds: 0.5,
        bits: 200_000,
        turned: false,
        ..Default::default()
    };
    fixture::film(&input, &options).unwrap();
    fixture::transcoded(&input, &output, &video::Plan::default()).unwrap();
    let made = fs::read(&output).unwrap();
    let limits = film::Limits::default();
    film::verify(&made, &limits).unwrap();
    // The last of that name: the first `avc1` is only a word in the file's first box.
    let place = |kind: &[u8]| made.windows(4).rposition(|w| w == kind).unwrap();
    let first = |kind: &[u8]| made.windows(4).position(|w| w == kind).unwrap();
    let refused = |at: usize, bytes: &[u8]| {
        let mut lie = made.clone();
        assert!(lie[at..at + bytes.len()] != *bytes);
        lie[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(film::verify(&lie, &limits), Err(MediaError::Unreadable));
    };
    // The sample entry: width and height of 16 bits. The track header: its last eight bytes.
    refused(place(b"avc1") + 4 + 24, &[0, 160]);
    refused(place(b"avc1") + 4 + 26, &[0, 90]);
    let header = first(b"tkhd");
    let end = header - 4 + u32::from_be_bytes(made[header - 4..header].try_into().unwrap()) as usize;
    refused(end - 8, &[0, 160, 0, 0]);
    refused(end - 4, &[0, 90, 0, 0]);
    // The stream: its parameter set says 1280 by 720 while both places of the container say otherwise.
    let bigger = folder.path().join("big.mov");
    fixture::film(&bigger, &fixture::FilmOptions { width: 1280, height: 720, ..options }).unwrap();
    let big = folder.path().join("big.mp4");
    fixture::transcoded(&bigger, &big, &video::Plan::default()).unwrap();
    let mut lie = fs::read(&big).unwrap();
    let entry = lie.windows(4).rposition(|w| w == b"avc1").unwrap() + 4;
    lie[entry + 24..entry + 28].copy_from_slice(&[1, 64, 0, 180]);
    let header = lie.windows(4).position(|w| w == b"tkhd").unwrap();
    let end = header - 4 + u32::from_be_bytes(lie[header - 4..header].try_into().unwrap()) as usize;
    lie[end - 8..end].copy_from_slice(&[1, 64, 0, 0, 0, 180, 0, 0]);
    assert_eq!(film::verify(&lie, &limits), Err(MediaError::Unreadable));
}

#[test]
fn a_film_that_is_turned_over_and_nothing_else_comes_out_upright() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    // As it is to be shown and in its depth already: no filter makes new pictures before they are turned.
    for (pixel, transfer, space) in
        [("yuv420p10le", "arib-std-b67", "bt2020nc"), ("yuv420p", "bt709", "bt709")]
    {
        let pictures = "color=white:size=320x90:rate=10:duration=1.2[a];color=black:size=320x90:rate=10:duration=1.2[b];\
             [a][b]vstack";
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", pictures])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", pixel, "-color_trc", transfer])
            .args(["-color_primaries", "bt2020", "-colorspace", space])
            .arg(&input)
            .status()
            .unwrap();
        assert!(status.success());
        // Its head down, as a mirror on the floor does. Nothing moves sideways.
        fixture::turn_film_by(&input, 2, true).unwrap();
        let facts = fixture::transcoded(&input, &output, &video::Plan::default()).unwrap();
        assert_eq!((facts.width, facts.height), (320, 180), "{pixel}");
        let picture = shown(&output, 320, 180);
        let poster = video::poster(&input, &photo::Plan::default(), &Cancel::new()).unwrap();
        let poster = decoded(&poster.photo);
        for x in [20, 300] {
            let at = |y: usize| picture[(y * 320 + x) * 3];
            assert!(at(20) < 40 && at(160) > 200, "{pixel} {} {}", at(20), at(160));
            near(poster.get_pixel(x as u32, 20), [at(20); 3], 12);
            near(poster.get_pixel(x as u32, 160), [at(160); 3], 12);
        }
    }
}
