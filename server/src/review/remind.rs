//! Reminders of the review to those who sign it: 30, 7 and 0 days before it is due, then weekly.

use super::store;
use crate::db::prelude::*;
use crate::db::schema::staff;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::{self, About, reminder};
use crate::state::App;
use crate::{municipality, run};
use renraku_wire::NoticeKind;

/// Reminds the managers of each facility whose turn it is, each once.
///
/// # Errors
/// The database failed.
pub async fn run(app: &App, now: i64) -> Result<(), AppError> {
    let mut told = 0;
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        let about = About {
            municipality_id: town.id,
            kind: NoticeKind::AccessReviewDue,
            patient_id: None,
            post_id: None,
        };
        told += app
            .db
            .write(async |c| {
                let mut turn = vec![];
                for facility in store::standings(c, town.id, None).await? {
                    let id = facility.facility_id;
                    if reminder::turn(c, town.id, "review", id, facility.due_at, now).await? {
                        turn.extend(managers(c, town.id, id).await?);
                    }
                }
                notice::queue(c, &about, &turn).await?;
                Ok(turn.len())
            })
            .await?;
    }
    if told > 0 {
        app.notices_queued.notify_one();
    }
    Ok(())
}

async fn managers(c: &mut Conn, town: Id, facility: Id) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(facility))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq_any(["facility_manager", "secretariat"]))
            .select(staff::id)
    )?)
}
