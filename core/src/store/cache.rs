//! What the person last saw: patients, posts, pictures. Always what the server said, never a guess. A picture is
//! kept as long as its post is, here or in the outbox.

use super::schema::{item_media, patient, picture, post, post_media};
use super::{StoreResult, from_json, to_json};
use diesel::prelude::*;
use renraku_wire::{MediaId, Patient, PatientId, PatientSummary, Post, PostId, Timestamp};

/// Pictures kept, thumbnails counted; the oldest go first.
const PICTURES: i64 = 300;

/// What is kept for reading without the server: the town's policy for devices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first so many patients of the list, newest post first; 0 for none.
    pub(crate) patients: u32,
    /// Posts and pictures of the last so many days; 0 for none.
    pub(crate) days: u32,
}

/// What was kept, and when the server said it; none of that where an older version of the app kept it.
pub(crate) type Kept<T> = (T, Option<Timestamp>);

/// Lets go of what lies outside of the window, by when the server took it: what was written on a device weeks before is
/// news all the same. The list of patients itself stays, names only.
pub(crate) fn prune(tx: &mut SqliteConnection, window: Window, now: Timestamp) -> StoreResult<()> {
    let oldest = now.0.saturating_sub(i64::from(window.days) * 86_400_000);
    diesel::delete(post::table.filter(post::received_at.lt(oldest))).execute(tx)?;
    let own = item_media::table.select(item_media::id);
    let old = picture::table.filter(picture::kept_at.lt(oldest)).filter(picture::media_id.ne_all(own));
    diesel::delete(old).execute(tx)?;
    let first = i32::try_from(window.patients).unwrap_or(i32::MAX);
    let beyond = patient::table.filter(patient::position.ge(first)).select(patient::id);
    diesel::delete(post::table.filter(post::patient_id.eq_any(beyond))).execute(tx)?;
    if first == 0 {
        // Those of patients who are in no list yet, too.
        diesel::delete(post::table).execute(tx)?;
    }
    diesel::update(patient::table)
        .filter(patient::position.ge(first))
        .filter(patient::detail.is_not_null())
        .set(patient::detail.eq(None::<String>))
        .execute(tx)?;
    drop_pictures(tx)
}

/// Lets go of the pictures whose posts are gone.
pub(crate) fn drop_pictures(tx: &mut SqliteConnection) -> StoreResult<()> {
    let (kept, own) =
        (post_media::table.select(post_media::media_id), item_media::table.select(item_media::id));
    let orphans = picture::table.filter(picture::media_id.ne_all(kept)).filter(picture::media_id.ne_all(own));
    diesel::delete(orphans).execute(tx)?;
    Ok(())
}

/// Replaces the list of patients. Whoever is not in it any more is gone, posts included.
pub(crate) fn put_patients(
    tx: &mut SqliteConnection,
    patients: &[PatientSummary],
    now: Timestamp,
) -> StoreResult<()> {
    let ids: Vec<&[u8]> = patients.iter().map(|p| p.id.0.as_bytes().as_slice()).collect();
    diesel::delete(patient::table.filter(patient::id.ne_all(&ids))).execute(tx)?;
    diesel::delete(post::table.filter(post::patient_id.ne_all(&ids))).execute(tx)?;
    for (position, summary) in (0i32..).zip(patients) {
        let text = to_json(summary)?;
        diesel::insert_into(patient::table)
            .values((
                patient::id.eq(summary.id.0.as_bytes().as_slice()),
                patient::position.eq(position),
                patient::summary.eq(&text),
                patient::summary_at.eq(now.0),
            ))
            .on_conflict(patient::id)
            .do_update()
            .set((patient::position.eq(position), patient::summary.eq(&text), patient::summary_at.eq(now.0)))
            .execute(tx)?;
    }
    drop_pictures(tx)
}

/// The list of patients as last seen; none when it is empty.
pub(crate) fn patients(connection: &mut SqliteConnection) -> StoreResult<Option<Kept<Vec<PatientSummary>>>> {
    let rows: Vec<(String, Option<i64>)> = patient::table
        .order(patient::position)
        .select((patient::summary, patient::summary_at))
        .load(connection)?;
    let at = rows.first().and_then(|(_, at)| *at).map(Timestamp);
    let list = rows.iter().map(|(text, _)| from_json(text)).collect::<StoreResult<Vec<_>>>()?;
    Ok((!list.is_empty()).then_some((list, at)))
}

/// Keeps a patient's page, if the patient is in the list.
pub(crate) fn put_patient(tx: &mut SqliteConnection, detail: &Patient, now: Timestamp) -> StoreResult<()> {
    diesel::update(patient::table.find(detail.id.0.as_bytes().as_slice()))
        .set((patient::detail.eq(to_json(detail)?), patient::detail_at.eq(now.0)))
        .execute(tx)?;
    Ok(())
}

/// A patient's page as last seen.
pub(crate) fn patient(
    connection: &mut SqliteConnection,
    id: PatientId,
) -> StoreResult<Option<Kept<Patient>>> {
    let row: Option<(Option<String>, Option<i64>)> = patient::table
        .find(id.0.as_bytes().as_slice())
        .select((patient::detail, patient::detail_at))
        .first(connection)
        .optional()?;
    let Some((Some(text), at)) = row else { return Ok(None) };
    Ok(Some((from_json(&text)?, at.map(Timestamp))))
}

/// Keeps posts as the server said them then, and which files are theirs.
pub(crate) fn put_posts(
    tx: &mut SqliteConnection,
    posts: &[Post],
    fetched: Option<Timestamp>,
) -> StoreResult<()> {
    for one in posts {
        // With the old row its files' rows go.
        diesel::replace_into(post::table)
            .values((
                post::id.eq(one.id.0.as_bytes().as_slice()),
                post::patient_id.eq(one.patient_id.0.as_bytes().as_slice()),
                post::received_at.eq(one.received_at.0),
                post::body.eq(to_json(one)?),
                post::fetched_at.eq(fetched.map(|at| at.0)),
                post::written_at.eq(one.written_at.0),
            ))
            .execute(tx)?;
        for media in &one.media {
            diesel::replace_into(post_media::table)
                .values((
                    post_media::media_id.eq(media.id.0.as_bytes().as_slice()),
                    post_media::post_id.eq(one.id.0.as_bytes().as_slice()),
                ))
                .execute(tx)?;
        }
    }
    Ok(())
}

/// A post as last seen.
pub(crate) fn post(connection: &mut SqliteConnection, id: PostId) -> StoreResult<Option<Kept<Post>>> {
    let row: Option<(String, Option<i64>)> = post::table
        .find(id.0.as_bytes().as_slice())
        .select((post::body, post::fetched_at))
        .first(connection)
        .optional()?;
    let Some((text, at)) = row else { return Ok(None) };
    Ok(Some((from_json(&text)?, at.map(Timestamp))))
}

/// Takes a 👍 off a post that the server did not take.
pub(crate) fn unacknowledge(tx: &mut SqliteConnection, id: PostId) -> StoreResult<()> {
    let Some((mut kept, fetched)) = post(tx, id)? else { return Ok(()) };
    kept.acknowledged = false;
    put_posts(tx, &[kept], fetched)
}

/// Forgets a post and its pictures.
pub(crate) fn forget_post(tx: &mut SqliteConnection, id: PostId) -> StoreResult<()> {
    diesel::delete(post::table.find(id.0.as_bytes().as_slice())).execute(tx)?;
    drop_pictures(tx)
}

/// Forgets a patient, with posts and pictures.
pub(crate) fn forget_patient(tx: &mut SqliteConnection, id: PatientId) -> StoreResult<()> {
    diesel::delete(patient::table.find(id.0.as_bytes().as_slice())).execute(tx)?;
    diesel::delete(post::table.filter(post::patient_id.eq(id.0.as_bytes().as_slice()))).execute(tx)?;
    drop_pictures(tx)
}

/// A patient's posts as last seen, in the server's order: the last written first, from `skip` on, each with when that was.
pub(crate) fn posts(
    connection: &mut SqliteConnection,
    patient: PatientId,
    skip: i64,
    limit: i64,
) -> StoreResult<Vec<Kept<Post>>> {
    let rows: Vec<(String, Option<i64>)> = post::table
        .filter(post::patient_id.eq(patient.0.as_bytes().as_slice()))
        .order((post::written_at.desc(), post::id.desc()))
        .offset(skip)
        .limit(limit)
        .select((post::body, post::fetched_at))
        .load(connection)?;
    rows.iter().map(|(text, at)| Ok((from_json(text)?, at.map(Timestamp)))).collect()
}

/// Keeps a picture if its post is kept, and lets the oldest ones go.
pub(crate) fn put_picture(
    tx: &mut SqliteConnection,
    id: MediaId,
    small: bool,
    bytes: &[u8],
    now: Timestamp,
) -> StoreResult<()> {
    diesel::replace_into(picture::table)
        .values((
            picture::media_id.eq(id.0.as_bytes().as_slice()),
            picture::small.eq(small),
            picture::bytes.eq(bytes),
            picture::kept_at.eq(now.0),
        ))
        .execute(tx)?;
    drop_pictures(tx)?;
    let kept: i64 = picture::table.count().get_result(tx)?;
    if kept > PICTURES {
        let own = item_media::table.select(item_media::id);
        let oldest: Vec<(Vec<u8>, bool)> = picture::table
            .filter(picture::media_id.ne_all(own))
            .order(picture::kept_at)
            .limit(kept - PICTURES)
            .select((picture::media_id, picture::small))
            .load(tx)?;
        for key in &oldest {
            diesel::delete(picture::table.find((&key.0, key.1))).execute(tx)?;
        }
    }
    Ok(())
}

/// A picture that was kept.
pub(crate) fn picture(
    connection: &mut SqliteConnection,
    id: MediaId,
    small: bool,
) -> StoreResult<Option<Vec<u8>>> {
    let key = (id.0.as_bytes().as_slice(), small);
    Ok(picture::table.find(key).select(picture::bytes).first(connection).optional()?)
}
