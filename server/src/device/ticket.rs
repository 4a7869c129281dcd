//! Certificate No and password: one use, short life.

use crate::db::prelude::*;
use crate::db::schema::{enrolment_ticket, facility};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::hashing::Hashing;
use crate::policy::MunicipalityPolicy;
use crate::run;
use crate::secret::OperatorSecret;
use crate::session::password;
use renraku_wire::{Code, EnrolmentTicket, Timestamp};

/// Wrong passwords after which a No is worth nothing.
pub const MAX_WRONG: i32 = 5;

/// A fresh No and password with the hash that is stored.
pub struct Fresh {
    shown: EnrolmentTicket,
    password_hash: String,
    now: i64,
}

impl Fresh {
    /// Makes one that lives as long as the policy says.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: too many passwords are being hashed.
    pub async fn make(hashing: &Hashing, policy: &MunicipalityPolicy, now: i64) -> Result<Self, AppError> {
        Self::with(hashing, policy, password::random(), now).await
    }

    /// The one that was asked for under this id: the same password each time.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub async fn asked_for(
        hashing: &Hashing,
        secret: &OperatorSecret,
        (town, id): (Id, Id),
        policy: &MunicipalityPolicy,
        now: i64,
    ) -> Result<Self, AppError> {
        Self::with(hashing, policy, password::asked_for(secret, town, "ticket", id).to_string(), now).await
    }

    async fn with(
        hashing: &Hashing,
        policy: &MunicipalityPolicy,
        password: String,
        now: i64,
    ) -> Result<Self, AppError> {
        let number =
            (0..3).map(|_| format!("{:04}", rand::random_range(0..10_000))).collect::<Vec<_>>().join("-");
        let password_hash = hashing.hash(&password).await?;
        let expires_at = Timestamp(now + i64::from(policy.ticket_days) * 86_400_000);
        Ok(Self { shown: EnrolmentTicket { number, password, expires_at }, password_hash, now })
    }

    /// What its holder gets.
    #[must_use]
    pub fn shown(&self) -> EnrolmentTicket {
        self.shown.clone()
    }
}

/// A stored ticket.
#[derive(Queryable, Selectable)]
#[diesel(table_name = enrolment_ticket)]
pub struct Ticket {
    /// The facility whose device it makes.
    pub facility_id: Id,
    /// Argon2id.
    pub password_hash: String,
    /// Wrong passwords so far.
    pub failed_count: i32,
    /// Until when it lives.
    pub expires_at: i64,
    /// When it was used.
    pub used_at: Option<i64>,
    /// Who asked for it.
    pub issued_by: Option<Id>,
    /// The device that the new one replaces.
    pub replaces_id: Option<Id>,
}

/// Where a ticket comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// Who asked for it; none for a facility's first.
    pub issued_by: Option<Id>,
    /// The device that the new one replaces.
    pub replaces: Option<Id>,
    /// Under which id it was asked for.
    pub request: Option<Id>,
    /// The device that it is shown on.
    pub on: Option<Id>,
}

/// Stores a fresh ticket.
///
/// # Errors
/// The database failed.
pub async fn insert(c: &mut Conn, town: Id, facility_id: Id, fresh: &Fresh) -> Result<(), AppError> {
    insert_from(c, town, facility_id, fresh, Origin::default()).await
}

/// Stores a fresh ticket that somebody asked for.
///
/// # Errors
/// [`Code::Unavailable`] when its No is another's, by a rare chance.
pub async fn insert_from(
    c: &mut Conn,
    town: Id,
    facility_id: Id,
    fresh: &Fresh,
    origin: Origin,
) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(enrolment_ticket::table)
            .values((
                enrolment_ticket::municipality_id.eq(town),
                enrolment_ticket::number.eq(&fresh.shown.number),
                enrolment_ticket::facility_id.eq(facility_id),
                enrolment_ticket::password_hash.eq(&fresh.password_hash),
                enrolment_ticket::failed_count.eq(0),
                enrolment_ticket::expires_at.eq(fresh.shown.expires_at.0),
                enrolment_ticket::created_at.eq(fresh.now),
                enrolment_ticket::issued_by.eq(origin.issued_by),
                enrolment_ticket::replaces_id.eq(origin.replaces),
                enrolment_ticket::request_id.eq(origin.request),
                enrolment_ticket::issued_on.eq(origin.on),
            ))
            // Of two at once the later one is tried again, and finds the first one's.
            .on_conflict_do_nothing()
    )?;
    // The No is another ticket's, by a rare chance: asked again, it is another No.
    if rows == 0 { Err(Code::Unavailable.into()) } else { Ok(()) }
}

/// The ticket that was asked for under this id before, as it is shown again: `fresh` has its password.
///
/// # Errors
/// [`Code::IdConflict`] when something else was asked for under this id; [`Code::TicketUsed`] and
/// [`Code::TicketExpired`] when it is worth nothing any more.
pub async fn again(
    c: &mut Conn,
    town: Id,
    facility_id: Id,
    fresh: &Fresh,
    origin: Origin,
) -> Result<Option<EnrolmentTicket>, AppError> {
    let same: Option<(String, Ticket)> = run!(
        c,
        get_result,
        enrolment_ticket::table
            .filter(enrolment_ticket::municipality_id.eq(town))
            .filter(enrolment_ticket::request_id.eq(origin.request))
            .select((enrolment_ticket::number, Ticket::as_select()))
    )
    .optional()?;
    let Some((number, ticket)) = same else { return Ok(None) };
    if (ticket.facility_id, ticket.issued_by, ticket.replaces_id)
        != (facility_id, origin.issued_by, origin.replaces)
    {
        return Err(Code::IdConflict.into());
    }
    if ticket.used_at.is_some() {
        return Err(Code::TicketUsed.into());
    }
    if ticket.expires_at < fresh.now || ticket.failed_count >= MAX_WRONG {
        return Err(Code::TicketExpired.into());
    }
    // After a change of the operator's secret the password is another one: the one shown is the one that counts.
    run!(
        c,
        execute,
        diesel::update(enrolment_ticket::table.find((town, &number)))
            .set(enrolment_ticket::password_hash.eq(&fresh.password_hash))
    )?;
    let shown = fresh.shown();
    Ok(Some(EnrolmentTicket { number, expires_at: Timestamp(ticket.expires_at), ..shown }))
}

/// The ticket with this No.
///
/// # Errors
/// The database failed.
pub async fn get(c: &mut Conn, town: Id, number: &str) -> Result<Option<Ticket>, AppError> {
    Ok(run!(c, get_result, enrolment_ticket::table.find((town, number)).select(Ticket::as_select()))
        .optional()?)
}

/// Counts a wrong password.
///
/// # Errors
/// The database failed.
pub async fn count_wrong(c: &mut Conn, town: Id, number: &str) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(enrolment_ticket::table.find((town, number)))
            .set(enrolment_ticket::failed_count.eq(enrolment_ticket::failed_count + 1))
    )?;
    Ok(())
}

/// Uses the ticket up. Of two that come at once, one is refused; and one that was ended while its password was
/// being checked.
///
/// # Errors
/// [`Code::TicketUsed`], [`Code::TicketExpired`].
pub async fn consume(c: &mut Conn, town: Id, number: &str, now: i64) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(
            enrolment_ticket::table
                .find((town, number))
                .filter(enrolment_ticket::used_at.is_null())
                .filter(enrolment_ticket::expires_at.ge(now))
                .filter(enrolment_ticket::failed_count.lt(MAX_WRONG))
        )
        .set(enrolment_ticket::used_at.eq(now))
    )?;
    if rows == 1 {
        return Ok(());
    }
    let is_used = get(c, town, number).await?.is_none_or(|t| t.used_at.is_some());
    Err(if is_used { Code::TicketUsed } else { Code::TicketExpired }.into())
}

/// Ends the Nos that nobody used and that a lost device may show: those made on it, and, of those made before
/// that was noted, the ones for its successor.
///
/// # Errors
/// The database failed.
pub async fn end_of_device(c: &mut Conn, town: Id, device: Id, now: i64) -> Result<(), AppError> {
    let unknown = enrolment_ticket::issued_on.is_null().and(enrolment_ticket::replaces_id.eq(device));
    run!(
        c,
        execute,
        diesel::update(
            enrolment_ticket::table
                .filter(enrolment_ticket::municipality_id.eq(town))
                .filter(enrolment_ticket::issued_on.eq(device).or(unknown))
                .filter(enrolment_ticket::used_at.is_null())
                .filter(enrolment_ticket::expires_at.ge(now))
        )
        .set(enrolment_ticket::expires_at.eq(now - 1))
    )?;
    Ok(())
}

/// Refuses a facility that is not approved.
///
/// # Errors
/// [`Code::NotFound`] for none; [`Code::StateConflict`].
pub async fn facility_is_approved(c: &mut Conn, town: Id, id: Id) -> Result<(), AppError> {
    let state: Option<String> =
        run!(c, get_result, facility::table.find((town, id)).select(facility::state)).optional()?;
    match state.as_deref() {
        Some("approved") => Ok(()),
        Some(_) => Err(Code::StateConflict.into()),
        None => Err(Code::NotFound.into()),
    }
}
