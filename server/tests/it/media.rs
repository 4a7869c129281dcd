//! Uploads: what is kept, what is refused, what a cut leaves behind.

use crate::both;
use crate::town::*;
use renraku_media::{Cancel, photo};
use renraku_wire::*;
use reqwest::Method;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

both!(
    a_photo_arrives_in_chunks,
    what_is_not_a_photo_is_refused,
    chunks_out_of_order_are_refused,
    a_cut_chunk_leaves_nothing,
    only_its_author_uploads_and_only_the_team_reads,
    limits_are_kept,
    a_body_on_its_way_ends_with_the_access,
    a_film_gets_its_poster_from_its_device,
    an_upload_ends_once,
);

/// A stripped photo of 600 × 400 pixels.
pub static PHOTO: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let picture = image::RgbImage::from_fn(600, 400, |x, y| {
        image::Rgb([(x % 251) as u8, (y % 241) as u8, ((x * y) % 239) as u8])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    photo::compress(png.get_ref(), &photo::Plan::default(), &Cancel::new()).unwrap().photo
});

/// A film as a device makes it.
pub const FILM: &[u8] = include_bytes!("../../../core/media/tests/corpus/film/ok-made.mp4");

/// Publishes a post that announces these bytes as a photo.
async fn announced(care: &Care, bytes: &[u8]) -> MediaId {
    let file = announcement(MediaKind::Photo, bytes);
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("写真です。", vec![file.clone()])).await.done();
    file.id
}

/// The first file of the newest post.
pub async fn state(care: &Care) -> Media {
    let path = format!("/v1/patients/{}/posts", care.patient);
    let page: PostPage = care.doctor.1.get(&path).await.ok();
    page.posts[0].media[0].clone()
}

async fn a_photo_arrives_in_chunks(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let id = announced(&care, &PHOTO).await;
    assert_eq!(state(&care).await.state, MediaState::Pending);
    care.doctor.1.get(&format!("/v1/media/{id}")).await.refused(Code::MediaPending);
    care.nurse.1.chunk(id, 0, &PHOTO[..1000]).await.done();
    let head = care.nurse.1.send(care.nurse.1.request(Method::HEAD, &format!("/v1/media/{id}/upload"))).await;
    assert_eq!(head.headers["upload-offset"], "1000");
    assert_eq!(head.headers["upload-length"], PHOTO.len().to_string().as_str());
    care.nurse.1.chunk(id, 1000, &PHOTO[1000..]).await.done();
    let media = state(&care).await;
    assert_eq!((media.state, media.width, media.height), (MediaState::Ready, Some(600), Some(400)));
    let whole = care.doctor.1.get(&format!("/v1/media/{id}")).await.done();
    assert_eq!(
        (whole.body == *PHOTO, &whole.headers["content-type"]),
        (true, &"image/jpeg".parse().unwrap())
    );
    let part = care
        .doctor
        .1
        .send(care.doctor.1.request(Method::GET, &format!("/v1/media/{id}")).header("range", "bytes=10-19"))
        .await;
    assert_eq!((part.status, part.body.as_slice()), (206, &PHOTO[10..20]));
    let small = care.doctor.1.get(&format!("/v1/media/{id}/thumbnail")).await.done();
    let small = image::load_from_memory(&small.body).unwrap();
    assert_eq!(small.width().max(small.height()), limits::THUMBNAIL_SIDE);
    care.nurse.1.chunk(id, PHOTO.len(), &PHOTO[..10]).await.refused(Code::OffsetConflict);
}

async fn refuse(care: &Care, bytes: &[u8], code: Code) {
    let id = announced(care, bytes).await;
    care.nurse.1.upload(id, bytes).await.refused(code);
    assert_eq!(state(care).await.state, MediaState::Refused);
    care.doctor.1.get(&format!("/v1/media/{id}")).await.refused(Code::NotFound);
}

/// The photo with a comment segment after its first marker.
fn with_segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = PHOTO[..2].to_vec();
    bytes.extend([0xff, marker]);
    bytes.extend(u16::try_from(payload.len() + 2).unwrap().to_be_bytes());
    bytes.extend(payload);
    bytes.extend(&PHOTO[2..]);
    bytes
}

/// The photo's header, claiming 200 megapixels.
fn bomb() -> Vec<u8> {
    let mut bytes = PHOTO.clone();
    let frame = bytes.windows(2).position(|w| w[0] == 0xff && (0xc0..=0xc2).contains(&w[1])).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&12_500_u16.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&16_000_u16.to_be_bytes());
    bytes
}

async fn what_is_not_a_photo_is_refused(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    refuse(&care, b"this is not a picture, whatever it claims to be", Code::MediaUnreadable).await;
    refuse(&care, &bomb(), Code::MediaTooLarge).await;
    refuse(&care, &with_segment(0xe1, b"Exif\0\0GPS"), Code::MediaNotStripped).await;
    refuse(&care, &with_segment(0xfe, b"comment"), Code::MediaNotStripped).await;
    refuse(&care, &PHOTO[..PHOTO.len() / 2], Code::MediaUnreadable).await;
    // What arrives is not what was announced.
    let mut file = announcement(MediaKind::Photo, &PHOTO);
    file.sha256 = "0".repeat(64);
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("写真", vec![file.clone()])).await.done();
    care.nurse.1.upload(file.id, &PHOTO).await.refused(Code::ChecksumMismatch);
}

async fn chunks_out_of_order_are_refused(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let id = announced(&care, &PHOTO).await;
    care.nurse.1.chunk(id, 100, &PHOTO[100..200]).await.refused(Code::OffsetConflict);
    care.nurse.1.chunk(id, 0, &PHOTO[..100]).await.done();
    care.nurse.1.chunk(id, 0, &PHOTO[..100]).await.refused(Code::OffsetConflict);
    care.nurse.1.chunk(id, 100, &vec![0; PHOTO.len()]).await.refused(Code::BodyTooLarge);
    // Two at once at the same place: one is kept.
    let both = futures_util::future::join(
        care.nurse.1.chunk(id, 100, &PHOTO[100..300]),
        care.nurse.1.chunk(id, 100, &PHOTO[100..300]),
    )
    .await;
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    care.nurse.1.chunk(id, 300, &PHOTO[300..]).await.done();
    assert_eq!(state(&care).await.state, MediaState::Ready);
    let request = care.nurse.1.request(Method::PATCH, &format!("/v1/media/{id}/upload")).body("x");
    care.nurse.1.send(request).await.refused(Code::RequestMalformed);
}

async fn a_cut_chunk_leaves_nothing(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let id = announced(&care, &PHOTO).await;
    let pieces = futures_util::stream::iter([
        Ok(bytes::Bytes::from_static(&[1, 2, 3])),
        Err(std::io::Error::other("the network is gone")),
    ]);
    let cut = care
        .nurse
        .1
        .request(Method::PATCH, &format!("/v1/media/{id}/upload"))
        .header("upload-offset", "0")
        .header("content-length", PHOTO.len().to_string())
        .body(reqwest::Body::wrap_stream(pieces))
        .send()
        .await;
    assert!(cut.is_err() || cut.unwrap().status() == 400);
    let head = care.nurse.1.send(care.nurse.1.request(Method::HEAD, &format!("/v1/media/{id}/upload"))).await;
    assert_eq!(head.headers["upload-offset"], "0");
    care.nurse.1.upload(id, &PHOTO).await.done();
    assert_eq!(state(&care).await.state, MediaState::Ready);
}

async fn only_its_author_uploads_and_only_the_team_reads(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (_, outsider) = town.member(&care.nursing, "helper.h", Profession::Helper).await;
    let id = announced(&care, &PHOTO).await;
    care.doctor.1.chunk(id, 0, &PHOTO[..10]).await.refused(Code::NotFound);
    care.nurse.1.upload(id, &PHOTO).await.done();
    care.doctor.1.get(&format!("/v1/media/{id}")).await.done();
    let there = outsider.get(&format!("/v1/media/{id}")).await.refused(Code::NotFound);
    let nowhere = outsider.get(&format!("/v1/media/{}", MediaId::new())).await.refused(Code::NotFound);
    assert_eq!(there, nowhere);
    // A file's id stands for one file.
    let file = NewMedia { id, ..announcement(MediaKind::Photo, &PHOTO) };
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("もう一度", vec![file])).await.refused(Code::IdConflict);
}

async fn limits_are_kept(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let big = NewMedia { length: limits::PHOTO_BYTES + 1, ..announcement(MediaKind::Photo, &PHOTO) };
    care.nurse.1.post(&path, &new_post("大きい", vec![big])).await.refused(Code::MediaTooLarge);
    let empty = NewMedia { length: 0, ..announcement(MediaKind::Photo, &PHOTO) };
    care.nurse.1.post(&path, &new_post("空", vec![empty])).await.refused(Code::FieldInvalid);
    let long = vec![7; limits::CHUNK_BYTES + 1];
    let file = NewMedia { length: long.len() as u64, ..announcement(MediaKind::Video, &long) };
    care.nurse.1.post(&path, &new_post("長い", vec![file.clone()])).await.done();
    care.nurse.1.chunk(file.id, 0, &long).await.refused(Code::BodyTooLarge);
    let document = announcement(MediaKind::Document, b"no document");
    care.nurse.1.post("/v1/media", &document).await.done();
    care.nurse.1.upload(document.id, b"no document").await.refused(Code::MediaUnreadable);
    let photo = announcement(MediaKind::Photo, &PHOTO);
    care.nurse.1.post("/v1/media", &photo).await.refused(Code::FieldInvalid);
}

async fn a_body_on_its_way_ends_with_the_access(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let id = announced(&care, &PHOTO).await;
    care.nurse.1.upload(id, &PHOTO).await.done();
    // As long as a film: much more than a connection holds on its way.
    let long = vec![7_u8; 24 * 1024 * 1024];
    host.server.app.storage.put(&format!("media/{}/{}/whole", town.id, id), &long).await.unwrap();
    let path = format!("/v1/media/{id}");
    let open = async || {
        let answer = care.doctor.1.request(Method::GET, &path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.content_length()), (200, Some(long.len() as u64)));
        answer
    };
    // A slow reader whose access stands gets the whole.
    let mut film = open().await;
    let mut got = film.chunk().await.unwrap().unwrap().to_vec();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    while let Some(piece) = film.chunk().await.unwrap() {
        got.extend_from_slice(&piece);
    }
    assert!(got == long, "{} bytes", got.len());
    // So does one of a range that is long.
    let range = care.doctor.1.request(Method::GET, &path).header("range", "bytes=1000-9000999");
    let part = care.doctor.1.send(range).await;
    assert_eq!(
        (part.status, part.body.len(), &part.headers["content-length"]),
        (206, 9_000_000, &"9000000".parse().unwrap())
    );

    // Revoked in the middle, the body ends soon, with an error.
    let mut film = open().await;
    let mut got = film.chunk().await.unwrap().unwrap().len();
    let device = care.doctor.1.identity.as_ref().unwrap().device_id.unwrap();
    let lost = Revocation { reason: "紛失".into(), kind: RevocationKind::Lost };
    care.office.post(&format!("/v1/devices/{device}/revocation"), &lost).await.done();
    let begun = Instant::now();
    let cut = loop {
        match film.chunk().await {
            Ok(Some(piece)) => got += piece.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
        // Slowly for a little more than a second, then as fast as it comes.
        if begun.elapsed() < Duration::from_millis(1_300) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(cut, "the body came to its end: {got} bytes");
    assert!(got < long.len() / 2, "{got} bytes");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    care.doctor.1.get(&path).await.refused(Code::CertificateRevoked);
}

async fn a_film_gets_its_poster_from_its_device(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let small = photo::thumbnail(&PHOTO, limits::THUMBNAIL_SIDE).unwrap();
    let other = photo::thumbnail(&PHOTO, limits::THUMBNAIL_SIDE / 2).unwrap();
    let film = announcement(MediaKind::Video, b"no film");
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("動画です。", vec![film.clone()])).await.done();
    let path = format!("/v1/media/{}/thumbnail", film.id);
    let give = async |client: &Client, path: &str, bytes: &[u8]| {
        let request = client.request(Method::PUT, path).header("content-type", "image/jpeg");
        client.send(request.body(bytes.to_vec())).await
    };
    // Only the one whose film it is; only a small picture that shows nothing but itself.
    give(&care.doctor.1, &path, &small).await.refused(Code::NotFound);
    give(&care.nurse.1, &path, &PHOTO).await.refused(Code::MediaTooLarge);
    give(&care.nurse.1, &path, &vec![0; limits::POSTER_BYTES + 1]).await.refused(Code::BodyTooLarge);
    give(&care.nurse.1, &path, b"no picture").await.refused(Code::MediaUnreadable);
    let mut tagged = vec![0xff, 0xd8, 0xff, 0xfe, 0, 4, b'h', b'i'];
    tagged.extend(&small[2..]);
    give(&care.nurse.1, &path, &tagged).await.refused(Code::MediaNotStripped);
    care.doctor.1.get(&path).await.refused(Code::MediaPending);
    // Sent twice, it is one.
    assert_eq!(give(&care.nurse.1, &path, &small).await.done().status, 204);
    assert_eq!(give(&care.nurse.1, &path, &small).await.done().status, 204);
    give(&care.nurse.1, &path, &other).await.refused(Code::IdConflict);
    // A refused film leaves none.
    let name = format!("media/{}/{}/thumbnail", town.id, film.id);
    assert!(host.server.app.storage.find(&name).await.unwrap().is_some());
    care.nurse.1.upload(film.id, b"no film").await.refused(Code::MediaUnreadable);
    assert!(host.server.app.storage.find(&name).await.unwrap().is_none());
    give(&care.nurse.1, &path, &small).await.refused(Code::StateConflict);
    // A whole film, with a poster and without.
    for poster in [true, false] {
        let film = announcement(MediaKind::Video, FILM);
        let path = format!("/v1/patients/{}/posts", care.patient);
        care.nurse.1.post(&path, &new_post("動画です。", vec![film.clone()])).await.done();
        let path = format!("/v1/media/{}/thumbnail", film.id);
        if poster {
            give(&care.nurse.1, &path, &small).await.done();
        }
        care.nurse.1.upload(film.id, FILM).await.done();
        let seen = care.doctor.1.get(&path).await;
        if poster {
            assert_eq!(seen.headers["content-type"], "image/jpeg");
            assert_eq!(seen.done().body, small);
        } else {
            seen.refused(Code::NotFound);
            give(&care.nurse.1, &path, &small).await.refused(Code::StateConflict);
        }
    }
    // A photo has a small picture of its own.
    let id = announced(&care, &PHOTO).await;
    give(&care.nurse.1, &format!("/v1/media/{id}/thumbnail"), &small).await.refused(Code::NotFound);
}

async fn an_upload_ends_once(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let end = PHOTO.len() - 10;
    for _ in 0..4 {
        // The last chunk, and those who ask what became of it, at once.
        let id = announced(&care, &PHOTO).await;
        care.nurse.1.chunk(id, 0, &PHOTO[..end]).await.done();
        let last = care.nurse.1.chunk(id, end, &PHOTO[end..]);
        let asking = (0..4).map(|_| care.nurse.1.chunk(id, PHOTO.len(), &[]));
        let (last, _) = futures_util::future::join(last, futures_util::future::join_all(asking)).await;
        last.done();
        assert_eq!(state(&care).await.state, MediaState::Ready);
        assert_eq!(care.doctor.1.get(&format!("/v1/media/{id}")).await.done().body, *PHOTO);
        care.doctor.1.get(&format!("/v1/media/{id}/thumbnail")).await.done();
        // The last chunk, and its author who takes the file back.
        let id = announced(&care, &PHOTO).await;
        care.nurse.1.chunk(id, 0, &PHOTO[..end]).await.done();
        let upload = format!("/v1/media/{id}/upload");
        let back = care.nurse.1.send(care.nurse.1.request(Method::DELETE, &upload));
        let (last, back) = futures_util::future::join(care.nurse.1.chunk(id, end, &PHOTO[end..]), back).await;
        let whole = host.server.app.storage.find(&format!("media/{}/{id}/whole", town.id)).await.unwrap();
        match state(&care).await.state {
            MediaState::Ready => {
                assert_eq!((last.status, back.status, whole.is_some()), (204, 409, true));
            }
            _ => assert_eq!((last.status, back.status, whole.is_some()), (409, 204, false)),
        }
    }
}
