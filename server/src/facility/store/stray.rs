//! Reports of a mail that did not come whose name or address is no facility's (F04): somebody mistyped, and waits.

use crate::access::Secretariat;
use crate::db::prelude::*;
use crate::db::schema::stray_mail_report;
use crate::db::sql::{Uid, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::Task;
use crate::{clock, run};
use diesel::sql_types::{BigInt, Text};
use renraku_wire::{Code, FacilityState};

/// The office's page lists so many at the most, the oldest first.
const PAGE: i64 = 100;
/// Forgotten after so long, settled or not.
const KEPT: i64 = 90 * 86_400_000;

/// A report as the office sees it.
#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = stray_mail_report)]
pub struct Stray {
    /// Its id.
    pub id: Id,
    /// The facility's name as typed.
    pub name: String,
    /// The address as typed, in small letters.
    pub mail: String,
    /// When.
    pub reported_at: i64,
}

/// Of one town's strays so many are taken a day: strangers write them.
const DAILY: i64 = 200;

/// Stores a report where name and address are no facility's; of one address one a day.
///
/// # Errors
/// The database failed.
pub(super) async fn report(c: &mut Conn, town: Id, name: &str, mail: &str, now: i64) -> Result<(), AppError> {
    const STATEMENT: &str = "INSERT INTO stray_mail_report (municipality_id, id, name, mail, day, reported_at) \
         SELECT m.id, $1, $2, lower($3), $4, $5 FROM municipality m \
         WHERE m.id = $6 AND NOT EXISTS (SELECT 1 FROM facility f \
             WHERE f.municipality_id = m.id AND f.name = $7 AND lower(f.manager_mail) = lower($8) \
                 AND f.kind <> $9 AND f.state <> $10) \
             AND (SELECT count(*) FROM stray_mail_report s \
                 WHERE s.municipality_id = m.id AND s.day = $11) < $12 ON CONFLICT DO NOTHING";
    let day = clock::japan(now).date().to_string();
    run!(
        c,
        execute,
        diesel::sql_query(STATEMENT)
            .bind::<Uid, _>(Id::new())
            .bind::<Text, _>(name)
            .bind::<Text, _>(mail)
            .bind::<Text, _>(&day)
            .bind::<BigInt, _>(now)
            .bind::<Uid, _>(town)
            .bind::<Text, _>(name)
            .bind::<Text, _>(mail)
            .bind::<Text, _>("secretariat")
            .bind::<Text, _>(word(&FacilityState::Closed))
            .bind::<Text, _>(&day)
            .bind::<BigInt, _>(DAILY)
    )?;
    Ok(())
}

/// The reports that wait, the oldest first.
///
/// # Errors
/// The database failed.
pub async fn all(c: &mut Conn, office: &Secretariat) -> Result<Vec<Stray>, AppError> {
    Ok(run!(
        c,
        load,
        stray_mail_report::table
            .filter(stray_mail_report::municipality_id.eq(office.municipality_id()))
            .filter(stray_mail_report::settled_at.is_null())
            .order((stray_mail_report::reported_at, stray_mail_report::id))
            .limit(PAGE)
            .select(Stray::as_select())
    )?)
}

/// One line for all that wait: strangers write them, and must not bury what else waits.
///
/// # Errors
/// The database failed.
pub(super) async fn task(c: &mut Conn, town: Id) -> Result<Option<Task>, AppError> {
    let (count, since): (i64, Option<i64>) = run!(
        c,
        get_result,
        stray_mail_report::table
            .filter(stray_mail_report::municipality_id.eq(town))
            .filter(stray_mail_report::settled_at.is_null())
            .select((diesel::dsl::count_star(), diesel::dsl::min(stray_mail_report::reported_at)))
    )?;
    Ok(since.map(|since| Task {
        text: format!(
            "「メールが届かない」という連絡{count}件に対応する（登録と名称かアドレスが合いません）"
        ),
        href: "/facilities#stray".to_owned(),
        since,
    }))
}

/// Settles a report.
///
/// # Errors
/// [`Code::NotFound`] for another town's, for none and for one that is settled.
pub async fn settle(c: &mut Conn, office: &Secretariat, id: Id, now: i64) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(
            stray_mail_report::table
                .find((office.municipality_id(), id))
                .filter(stray_mail_report::settled_at.is_null())
        )
        .set((stray_mail_report::settled_at.eq(now), stray_mail_report::settled_by.eq(office.staff_id())))
    )?;
    if rows == 0 { Err(Code::NotFound.into()) } else { Ok(()) }
}

/// Forgets old ones: they hold what strangers typed.
///
/// # Errors
/// The database failed.
pub(super) async fn sweep(c: &mut Conn, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::delete(stray_mail_report::table.filter(stray_mail_report::reported_at.lt(now - KEPT)))
    )?;
    Ok(())
}
