//! The office's way back in, by the operator's hand: its only device is lost or its certificate has expired, its only
//! password is forgotten, or whoever had it is gone. Nobody in the town stands above the office, so nobody in the
//! town could help it.

use super::secretary;
use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::word;
use crate::db::{Conn, Db, Id};
use crate::device::{issue, ticket};
use crate::error::AppError;
use crate::hashing::Hashing;
use crate::notice::{self, About};
use crate::session::{self, password};
use crate::staff::{account, rules, suspension};
use crate::{clock, input, municipality, run};
use renraku_wire::{Code, EnrolmentTicket, FacilityKind, NoticeKind, Role, StaffState};

/// Who shall be let in.
#[derive(Debug)]
pub struct Person<'a> {
    /// Individual user id: an account of the office, or a new one.
    pub login_id: &'a str,
    /// Name of the person, for a new account.
    pub name: Option<&'a str>,
}

/// What the operator hands to the office.
#[derive(Debug)]
pub struct WayIn {
    /// Certificate No and password for a device of the office.
    pub ticket: EnrolmentTicket,
    /// User id and first password, where a person was named.
    pub account: Option<(String, String)>,
}

/// Makes a No and password for a device of the office; for the person named a new first password as well, or an
/// account. A suspended account of the office may be used again, its sessions end, its locks are lifted. The
/// office's people are told, and it is in the audit log.
///
/// # Errors
/// No such town; a user id of another facility or of somebody who left; an unknown one without a name. Then
/// nothing was changed.
pub async fn open(
    db: &Db,
    hashing: &Hashing,
    slug: &str,
    person: Option<&Person<'_>>,
) -> Result<WayIn, AppError> {
    let now = clock::now();
    let found = db.read(async |c| municipality::store::by_slug(c, slug).await).await;
    let town = found.map_err(|e| match e {
        AppError::Refused(problem) if problem.code == Code::NotFound => {
            AppError::internal(format!("there is no town {slug}; nothing was changed"))
        }
        other => other,
    })?;
    let fresh = ticket::Fresh::make(hashing, &town.policy, now).await?;
    let first_password = password::random();
    let hash = hashing.hash(&first_password).await?;
    let login_id = db
        .write(async |c| {
            let office: Id = run!(
                c,
                get_result,
                facility::table
                    .filter(facility::municipality_id.eq(town.id))
                    .filter(facility::kind.eq(word(&FacilityKind::Secretariat)))
                    .select(facility::id)
            )?;
            let operator = Actor { municipality_id: town.id, staff_id: None, device_id: None };
            ticket::insert(c, town.id, office, &fresh).await?;
            issue::tell_managers(c, town.id, office, NoticeKind::DeviceTicketIssued).await?;
            audit::record(c, operator, "municipality.office_ticket", Some(office), "").await?;
            let Some(person) = person else { return Ok(None) };
            let (id, login_id) = let_in(c, (town.id, office), person, &hash, now).await?;
            let about = About {
                municipality_id: town.id,
                kind: NoticeKind::StaffStateChanged,
                patient_id: None,
                post_id: None,
            };
            let others = account::managers_but(c, town.id, office, id).await?;
            notice::queue(c, &about, &others).await?;
            audit::record(c, operator, "municipality.office_account", Some(id), "").await?;
            Ok(Some(login_id))
        })
        .await?;
    Ok(WayIn { ticket: fresh.shown(), account: login_id.map(|id| (id, first_password)) })
}

async fn let_in(
    c: &mut Conn,
    (town, office): (Id, Id),
    person: &Person<'_>,
    hash: &str,
    now: i64,
) -> Result<(Id, String), AppError> {
    let refused = |why: &str| AppError::internal(format!("{why}; nothing was changed"));
    let login_id = input::login_id(person.login_id);
    let known: Option<(Id, Id, String, String)> =
        run!(
            c,
            get_result,
            staff::table
                .filter(staff::municipality_id.eq(town))
                .filter(staff::login_id.eq(&login_id))
                .select((staff::id, staff::facility_id, staff::state, staff::role))
        )
        .optional()?;
    let Some((id, facility, state, role)) = known else {
        let name =
            person.name.ok_or_else(|| refused("nobody has this user id: give --staff-name for a new one"))?;
        let login_id = rules::login_id(&login_id)?;
        let id = Id::new();
        secretary(c, (town, office, id), (&login_id, &input::line(name, "name")?), hash, now).await?;
        return Ok((id, login_id));
    };
    if facility != office || state == word(&StaffState::Left) {
        return Err(refused("this user id is not the office's, or its owner has left"));
    }
    if role != word(&Role::Secretariat) {
        return Err(refused("this account of the office may not run it: name another one"));
    }
    account::set_first_password(c, town, id, hash, Id::new()).await?;
    suspension::lift(c, town, id, None, now).await?;
    session::store::close_all(c, town, id).await?;
    session::tally::lift(c, town, &login_id).await?;
    session::store::end_tickets(c, town, id, now).await?;
    Ok((id, login_id))
}
