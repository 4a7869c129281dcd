//! Lines of a facility's shared inbox, as the queue makes them. What becomes of them: the room `inbox`.

use super::About;
use crate::db::prelude::*;
use crate::db::schema::inbox_line;
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};
use renraku_wire::NoticeKind;

#[derive(Insertable)]
#[diesel(table_name = inbox_line, treat_none_as_default_value = false)]
pub(super) struct Row {
    municipality_id: Id,
    id: Id,
    facility_id: Id,
    staff_id: Id,
    kind: String,
    patient_id: Option<Id>,
    post_id: Option<Id>,
    object_id: Option<Id>,
    created_at: i64,
}

impl Row {
    pub(super) fn new(about: &About, object_id: Option<Id>, facility_id: Id, staff_id: Id) -> Self {
        Self {
            municipality_id: about.municipality_id,
            id: Id::new(),
            facility_id,
            staff_id,
            kind: word(&about.kind),
            patient_id: about.patient_id,
            post_id: about.post_id,
            object_id,
            created_at: clock::now(),
        }
    }
}

/// The kinds of line that only those who run the facility see and tick off: what is theirs to decide.
#[must_use]
pub const fn for_managers(kind: NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::AccessReviewDue
            | NoticeKind::IncidentWaiting
            | NoticeKind::DeviceTicketIssued
            | NoticeKind::CertificateExpiring
            | NoticeKind::StaffStateChanged
    )
}

/// Their words, as the column holds them.
#[must_use]
pub fn managers_kinds() -> Vec<String> {
    NoticeKind::ALL.iter().filter(|kind| for_managers(**kind)).map(word).collect()
}

/// How many lines of a facility that this person sees nobody has claimed, and since when the oldest waits. Who
/// runs the facility (`manages`) sees every line; the others those that are not a manager's, and of reports only
/// news for themselves.
///
/// # Errors
/// The database failed.
pub async fn unclaimed(
    c: &mut Conn,
    (town, facility_id, staff_id): (Id, Id, Id),
    manages: bool,
) -> Result<(i64, Option<i64>), AppError> {
    let hidden = if manages { vec![] } else { managers_kinds() };
    let manages = manages.into_sql::<diesel::sql_types::Bool>();
    Ok(run!(
        c,
        get_result,
        inbox_line::table
            .filter(inbox_line::municipality_id.eq(town))
            .filter(inbox_line::facility_id.eq(facility_id))
            .filter(inbox_line::claimed_by.is_null())
            .filter(inbox_line::done_at.is_null())
            .filter(inbox_line::kind.ne_all(hidden))
            .filter(
                inbox_line::kind
                    .ne(word(&NoticeKind::IncidentUpdated))
                    .or(inbox_line::staff_id.eq(staff_id))
                    .or(manages)
            )
            .select((diesel::dsl::count_star(), diesel::dsl::min(inbox_line::created_at)))
    )?)
}

/// Gives back what this person claimed and did not tick off: they cannot any more.
///
/// # Errors
/// The database failed.
pub async fn give_back(c: &mut Conn, town: Id, staff_id: Id) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            inbox_line::table
                .filter(inbox_line::municipality_id.eq(town))
                .filter(inbox_line::claimed_by.eq(staff_id))
                .filter(inbox_line::done_at.is_null())
        )
        .set((inbox_line::claimed_by.eq(None::<Id>), inbox_line::claimed_at.eq(None::<i64>)))
    )?;
    Ok(())
}

pub(super) async fn insert(c: &mut Conn, rows: &[Row]) -> Result<(), AppError> {
    if !rows.is_empty() {
        run!(c, execute, diesel::insert_into(inbox_line::table).values(rows))?;
    }
    Ok(())
}
