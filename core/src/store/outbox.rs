//! The outbox on disk: items and where each stands. Their files are in `files`. Not here: the network.

use super::files::{self, FileRow};
use super::schema::item;
use super::{StoreError, StoreResult, from_json, id, key, to_json};
use crate::compose::Planned;
use crate::outbox::{Item, ItemError, ItemState, Text};
use diesel::dsl::max;
use diesel::prelude::*;
use renraku_wire::{Code, NewPost, PatientId, PostId, Timestamp};

#[derive(Queryable, Selectable)]
#[diesel(table_name = item)]
struct ItemRow {
    id: Vec<u8>,
    patient_id: Vec<u8>,
    state: String,
    reason: Option<String>,
    body: String,
    urgent: bool,
    body_site: Option<String>,
    written_at: i64,
    text_sent: bool,
    tries: i32,
    next_try_at: i64,
    field: Option<String>,
}

/// Puts an item with what its files are to be made of at the end of the line, in place of a draft of the same id. False
/// for an item that is no draft any more: it stays as it is.
pub(crate) fn put<'a>(
    tx: &mut SqliteConnection,
    post: PostId,
    patient: PatientId,
    text: &Text,
    draft: bool,
    media: impl Iterator<Item = &'a Planned>,
    now: Timestamp,
) -> StoreResult<bool> {
    match is_draft(tx, post)? {
        Some(false) => return Ok(false),
        Some(true) => diesel::delete(item::table.find(key(&post.0))).execute(tx).map(drop)?,
        None => {}
    }
    diesel::insert_into(item::table)
        .values((
            item::id.eq(key(&post.0)),
            item::place.eq(next_place(tx)?),
            item::patient_id.eq(key(&patient.0)),
            item::state.eq(if draft { "draft" } else { "waiting" }),
            item::body.eq(&text.body),
            item::urgent.eq(text.urgent),
            item::body_site.eq(text.body_site.as_ref().map(to_json).transpose()?),
            item::written_at.eq(now.0),
            item::text_sent.eq(false),
            item::tries.eq(0),
            item::next_try_at.eq(0),
        ))
        .execute(tx)?;
    for (position, planned) in (0i32..).zip(media) {
        files::plan(tx, post, position, planned)?;
    }
    Ok(true)
}

fn next_place(connection: &mut SqliteConnection) -> StoreResult<i64> {
    let last: Option<i64> = item::table.select(max(item::place)).first(connection)?;
    Ok(last.unwrap_or(0) + 1)
}

/// Whether an item is still a draft; none when it is not there.
pub(crate) fn is_draft(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Option<bool>> {
    let state: Option<String> =
        item::table.find(key(&post.0)).select(item::state).first(connection).optional()?;
    Ok(state.map(|state| state == "draft"))
}

/// Every item, in the order of sending.
pub(crate) fn list(connection: &mut SqliteConnection) -> StoreResult<Vec<Item>> {
    let rows: Vec<ItemRow> = item::table.order(item::place).select(ItemRow::as_select()).load(connection)?;
    let media = files::all(connection)?;
    rows.into_iter().map(|row| to_item(row, &media)).collect()
}

/// One item.
pub(crate) fn get(connection: &mut SqliteConnection, post: PostId) -> Result<Item, ItemError> {
    let row = item::table.find(key(&post.0)).select(ItemRow::as_select()).first(connection).optional();
    let row = row.map_err(StoreError::from)?.ok_or(ItemError::Missing)?;
    Ok(to_item(row, &files::of(connection, post)?)?)
}

/// Changes the text of an item that is not on its way.
pub(crate) fn edit(
    tx: &mut SqliteConnection,
    post: PostId,
    text: &Text,
    now: Timestamp,
) -> Result<(), ItemError> {
    let found = get(tx, post)?;
    let open = matches!(found.state, ItemState::Draft | ItemState::Waiting | ItemState::Failed { .. });
    if !open || found.text_sent {
        return Err(ItemError::TooLate);
    }
    diesel::update(item::table.find(key(&post.0)))
        .set((
            item::body.eq(&text.body),
            item::urgent.eq(text.urgent),
            item::body_site.eq(text.body_site.as_ref().map(to_json).transpose()?),
            item::written_at.eq(now.0),
        ))
        .execute(tx)
        .map_err(StoreError::from)?;
    Ok(())
}

/// Lets a draft go, or tries a failed one again: to the end of the line. One that waits already stays, but what
/// failed of its files is tried again.
pub(crate) fn release(tx: &mut SqliteConnection, post: PostId) -> Result<(), ItemError> {
    let found = get(tx, post)?;
    let state = match found.state {
        ItemState::Waiting => return Ok(files::retry(tx, post)?),
        ItemState::Failed { .. } if found.text_sent => "sending",
        ItemState::Draft | ItemState::Failed { .. } => "waiting",
        ItemState::Sending | ItemState::Sent => return Err(ItemError::TooLate),
    };
    files::retry(tx, post)?;
    diesel::update(item::table.find(key(&post.0)))
        .set((
            item::state.eq(state),
            item::reason.eq(None::<String>),
            item::field.eq(None::<String>),
            item::place.eq(next_place(tx)?),
            item::tries.eq(0),
            item::next_try_at.eq(0),
        ))
        .execute(tx)
        .map_err(StoreError::from)?;
    Ok(())
}

/// Takes an item back that is not on its way.
pub(crate) fn cancel(tx: &mut SqliteConnection, post: PostId) -> Result<(), ItemError> {
    match get(tx, post)?.state {
        ItemState::Sending | ItemState::Sent => Err(ItemError::TooLate),
        ItemState::Draft | ItemState::Waiting | ItemState::Failed { .. } => {
            diesel::delete(item::table.find(key(&post.0))).execute(tx).map_err(StoreError::from)?;
            Ok(())
        }
    }
}

/// Notes that the text leaves now, and gives what to send. Files that are not made yet follow it, those that never
/// will be are left out. None when the item was cancelled meanwhile, or nothing is left of it to be sent.
pub(crate) fn start(tx: &mut SqliteConnection, post: PostId) -> StoreResult<Option<NewPost>> {
    let found = match get(tx, post) {
        Ok(found) => found,
        Err(ItemError::Store(e)) => return Err(e),
        Err(_) => return Ok(None),
    };
    if !matches!(found.state, ItemState::Waiting | ItemState::Sending) || found.text_sent {
        return Ok(None);
    }
    let media = files::announce(tx, post)?;
    if found.body.trim().is_empty() && media.is_empty() {
        let code = files::failure(&files::of(tx, post)?)?.unwrap_or(Code::MediaLost);
        files::unannounce(tx, post)?;
        fail(tx, post, code, None)?;
        return Ok(None);
    }
    diesel::update(item::table.find(key(&post.0))).set(item::state.eq("sending")).execute(tx)?;
    Ok(Some(NewPost {
        id: post,
        body: found.body,
        urgent: found.urgent,
        body_site: found.body_site,
        written_at: found.written_at,
        media,
    }))
}

/// The server has the text.
pub(crate) fn text_sent(tx: &mut SqliteConnection, post: PostId) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::text_sent.eq(true), item::tries.eq(0), item::next_try_at.eq(0)))
        .execute(tx)?;
    Ok(())
}

/// The server surely has not got the text: it may be changed again.
pub(crate) fn back_to_waiting(tx: &mut SqliteConnection, post: PostId) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)).filter(item::text_sent.eq(false)))
        .set(item::state.eq("waiting"))
        .execute(tx)?;
    if get(tx, post).is_ok_and(|item| item.text_sent) { Ok(()) } else { files::unannounce(tx, post) }
}

/// How often it was tried in vain since it last gained something; none when it is not there any more.
pub(crate) fn tries(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Option<u32>> {
    let tries: Option<i32> =
        item::table.find(key(&post.0)).select(item::tries).first(connection).optional()?;
    Ok(tries.map(|tries| u32::try_from(tries).unwrap_or(0)))
}

/// A try in vain.
pub(crate) fn defer(tx: &mut SqliteConnection, post: PostId, next_try: Timestamp) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::tries.eq(item::tries + 1), item::next_try_at.eq(next_try.0)))
        .execute(tx)?;
    Ok(())
}

/// Refused for good, for a field of it where that is known.
pub(crate) fn fail(
    tx: &mut SqliteConnection,
    post: PostId,
    code: Code,
    field: Option<&str>,
) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::state.eq("failed"), item::reason.eq(code.as_str()), item::field.eq(field)))
        .execute(tx)?;
    Ok(())
}

/// All of it is there that could be made: sent, or failed for what could not. False for that.
pub(crate) fn conclude(tx: &mut SqliteConnection, post: PostId, now: Timestamp) -> StoreResult<bool> {
    match files::failure(&files::of(tx, post)?)? {
        Some(code) => fail(tx, post, code, None).map(|()| false),
        None => finish(tx, post, now).map(|()| true),
    }
}

fn finish(tx: &mut SqliteConnection, post: PostId, now: Timestamp) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::state.eq("sent"), item::sent_at.eq(now.0)))
        .execute(tx)?;
    Ok(())
}

/// Forgets what was sent before `before`.
pub(crate) fn prune(tx: &mut SqliteConnection, before: Timestamp) -> StoreResult<()> {
    diesel::delete(item::table.filter(item::state.eq("sent")).filter(item::sent_at.lt(before.0)))
        .execute(tx)?;
    Ok(())
}

fn to_item(row: ItemRow, media: &[FileRow]) -> StoreResult<Item> {
    let state = match (row.state.as_str(), row.reason) {
        ("draft", _) => ItemState::Draft,
        ("waiting", _) => ItemState::Waiting,
        ("sending", _) => ItemState::Sending,
        ("sent", _) => ItemState::Sent,
        ("failed", Some(reason)) => {
            ItemState::Failed { code: from_json(&to_json(&reason)?)?, field: row.field }
        }
        _ => return Err(StoreError::Record),
    };
    let own = media.iter().filter(|m| m.item_id == row.id).map(files::to_media);
    Ok(Item {
        id: PostId(id(&row.id)?),
        patient_id: PatientId(id(&row.patient_id)?),
        state,
        body: row.body,
        urgent: row.urgent,
        body_site: row.body_site.as_deref().map(from_json).transpose()?,
        written_at: Timestamp(row.written_at),
        text_sent: row.text_sent,
        media: own.collect::<StoreResult<_>>()?,
        tries: u32::try_from(row.tries).unwrap_or(0),
        next_try_at: Timestamp(row.next_try_at),
    })
}
