//! Reminders of the training: 30, 7 and 0 days before it is due, then weekly; of the first one not before it
//! shows.

use super::store;
use crate::error::AppError;
use crate::municipality;
use crate::notice::{self, About, reminder};
use crate::state::App;
use renraku_wire::NoticeKind;

/// Reminds everybody whose turn it is, each once.
///
/// # Errors
/// The database failed.
pub async fn run(app: &App, now: i64) -> Result<(), AppError> {
    let mut told = 0;
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        if !town.policy.yearly_training {
            continue;
        }
        let about = About {
            municipality_id: town.id,
            kind: NoticeKind::TrainingDue,
            patient_id: None,
            post_id: None,
        };
        told += app
            .db
            .write(async |c| {
                let mut turn = vec![];
                for person in store::people(c, town.id, town.policy.training_first_days, None).await? {
                    if now >= person.shows_from
                        && reminder::turn(c, town.id, "training", person.id, person.due_at, now).await?
                    {
                        turn.push(person.id);
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
