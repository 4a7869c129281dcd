//! Receipts that the server has not got yet. One a post; the first reading and the last 👍 count.

use super::schema::receipt::dsl;
use super::{StoreResult, id};
use diesel::prelude::*;
use renraku_wire::{NewReceipt, PostId, Timestamp};

/// A receipt to send, and which revision of it.
pub(crate) struct WaitingReceipt {
    pub(crate) post: PostId,
    pub(crate) receipt: NewReceipt,
    pub(crate) revision: i64,
}

/// Notes that a post was read, and 👍 if it was touched.
pub(crate) fn put(tx: &mut SqliteConnection, post: PostId, new: NewReceipt) -> StoreResult<()> {
    let key = post.0.as_bytes().as_slice();
    let old: Option<(i64, Option<bool>)> =
        dsl::receipt.find(key).select((dsl::read_at, dsl::acknowledged)).first(tx).optional()?;
    let (read_at, acknowledged) = match old {
        Some((read_at, acknowledged)) => (read_at.min(new.read_at.0), new.acknowledged.or(acknowledged)),
        None => (new.read_at.0, new.acknowledged),
    };
    // Random, not counted: a row that was sent, deleted and written anew must not look like the one in flight.
    let revision: i64 = rand::random();
    diesel::replace_into(dsl::receipt)
        .values((
            dsl::post_id.eq(key),
            dsl::read_at.eq(read_at),
            dsl::acknowledged.eq(acknowledged),
            dsl::revision.eq(revision),
        ))
        .execute(tx)?;
    Ok(())
}

/// All that wait, the oldest first.
pub(crate) fn waiting(connection: &mut SqliteConnection) -> StoreResult<Vec<WaitingReceipt>> {
    let rows: Vec<(Vec<u8>, i64, Option<bool>, i64)> = dsl::receipt.order(dsl::read_at).load(connection)?;
    rows.into_iter()
        .map(|(post, read_at, acknowledged, revision)| {
            let receipt = NewReceipt { read_at: Timestamp(read_at), acknowledged };
            Ok(WaitingReceipt { post: PostId(id(&post)?), receipt, revision })
        })
        .collect()
}

/// The server has it: forget it, unless it changed while it was on the way.
pub(crate) fn sent(tx: &mut SqliteConnection, post: PostId, revision: i64) -> StoreResult<()> {
    let key = post.0.as_bytes().as_slice();
    diesel::delete(dsl::receipt.find(key).filter(dsl::revision.eq(revision))).execute(tx)?;
    Ok(())
}
