//! What the server does by itself, on a clock: linking the audit chains, noting who was seen, learning of
//! towns that the operator created, and the daily chores of the rooms. Each chore may run any number of
//! times, on several servers at once: what it did is in the database.

use crate::error::AppError;
use crate::state::App;
use crate::{audit, clock, device, facility, inbox, media, municipality, review, sent, session, training};
use std::time::Duration;

/// Keeps house until the task is dropped.
pub async fn run(app: App) {
    let mut round = 0_u32;
    loop {
        told(often(&app, round).await);
        if round.is_multiple_of(1_800) {
            told(hourly(&app).await);
        }
        round = round.wrapping_add(1);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

fn told(outcome: Result<(), AppError>) {
    if let Err(e) = outcome {
        let problem = e.into_problem();
        tracing::warn!(reference = problem.reference, "a chore failed; it will be tried again");
    }
}

async fn often(app: &App, round: u32) -> Result<(), AppError> {
    app.handover.sweep(std::time::Instant::now());
    app.load_authorities().await?;
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        while audit::link(&app.db, town.id).await? > 0 {}
    }
    if round % 10 == 9 {
        app.seen.store(&app.db).await?;
        device::renew::settle(app, clock::now()).await?;
    }
    Ok(())
}

/// Runs every hourly chore once: one line for each room that has one.
///
/// # Errors
/// The database failed; what was done stays done.
pub async fn hourly(app: &App) -> Result<(), AppError> {
    app.db.write(async |c| session::store::sweep(c).await).await?;
    app.db.write(async |c| facility::store::letters::sweep(c, clock::now()).await).await?;
    app.db.write(async |c| sent::sweep(c, clock::now()).await).await?;
    media::overdue::give_up(app, clock::now()).await?;
    device::expiry::tell(app, clock::now()).await?;
    inbox::remind::run(app, clock::now()).await?;
    training::remind::run(app, clock::now()).await?;
    review::remind::run(app, clock::now()).await?;
    Ok(())
}
