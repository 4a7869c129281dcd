//! Notices of certificates that end soon: to the facility's manager, at 30, 14, 7 and 1 days, each once.

use super::{certificates, issue, rules};
use crate::error::AppError;
use crate::municipality;
use crate::state::App;
use renraku_wire::NoticeKind;
use std::collections::BTreeSet;

/// Tells what is due at `now`. May run any number of times, on several servers at once.
///
/// # Errors
/// The database failed; what was told stays told.
pub async fn tell(app: &App, now: i64) -> Result<(), AppError> {
    let reach = now + i64::from(rules::NOTICE_DAYS[0]) * 86_400_000;
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        let told = app
            .db
            .write(async |c| {
                // One notice for a facility, however many of its devices it is about.
                let mut facilities = BTreeSet::new();
                for ending in certificates::ending(c, town.id, now, reach).await? {
                    let Some(days) = rules::due_notice(ending.not_after, now) else { continue };
                    if certificates::note_told(c, town.id, &ending.serial, days, now).await? {
                        facilities.insert(ending.facility_id);
                    }
                }
                for facility in &facilities {
                    issue::tell_managers(c, town.id, *facility, NoticeKind::CertificateExpiring).await?;
                }
                Ok(!facilities.is_empty())
            })
            .await?;
        if told {
            app.notices_queued.notify_one();
        }
    }
    Ok(())
}
