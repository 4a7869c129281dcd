//! Files that never come: a phone was lost before it made or sent what a post spoke of. Nobody is to wait for ever.

use super::store::{self, File};
use super::upload::name;
use crate::audit::{self, Actor};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::media;
use crate::db::sql::word;
use crate::error::AppError;
use crate::run;
use crate::state::App;
use renraku_wire::MediaState;

/// How long a file is waited for since bytes of it came, in milliseconds: as long as a post may be late.
const WAIT_MILLIS: i64 = 60 * 86_400_000;
/// How many are looked at in one go.
const BATCH: i64 = 100;

// Of any town. One whose bytes are all here was never checked: its device alone asks for that.
macro_rules! overdue {
    ($since:expr) => {
        media::table.filter(media::state.eq(word(&MediaState::Pending))).filter(media::changed_at.lt($since))
    };
}

/// Gives up the files of which nothing came for too long, as their devices would have done.
///
/// # Errors
/// The database failed; what was done stays done.
pub async fn give_up(app: &App, now: i64) -> Result<(), AppError> {
    loop {
        let files = app.db.read(async |c| overdue(c, now - WAIT_MILLIS, BATCH).await).await?;
        for file in &files {
            one(app, file, now).await?;
        }
        if files.is_empty() {
            return Ok(());
        }
    }
}

async fn one(app: &App, file: &File, now: i64) -> Result<(), AppError> {
    let chunks = app
        .db
        .write(async |c| {
            let chunks = store::chunks(c, file).await?;
            // Its device may have come just now.
            if !is_overdue(c, file, now - WAIT_MILLIS).await? || !store::finish(c, file, None, now).await? {
                return Ok(None);
            }
            let actor = Actor { municipality_id: file.municipality_id, staff_id: None, device_id: None };
            audit::record(c, actor, "media.give_up", Some(file.id), "60 days").await?;
            Ok(Some(chunks))
        })
        .await?;
    let Some(chunks) = chunks else { return Ok(()) };
    for object in chunks.iter().chain([&name(file, "thumbnail")]) {
        app.storage.remove(object).await;
    }
    Ok(())
}

/// Some files that wait for bytes and changed last before `since`.
async fn overdue(c: &mut Conn, since: i64, most: i64) -> Result<Vec<File>, AppError> {
    Ok(run!(
        c,
        load,
        overdue!(since).order((media::changed_at, media::id)).limit(most).select(File::as_select())
    )?)
}

/// True while a file is among those.
async fn is_overdue(c: &mut Conn, file: &File, since: i64) -> Result<bool, AppError> {
    let this =
        overdue!(since).filter(media::municipality_id.eq(file.municipality_id)).filter(media::id.eq(file.id));
    let found: i64 = run!(c, get_result, this.count())?;
    Ok(found > 0)
}
