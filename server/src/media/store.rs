//! Files and their chunks in the database.

use crate::access::{PatientAccess, Read, Secretariat, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{media, media_chunk};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, Media, MediaKind, MediaState, NewMedia};

#[derive(Insertable)]
#[diesel(table_name = media, treat_none_as_default_value = false)]
struct New<'a> {
    municipality_id: Id,
    id: Id,
    patient_id: Option<Id>,
    post_id: Option<Id>,
    position: i32,
    kind: String,
    state: String,
    length: i64,
    received: i64,
    sha256: &'a str,
    description: &'a str,
    announced_by: Id,
    created_at: i64,
    changed_at: i64,
}

/// Announces files: of a post about a patient, or a document without either.
///
/// # Errors
/// The database failed.
pub async fn announce(
    c: &mut Conn,
    who: &SignedIn,
    of: Option<(Id, Id)>,
    files: &[NewMedia],
    now: i64,
) -> Result<(), AppError> {
    if files.is_empty() {
        return Ok(());
    }
    let rows: Vec<New<'_>> = files
        .iter()
        .zip(0..)
        .map(|(file, position)| New {
            municipality_id: who.municipality_id(),
            id: file.id.into(),
            patient_id: of.map(|(patient, _)| patient),
            post_id: of.map(|(_, post)| post),
            position,
            kind: word(&file.kind),
            state: word(&MediaState::Pending),
            length: i64::try_from(file.length).unwrap_or(i64::MAX),
            received: 0,
            sha256: &file.sha256,
            description: &file.description,
            announced_by: who.staff_id(),
            created_at: now,
            changed_at: now,
        })
        .collect();
    run!(c, execute, diesel::insert_into(media::table).values(&rows))?;
    Ok(())
}

/// A file as its upload sees it.
#[derive(Queryable, Selectable, Clone, Debug)]
#[diesel(table_name = media)]
pub struct File {
    /// The town.
    pub municipality_id: Id,
    /// Its id.
    pub id: Id,
    /// [`MediaKind`].
    pub kind: String,
    /// [`MediaState`].
    pub state: String,
    /// Bytes announced.
    pub length: i64,
    /// Bytes here.
    pub received: i64,
    /// Digest announced, hex.
    pub sha256: String,
    /// Media type, once ready.
    pub content_type: Option<String>,
    /// When it last changed.
    pub changed_at: i64,
}

impl File {
    /// True while its device has not made it yet.
    #[must_use]
    pub fn is_to_follow(&self) -> bool {
        self.length == 0 && self.state == "pending"
    }

    /// What it is.
    ///
    /// # Errors
    /// The row was written by a newer version.
    pub fn kind(&self) -> Result<MediaKind, AppError> {
        from_word(&self.kind)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// None in practice.
    pub fn state(&self) -> Result<MediaState, AppError> {
        from_word(&self.state)
    }
}

/// Notes what became of a file that was to follow.
///
/// # Errors
/// [`Code::IdConflict`] when another said so first.
pub async fn made(c: &mut Conn, file: &File, new: &NewMedia, now: i64) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(
            media::table
                .find((file.municipality_id, file.id))
                .filter(media::length.eq(0))
                .filter(media::state.eq(word(&MediaState::Pending)))
        )
        .set((
            media::length.eq(i64::try_from(new.length).unwrap_or(i64::MAX)),
            media::sha256.eq(&new.sha256),
            media::changed_at.eq(now),
        ))
    )?;
    if rows == 0 { Err(Code::IdConflict.into()) } else { Ok(()) }
}

/// The file that the person announced: nobody else uploads it.
///
/// # Errors
/// [`Code::NotFound`] alike for another's and for none.
pub async fn own(c: &mut Conn, who: &SignedIn, id: Id) -> Result<File, AppError> {
    let file: Option<File> = run!(
        c,
        get_result,
        media::table
            .find((who.municipality_id(), id))
            .filter(media::announced_by.eq(who.staff_id()))
            .select(File::as_select())
    )
    .optional()?;
    Ok(file.ok_or(Code::NotFound)?)
}

/// The digest of a file that the person announced, hex.
///
/// # Errors
/// The database failed.
pub async fn digest(c: &mut Conn, who: &SignedIn, id: Id) -> Result<Option<String>, AppError> {
    Ok(run!(
        c,
        get_result,
        media::table
            .find((who.municipality_id(), id))
            .filter(media::announced_by.eq(who.staff_id()))
            .select(media::sha256)
    )
    .optional()?)
}

/// A patient's file.
///
/// # Errors
/// The database failed.
pub async fn of_patient(c: &mut Conn, access: &PatientAccess<Read>, id: Id) -> Result<File, AppError> {
    let file: Option<File> = run!(
        c,
        get_result,
        media::table
            .find((access.municipality_id(), id))
            .filter(media::patient_id.eq(access.patient_id()))
            .select(File::as_select())
    )
    .optional()?;
    Ok(file.ok_or(Code::NotFound)?)
}

/// A document that is no patient's, whole.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn document(c: &mut Conn, office: &Secretariat, id: Id) -> Result<File, AppError> {
    let file: Option<File> = run!(
        c,
        get_result,
        media::table
            .find((office.municipality_id(), id))
            .filter(media::patient_id.is_null())
            .filter(media::kind.eq(word(&MediaKind::Document)))
            .filter(media::state.eq(word(&MediaState::Ready)))
            .select(File::as_select())
    )
    .optional()?;
    Ok(file.ok_or(Code::NotFound)?)
}

/// Notes a chunk that was stored; false when another came first.
///
/// # Errors
/// The database failed.
pub async fn add_chunk(
    c: &mut Conn,
    file: &File,
    length: i64,
    object: &str,
    now: i64,
) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(
            media::table
                .find((file.municipality_id, file.id))
                .filter(media::received.eq(file.received))
                .filter(media::state.eq(word(&MediaState::Pending)))
        )
        .set((media::received.eq(file.received + length), media::changed_at.eq(now)))
    )?;
    if rows == 0 {
        return Ok(false);
    }
    run!(
        c,
        execute,
        diesel::insert_into(media_chunk::table).values((
            media_chunk::municipality_id.eq(file.municipality_id),
            media_chunk::media_id.eq(file.id),
            media_chunk::start.eq(file.received),
            media_chunk::length.eq(length),
            media_chunk::object.eq(object),
        ))
    )?;
    Ok(true)
}

/// Names of a file's chunks, in order.
///
/// # Errors
/// The database failed.
pub async fn chunks(c: &mut Conn, file: &File) -> Result<Vec<String>, AppError> {
    Ok(run!(
        c,
        load,
        media_chunk::table
            .filter(media_chunk::municipality_id.eq(file.municipality_id))
            .filter(media_chunk::media_id.eq(file.id))
            .order(media_chunk::start)
            .select(media_chunk::object)
    )?)
}

/// What the check of a whole file found.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Length in milliseconds.
    pub duration_ms: Option<u64>,
    /// Media type.
    pub content_type: &'static str,
}

/// Ends an upload: ready with what was found, or refused. Its chunks are forgotten. False, and nothing is changed,
/// when it was ended before.
///
/// # Errors
/// The database failed.
pub async fn finish(c: &mut Conn, file: &File, facts: Option<&Facts>, now: i64) -> Result<bool, AppError> {
    let state = if facts.is_some() { MediaState::Ready } else { MediaState::Refused };
    let small = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    let pending = media::table
        .find((file.municipality_id, file.id))
        .filter(media::state.eq(word(&MediaState::Pending)));
    let rows = run!(
        c,
        execute,
        diesel::update(pending).set((
            media::state.eq(word(&state)),
            media::width.eq(small(facts.and_then(|f| f.width))),
            media::height.eq(small(facts.and_then(|f| f.height))),
            media::duration_ms.eq(facts.and_then(|f| f.duration_ms).and_then(|n| i64::try_from(n).ok())),
            media::content_type.eq(facts.map(|f| f.content_type)),
            media::changed_at.eq(now),
        ))
    )?;
    if rows == 0 {
        return Ok(false);
    }
    run!(
        c,
        execute,
        diesel::delete(
            media_chunk::table
                .filter(media_chunk::municipality_id.eq(file.municipality_id))
                .filter(media_chunk::media_id.eq(file.id))
        )
    )?;
    Ok(true)
}

type Row = (Id, Option<Id>, String, String, i64, Option<i32>, Option<i32>, Option<i64>, String);

/// The files of some posts, each post's in order.
///
/// # Errors
/// The database failed.
pub async fn of_posts(
    c: &mut Conn,
    access: &PatientAccess<Read>,
    posts: &[Id],
) -> Result<Vec<(Id, Media)>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        media::table
            .filter(media::municipality_id.eq(access.municipality_id()))
            .filter(media::patient_id.eq(access.patient_id()))
            .filter(media::post_id.eq_any(posts))
            .order((media::post_id, media::position))
            .select((
                media::id,
                media::post_id,
                media::kind,
                media::state,
                media::length,
                media::width,
                media::height,
                media::duration_ms,
                media::description
            ))
    )?;
    let mut files = Vec::with_capacity(rows.len());
    for (id, post_id, kind, state, length, width, height, duration_ms, description) in rows {
        let Some(post_id) = post_id else { continue };
        files.push((
            post_id,
            Media {
                id: id.into(),
                kind: from_word(&kind)?,
                state: from_word(&state)?,
                length: u64::try_from(length).unwrap_or(0),
                width: width.and_then(|n| u32::try_from(n).ok()),
                height: height.and_then(|n| u32::try_from(n).ok()),
                duration_ms: duration_ms.and_then(|n| u64::try_from(n).ok()),
                description,
            },
        ));
    }
    Ok(files)
}

/// True when a file of this id exists, whoever announced it.
///
/// # Errors
/// The database failed.
pub async fn taken(c: &mut Conn, who: &SignedIn, id: Id) -> Result<bool, AppError> {
    let n: i64 = run!(c, get_result, media::table.find((who.municipality_id(), id)).count())?;
    Ok(n > 0)
}
