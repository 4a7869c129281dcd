//! The bytes of files that were made, on disk, in sealed chunks of the length that is sent. Not here: what a file is, and
//! how far its sending is (files).

use super::schema::{item_chunk, item_media};
use super::{Store, StoreError, StoreResult, cache, key};
use crate::Cancel;
use crate::compose::Prepared;
use crate::error::Fault;
use diesel::prelude::*;
use renraku_media::MediaError;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{MediaId, Timestamp};

/// Seals a file that was made, chunk by chunk, so that nobody waits long for the store; the last step says that it
/// is whole. False when its post was taken back meanwhile. Blocks.
pub(crate) fn seal(
    store: &Store,
    prepared: &Prepared,
    now: Timestamp,
    cancel: &Cancel,
) -> Result<bool, Fault> {
    let sealed = seal_chunks(store, prepared, now, cancel);
    if !matches!(sealed, Ok(true)) {
        // What is left goes at the next try all the same. What another call has made meanwhile stays.
        let id = prepared.media.id;
        let _ = store.write_here(|tx| if made(tx, id)? == Some(true) { Ok(()) } else { unseal(tx, id) });
    }
    sealed
}

fn seal_chunks(store: &Store, prepared: &Prepared, now: Timestamp, cancel: &Cancel) -> Result<bool, Fault> {
    let media = &prepared.media;
    let begun = store.write_here(|tx| match made(tx, media.id)? {
        // Whoever asked to stop leaves the rest to the next one.
        Some(false) if !cancel.is_cancelled() => unseal(tx, media.id).map(|()| Some(true)),
        Some(false) => Ok(None),
        _ => Ok(Some(false)),
    })?;
    if !begun.ok_or(MediaError::Cancelled)? {
        return Ok(false);
    }
    for (number, chunk) in (0i64..).zip(prepared.content.chunks(DEVICE_CHUNK_BYTES)) {
        if cancel.is_cancelled() {
            return Err(MediaError::Cancelled.into());
        }
        let kept = store.write_here(|tx| {
            if made(tx, media.id)? != Some(false) {
                return Ok(false);
            }
            diesel::insert_into(item_chunk::table)
                .values((
                    item_chunk::media_id.eq(key(&media.id.0)),
                    item_chunk::number.eq(number),
                    item_chunk::bytes.eq(chunk),
                ))
                .execute(tx)?;
            Ok(true)
        })?;
        if !kept {
            return Ok(false);
        }
    }
    let length = i64::try_from(media.length).map_err(|_| StoreError::Record)?;
    Ok(store
        .write_here(|tx| {
            // Whoever asked to stop may have been told that it is not made.
            if cancel.is_cancelled() {
                return Ok(None);
            }
            let made = diesel::update(item_media::table.find(key(&media.id.0)))
                .set((
                    item_media::length.eq(length),
                    item_media::sha256.eq(&media.sha256),
                    item_media::source.eq(None::<String>),
                ))
                .execute(tx)?;
            if let Some(thumbnail) = prepared.thumbnail.as_ref().filter(|_| made == 1) {
                cache::put_picture(tx, media.id, true, thumbnail, now)?;
            }
            Ok(Some(made == 1))
        })?
        .ok_or(MediaError::Cancelled)?)
}

/// Whether a file was made; none for one that is not there any more.
fn made(connection: &mut SqliteConnection, media: MediaId) -> StoreResult<Option<bool>> {
    let length: Option<i64> =
        item_media::table.find(key(&media.0)).select(item_media::length).first(connection).optional()?;
    Ok(length.map(|length| length > 0))
}

pub(super) fn unseal(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<()> {
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
