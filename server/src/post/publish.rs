//! Publishing: one transaction holds the post, its announced media, its audit entry and its notices.

use super::{rules, store};
use crate::access::{self, Credentials, Of, PatientAccess, Write};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, input, media, patient};
use renraku_wire::{Code, NewPost, NoticeKind, PatientId, Post, Timestamp, limits};
use sha2::{Digest as _, Sha256};

/// A post may wait on a device for this long; what claims to be older comes from a clock that is wrong.
const BEHIND_MILLIS: i64 = 60 * 86_400_000;

/// Publishes a post. The same request sent twice stores and tells once, and answers alike.
///
/// # Errors
/// The access's codes; [`Code::FieldInvalid`]; [`Code::IdConflict`].
pub async fn publish(
    app: &App,
    credentials: &Credentials,
    patient: PatientId,
    new: &NewPost,
) -> Result<Post, AppError> {
    let now = clock::now();
    let new = check(new)?;
    let fingerprint = fingerprint(patient, &new)?;
    let new = NewPost { written_at: written(new.written_at, now), ..new };
    let post = app
        .db
        .write(async |c| {
            let access = access::patient::<Write>(c, credentials, Of::Patient(patient.into())).await?;
            if store::insert(c, &access, &new, &fingerprint, now).await? {
                accompany(c, &access, &new, now).await?;
            } else {
                same(c, &access, &new, &fingerprint).await?;
            }
            store::get(c, &access.reading(), new.id.into()).await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(post)
}

async fn accompany(
    c: &mut Conn,
    access: &PatientAccess<Write>,
    new: &NewPost,
    now: i64,
) -> Result<(), AppError> {
    // Here and not before: a post that is stored already may be sent again after the town changed its mind.
    rules::urgent(new.urgent, access.policy())?;
    let town = access.municipality_id();
    let files: Vec<Id> = new.media.iter().map(|m| m.id.into()).collect();
    if store::media_exists(c, town, &files).await? {
        return Err(Code::IdConflict.into());
    }
    media::store::announce(c, access, Some((access.patient_id(), new.id.into())), &new.media, now).await?;
    let members = patient::store::members_but(c, town, access.patient_id(), access.staff_id()).await?;
    let about = About {
        municipality_id: town,
        kind: NoticeKind::PostPublished,
        patient_id: Some(access.patient_id()),
        post_id: Some(new.id.into()),
    };
    notice::queue(c, &about, &members).await?;
    audit::record(c, access.actor(), "post.publish", Some(new.id.into()), "").await
}

async fn same(
    c: &mut Conn,
    access: &PatientAccess<Write>,
    new: &NewPost,
    fingerprint: &str,
) -> Result<(), AppError> {
    match store::fingerprint(c, access.municipality_id(), new.id.into()).await? {
        Some((author, stored)) if author == access.staff_id() && stored == fingerprint => Ok(()),
        _ => Err(Code::IdConflict.into()),
    }
}

/// When it was written, as far as that can be: the moment of its arrival where the device's clock is wrong. A post is
/// not refused for it, for who wrote it can mend neither.
fn written(claimed: Timestamp, now: i64) -> Timestamp {
    if (now - BEHIND_MILLIS..=now).contains(&claimed.0) { claimed } else { Timestamp(now) }
}

fn check(new: &NewPost) -> Result<NewPost, AppError> {
    let body = if new.media.is_empty() || !new.body.trim().is_empty() {
        input::text(&new.body, "body", limits::POST_CHARS)?
    } else {
        String::new()
    };
    if new.media.len() > limits::POST_MEDIA {
        return Err(AppError::field("media"));
    }
    let media = new.media.iter().map(media::upload::check_of_post).collect::<Result<Vec<_>, _>>()?;
    Ok(NewPost { body, media, ..new.clone() })
}

fn fingerprint(patient: PatientId, new: &NewPost) -> Result<String, AppError> {
    let text = serde_json::to_vec(&(patient, new))
        .map_err(|e| AppError::internal(format!("a post cannot be written as JSON: {e}")))?;
    Ok(hex::encode(Sha256::digest(text)))
}
