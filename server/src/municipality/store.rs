//! Towns in the database.

use crate::db::prelude::*;
use crate::db::schema::municipality;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::{input, run};
use renraku_wire::Code;

/// A town as the public knows it.
#[derive(Clone, Debug)]
pub struct Municipality {
    /// Its id.
    pub id: Id,
    /// Its name in addresses.
    pub slug: String,
    /// Its name on screens.
    pub name: String,
    /// How it works.
    pub policy: MunicipalityPolicy,
    /// Its authority's certificate, DER.
    pub authority: Vec<u8>,
}

type Row = (Id, String, String, String, Vec<u8>);

fn town((id, slug, name, policy, authority): Row) -> Result<Municipality, AppError> {
    Ok(Municipality { id, slug, name, policy: MunicipalityPolicy::parse(&policy)?, authority })
}

/// The town with this name in addresses.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn by_slug(c: &mut Conn, slug: &str) -> Result<Municipality, AppError> {
    if !input::is_slug(slug) {
        return Err(Code::NotFound.into());
    }
    let row: Option<Row> = run!(
        c,
        get_result,
        municipality::table.filter(municipality::slug.eq(slug)).select((
            municipality::id,
            municipality::slug,
            municipality::name,
            municipality::policy,
            municipality::authority_cert
        ))
    )
    .optional()?;
    town(row.ok_or(Code::NotFound)?)
}

/// All towns, by name.
///
/// # Errors
/// The database failed.
pub async fn all(c: &mut Conn) -> Result<Vec<Municipality>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        municipality::table.order(municipality::slug).select((
            municipality::id,
            municipality::slug,
            municipality::name,
            municipality::policy,
            municipality::authority_cert
        ))
    )?;
    rows.into_iter().map(town).collect()
}

/// The town with this id.
///
/// # Errors
/// The database failed.
pub async fn by_id(c: &mut Conn, id: Id) -> Result<Municipality, AppError> {
    let row: Row = run!(
        c,
        get_result,
        municipality::table.find(id).select((
            municipality::id,
            municipality::slug,
            municipality::name,
            municipality::policy,
            municipality::authority_cert
        ))
    )?;
    town(row)
}
