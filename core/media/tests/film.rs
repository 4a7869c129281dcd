//! Films: what comes out of the transcoder, what the check lets in, and what damage does to both.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]
#![cfg(feature = "video")]

use renraku_media::fixture::{self, FilmOptions};
use renraku_media::{Cancel, MediaError, film, photo, video};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// One folder for all tests of this file: the phone's film and what became of it are made once.
struct Made {
    _folder: tempfile::TempDir,
    original: PathBuf,
    facts: video::VideoFacts,
    bytes: Vec<u8>,
    progress: Vec<f32>,
    took: Duration,
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("IMG_0001.MOV");
        fixture::phone_film(&original, 3.0).unwrap();
        let output = folder.path().join("film.mp4");
        let mut progress = vec![];
        let start = Instant::now();
        let plan = video::Plan::default();
        let video::Film { facts, bytes } =
            video::transcode(&original, &plan, &mut |p| progress.push(p), &Cancel::new()).unwrap();
        let bytes = bytes.to_vec();
        fs::write(&output, &bytes).unwrap();
        Made { _folder: folder, original, facts, bytes, progress, took: start.elapsed() }
    })
}

fn run(input: &Path, plan: &video::Plan) -> Result<(video::VideoFacts, Vec<u8>), MediaError> {
    video::transcode(input, plan, &mut |_| (), &Cancel::new()).map(|film| (film.facts, film.bytes.to_vec()))
}

fn small(path: &Path, options: FilmOptions) {
    fixture::film(path, &FilmOptions { width: 320, height: 180, seconds: 1.0, bits: 400_000, ..options })
        .unwrap();
}

/// Runs the ffmpeg command, its output this file.
fn command(arguments: &[&str], output: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .arg(output)
        .status()
        .unwrap();
    assert!(status.success());
}

/// What the ffprobe command says about a stream.
fn probe(path: &Path, stream: &str, entries: &str) -> String {
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

/// Runs the ffmpeg command over the finished film and gives the new bytes.
fn remuxed(arguments: &[&str], suffix: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mp4"), folder.path().join(format!("out.{suffix}")));
    fs::write(&input, &made().bytes).unwrap();
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(&input)
        .args(arguments)
        .arg(&output)
        .status()
        .unwrap();
    assert!(status.success());
    fs::read(output).unwrap()
}

#[test]
fn a_phones_film_becomes_small_upright_and_bare() {
    let Made { original, facts, bytes, .. } = made();
    let before = fs::read(original).unwrap();
    for tag in [&b"+35.9000+137.9000/"[..], b"kitchen"] {
        assert!(contains(&before, tag), "the original must hold the tag");
    }
    assert_eq!((facts.width, facts.height), (720, 1280));
    assert!((2_900..=3_100).contains(&facts.duration_ms), "{facts:?}");
    assert!(facts.sound && !facts.cut);
    assert_eq!(facts.bytes, bytes.len() as u64);
    for tag in [&b"+35.9"[..], b"35.9", b"kitchen", b"Lavf", b"Lavc", b"x264", b"\xA9xyz", b"loci", b"2026"] {
        assert!(!contains(bytes, tag), "{} must be gone", String::from_utf8_lossy(tag));
    }
    let checked = film::verify(bytes, &film::Limits::default()).unwrap();
    assert_eq!(
        checked,
        film::FilmFacts { width: 720, height: 1280, duration_ms: facts.duration_ms, sound: true }
    );
    let place = |kind: &[u8]| bytes.windows(4).position(|w| w == kind).unwrap();
    assert!(place(b"moov") < place(b"mdat"), "fast start");
    let path = original.with_file_name("film.mp4");
    assert_eq!(probe(&path, "v", "stream=codec_name,width,height,avg_frame_rate"), "h264,720,1280,30/1");
    assert_eq!(probe(&path, "a", "stream=codec_name,sample_rate,channels"), "aac,48000,2");
    assert_eq!(probe(&path, "v", "stream_side_data=rotation"), "");
}

#[test]
fn the_doctor_plays_it() {
    let path = made().original.with_file_name("film.mp4");
    let played = video::play(&path, &Cancel::new()).unwrap();
    assert_eq!((played.frames, played.width, played.height), (90, 720, 1280));
    assert!((2_950..=3_050).contains(&played.duration_ms), "{played:?}");
    assert!(played.audio_frames >= 140, "{played:?}");
    let original = video::play(&made().original, &Cancel::new()).unwrap();
    assert_eq!((original.frames, original.width, original.height), (90, 1080, 1920));
}

#[test]
fn progress_rises_to_one_and_is_not_chatty() {
    let Made { progress, took, .. } = made();
    assert!(progress.windows(2).all(|w| w[0] < w[1]), "{progress:?}");
    assert_eq!(progress.last(), Some(&1.0));
    assert!(progress.len() as u128 <= took.as_millis() / 100 + 2, "{} in {took:?}", progress.len());
}

#[test]
fn every_turn_and_mirror_is_done_and_in_the_right_direction() {
    let folder = tempfile::tempdir().unwrap();
    let stored = folder.path().join("stored.mp4");
    // Red and blue above, green and white below, as stored.
    let colour = |name: &str| format!("color={name}:size=160x90:rate=10:duration=1");
    let pictures = format!(
        "{}[a];{}[b];{}[c];{}[d];[a][b]hstack[e];[c][d]hstack[f];[e][f]vstack",
        colour("red"),
        colour("blue"),
        colour("lime"),
        colour("white")
    );
    command(&["-f", "lavfi", "-i", &pictures, "-c:v", "libx264", "-pix_fmt", "yuv420p"], &stored);
    let corners = [((80, 45), "red"), ((240, 45), "blue"), ((80, 135), "lime"), ((240, 135), "white")];
    for (quarters, mirrored) in [0, 1, 2, 3].into_iter().flat_map(|q| [(q, false), (q, true)]) {
        let path = folder.path().join(format!("{quarters}{mirrored}.mp4"));
        fs::copy(&stored, &path).unwrap();
        fixture::turn_film_by(&path, quarters, mirrored).unwrap();
        let (facts, bytes) = run(&path, &video::Plan::default()).unwrap();
        let (width, height) = if quarters % 2 == 0 { (320, 180) } else { (180, 320) };
        assert_eq!((facts.width, facts.height, facts.sound), (width, height, false), "{quarters}");
        fs::write(&path, bytes).unwrap();
        let raw = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(&path)
            .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
            .output()
            .unwrap()
            .stdout;
        for ((x, y), name) in corners {
            let x = if mirrored { 320 - x } else { x };
            // Turned clockwise the left side comes to the top, then to the right, then to the bottom.
            let (x, y) = match quarters {
                0 => (x, y),
                1 => (180 - y, x),
                2 => (320 - x, 180 - y),
                _ => (y, 320 - x),
            };
            let found: [bool; 3] = [0, 1, 2].map(|c| raw[(y * width as usize + x) * 3 + c] > 128);
            let wanted = match name {
                "red" => [true, false, false],
                "blue" => [false, false, true],
                "lime" => [false, true, false],
                _ => [true; 3],
            };
            assert_eq!(found, wanted, "{quarters} {mirrored} {name}");
        }
    }
}

#[test]
fn pixels_that_are_no_squares_become_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.mov");
    let plan = photo::Plan::default();
    let sizes = |path: &Path| {
        let (facts, _) = run(path, &video::Plan::default()).unwrap();
        let poster = video::poster(path, &plan, &Cancel::new()).unwrap();
        assert_eq!((poster.width, poster.height), (facts.width, facts.height));
        (facts.width, facts.height)
    };
    for (shape, shown) in [("2", (320, 120)), ("1/2", (160, 240)), ("1", (160, 120)), ("40", (160, 120))] {
        let pictures = format!("testsrc2=size=160x120:rate=10:duration=0.5,setsar={shape}");
        command(&["-f", "lavfi", "-i", &pictures, "-c:v", "libx264", "-pix_fmt", "yuv420p"], &path);
        assert_eq!(sizes(&path), shown, "{shape}");
    }
    let pictures = "testsrc2=size=160x120:rate=10:duration=0.5,setsar=2";
    command(&["-f", "lavfi", "-i", pictures, "-c:v", "libx264", "-pix_fmt", "yuv420p"], &path);
    let twice = fs::read(&path).unwrap();
    fixture::turn_film(&path).unwrap();
    assert_eq!(sizes(&path), (120, 320), "turned");
    // Named by the stream alone, and otherwise by the container.
    let at = twice.windows(4).position(|w| w == b"pasp").unwrap();
    let with = |place: usize, bytes: &[u8]| {
        let mut film = twice.clone();
        film[place..place + bytes.len()].copy_from_slice(bytes);
        fs::write(&path, film).unwrap();
        sizes(&path)
    };
    assert_eq!(with(at, b"free"), (320, 120));
    assert_eq!(with(at + 4, &[0, 0, 0, 3, 0, 0, 0, 1]), (480, 120));
    assert_eq!(with(at + 4, &[0; 8]), (320, 120), "no shape at all");
}

#[test]
fn sound_in_samples_of_one_size_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.mov");
    let pictures = "testsrc2=size=160x120:rate=10:duration=1";
    for codec in ["pcm_s16le", "pcm_s16be"] {
        let sound = ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", codec, "-ac", "1"];
        let film = ["-f", "lavfi", "-i", pictures];
        command(&[&film[..], &sound, &["-c:v", "libx264", "-pix_fmt", "yuv420p"]].concat(), &path);
        let bytes = fs::read(&path).unwrap();
        let sizes = bytes.windows(4).rposition(|w| w == b"stsz").unwrap() + 8;
        assert_eq!(bytes[sizes..sizes + 4], [0, 0, 0, 2], "two bytes each");
        let (facts, _) = run(&path, &video::Plan::default()).unwrap();
        assert!(facts.sound && facts.duration_ms.abs_diff(1000) < 60, "{facts:?}");
        assert!(video::play(&path, &Cancel::new()).unwrap().audio_frames > 0);
    }
}

#[test]
fn sound_that_nobody_knows_leaves_the_other_to_be_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.mov");
    let pictures = "testsrc2=size=160x120:rate=10:duration=1";
    let sine = ["-f", "lavfi", "-i", "sine=duration=1"];
    let films = [&["-f", "lavfi", "-i", pictures][..], &sine, &sine].concat();
    let unknown = |maps: &[&str], codecs: &[&str]| {
        let coded = ["-c:v", "libx264", "-pix_fmt", "yuv420p"];
        command(&[&films[..], &["-map", "0"], maps, &coded, codecs].concat(), &path);
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.windows(4).rposition(|w| w == b"sowt").unwrap();
        bytes[at..at + 4].copy_from_slice(b"apac");
        fs::write(&path, bytes).unwrap();
    };
    // The unknown one has more bits, and is the better by that.
    for (first, second) in [("aac", "pcm_s16le"), ("pcm_s16le", "aac")] {
        unknown(&["-map", "1", "-map", "2"], &["-b:a", "64k", "-c:a:0", first, "-c:a:1", second]);
        let (facts, _) = run(&path, &video::Plan::default()).unwrap();
        assert!(facts.sound && facts.duration_ms.abs_diff(1000) < 60, "{first}: {facts:?}");
        assert!(video::play(&path, &Cancel::new()).unwrap().audio_frames > 40);
    }
    unknown(&["-map", "1"], &["-c:a", "pcm_s16le"]);
    let alone = run(&path, &video::Plan::default()).map(|made| made.0);
    assert_eq!(alone, Err(MediaError::Unsupported { what: "a codec without decoder" }));
    let silent = run(&path, &video::Plan { sound: false, ..Default::default() }).unwrap().0;
    assert!(!silent.sound);
}

#[test]
fn sound_can_be_left_out() {
    let (facts, bytes) =
        run(&made().original, &video::Plan { sound: false, longest_ms: 500, ..Default::default() }).unwrap();
    assert!(!facts.sound);
    assert!(!contains(&bytes, b"mp4a") && !contains(&bytes, b"soun"));
    assert!(!film::verify(&bytes, &film::Limits::default()).unwrap().sound);
}

#[test]
fn a_film_keeps_to_the_towns_bytes() {
    let plan = video::Plan { max_bytes: 300_000, ..Default::default() };
    let (facts, bytes) = run(&made().original, &plan).unwrap();
    assert!(facts.bytes <= 300_000 && bytes.len() < made().bytes.len(), "{facts:?}");
    assert!(!facts.cut && facts.sound, "smaller, not shorter: {facts:?}");
}

#[test]
fn a_film_that_can_be_made_no_smaller_is_refused_as_soon_as_that_is_seen() {
    let plan = video::Plan { max_bytes: 20_000, ..Default::default() };
    let mut furthest = 0.0_f32;
    let refused = video::transcode(&made().original, &plan, &mut |p| furthest = p, &Cancel::new());
    assert_eq!(refused.map(|film| film.facts), Err(MediaError::TooLarge { what: "bytes", limit: 20_000 }));
    assert!(furthest < 0.9, "{furthest}");
}

/// Reads as a sealed file might: in small pieces, and not at all from somewhere on.
struct Broken {
    bytes: Vec<u8>,
    until: u64,
}

struct Reader(std::io::Cursor<Vec<u8>>, u64);

impl std::io::Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() >= self.1 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let most = to.len().min(777);
        self.0.read(&mut to[..most])
    }
}

impl std::io::Seek for Reader {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl video::Recording for Broken {
    fn open(&self) -> std::io::Result<Box<dyn video::Stream>> {
        Ok(Box::new(Reader(std::io::Cursor::new(self.bytes.clone()), self.until)))
    }
}

#[test]
fn a_film_may_come_from_anywhere_and_one_that_breaks_off_is_no_film() {
    let bytes = fs::read(&made().original).unwrap();
    let length = bytes.len() as u64;
    let make = |until| {
        let film = Broken { bytes: bytes.clone(), until };
        video::transcode(&film, &video::Plan::default(), &mut |_| (), &Cancel::new())
    };
    assert_eq!(make(length).unwrap().bytes, made().bytes, "as from a file");
    for until in [0, 100, length / 2] {
        assert!(make(until).is_err(), "{until}");
    }
}

#[test]
fn long_and_fast_films_are_capped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.mov");
    small(&path, FilmOptions { rate: 120, turned: false, ..Default::default() });
    let (facts, bytes) = run(&path, &video::Plan { longest_ms: 600, ..Default::default() }).unwrap();
    assert!(facts.cut && (500..=600).contains(&facts.duration_ms), "{facts:?}");
    assert_eq!((facts.width, facts.height), (320, 180), "never larger than the original");
    fs::write(&path, &bytes).unwrap();
    let played = video::play(&path, &Cancel::new()).unwrap();
    assert!((15..=18).contains(&played.frames), "30 a second at most: {played:?}");
    let shorter = film::Limits { max_ms: 200, ..Default::default() };
    assert_eq!(
        film::verify(&bytes, &shorter),
        Err(MediaError::TooLarge { what: "milliseconds", limit: 200 })
    );
}

#[test]
fn the_check_refuses_tags_wherever_they_are() {
    let limits = film::Limits::default();
    let stripped = |bytes: &[u8]| match film::verify(bytes, &limits) {
        Err(MediaError::NotStripped { what }) => what,
        other => panic!("{other:?}"),
    };
    let fast = ["-c", "copy", "-movflags", "+faststart", "-fflags", "+bitexact"];
    let with = |tags: &[&str], suffix: &str| remuxed(&[&fast[..], tags].concat(), suffix);
    assert!(film::verify(&with(&[], "mp4"), &limits).is_ok());
    assert!(stripped(&with(&["-metadata", "location=+35.9000+137.9000/"], "mp4")).starts_with("udta/"));
    assert!(stripped(&with(&["-metadata", "title=kitchen"], "mp4")).starts_with("ilst/"));
    // QuickTime names its maker in more places than one; which of them is met first does not matter.
    assert!(!stripped(&with(&["-metadata", "location=+35.9000+137.9000/"], "mov")).is_empty());
    let dated = stripped(&with(&["-metadata", "creation_time=2026-11-21T10:15:30Z"], "mp4"));
    assert_eq!(dated, "mvhd");
    let named = stripped(&with(&["-metadata:s:v", "handler_name=Kiso Phone 12"], "mp4"));
    assert_eq!(named, "hdlr");
    // Boxes and bytes put in by hand, without moving anything that is referred to.
    let bare = &made().bytes;
    let uuid = [&[0, 0, 0, 32][..], b"uuid", &[7; 24]].concat();
    assert_eq!(stripped(&[&bare[..], &uuid].concat()), "uuid");
    let free = |content: &[u8]| [&(content.len() as u32 + 8).to_be_bytes()[..], b"free", content].concat();
    assert_eq!(stripped(&[&bare[..], &free(b"35.9N")].concat()), "free");
    assert!(film::verify(&[&bare[..], &free(&[0; 5])].concat(), &limits).is_ok());
    // The last box grows over bytes that no sample uses.
    let at = bare.windows(4).position(|w| w == b"mdat").unwrap();
    let mut grown = [&bare[..], b"35.9N 137.9E"].concat();
    let size = u32::from_be_bytes(bare[at - 4..at].try_into().unwrap()) + 12;
    grown[at - 4..at].copy_from_slice(&size.to_be_bytes());
    assert_eq!(stripped(&grown), "bytes after the last sample");
}

#[test]
fn the_check_refuses_what_an_encoder_signs() {
    // The command's x264 writes its name and settings into the first picture.
    let signed = remuxed(
        &[
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-an",
            "-movflags",
            "+faststart",
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
        ],
        "mp4",
    );
    assert!(contains(&signed, b"x264"));
    assert!(matches!(film::verify(&signed, &film::Limits::default()), Err(MediaError::NotStripped { .. })));
}

#[test]
fn the_check_refuses_other_kinds_of_films() {
    let limits = film::Limits::default();
    let copy = ["-c", "copy", "-fflags", "+bitexact"];
    assert_eq!(film::verify(&remuxed(&copy, "mp4"), &limits), Err(MediaError::Unreadable), "slow start");
    assert_eq!(film::verify(&remuxed(&copy, "mkv"), &limits), Err(MediaError::Unreadable));
    let fragmented = remuxed(&[&copy[..], &["-movflags", "frag_keyframe+empty_moov"]].concat(), "mp4");
    assert!(film::verify(&fragmented, &limits).is_err());
    let fast = ["-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact"];
    let mpeg4 = remuxed(&[&["-c:v", "mpeg4", "-an"][..], &fast].concat(), "mp4");
    assert!(film::verify(&mpeg4, &limits).is_err());
    let silent_twice = remuxed(&[&["-c", "copy", "-map", "0:a", "-map", "0:a"][..], &fast].concat(), "mp4");
    assert!(film::verify(&silent_twice, &limits).is_err());
    let tiny = film::Limits { max_side: 1279, ..limits };
    assert!(matches!(film::verify(&made().bytes, &tiny), Err(MediaError::TooLarge { what: "side", .. })));
    let light = film::Limits { max_bytes: 1000, ..limits };
    assert_eq!(film::verify(&made().bytes, &light), Err(MediaError::TooLarge { what: "bytes", limit: 1000 }));
}

#[test]
fn a_cut_off_film_is_refused_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    let original = fs::read(&made().original).unwrap();
    for whole in [&made().bytes, &original] {
        for part in [0, 1, 20, 63, 99] {
            let cut = &whole[..whole.len() * part / 100];
            assert_eq!(film::verify(cut, &film::Limits::default()), Err(MediaError::Unreadable), "{part} %");
            fs::write(&path, cut).unwrap();
            assert_eq!(
                run(&path, &video::Plan::default()).map(|r| r.0),
                Err(MediaError::Unreadable),
                "{part} %"
            );
            assert_eq!(video::play(&path, &Cancel::new()), Err(MediaError::Unreadable), "{part} %");
        }
    }
    assert!(film::verify(&made().bytes[..made().bytes.len() - 1], &film::Limits::default()).is_err());
}

#[test]
fn a_film_with_rubbish_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.mp4");
    let mut bytes = made().bytes.clone();
    let middle = bytes.len() / 3..bytes.len() / 3 * 2;
    for (i, b) in bytes[middle].iter_mut().enumerate() {
        *b = (i * 31 % 251) as u8;
    }
    assert!(film::verify(&bytes, &film::Limits::default()).is_err());
    fs::write(&path, &bytes).unwrap();
    assert_eq!(video::play(&path, &Cancel::new()), Err(MediaError::Unreadable));
    assert_eq!(run(&path, &video::Plan::default()).map(|r| r.0), Err(MediaError::Unreadable));
    for other in
        [&b""[..], b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile other.mp4\n", &[0; 4000]]
    {
        fs::write(&path, other).unwrap();
        assert_eq!(run(&path, &video::Plan::default()).map(|r| r.0), Err(MediaError::Unreadable));
    }
    let missing = folder.path().join("none.mov");
    assert_eq!(
        run(&missing, &video::Plan::default()).map(|r| r.0),
        Err(MediaError::Io(std::io::ErrorKind::NotFound))
    );
}

#[test]
fn cancel_stops_soon() {
    // The median of all: what counts is the work between two looks at the flag, not a busy machine.
    let mut waits = [0.0, 0.1, 0.2, 0.3, 0.5].map(|part| {
        let cancel = Cancel::new();
        let mut asked = None;
        let mut then = |p: f32| {
            if p > part && asked.is_none() {
                cancel.cancel();
                asked = Some(Instant::now());
            }
        };
        let plan = video::Plan::default();
        let result = video::transcode(&made().original, &plan, &mut then, &cancel);
        let waited = asked.expect("progress came").elapsed();
        assert_eq!(result, Err(MediaError::Cancelled));
        assert_eq!(video::play(&made().original, &cancel), Err(MediaError::Cancelled));
        waited
    });
    waits.sort_unstable();
    assert!(waits[2] < Duration::from_millis(200), "{waits:?}");
}
