//! Tallies of wrong passwords in the database. What they mean is in `rules`.

use super::rules::{self, Tallies, Tally};
use crate::db::prelude::*;
use crate::db::schema::sign_in_tally;
use crate::db::{Conn, Id, kept};
use crate::error::AppError;
use crate::{clock, run};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Stands for "over all user ids".
const EVERY_LOGIN: &[u8] = &[];

/// Which user id on which device. The id is kept as a hash: what strangers type may be anything.
#[derive(Debug)]
pub struct Key {
    pub(super) town: Id,
    pub(super) login: Vec<u8>,
    pub(super) device: Id,
    facility: Id,
}

impl Key {
    /// The key of a user id, as small letters, on a device of a facility.
    #[must_use]
    pub fn new(town: Id, login_id: &str, device: Id, facility: Id) -> Self {
        Self { town, login: login_hash(town, login_id), device, facility: every_device_of(facility) }
    }
}

/// Stands for "over all devices of this facility" where a device is named. No device has this id.
fn every_device_of(facility: Id) -> Id {
    let hash = Sha256::new_with_prefix(b"every device of").chain_update(facility.0.as_bytes()).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Id(Uuid::from_bytes(id))
}

fn login_hash(town: Id, login_id: &str) -> Vec<u8> {
    Sha256::new_with_prefix(town.0.as_bytes()).chain_update(login_id.as_bytes()).finalize().to_vec()
}

/// A tally as it is stored.
pub(super) type Row = (Vec<u8>, Id, i32, i64, Option<i64>, Option<i64>);

impl Key {
    pub(super) fn logins(&self) -> [&[u8]; 2] {
        [&self.login, EVERY_LOGIN]
    }

    pub(super) fn devices(&self) -> [Id; 2] {
        [self.device, self.facility]
    }
}

/// Asks for the tallies of a [`Key`].
macro_rules! load_query {
    ($key:expr) => {
        $crate::db::schema::sign_in_tally::table
            .filter($crate::db::schema::sign_in_tally::municipality_id.eq($key.town))
            .filter($crate::db::schema::sign_in_tally::login_sha256.eq_any($key.logins()))
            .filter($crate::db::schema::sign_in_tally::device_id.eq_any($key.devices()))
            .select((
                $crate::db::schema::sign_in_tally::login_sha256,
                $crate::db::schema::sign_in_tally::device_id,
                $crate::db::schema::sign_in_tally::failed,
                $crate::db::schema::sign_in_tally::failed_at,
                $crate::db::schema::sign_in_tally::locked_until,
                $crate::db::schema::sign_in_tally::known_at,
            ))
    };
}
pub(super) use load_query;

/// The tallies among stored ones.
pub(super) fn of_rows(key: &Key, rows: &[Row]) -> Tallies {
    let of = |login: &[u8], device: Id| {
        let row = rows.iter().find(|r| r.0 == login && r.1 == device);
        row.map_or_else(Tally::default, |r| Tally {
            failed: r.2,
            failed_at: r.3,
            locked_until: r.4,
            known_at: r.5,
        })
    };
    Tallies {
        pair: of(&key.login, key.device),
        account: of(&key.login, key.facility),
        device: of(EVERY_LOGIN, key.device),
    }
}

/// The tallies that a sign-in meets.
///
/// # Errors
/// The database failed.
pub async fn load(c: &mut Conn, key: &Key) -> Result<Tallies, AppError> {
    let rows: Vec<Row> = run!(c, load, load_query!(key))?;
    Ok(of_rows(key, &rows))
}

/// Stores what a wrong password leaves.
///
/// # Errors
/// The database failed.
pub async fn store(c: &mut Conn, key: &Key, tallies: &Tallies) -> Result<(), AppError> {
    put(c, key.town, &key.login, key.device, &tallies.pair).await?;
    put(c, key.town, &key.login, key.facility, &tallies.account).await?;
    put(c, key.town, EVERY_LOGIN, key.device, &tallies.device).await
}

/// Stores what a right password leaves.
///
/// # Errors
/// The database failed.
pub async fn right(c: &mut Conn, key: &Key, now: i64) -> Result<(), AppError> {
    put(c, key.town, &key.login, key.device, &Tally::right(now)).await
}

/// Stores a tally in place of the one before.
macro_rules! put_query {
    ($town:expr, $login:expr, $device:expr, $tally:expr) => {{
        use $crate::db::schema::sign_in_tally as t;
        let values = (
            t::failed.eq($tally.failed),
            t::failed_at.eq($tally.failed_at),
            t::locked_until.eq($tally.locked_until),
            t::known_at.eq($tally.known_at),
        );
        diesel::insert_into(t::table)
            .values((
                t::municipality_id.eq($town),
                t::login_sha256.eq($login),
                t::device_id.eq($device),
                values,
            ))
            .on_conflict((t::municipality_id, t::login_sha256, t::device_id))
            .do_update()
            .set(values)
    }};
}
pub(super) use put_query;

async fn put(c: &mut Conn, town: Id, login: &[u8], device: Id, tally: &Tally) -> Result<(), AppError> {
    run!(c, execute, kept(put_query!(town, login, device, tally)))?;
    Ok(())
}

/// Lifts every lock of a user id: it has a new password.
///
/// # Errors
/// The database failed.
pub async fn lift(c: &mut Conn, town: Id, login_id: &str) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            sign_in_tally::table
                .filter(sign_in_tally::municipality_id.eq(town))
                .filter(sign_in_tally::login_sha256.eq(login_hash(town, login_id)))
        )
        .set((sign_in_tally::failed.eq(0), sign_in_tally::locked_until.eq(None::<i64>)))
    )?;
    Ok(())
}

/// Forgets tallies that bind nobody any more.
///
/// # Errors
/// The database failed.
pub async fn sweep(c: &mut Conn) -> Result<(), AppError> {
    let now = clock::now();
    run!(
        c,
        execute,
        diesel::delete(
            sign_in_tally::table.filter(sign_in_tally::failed_at.lt(now - rules::FORGET)).filter(
                sign_in_tally::known_at
                    .is_null()
                    .or(sign_in_tally::known_at.lt(now - rules::KNOWN).assume_not_null())
            )
        )
    )?;
    Ok(())
}
