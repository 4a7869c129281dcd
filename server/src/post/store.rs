//! Posts in the database.

use crate::access::{PatientAccess, Read, Write};
use crate::db::prelude::*;
use crate::db::schema::{facility, media, post, receipt, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Media, NewPost, Post, Timestamp, limits};
use std::collections::HashMap;

/// Stores a post and the media it announces; false when this id was stored before.
///
/// # Errors
/// The database failed.
pub async fn insert(
    c: &mut Conn,
    access: &PatientAccess<Write>,
    new: &NewPost,
    fingerprint: &str,
    now: i64,
) -> Result<bool, AppError> {
    let town = access.municipality_id();
    let rows = run!(
        c,
        execute,
        diesel::insert_into(post::table)
            .values((
                post::municipality_id.eq(town),
                post::id.eq(Id::from(new.id)),
                post::patient_id.eq(access.patient_id()),
                post::author_id.eq(access.staff_id()),
                post::facility_id.eq(access.facility_id()),
                post::device_id.eq(access.device_id()),
                post::body.eq(&new.body),
                post::urgent.eq(new.urgent),
                post::body_site.eq(new.body_site.as_ref().map(word)),
                post::written_at.eq(new.written_at.0),
                post::received_at.eq(now),
                post::request_sha256.eq(fingerprint),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// What identifies the stored post of this id: its author and its request.
///
/// # Errors
/// The database failed.
pub async fn fingerprint(c: &mut Conn, town: Id, id: Id) -> Result<Option<(Id, String)>, AppError> {
    Ok(run!(c, get_result, post::table.find((town, id)).select((post::author_id, post::request_sha256)))
        .optional()?)
}

/// Where a page of the timeline goes on: after the post written then, with that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last post of the page before was written.
    pub written_at: i64,
    /// Its id.
    pub id: Id,
}

impl Cursor {
    /// The cursor as it crosses the network.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}.{}", self.written_at, self.id)
    }

    /// Reads a cursor.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        Some(Self { written_at: at.parse().ok()?, id: Id(id.parse().ok()?) })
    }
}

type Row = ((Id, Id, String, String), (Id, String), (String, bool, Option<String>, i64, i64));

/// One page of a patient's timeline, newest first; and where the next one goes on.
///
/// # Errors
/// The database failed.
pub async fn page(
    c: &mut Conn,
    access: &PatientAccess<Read>,
    before: Option<Cursor>,
) -> Result<(Vec<Post>, Option<Cursor>), AppError> {
    let most = limits::TIMELINE_PAGE;
    let before = before.unwrap_or(Cursor { written_at: i64::MAX, id: Id(uuid::Uuid::max()) });
    let rows: Vec<Row> = run!(
        c,
        load,
        joined()
            .filter(post::municipality_id.eq(access.municipality_id()))
            .filter(post::patient_id.eq(access.patient_id()))
            .filter(
                post::written_at
                    .lt(before.written_at)
                    .or(post::written_at.eq(before.written_at).and(post::id.lt(before.id)))
            )
            .order((post::written_at.desc(), post::id.desc()))
            .limit(i64::try_from(most).unwrap_or(30) + 1)
            .select(columns())
    )?;
    let more = rows.len() > most;
    let posts = views(c, access, rows.into_iter().take(most).collect()).await?;
    let next = if more {
        posts.last().map(|p| Cursor { written_at: p.written_at.0, id: p.id.into() })
    } else {
        None
    };
    Ok((posts, next))
}

/// One post of the patient.
///
/// # Errors
/// The database failed.
pub async fn get(c: &mut Conn, access: &PatientAccess<Read>, id: Id) -> Result<Post, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        joined()
            .filter(post::municipality_id.eq(access.municipality_id()))
            .filter(post::patient_id.eq(access.patient_id()))
            .filter(post::id.eq(id))
            .select(columns())
    )?;
    views(c, access, rows).await?.pop().ok_or_else(|| renraku_wire::Code::NotFound.into())
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    post::table
        .inner_join(
            staff::table
                .on(staff::municipality_id.eq(post::municipality_id).and(staff::id.eq(post::author_id))),
        )
        .inner_join(
            facility::table.on(facility::municipality_id
                .eq(post::municipality_id)
                .and(facility::id.eq(post::facility_id))),
        )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        (post::id, staff::id, staff::name, staff::profession),
        (facility::id, facility::name),
        (post::body, post::urgent, post::body_site, post::written_at, post::received_at),
    )
}

async fn views(c: &mut Conn, access: &PatientAccess<Read>, rows: Vec<Row>) -> Result<Vec<Post>, AppError> {
    let town = access.municipality_id();
    let ids: Vec<Id> = rows.iter().map(|r| r.0.0).collect();
    let mut files: HashMap<Id, Vec<Media>> = HashMap::new();
    for (post_id, file) in crate::media::store::of_posts(c, access, &ids).await? {
        files.entry(post_id).or_default().push(file);
    }
    let receipts: Vec<(Id, Id, Option<i64>)> = run!(
        c,
        load,
        receipt::table
            .filter(receipt::municipality_id.eq(town))
            .filter(receipt::post_id.eq_any(&ids))
            .select((receipt::post_id, receipt::staff_id, receipt::acknowledged_at))
    )?;
    // What was pressed stays stored; a town without 👍 does not show it.
    let thumbs = access.policy().thumbs_ack;
    let mut posts = Vec::with_capacity(rows.len());
    for ((id, author, author_name, profession), (facility_id, facility_name), text) in rows {
        let (body, urgent, body_site, written_at, received_at) = text;
        let seen = receipts.iter().filter(|(p, s, _)| *p == id && *s != author);
        let mine = receipts.iter().find(|(p, s, _)| *p == id && *s == access.staff_id());
        posts.push(Post {
            id: id.into(),
            patient_id: access.patient_id().into(),
            author_id: author.into(),
            author_name,
            author_profession: from_word(&profession)?,
            facility_id: facility_id.into(),
            facility_name,
            body,
            urgent,
            body_site: body_site.as_deref().map(from_word).transpose()?,
            written_at: Timestamp(written_at),
            received_at: Timestamp(received_at),
            media: files.remove(&id).unwrap_or_default(),
            read: mine.is_some() || author == access.staff_id(),
            acknowledged: thumbs && mine.is_some_and(|m| m.2.is_some()),
            read_count: u32::try_from(seen.clone().count()).unwrap_or(u32::MAX),
            acknowledged_count: u32::try_from(seen.filter(|r| thumbs && r.2.is_some()).count())
                .unwrap_or(u32::MAX),
        });
    }
    Ok(posts)
}

/// True when a file of this id exists already.
///
/// # Errors
/// The database failed.
pub async fn media_exists(c: &mut Conn, town: Id, ids: &[Id]) -> Result<bool, AppError> {
    let n: i64 = run!(
        c,
        get_result,
        media::table.filter(media::municipality_id.eq(town)).filter(media::id.eq_any(ids)).count()
    )?;
    Ok(n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_network_and_nonsense_does_not() {
        let cursor = Cursor { written_at: -5, id: Id::new() };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for bad in ["", ".", "1", "1.x", "x.0191d6a0-0000-7000-8000-000000000000"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
