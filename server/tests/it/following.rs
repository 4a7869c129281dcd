//! Files that a post says will follow: made later, by one who may still write, or never.

use crate::both;
use crate::media::{FILM, PHOTO, state};
use crate::town::*;
use renraku_media::photo;
use renraku_server::db::Id;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::team_member;
use renraku_server::{clock, run};
use renraku_wire::*;
use reqwest::Method;

both!(
    a_file_may_be_made_after_its_post,
    what_follows_is_chosen_by_one_who_may_still_write,
    what_never_comes_is_given_up,
);

async fn a_file_may_be_made_after_its_post(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let made = announcement(MediaKind::Photo, &PHOTO);
    let to_follow = NewMedia { length: 0, sha256: String::new(), ..made.clone() };
    let (id, upload) = (made.id, format!("/v1/media/{}/upload", made.id));
    let post = new_post("写真は後から", vec![to_follow.clone()]);
    for _ in 0..2 {
        care.nurse.1.post(&path, &post).await.done();
    }
    assert_eq!((state(&care).await.state, state(&care).await.length), (MediaState::Pending, 0));
    care.nurse.1.chunk(id, 0, &PHOTO[..100]).await.refused(Code::MediaPending);
    care.nurse.1.chunk(id, 0, &[]).await.refused(Code::MediaPending);
    // Another's file and none at all answer alike.
    care.doctor.1.post("/v1/media", &made).await.refused(Code::FieldInvalid);
    let film = NewMedia { kind: MediaKind::Video, ..made.clone() };
    care.nurse.1.post("/v1/media", &film).await.refused(Code::IdConflict);
    care.nurse.1.post("/v1/media", &to_follow).await.refused(Code::FieldInvalid);
    let big = NewMedia { length: limits::PHOTO_BYTES + 1, ..made.clone() };
    care.nurse.1.post("/v1/media", &big).await.refused(Code::MediaTooLarge);
    let twice = futures_util::future::join(
        care.nurse.1.post("/v1/media", &made),
        care.nurse.1.post("/v1/media", &made),
    );
    let (one, two) = twice.await;
    assert_eq!((one.status, two.status), (201, 201));
    let other = NewMedia { sha256: "0".repeat(64), ..made.clone() };
    care.nurse.1.post("/v1/media", &other).await.refused(Code::IdConflict);
    // The text says what it said: the same post again is the same, with or without the file.
    care.nurse.1.post(&path, &post).await.done();
    care.nurse.1.upload(id, &PHOTO).await.done();
    assert_eq!(state(&care).await.state, MediaState::Ready);
    care.nurse.1.send(care.nurse.1.request(Method::DELETE, &upload)).await.refused(Code::StateConflict);

    // One that cannot be made, or not wholly sent, is waited for no longer.
    for sent in [0, 100] {
        let made = announcement(MediaKind::Photo, &PHOTO);
        let of_post = match sent {
            0 => NewMedia { length: 0, sha256: String::new(), ..made.clone() },
            _ => made.clone(),
        };
        care.nurse.1.post(&path, &new_post("写真は来ない", vec![of_post])).await.done();
        if sent > 0 {
            care.nurse.1.chunk(made.id, 0, &PHOTO[..sent]).await.done();
        }
        let upload = format!("/v1/media/{}/upload", made.id);
        care.doctor.1.send(care.doctor.1.request(Method::DELETE, &upload)).await.refused(Code::NotFound);
        for _ in 0..2 {
            care.nurse.1.send(care.nurse.1.request(Method::DELETE, &upload)).await.done();
        }
        assert_eq!(state(&care).await.state, MediaState::Refused);
        care.nurse.1.chunk(made.id, 0, &PHOTO).await.refused(Code::StateConflict);
    }
    let document = NewMedia { kind: MediaKind::Document, id: MediaId::new(), ..to_follow };
    care.nurse.1.post(&path, &new_post("書類", vec![document])).await.refused(Code::FieldInvalid);
}

async fn what_follows_is_chosen_by_one_who_may_still_write(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let film = announcement(MediaKind::Video, FILM);
    let to_follow = NewMedia { length: 0, sha256: String::new(), ..film.clone() };
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("動画は後から", vec![to_follow])).await.done();
    let nurse = Id::from(care.nurse.0);
    let of_nurse = team_member::table.filter(team_member::staff_id.eq(nurse));
    host.server
        .app
        .db
        .write(async |c| {
            Ok(run!(c, execute, diesel::update(of_nurse).set(team_member::removed_at.eq(Some(1_i64))))?)
        })
        .await
        .unwrap();
    care.nurse.1.post("/v1/media", &film).await.refused(Code::NotFound);
    let small = photo::thumbnail(&PHOTO, limits::THUMBNAIL_SIDE).unwrap();
    let poster = care.nurse.1.request(Method::PUT, &format!("/v1/media/{}/thumbnail", film.id));
    care.nurse.1.send(poster.body(small)).await.refused(Code::NotFound);
    let name = format!("media/{}/{}/thumbnail", town.id, film.id);
    assert!(host.server.app.storage.find(&name).await.unwrap().is_none());
}

async fn what_never_comes_is_given_up(host: Host) {
    use renraku_server::db::schema::{audit, media, media_chunk};
    use renraku_server::media::overdue;
    const DAY: i64 = 86_400_000;
    let town = host.town("one").await;
    let care = town.care_team().await;
    let app = &host.server.app;
    let path = format!("/v1/patients/{}/posts", care.patient);
    let to_follow = NewMedia { length: 0, sha256: String::new(), ..announcement(MediaKind::Photo, &PHOTO) };
    let begun = announcement(MediaKind::Photo, &PHOTO);
    let here = announcement(MediaKind::Photo, &PHOTO);
    let files = vec![to_follow.clone(), begun.clone(), here.clone()];
    care.nurse.1.post(&path, &new_post("端末をなくしました。", files)).await.done();
    care.nurse.1.chunk(begun.id, 0, &PHOTO[..100]).await.done();
    care.nurse.1.upload(here.id, &PHOTO).await.done();
    let states = async || {
        let page: PostPage = care.doctor.1.get(&path).await.ok();
        page.posts[0].media.iter().map(|m| m.state).collect::<Vec<_>>()
    };
    let counts = async || {
        app.db
            .read(async |c| {
                let given_up = audit::table.filter(audit::action.eq("media.give_up"));
                let entries: i64 = run!(c, get_result, given_up.count())?;
                let chunks: i64 = run!(c, get_result, media_chunk::table.count())?;
                Ok((entries, chunks))
            })
            .await
            .unwrap()
    };
    let (waits, ready) = (MediaState::Pending, MediaState::Ready);
    let now = clock::now();
    overdue::give_up(app, now + 59 * DAY).await.unwrap();
    assert_eq!((states().await, counts().await), (vec![waits, waits, ready], (0, 1)));
    // What came of one just now is waited for from now on.
    app.db
        .write(async |c| {
            let this = media::table.filter(media::id.eq(Id::from(begun.id)));
            // All of it, and the server stopped before it was checked.
            let all = (media::changed_at.eq(now + 5 * DAY), media::received.eq(media::length));
            Ok(run!(c, execute, diesel::update(this).set(all))?)
        })
        .await
        .unwrap();
    let object: String = app
        .db
        .read(async |c| Ok(run!(c, get_result, media_chunk::table.select(media_chunk::object))?))
        .await
        .unwrap();
    assert!(app.storage.find(&object).await.unwrap().is_some());
    overdue::give_up(app, now + 61 * DAY).await.unwrap();
    assert_eq!((states().await, counts().await), (vec![MediaState::Refused, waits, ready], (1, 1)));
    // Two servers keep house at once.
    let (one, two) = futures_util::future::join(
        overdue::give_up(app, now + 66 * DAY),
        overdue::give_up(app, now + 66 * DAY),
    )
    .await;
    one.unwrap();
    two.unwrap();
    let gone = MediaState::Refused;
    assert_eq!((states().await, counts().await), (vec![gone, gone, ready], (2, 0)));
    assert!(app.storage.find(&object).await.unwrap().is_none(), "its bytes are gone");
    // A phone that turns up again is told that it need not go on.
    care.nurse.1.chunk(begun.id, 100, &PHOTO[100..]).await.refused(Code::StateConflict);
    care.nurse.1.post("/v1/media", &announcement_of(&to_follow)).await.refused(Code::IdConflict);
}

/// What a phone that turns up again says of a file that it was to make.
fn announcement_of(file: &NewMedia) -> NewMedia {
    NewMedia { id: file.id, ..announcement(MediaKind::Photo, &PHOTO) }
}
