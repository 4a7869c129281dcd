//! Accounts as those see them who manage them, and as their owners do.

use super::{rules, suspension};
use crate::access::{FacilityAdmin, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, StaffDetail, StaffState, Timestamp};

type Names = (Id, Id, String, String, String, String, String);
type Rest = (String, bool, Option<String>, String, Option<String>, bool, i64, Option<String>);

enum Which {
    Facility(Id),
    /// One person; of this facility, where only its people may be seen: asked for in the query, so that another's
    /// takes no longer than nobody's.
    Person(Id, Option<Id>),
}

async fn load(c: &mut Conn, town: Id, which: &Which) -> Result<Vec<StaffDetail>, AppError> {
    let query = staff::table
        .inner_join(facility::table.on(
            facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id)),
        ))
        .filter(staff::municipality_id.eq(town))
        .order((staff::name, staff::id))
        .select((
            (
                staff::id,
                staff::facility_id,
                facility::name,
                staff::login_id,
                staff::name,
                staff::profession,
                staff::role,
            ),
            (
                staff::state,
                staff::must_change_password,
                staff::mail,
                staff::mail_kind,
                staff::forwarding_mail,
                staff::may_export,
                staff::created_at,
                staff::left_on,
            ),
        ));
    let rows: Vec<(Names, Rest)> = match which {
        Which::Facility(id) => run!(c, load, query.filter(staff::facility_id.eq(*id)))?,
        Which::Person(id, None) => run!(c, load, query.filter(staff::id.eq(*id)))?,
        Which::Person(id, Some(of)) => {
            run!(c, load, query.filter(staff::id.eq(*id)).filter(staff::facility_id.eq(*of)))?
        }
    };
    let ids: Vec<Id> = rows.iter().map(|r| r.0.0).collect();
    let mut lasting = suspension::lasting(c, town, &ids).await?;
    rows.into_iter()
        .map(|((id, facility_id, facility_name, login_id, name, profession, role), rest)| {
            let (stored, must_change, mail, mail_kind, forwarding_mail, may_export, created_at, left_on) =
                rest;
            let state = rules::state(&stored, must_change);
            Ok(StaffDetail {
                id: id.into(),
                facility_id: facility_id.into(),
                facility_name,
                login_id,
                name,
                profession: from_word(&profession)?,
                role: from_word(&role)?,
                state,
                mail,
                mail_kind: from_word(&mail_kind)?,
                forwarding_mail,
                may_export,
                created_at: Timestamp(created_at),
                left_on,
                suspension: lasting.remove(&id).filter(|_| state == StaffState::Suspended),
            })
        })
        .collect()
}

/// The accounts of a facility by name, whether or not they may be used. `facility_id` comes from
/// [`super::store::facility`].
///
/// # Errors
/// The database failed.
pub async fn of_facility(
    c: &mut Conn,
    admin: &FacilityAdmin,
    facility_id: Id,
) -> Result<Vec<StaffDetail>, AppError> {
    if facility_id != admin.facility_id() {
        admin.secretariat()?;
    }
    load(c, admin.municipality_id(), &Which::Facility(facility_id)).await
}

/// One account: of the own facility, or any for the office.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none.
pub async fn of(c: &mut Conn, admin: &FacilityAdmin, id: Id) -> Result<StaffDetail, AppError> {
    let of = admin.secretariat().is_err().then(|| admin.facility_id());
    let found = load(c, admin.municipality_id(), &Which::Person(id, of)).await?.pop();
    Ok(found.ok_or(Code::NotFound)?)
}

/// The own account.
///
/// # Errors
/// The database failed.
pub async fn own(c: &mut Conn, who: &SignedIn) -> Result<StaffDetail, AppError> {
    let found = load(c, who.municipality_id(), &Which::Person(who.staff_id(), None)).await?.pop();
    Ok(found.ok_or(Code::NotFound)?)
}
