//! Claims due notices with a lease, sends them, records what became of them.

use super::{Letter, text};
use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{municipality, notice, push_registration};
use crate::db::{Conn, Id, Kind};
use crate::error::AppError;
use crate::mail::{Mail, MailOutcome, Mailer};
use crate::policy::MunicipalityPolicy;
use crate::push::{Outcome, Push, Pusher};
use crate::run;
use crate::state::App;
use renraku_wire::{NoticeKind, PushPayload};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A claim is another worker's again after this long.
const LEASE_MILLIS: i64 = 60_000;
const BATCH: i64 = 64;
/// Sends at once, at the most (and one batch more).
const IN_FLIGHT: usize = 256;
/// Two days of tries, with the backoff below; then the row is dead and a person sees it.
const MAX_TRIES: i32 = 16;

/// How notices leave.
pub struct Senders {
    /// Apple's and Google's services.
    pub pusher: Pusher,
    /// The mail carrier, where one is configured.
    pub mailer: Option<Mailer>,
}

#[derive(Queryable, Selectable, QueryableByName)]
#[diesel(table_name = notice)]
struct Claimed {
    municipality_id: Id,
    id: Id,
    kind: String,
    channel: String,
    target: String,
    staff_id: Option<Id>,
    device_id: Option<Id>,
    sealed: Option<Vec<u8>>,
    tries: i32,
}

/// Sends due notices until the task is dropped. A service that is slow holds up its own notices only.
pub async fn run_worker(app: App, senders: Arc<Senders>) {
    let mut sending = JoinSet::new();
    loop {
        while sending.try_join_next().is_some() {}
        if sending.len() >= IN_FLIGHT {
            sending.join_next().await;
            continue;
        }
        match claim(&app, senders.mailer.is_some()).await {
            Ok(claimed) if claimed.is_empty() => {
                let _ = tokio::time::timeout(Duration::from_secs(1), app.notices_queued.notified()).await;
            }
            Ok(claimed) => {
                for row in claimed {
                    let (app, senders) = (app.clone(), senders.clone());
                    sending.spawn(async move { deliver(&app, &senders, &row).await });
                }
            }
            Err(e) => {
                let problem = e.into_problem();
                tracing::warn!(reference = problem.reference, "notices could not be claimed");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

/// Where no mail carrier is set up, mails stay queued: they leave once there is one, and until then the office
/// sees that they wait.
async fn claim(app: &App, mails: bool) -> Result<Vec<Claimed>, AppError> {
    // Looking costs a reader only; the writer is taken when there is something to claim.
    let due = app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                get_result::<i64>,
                notice::table
                    .filter(notice::state.eq("queued"))
                    .filter(notice::due_at.le(clock::now()))
                    .filter(notice::channel.ne("mail").or(mails.into_sql::<diesel::sql_types::Bool>()))
                    .count()
            )?)
        })
        .await?;
    if due == 0 {
        return Ok(Vec::new());
    }
    app.db.write(async |c| claim_in(c, mails).await).await
}

async fn claim_in(c: &mut Conn, mails: bool) -> Result<Vec<Claimed>, AppError> {
    // Here the databases truly differ: PostgreSQL skips the rows that another worker holds.
    const RETURNING: &str =
        "RETURNING municipality_id, id, kind, channel, target, staff_id, device_id, sealed, tries";
    let now = clock::now();
    let lock = match c.kind {
        Kind::Pg(_) => "FOR UPDATE SKIP LOCKED",
        Kind::Lite(_) => "",
    };
    let which = if mails { "" } else { "AND channel <> 'mail'" };
    let statement = format!(
        "UPDATE notice SET due_at = $1, tries = tries + 1 WHERE (municipality_id, id) IN \
         (SELECT municipality_id, id FROM notice WHERE state = 'queued' AND due_at <= $2 {which} \
          ORDER BY due_at LIMIT {BATCH} {lock}) {RETURNING}"
    );
    use diesel::sql_types::BigInt;
    Ok(run!(
        c,
        load::<Claimed>,
        diesel::sql_query(&statement).bind::<BigInt, _>(now + LEASE_MILLIS).bind::<BigInt, _>(now)
    )?)
}

enum Fate {
    Sent,
    Again { after: Option<Duration>, why: String },
    Dead { why: String, forget_token: Option<i64> },
}

async fn deliver(app: &App, senders: &Senders, row: &Claimed) {
    let fate = match send(app, senders, row).await {
        Ok(fate) => fate,
        Err(e) => {
            let reference = e.into_problem().reference.unwrap_or_default();
            Fate::Again { after: None, why: format!("internal error {reference}") }
        }
    };
    if let Err(e) = record(app, row, &fate).await {
        let problem = e.into_problem();
        tracing::warn!(reference = problem.reference, notice = %row.id, "a notice's fate was not recorded");
    }
}

async fn send(app: &App, senders: &Senders, row: &Claimed) -> Result<Fate, AppError> {
    let kind: NoticeKind = crate::db::sql::from_word(&row.kind)?;
    if row.channel == "mail" {
        return send_mail(app, senders, row, kind).await;
    }
    let push = Push {
        provider: crate::db::sql::from_word(&row.channel)?,
        token: row.target.clone(),
        payload: PushPayload { kind, id: row.id.into() },
    };
    Ok(match senders.pusher.send(&push).await {
        Outcome::Delivered => Fate::Sent,
        Outcome::DeadToken { since_ms } => Fate::Dead {
            why: "the push token is dead".into(),
            forget_token: Some(since_ms.unwrap_or(i64::MAX)),
        },
        Outcome::Retry { after, reason } => Fate::Again { after, why: reason },
        Outcome::Refused { reason } => Fate::Dead { why: reason, forget_token: None },
        Outcome::NotConfigured => {
            Fate::Dead { why: "this push service is not configured".into(), forget_token: None }
        }
    })
}

async fn send_mail(app: &App, senders: &Senders, row: &Claimed, kind: NoticeKind) -> Result<Fate, AppError> {
    let Some(mailer) = &senders.mailer else {
        return Ok(Fate::Again { after: None, why: "no mail carrier is configured".into() });
    };
    let (slug, policy): (String, String) = app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                get_result,
                municipality::table
                    .find(row.municipality_id)
                    .select((municipality::slug, municipality::policy))
            )?)
        })
        .await?;
    let policy = MunicipalityPolicy::parse(&policy)?;
    let text = match &row.sealed {
        Some(sealed) => {
            let plain = app.secret.open(sealed)?;
            let letter: Letter = serde_json::from_slice(&plain)
                .map_err(|_| AppError::internal("a queued letter cannot be read"))?;
            text::letter(&letter, &format!("{}/{slug}", app.public_url), &policy)
        }
        None => text::notice(kind, row.id, &app.care_url, &policy),
    };
    let mail = Mail { to: row.target.clone(), subject: text.subject, body: text.body, id: row.id.0 };
    Ok(match mailer.send(&mail).await {
        MailOutcome::Delivered => Fate::Sent,
        MailOutcome::Retry { reason } => Fate::Again { after: None, why: reason },
        MailOutcome::Refused { reason } => Fate::Dead { why: reason, forget_token: None },
    })
}

/// Seconds until the next try: doubling from 2 s to 6 h, with up to a quarter of jitter.
fn backoff(tries: i32) -> i64 {
    let base = 2_i64.saturating_pow(u32::try_from(tries.clamp(1, 14)).unwrap_or(1)).min(21_600);
    base + rand::random_range(0..=base / 4)
}

async fn record(app: &App, row: &Claimed, fate: &Fate) -> Result<(), AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            let this = notice::table.find((row.municipality_id, row.id));
            match fate {
                Fate::Sent => {
                    let done = (
                        notice::state.eq("sent"),
                        notice::done_at.eq(Some(now)),
                        notice::sealed.eq(None::<Vec<u8>>),
                        notice::last_error.eq(None::<String>),
                    );
                    run!(c, execute, diesel::update(this).set(done))?;
                }
                Fate::Again { after, why } if row.tries < MAX_TRIES => {
                    let asked = after.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0));
                    let due = now + asked.max(backoff(row.tries)) * 1000;
                    run!(
                        c,
                        execute,
                        diesel::update(this).set((notice::due_at.eq(due), notice::last_error.eq(Some(why))))
                    )?;
                }
                Fate::Again { why, .. } => bury(c, row, why, now).await?,
                Fate::Dead { why, forget_token } => {
                    bury(c, row, why, now).await?;
                    if let (Some(since), Some(staff), Some(device)) =
                        (forget_token, row.staff_id, row.device_id)
                    {
                        // Only if it is still the token that failed, and was not registered again since.
                        run!(
                            c,
                            execute,
                            diesel::delete(
                                push_registration::table
                                    .find((row.municipality_id, staff, device))
                                    .filter(push_registration::token.eq(&row.target))
                                    .filter(push_registration::updated_at.le(*since))
                            )
                        )?;
                    }
                }
            }
            Ok(())
        })
        .await
}

async fn bury(c: &mut Conn, row: &Claimed, why: &str, now: i64) -> Result<(), AppError> {
    let dead = (
        notice::state.eq("dead"),
        notice::done_at.eq(Some(now)),
        notice::sealed.eq(None::<Vec<u8>>),
        notice::last_error.eq(Some(why)),
    );
    run!(c, execute, diesel::update(notice::table.find((row.municipality_id, row.id))).set(dead))?;
    tracing::warn!(notice = %row.id, channel = row.channel, why, "a notice will not arrive");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn tries_come_further_and_further_apart_up_to_six_hours() {
        for tries in 1..40 {
            let seconds = backoff(tries);
            assert!((2..=21_600 + 21_600 / 4).contains(&seconds), "{tries}: {seconds}");
        }
        assert!(backoff(10) > backoff(3));
    }
}
