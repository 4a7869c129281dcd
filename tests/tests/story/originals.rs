//! What the nurse's camera writes, made once for both tellings.

use renraku_media::fixture;
use std::sync::OnceLock;

/// Which heel.
pub const SEED: u64 = 20_261_121;

/// A 12-megapixel JPEG on its side with EXIF orientation and GPS.
pub fn photo() -> &'static [u8] {
    static PHOTO: OnceLock<Vec<u8>> = OnceLock::new();
    PHOTO.get_or_init(|| {
        let photo = fixture::phone_photo(SEED);
        let picture = image::load_from_memory(&photo).expect("a JPEG");
        assert_eq!((picture.width(), picture.height()), (4032, 3024));
        for tag in [&b"Exif"[..], fixture::MAKE.as_bytes(), fixture::SERIAL.as_bytes()] {
            assert!(holds(&photo, tag));
        }
        photo
    })
}

/// Ten seconds of 1080p with sound, date and place.
pub fn film() -> &'static [u8] {
    static FILM: OnceLock<Vec<u8>> = OnceLock::new();
    FILM.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("IMG_0002.MOV");
        fixture::phone_film(&path, 10.0).expect("the ffmpeg command makes films");
        let film = std::fs::read(&path).expect("just written");
        assert!(holds(&film, PLACE));
        film
    })
}

/// Where the film was made, as it says.
pub const PLACE: &[u8] = b"+35.9000+137.9000";

/// True when the bytes stand somewhere in there.
pub fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    place(bytes, wanted).is_some()
}

/// Where the bytes stand first.
pub fn place(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
