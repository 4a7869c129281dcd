//! The published list of revoked certificates (CRL, RFC 5280), one for each authority of a town. The server
//! itself never needs it: it looks every certificate up on every request. It is for whoever else is shown one.

use super::certificates;
use crate::db::prelude::*;
use crate::db::schema::{certificate, revocation_list};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::state::App;
use crate::tls::authority_id;
use crate::{clock, municipality, run};

/// A list is signed anew when something was revoked, and after half a day.
const FRESH: i64 = 12 * 3_600_000;
/// Until when a reader may take it for the newest.
const LIFE: i64 = 7 * 86_400_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = revocation_list)]
struct Kept {
    number: i64,
    revoked: i64,
    this_update: i64,
    der: Vec<u8>,
}

/// The list of one of the town's authorities, DER; of the present one when none is named.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`] for the town or the authority.
pub async fn current(app: &App, slug: &str, named: Option<&str>) -> Result<Vec<u8>, AppError> {
    if named.is_some_and(|id| !id.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(renraku_wire::Code::NotFound.into());
    }
    let now = clock::now();
    let (town, id, kept, count, oldest) = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let present = authority_id(&town.authority);
            let id = named.map_or_else(|| present.clone(), str::to_owned);
            let kept = newest(c, town.id, &id).await?;
            // Before the first roll all certificates are the present authority's; a roll names them all.
            let oldest = id == present;
            let count = count(c, town.id, &id, oldest).await?;
            Ok((town.id, id, kept, count, oldest))
        })
        .await?;
    if let Some(list) = kept.as_ref().filter(|l| l.revoked == count && now - l.this_update < FRESH) {
        return Ok(list.der.clone());
    }
    let authority = match app.authority_of(town, &id).await {
        Ok(authority) => authority,
        // A retired authority signs no more; its last list stays.
        Err(e) => return kept.map(|l| l.der).ok_or(e),
    };
    let authority = &authority;
    app.db
        .write(async |c| {
            let kept = newest(c, town, &authority.id()).await?;
            let revoked = certificates::revoked(c, town, &authority.id(), oldest).await?;
            // At least the time of its signing, in seconds: where earlier lists are lost with the database, the
            // numbers go on all the same.
            let first = kept.is_none();
            let number = (kept.map_or(0, |l| l.number) + 1).max(now / 1000);
            let der = authority.revocation_list(number, &revoked, now, now + LIFE)?;
            let count = i64::try_from(revoked.len()).unwrap_or(i64::MAX);
            let this = revocation_list::table.find((town, authority.id()));
            let row = (
                revocation_list::number.eq(number),
                revocation_list::revoked.eq(count),
                revocation_list::this_update.eq(now),
                revocation_list::next_update.eq(now + LIFE),
                revocation_list::der.eq(&der),
            );
            if first {
                let key = (
                    revocation_list::municipality_id.eq(town),
                    revocation_list::authority.eq(authority.id()),
                );
                run!(c, execute, diesel::insert_into(revocation_list::table).values((key, row)))?;
            } else {
                run!(c, execute, diesel::update(this).set(row))?;
            }
            Ok(der)
        })
        .await
}

async fn newest(c: &mut Conn, town: Id, authority: &str) -> Result<Option<Kept>, AppError> {
    Ok(run!(c, get_result, revocation_list::table.find((town, authority)).select(Kept::as_select()))
        .optional()?)
}

async fn count(c: &mut Conn, town: Id, authority: &str, oldest: bool) -> Result<i64, AppError> {
    let oldest = oldest.into_sql::<diesel::sql_types::Bool>();
    Ok(run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::revoked_at.is_not_null())
            .filter(
                certificate::authority
                    .eq(authority)
                    .assume_not_null()
                    .or(oldest.and(certificate::authority.is_null()))
            )
            .count()
    )?)
}
