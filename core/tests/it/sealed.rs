//! Nothing that a person wrote or read lies on the disk in the clear.

use crate::phone::{Phone, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use renraku_core::Cancel;
use std::path::Path;

fn holds(folder: &Path, marker: &[u8], seen: &mut u32) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.to_string_lossy().as_bytes().windows(marker.len()).any(|w| w == marker) {
            return true;
        }
        if path.is_dir() {
            return holds(&path, marker, seen);
        }
        *seen += 1;
        std::fs::read(&path).unwrap().windows(marker.len()).any(|w| w == marker)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_name_token_picture_or_schema_in_any_file() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "MARKER-BODY 褥瘡");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 400)];
    post.attachments[0].description = "MARKER-DESCRIPTION".into();
    session.compose(post, Cancel::new(), None).await.unwrap();
    std::fs::remove_file(phone.file("camera.jpg")).unwrap();
    session.patients().await.unwrap();
    session.patient(town.patient.id).await.unwrap();
    session.flush(true).await.unwrap();
    session.timeline(town.patient.id, None).await.unwrap();

    let photo = town.facts().files.values().next().unwrap().bytes[1000..1032].to_vec();
    let patient = town.patient.id.0.as_bytes().to_vec();
    let markers: [&[u8]; 11] = [
        b"MARKER-BODY",
        "褥瘡".as_bytes(),
        b"MARKER-DESCRIPTION",
        "箕輪 花子".as_bytes(),
        "看護 恵".as_bytes(),
        b"the-token",
        PASSWORD.as_bytes(),
        b"CREATE TABLE",
        b"SQLite format",
        &photo,
        &patient,
    ];
    let app = phone.file("app");
    let search = |least: u32| {
        for marker in markers {
            let mut seen = 0;
            assert!(!holds(&app, marker, &mut seen), "{:?}", String::from_utf8_lossy(marker));
            assert!(seen >= least, "{seen} files");
        }
    };
    search(3); // the store, its log and the log's index
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    phone.device.resume(staff).await.map(drop).unwrap();
    search(1);
    // The proof that this test can fail: the same search finds what does lie there.
    std::fs::write(app.join("control"), b"xxMARKER-BODYxx").unwrap();
    assert!(holds(&app, b"MARKER-BODY", &mut 0));
}
