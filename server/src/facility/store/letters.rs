//! Letters with No and password, links to returned applications, and reports that no mail came.

use super::stray;
use crate::access::Secretariat;
use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{
    enrolment_ticket, facility, facility_link, no_mail_report, notice as notices, ticket_letter,
};
use crate::db::sql::{Uid, from_word, word};
use crate::db::{Conn, Id};
use crate::device::ticket;
use crate::error::AppError;
use crate::notice::{self, Letter, TicketMail};
use crate::secret::OperatorSecret;
use crate::{clock, run};
use diesel::sql_types::{BigInt, Text};
use renraku_wire::{Code, DeliveryState, FacilityState, NoticeId, ReturnMailStatus, Timestamp};

/// Mails a fresh No and password, under this notice's id. Every earlier one that was not used is worth
/// nothing from then on. False when that letter was written before.
///
/// # Errors
/// [`Code::IdConflict`] when the id is another facility's letter.
pub async fn mail_ticket(
    c: &mut Conn,
    secret: &OperatorSecret,
    (town, facility_id, address): (Id, Id, &str),
    notice_id: Id,
    fresh: &ticket::Fresh,
    now: i64,
) -> Result<bool, AppError> {
    let same: Option<Id> =
        run!(c, get_result, ticket_letter::table.find((town, notice_id)).select(ticket_letter::facility_id))
            .optional()?;
    match same {
        Some(of) if of == facility_id => return Ok(false),
        Some(_) => return Err(Code::IdConflict.into()),
        None => {}
    }
    if notice::exists(c, town, notice_id).await? {
        return Err(Code::IdConflict.into());
    }
    replace(c, town, facility_id, now).await?;
    ticket::insert(c, town, facility_id, fresh).await?;
    let shown = fresh.shown();
    let rows = run!(
        c,
        execute,
        diesel::insert_into(ticket_letter::table)
            .values((
                ticket_letter::municipality_id.eq(town),
                ticket_letter::notice_id.eq(notice_id),
                ticket_letter::facility_id.eq(facility_id),
                ticket_letter::number.eq(&shown.number),
                ticket_letter::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 {
        return Err(Code::StateConflict.into());
    }
    let letter = Letter::Ticket(TicketMail { number: shown.number, password: shown.password });
    notice::queue_letter(c, secret, town, notice_id, address, &letter).await?;
    Ok(true)
}

/// Takes back the letter that counted so far: the mail, if it did not leave, and its No, if nobody used it.
async fn replace(c: &mut Conn, town: Id, facility_id: Id, now: i64) -> Result<(), AppError> {
    let old: Vec<(Id, String)> = run!(
        c,
        load,
        ticket_letter::table
            .filter(ticket_letter::municipality_id.eq(town))
            .filter(ticket_letter::facility_id.eq(facility_id))
            .filter(ticket_letter::replaced_at.is_null())
            .select((ticket_letter::notice_id, ticket_letter::number))
    )?;
    for (notice_id, number) in old {
        notice::withdraw(c, town, notice_id).await?;
        run!(
            c,
            execute,
            diesel::update(
                enrolment_ticket::table
                    .find((town, &number))
                    .filter(enrolment_ticket::used_at.is_null())
                    .filter(enrolment_ticket::expires_at.ge(now))
            )
            .set(enrolment_ticket::expires_at.eq(now - 1))
        )?;
        run!(
            c,
            execute,
            diesel::update(ticket_letter::table.find((town, notice_id)))
                .set(ticket_letter::replaced_at.eq(now))
        )?;
    }
    Ok(())
}

/// Every No of a facility that nobody used is worth nothing from now on, mailed or not.
///
/// # Errors
/// The database failed.
pub async fn end_tickets(c: &mut Conn, town: Id, facility_id: Id, now: i64) -> Result<(), AppError> {
    replace(c, town, facility_id, now).await?;
    run!(
        c,
        execute,
        diesel::update(
            enrolment_ticket::table
                .filter(enrolment_ticket::municipality_id.eq(town))
                .filter(enrolment_ticket::facility_id.eq(facility_id))
                .filter(enrolment_ticket::used_at.is_null())
                .filter(enrolment_ticket::expires_at.ge(now))
        )
        .set(enrolment_ticket::expires_at.eq(now - 1))
    )?;
    Ok(())
}

/// Stores the link to a returned application with the letter that holds it; earlier ones stop working.
///
/// # Errors
/// The database failed.
pub async fn insert_link(
    c: &mut Conn,
    town: Id,
    facility_id: Id,
    (token_hash, letter): (&[u8], Id),
    expires_at: i64,
    now: i64,
) -> Result<(), AppError> {
    end_links(c, town, facility_id, now).await?;
    run!(
        c,
        execute,
        diesel::insert_into(facility_link::table).values((
            facility_link::municipality_id.eq(town),
            facility_link::token_hash.eq(token_hash),
            facility_link::facility_id.eq(facility_id),
            facility_link::expires_at.eq(expires_at),
            facility_link::created_at.eq(now),
            facility_link::notice_id.eq(letter),
        ))
    )?;
    Ok(())
}

/// Forgets old strays and links that expired, and takes back the letters with them that never left, and those
/// with a No that expired. May run any number of times. What the office wrote to the applicant stays on the facility's record.
///
/// # Errors
/// The database failed.
pub async fn sweep(c: &mut Conn, now: i64) -> Result<(), AppError> {
    stray::sweep(c, now).await?;
    let over: Vec<(Id, Option<Id>)> = run!(
        c,
        load,
        facility_link::table
            .filter(facility_link::expires_at.lt(now))
            .select((facility_link::municipality_id, facility_link::notice_id))
    )?;
    for (town, letter) in &over {
        if let Some(letter) = letter {
            notice::withdraw(c, *town, *letter).await?;
        }
    }
    if !over.is_empty() {
        run!(c, execute, diesel::delete(facility_link::table.filter(facility_link::expires_at.lt(now))))?;
    }
    // A No that nobody can use any more need not arrive.
    let late: Vec<(Id, Id)> = run!(
        c,
        load,
        ticket_letter::table
            .inner_join(
                notices::table.on(notices::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(notices::id.eq(ticket_letter::notice_id)))
            )
            .inner_join(
                enrolment_ticket::table.on(enrolment_ticket::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(enrolment_ticket::number.eq(ticket_letter::number)))
            )
            .filter(notices::state.eq(word(&DeliveryState::Queued)))
            .filter(enrolment_ticket::expires_at.lt(now))
            .select((ticket_letter::municipality_id, ticket_letter::notice_id))
    )?;
    for (town, letter) in late {
        notice::withdraw(c, town, letter).await?;
    }
    Ok(())
}

/// The letters whose links to these returned applications work, with their application's id.
///
/// # Errors
/// The database failed.
pub async fn return_mails(
    c: &mut Conn,
    town: Id,
    of: &[Id],
) -> Result<Vec<(Id, ReturnMailStatus)>, AppError> {
    type Mail = (Id, Id, String, String, Option<String>, i64, Option<i64>, i64);
    let rows: Vec<Mail> = run!(
        c,
        load,
        facility_link::table
            .inner_join(
                notices::table.on(notices::municipality_id
                    .eq(facility_link::municipality_id)
                    .and(notices::id.nullable().eq(facility_link::notice_id)))
            )
            .filter(facility_link::municipality_id.eq(town))
            .filter(facility_link::facility_id.eq_any(of))
            .filter(facility_link::used_at.is_null())
            .filter(facility_link::expires_at.gt(clock::now()))
            .select((
                facility_link::facility_id,
                notices::id,
                notices::target,
                notices::state,
                notices::last_error,
                notices::created_at,
                notices::done_at,
                facility_link::expires_at
            ))
    )?;
    rows.into_iter()
        .map(|(of, id, address, state, reason, queued_at, done_at, expires_at)| {
            let mail = ReturnMailStatus {
                id: id.into(),
                address,
                state: from_word(&state)?,
                reason,
                queued_at: Timestamp(queued_at),
                done_at: done_at.map(Timestamp),
                expires_at: Timestamp(expires_at),
            };
            Ok((of, mail))
        })
        .collect()
}

/// Refuses what was asked in view of another link than the one that works: somebody was faster.
///
/// # Errors
/// [`Code::StateConflict`].
pub async fn as_seen(
    c: &mut Conn,
    town: Id,
    facility_id: Id,
    seen: Option<NoticeId>,
) -> Result<(), AppError> {
    let works = return_mails(c, town, &[facility_id]).await?.pop().map(|(_, mail)| mail.id);
    if works == seen { Ok(()) } else { Err(Code::StateConflict.into()) }
}

/// Every link to a facility's application is used up; a letter with one that did not leave yet is taken back, and one
/// that did not arrive needs nobody's care any more.
///
/// # Errors
/// The database failed.
pub async fn end_links(c: &mut Conn, town: Id, facility_id: Id, now: i64) -> Result<(), AppError> {
    let letters: Vec<Option<Id>> = run!(
        c,
        load,
        facility_link::table
            .filter(facility_link::municipality_id.eq(town))
            .filter(facility_link::facility_id.eq(facility_id))
            .filter(facility_link::used_at.is_null())
            .select(facility_link::notice_id)
    )?;
    for letter in letters.into_iter().flatten() {
        notice::withdraw(c, town, letter).await?;
    }
    run!(
        c,
        execute,
        diesel::update(
            facility_link::table
                .filter(facility_link::municipality_id.eq(town))
                .filter(facility_link::facility_id.eq(facility_id))
                .filter(facility_link::used_at.is_null())
        )
        .set(facility_link::used_at.eq(now))
    )?;
    Ok(())
}

/// What a link opens.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The application.
    pub facility_id: Id,
    /// Until when it works.
    pub expires_at: i64,
    /// It was used.
    pub used: bool,
}

/// The link with this hash that did not expire.
///
/// # Errors
/// [`Code::LinkInvalid`].
pub async fn link(c: &mut Conn, town: Id, token_hash: &[u8], now: i64) -> Result<Link, AppError> {
    let row: Option<(Id, i64, Option<i64>)> = run!(
        c,
        get_result,
        facility_link::table.find((town, token_hash)).filter(facility_link::expires_at.gt(now)).select((
            facility_link::facility_id,
            facility_link::expires_at,
            facility_link::used_at
        ))
    )
    .optional()?;
    let (facility_id, expires_at, used_at) = row.ok_or(Code::LinkInvalid)?;
    Ok(Link { facility_id, expires_at, used: used_at.is_some() })
}

/// Notes that a manager's mail did not come (F04): at the facility whose name and address these are (of several, at
/// the approved one), and where there is none, among the strays. Which of both is not told, not even by the work: two
/// statements and one audit entry either way.
///
/// # Errors
/// The database failed.
pub async fn report(c: &mut Conn, town: Id, name: &str, mail: &str, now: i64) -> Result<(), AppError> {
    const STATEMENT: &str = "INSERT INTO no_mail_report (municipality_id, id, facility_id, reported_at) \
         SELECT f.municipality_id, $1, f.id, $2 FROM facility f \
         WHERE f.municipality_id = $3 AND f.name = $4 AND lower(f.manager_mail) = lower($5) \
             AND f.kind <> $6 AND f.state <> $7 \
         ORDER BY CASE WHEN f.state = $8 THEN 0 ELSE 1 END, f.applied_at DESC LIMIT 1 ON CONFLICT DO NOTHING";
    run!(
        c,
        execute,
        diesel::sql_query(STATEMENT)
            .bind::<Uid, _>(Id::new())
            .bind::<BigInt, _>(now)
            .bind::<Uid, _>(town)
            .bind::<Text, _>(name)
            .bind::<Text, _>(mail)
            .bind::<Text, _>("secretariat")
            .bind::<Text, _>(word(&FacilityState::Closed))
            .bind::<Text, _>(word(&FacilityState::Approved))
    )?;
    stray::report(c, town, name, mail, now).await?;
    let stranger = Actor { municipality_id: town, staff_id: None, device_id: None };
    audit::record(c, stranger, "facility.no_mail", None, "").await
}

/// Settles the report of a facility; false when there is none.
///
/// # Errors
/// The database failed.
pub async fn settle(c: &mut Conn, office: &Secretariat, facility_id: Id, now: i64) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(
            no_mail_report::table
                .filter(no_mail_report::municipality_id.eq(office.municipality_id()))
                .filter(no_mail_report::facility_id.eq(facility_id))
                .filter(no_mail_report::settled_at.is_null())
        )
        .set((no_mail_report::settled_at.eq(now), no_mail_report::settled_by.eq(office.staff_id())))
    )?;
    Ok(rows > 0)
}

/// The scan of a facility's paper, for the office.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn scan(c: &mut Conn, office: &Secretariat, id: Id) -> Result<Id, AppError> {
    let found: Option<Option<Id>> =
        run!(c, get_result, facility::table.find((office.municipality_id(), id)).select(facility::scan_id))
            .optional()?;
    Ok(found.flatten().ok_or(Code::NotFound)?)
}
