//! Letters: mails to people who may have no account, about a facility. What a letter says beyond generic
//! words is sealed in the queue, and gone once it was sent.

use super::{About, Row, insert};
use crate::db::prelude::*;
use crate::db::schema::notice;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::secret::OperatorSecret;
use crate::{clock, run};
use renraku_wire::NoticeKind;
use serde::{Deserialize, Serialize};

/// Certificate No and password: only the mail itself may hold them.
#[derive(Serialize, Deserialize)]
pub struct TicketMail {
    /// Certificate No.
    pub number: String,
    /// Its password.
    pub password: String,
}

/// What a manager hears of a facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilityNews {
    /// The office confirmed a change.
    ChangeConfirmed,
    /// The office refused a change.
    ChangeRefused,
    /// The office changed what is on file.
    Changed,
    /// Use is suspended.
    Suspended,
    /// Use goes on.
    Resumed,
    /// The facility is closed.
    Closed,
    /// Somebody else manages it.
    ManagerChanged,
}

/// A letter.
#[derive(Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// No and password (F03).
    Ticket(TicketMail),
    /// An application goes back to be corrected.
    Returned {
        /// Opens the form on the public host, once.
        token: String,
        /// Until when, UTC milliseconds.
        until: i64,
    },
    /// An application was rejected.
    Rejected,
    /// News of a facility.
    Facility {
        /// Which.
        news: FacilityNews,
    },
}

/// Queues a letter under `id`.
///
/// # Errors
/// The database failed.
pub async fn queue_letter(
    c: &mut Conn,
    secret: &OperatorSecret,
    town: Id,
    id: Id,
    address: &str,
    letter: &Letter,
) -> Result<(), AppError> {
    let kind = match letter {
        Letter::Ticket(_) => NoticeKind::FacilityApproved,
        Letter::Returned { .. } | Letter::Rejected | Letter::Facility { .. } => NoticeKind::FacilityLetter,
    };
    let about = About { municipality_id: town, kind, patient_id: None, post_id: None };
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(letter).map_err(|e| AppError::internal(format!("no letter: {e}")))?,
    );
    let row = Row { id, sealed: Some(secret.seal(&plain)?), ..Row::new(&about, "mail", address.to_owned()) };
    insert(c, &[row]).await?;
    Ok(())
}

/// Takes a letter back that did not leave yet; of one that did not arrive, notes that nobody needs to look after it.
///
/// # Errors
/// The database failed.
pub async fn withdraw(c: &mut Conn, town: Id, id: Id) -> Result<(), AppError> {
    let dead = (
        notice::state.eq("dead"),
        notice::done_at.eq(Some(clock::now())),
        // Nobody needs to look after it.
        notice::handled_at.eq(Some(clock::now())),
        notice::sealed.eq(None::<Vec<u8>>),
        notice::last_error.eq(Some("taken back before it left")),
    );
    run!(
        c,
        execute,
        diesel::update(notice::table.find((town, id)).filter(notice::state.eq("queued"))).set(dead)
    )?;
    run!(
        c,
        execute,
        diesel::update(
            notice::table
                .find((town, id))
                .filter(notice::state.eq("dead"))
                .filter(notice::handled_at.is_null())
        )
        .set(notice::handled_at.eq(clock::now()))
    )?;
    Ok(())
}

/// True when a notice of this id was ever queued.
///
/// # Errors
/// The database failed.
pub async fn exists(c: &mut Conn, town: Id, id: Id) -> Result<bool, AppError> {
    let n: i64 = run!(c, get_result, notice::table.find((town, id)).count())?;
    Ok(n > 0)
}
