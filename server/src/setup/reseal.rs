//! Changing the operator's secret. The file holds the new identity and the old one until everything is
//! sealed to the new one, so that at whatever instant the change is interrupted, the file that is there opens
//! what is there; run again, it goes on.

use crate::config::DataConfig;
use crate::db::prelude::*;
use crate::db::schema::{municipality, notice, old_authority};
use crate::db::{Conn, Db, Id};
use crate::error::AppError;
use crate::run;
use crate::secret::OperatorSecret;
use crate::storage::Storage;

/// Changes the secret of this data. The server must be stopped; with several servers on one PostgreSQL, all of
/// them. Returns how many records and files were sealed again.
///
/// # Errors
/// A sentence that says what to do; either secret's file opens what is there.
pub async fn change(data: &DataConfig) -> Result<(usize, usize), AppError> {
    let path = data.secret_path();
    let _alone = data.lock(true)?;
    let present = OperatorSecret::read(&path)?;
    // Nothing is begun with a secret that does not fit.
    let db = Db::open_any(&data.database_url(), &present.database_keys()).await?;
    super::ceremony::check_authorities(&db, &present).await?;
    drop(db);
    let both = present.begin_change(&path)?;
    // A fresh pool: putting the file under another key needs the only connection to it.
    let db = Db::open_any(&data.database_url(), &both.database_keys()).await?;
    let records = db.write(async |c| seal_records(c, &both).await).await?;
    db.rekey(&both.database_key()).await?;
    drop(db);
    let files = Storage::folder(&data.data.join("media"), both.clone())?.seal_again().await?;
    both.end_change(&path)?;
    Ok((records, files))
}

/// Seals every sealed record again, in the caller's transaction. A table with a new sealed column has its
/// place here.
async fn seal_records(c: &mut Conn, secret: &OperatorSecret) -> Result<usize, AppError> {
    let again = |sealed: &[u8]| secret.seal(&secret.open(sealed)?);
    let mut done = 0;
    let towns: Vec<(Id, Vec<u8>)> =
        run!(c, load, municipality::table.select((municipality::id, municipality::authority_key_sealed)))?;
    for (id, sealed) in towns {
        let fresh = again(&sealed)?;
        let this = diesel::update(municipality::table.find(id));
        run!(c, execute, this.set(municipality::authority_key_sealed.eq(&fresh)))?;
        done += 1;
    }
    let old: Vec<(Id, String, Option<Vec<u8>>)> = run!(
        c,
        load,
        old_authority::table.filter(old_authority::key_sealed.is_not_null()).select((
            old_authority::municipality_id,
            old_authority::id,
            old_authority::key_sealed
        ))
    )?;
    for (town, id, sealed) in old {
        let fresh = again(&sealed.unwrap_or_default())?;
        let this = diesel::update(old_authority::table.find((town, &id)));
        run!(c, execute, this.set(old_authority::key_sealed.eq(Some(&fresh))))?;
        done += 1;
    }
    let mails: Vec<(Id, Id, Option<Vec<u8>>)> = run!(
        c,
        load,
        notice::table.filter(notice::sealed.is_not_null()).select((
            notice::municipality_id,
            notice::id,
            notice::sealed
        ))
    )?;
    for (town, id, sealed) in mails {
        let fresh = again(&sealed.unwrap_or_default())?;
        let this = diesel::update(notice::table.find((town, id)));
        run!(c, execute, this.set(notice::sealed.eq(Some(&fresh))))?;
        done += 1;
    }
    Ok(done)
}
