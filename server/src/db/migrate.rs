//! Numbered migrations, the same numbers and names for both databases.

use crate::error::AppError;
use diesel::connection::SimpleConnection as _;
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};

struct Step {
    number: i32,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($($number:literal $folder:literal),+ $(,)?) => {
        const STEPS: &[Step] = &[$(Step {
            number: $number,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $folder, "/up.sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $folder, "/up.sql")),
        }),+];
    };
}

steps! {
    1 "0001_foundation",
    2 "0002_policy",
    3 "0003_facility",
    4 "0004_staff",
    5 "0005_duties",
    6 "0006_device",
    7 "0007_once",
    8 "0008_loss",
    9 "0009_sent",
    10 "0010_overdue",
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    version: i32,
}

const NEWER: &str = "the database was made by a newer version of this server; install that version again";

fn pending(have: i32) -> Result<impl Iterator<Item = &'static Step>, AppError> {
    if have > STEPS.last().map_or(0, |s| s.number) {
        return Err(AppError::internal(NEWER));
    }
    Ok(STEPS.iter().filter(move |s| s.number > have))
}

pub(super) fn sqlite(c: &mut SqliteConnection) -> Result<(), AppError> {
    let have = diesel::sql_query("SELECT user_version AS version FROM pragma_user_version")
        .get_result::<Version>(c)?
        .version;
    for step in pending(have)? {
        let n = step.number;
        let done =
            c.batch_execute(&format!("BEGIN IMMEDIATE; {}; PRAGMA user_version = {n}; COMMIT;", step.sqlite));
        if let Err(e) = done {
            let _ = c.batch_execute("ROLLBACK");
            let text = e.to_string();
            return Err(if text.contains("full") || text.contains("I/O") {
                AppError::internal(
                    "the tables cannot be made: the disk is full or failing; nothing was changed. Free space \
                     and start again",
                )
            } else {
                e.into()
            });
        }
    }
    Ok(())
}

pub(super) async fn postgres(c: &mut AsyncPgConnection) -> Result<(), AppError> {
    // Several servers may start at once: the lock lets one of them migrate.
    c.batch_execute(
        "SELECT pg_advisory_lock(7264551);
         CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL);",
    )
    .await?;
    let result = postgres_steps(c).await;
    c.batch_execute("SELECT pg_advisory_unlock(7264551)").await?;
    result
}

async fn postgres_steps(c: &mut AsyncPgConnection) -> Result<(), AppError> {
    let have = diesel_async::RunQueryDsl::get_result::<Version>(
        diesel::sql_query("SELECT coalesce(max(version), 0) AS version FROM schema_version"),
        c,
    )
    .await?
    .version;
    for step in pending(have)? {
        let n = step.number;
        c.batch_execute(&format!(
            "BEGIN; {}; INSERT INTO schema_version (version) VALUES ({n}); COMMIT;",
            step.postgres
        ))
        .await?;
    }
    Ok(())
}
