//! The outbox on disk: items, their files in sealed chunks, how far each is. Not here: the network.

use super::schema::{item, item_chunk, item_media};
use super::{StoreError, StoreResult, from_json, id, to_json};
use crate::compose::Prepared;
use crate::outbox::{Item, ItemError, ItemMedia, ItemState, Text};
use diesel::dsl::max;
use diesel::prelude::*;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{Code, MediaId, NewMedia, NewPost, PatientId, PostId, Timestamp};
use std::io::Read;

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
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = item_media)]
struct MediaRow {
    id: Vec<u8>,
    item_id: Vec<u8>,
    kind: String,
    length: i64,
    sha256: String,
    description: String,
    uploaded: i64,
    done: bool,
}

/// Adds an item with all its files, at the end of the line.
pub(crate) fn insert(
    tx: &mut SqliteConnection,
    post: PostId,
    patient: PatientId,
    text: &Text,
    draft: bool,
    media: &[Prepared],
    now: Timestamp,
) -> StoreResult<()> {
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
    for (position, prepared) in (0i32..).zip(media) {
        insert_media(tx, post, position, prepared)?;
    }
    Ok(())
}

fn insert_media(
    tx: &mut SqliteConnection,
    post: PostId,
    position: i32,
    prepared: &Prepared,
) -> StoreResult<()> {
    let media = &prepared.media;
    diesel::insert_into(item_media::table)
        .values((
            item_media::id.eq(key(&media.id.0)),
            item_media::item_id.eq(key(&post.0)),
            item_media::position.eq(position),
            item_media::kind.eq(to_json(&media.kind)?),
            item_media::length.eq(i64::try_from(media.length).map_err(|_| StoreError::Record)?),
            item_media::sha256.eq(&media.sha256),
            item_media::description.eq(&media.description),
            item_media::uploaded.eq(0),
            item_media::done.eq(false),
        ))
        .execute(tx)?;
    let mut source = prepared.open().map_err(|_| StoreError::File)?;
    let mut chunk = Vec::with_capacity(DEVICE_CHUNK_BYTES);
    for number in 0i64.. {
        chunk.clear();
        let part = source.by_ref().take(DEVICE_CHUNK_BYTES as u64).read_to_end(&mut chunk);
        if part.map_err(|_| StoreError::File)? == 0 {
            break;
        }
        diesel::insert_into(item_chunk::table)
            .values((
                item_chunk::media_id.eq(key(&media.id.0)),
                item_chunk::number.eq(number),
                item_chunk::bytes.eq(&chunk),
            ))
            .execute(tx)?;
    }
    Ok(())
}

fn next_place(connection: &mut SqliteConnection) -> StoreResult<i64> {
    let last: Option<i64> = item::table.select(max(item::place)).first(connection)?;
    Ok(last.unwrap_or(0) + 1)
}

/// Every item, in the order of sending.
pub(crate) fn list(connection: &mut SqliteConnection) -> StoreResult<Vec<Item>> {
    let rows: Vec<ItemRow> = item::table.order(item::place).select(ItemRow::as_select()).load(connection)?;
    let media: Vec<MediaRow> = item_media::table
        .order((item_media::item_id, item_media::position))
        .select(MediaRow::as_select())
        .load(connection)?;
    rows.into_iter().map(|row| to_item(row, &media)).collect()
}

/// One item.
pub(crate) fn get(connection: &mut SqliteConnection, post: PostId) -> Result<Item, ItemError> {
    let row = item::table.find(key(&post.0)).select(ItemRow::as_select()).first(connection).optional();
    let row = row.map_err(StoreError::from)?.ok_or(ItemError::Missing)?;
    Ok(to_item(row, &media_of(connection, post)?)?)
}

fn media_of(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Vec<MediaRow>> {
    Ok(item_media::table
        .filter(item_media::item_id.eq(key(&post.0)))
        .order(item_media::position)
        .select(MediaRow::as_select())
        .load(connection)?)
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

/// Lets a draft go, or tries a failed one again: to the end of the line. One that waits already stays.
pub(crate) fn release(tx: &mut SqliteConnection, post: PostId) -> Result<(), ItemError> {
    let found = get(tx, post)?;
    let state = match found.state {
        ItemState::Waiting => return Ok(()),
        ItemState::Failed { .. } if found.text_sent => "sending",
        ItemState::Draft | ItemState::Failed { .. } => "waiting",
        ItemState::Sending | ItemState::Sent => return Err(ItemError::TooLate),
    };
    diesel::update(item::table.find(key(&post.0)))
        .set((
            item::state.eq(state),
            item::reason.eq(None::<String>),
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

/// Notes that the text leaves now, and gives what to send; none when the item was cancelled meanwhile.
pub(crate) fn start(tx: &mut SqliteConnection, post: PostId) -> StoreResult<Option<NewPost>> {
    let found = match get(tx, post) {
        Ok(found) => found,
        Err(ItemError::Store(e)) => return Err(e),
        Err(_) => return Ok(None),
    };
    if !matches!(found.state, ItemState::Waiting | ItemState::Sending) || found.text_sent {
        return Ok(None);
    }
    diesel::update(item::table.find(key(&post.0))).set(item::state.eq("sending")).execute(tx)?;
    let mut media = Vec::new();
    for row in media_of(tx, post)? {
        media.push(NewMedia {
            id: MediaId(id(&row.id)?),
            kind: from_json(&row.kind)?,
            length: u64::try_from(row.length).map_err(|_| StoreError::Record)?,
            sha256: row.sha256,
            description: row.description,
        });
    }
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
    Ok(())
}

/// A try in vain.
pub(crate) fn defer(tx: &mut SqliteConnection, post: PostId, next_try: Timestamp) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::tries.eq(item::tries + 1), item::next_try_at.eq(next_try.0)))
        .execute(tx)?;
    Ok(())
}

/// Refused for good.
pub(crate) fn fail(tx: &mut SqliteConnection, post: PostId, code: Code) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::state.eq("failed"), item::reason.eq(code.as_str())))
        .execute(tx)?;
    Ok(())
}

/// All of it is there.
pub(crate) fn finish(tx: &mut SqliteConnection, post: PostId, now: Timestamp) -> StoreResult<()> {
    diesel::update(item::table.find(key(&post.0)))
        .set((item::state.eq("sent"), item::sent_at.eq(now.0)))
        .execute(tx)?;
    Ok(())
}

/// Bytes that the server has of a file.
pub(crate) fn uploaded(tx: &mut SqliteConnection, media: MediaId, offset: u64) -> StoreResult<()> {
    let offset = i64::try_from(offset).map_err(|_| StoreError::Record)?;
    diesel::update(item_media::table.find(key(&media.0))).set(item_media::uploaded.eq(offset)).execute(tx)?;
    Ok(())
}

/// The server keeps the file: its bytes here may go.
pub(crate) fn media_done(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<()> {
    diesel::update(item_media::table.find(key(&media.0)))
        .set((item_media::uploaded.eq(item_media::length), item_media::done.eq(true)))
        .execute(tx)?;
    diesel::delete(item_chunk::table.filter(item_chunk::media_id.eq(key(&media.0)))).execute(tx)?;
    Ok(())
}

/// The bytes of a file from `offset` to the end of their chunk.
pub(crate) fn chunk(connection: &mut SqliteConnection, media: MediaId, offset: u64) -> StoreResult<Vec<u8>> {
    let number = i64::try_from(offset / DEVICE_CHUNK_BYTES as u64).map_err(|_| StoreError::Record)?;
    let mut bytes: Vec<u8> =
        item_chunk::table.find((key(&media.0), number)).select(item_chunk::bytes).first(connection)?;
    let skip = usize::try_from(offset % DEVICE_CHUNK_BYTES as u64).map_err(|_| StoreError::Record)?;
    if skip >= bytes.len() {
        return Err(StoreError::Record);
    }
    bytes.drain(..skip);
    Ok(bytes)
}

/// Forgets what was sent before `before`.
pub(crate) fn prune(tx: &mut SqliteConnection, before: Timestamp) -> StoreResult<()> {
    diesel::delete(item::table.filter(item::state.eq("sent")).filter(item::sent_at.lt(before.0)))
        .execute(tx)?;
    Ok(())
}

fn to_item(row: ItemRow, media: &[MediaRow]) -> StoreResult<Item> {
    let state = match (row.state.as_str(), row.reason) {
        ("draft", _) => ItemState::Draft,
        ("waiting", _) => ItemState::Waiting,
        ("sending", _) => ItemState::Sending,
        ("sent", _) => ItemState::Sent,
        ("failed", Some(reason)) => ItemState::Failed { code: from_json(&to_json(&reason)?)? },
        _ => return Err(StoreError::Record),
    };
    let own = media.iter().filter(|m| m.item_id == row.id).map(to_media);
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

fn to_media(row: &MediaRow) -> StoreResult<ItemMedia> {
    Ok(ItemMedia {
        id: MediaId(id(&row.id)?),
        kind: from_json(&row.kind)?,
        length: u64::try_from(row.length).map_err(|_| StoreError::Record)?,
        uploaded: u64::try_from(row.uploaded).map_err(|_| StoreError::Record)?,
        done: row.done,
        description: row.description.clone(),
    })
}

fn key(id: &uuid::Uuid) -> &[u8] {
    id.as_bytes()
}
