//! Leaving (F11): what the API and the portal share.

use super::on_file::{self, Fate};
use super::{account, rules, teams};
use crate::access::FacilityAdmin;
use crate::db::Id;
use crate::error::AppError;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, session};
use renraku_wire::{Code, Leaving, NoticeKind};

/// Ends an account for good: sessions, pushes, addresses and team memberships end; the name stays under
/// what the person wrote.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::RoleInsufficient`] for the own account; [`Code::StateConflict`] for one that
/// ended; [`Code::ManagerNeeded`]; [`Code::LeadNeeded`]; [`Code::FieldInvalid`].
pub async fn leave(app: &App, admin: &FacilityAdmin, id: Id, leaving: &Leaving) -> Result<(), AppError> {
    let town = admin.municipality_id();
    let now = clock::now();
    let left_on = rules::last_day(&leaving.left_on, now)?;
    app.db
        .write(async |c| {
            let account = account::managed(c, admin, id).await?;
            account::not_own(admin, id)?;
            rules::next(account.state(), rules::Act::Leave)?;
            let others = account::managers_but(c, town, account.facility_id, id).await?.len();
            rules::keeps_a_manager(account.role()?, None, i64::try_from(others).unwrap_or(i64::MAX))?;
            on_file::follow(c, &app.secret, admin, &account, Fate::Goes).await?;
            let places = teams::places(c, town, id).await?;
            if !rules::without_lead(&places, id).is_empty() {
                let successor: Id = leaving.successor.ok_or(Code::LeadNeeded)?.into();
                if successor == id || !account::works_at(c, town, account.facility_id, successor).await? {
                    return Err(AppError::field("successor"));
                }
                for handed in teams::hand_over(c, admin, &places, id, successor, now).await? {
                    let patient = Some(handed.patient_id);
                    audit::record(c, admin.actor(), "team.hand_over", patient, &successor.to_string())
                        .await?;
                    if handed.joined {
                        let about = About {
                            municipality_id: town,
                            kind: NoticeKind::PatientRegistered,
                            patient_id: patient,
                            post_id: None,
                        };
                        notice::queue(c, &about, &[successor]).await?;
                    }
                }
            }
            teams::end(c, town, id, now).await?;
            session::store::close_all(c, town, id).await?;
            session::store::end_tickets(c, town, id, now).await?;
            account::end(c, town, id, &left_on).await?;
            audit::record(c, admin.actor(), "staff.leave", Some(id), &left_on).await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}
