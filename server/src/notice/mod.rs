//! The queue of notices and its workers.
//!
//! A change queues its notices in its own transaction: one row for each push device and each mail
//! address of a recipient. A worker claims due rows with a lease, sends, and records what became of them.
//! What Apple, Google and the mail carrier see is a generic line, a kind and an opaque id (domain 4.3 no. 3).
//! This floor reads the tables it needs and calls no room.

pub mod inbox;
mod letter;
pub mod reminder;
mod target;
mod text;
mod undelivered;
mod worker;

use crate::db::prelude::*;
use crate::db::schema::{facility, municipality, notice, push_registration, staff};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::{clock, run};
use renraku_wire::{NoticeKind, Role};

pub use letter::{FacilityNews, Letter, TicketMail, exists, queue_letter, withdraw};
use std::collections::HashSet;
pub use target::{Target, target};
pub use undelivered::{handle_undelivered, mails_left_lying, undelivered, undelivered_waiting};
pub use worker::{Senders, run_worker};

/// What a notice is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The town.
    pub municipality_id: Id,
    /// The kind.
    pub kind: NoticeKind,
    /// The patient.
    pub patient_id: Option<Id>,
    /// The post.
    pub post_id: Option<Id>,
}

#[derive(Insertable)]
#[diesel(table_name = notice, treat_none_as_default_value = false)]
struct Row {
    municipality_id: Id,
    id: Id,
    kind: String,
    channel: String,
    target: String,
    staff_id: Option<Id>,
    device_id: Option<Id>,
    patient_id: Option<Id>,
    post_id: Option<Id>,
    object_id: Option<Id>,
    sealed: Option<Vec<u8>>,
    state: &'static str,
    tries: i32,
    due_at: i64,
    created_at: i64,
}

impl Row {
    fn new(about: &About, channel: &str, target: String) -> Self {
        let now = clock::now();
        Self {
            municipality_id: about.municipality_id,
            id: Id::new(),
            kind: word(&about.kind),
            channel: channel.to_owned(),
            target,
            staff_id: None,
            device_id: None,
            patient_id: about.patient_id,
            post_id: about.post_id,
            object_id: None,
            sealed: None,
            state: "queued",
            tries: 0,
            due_at: now,
            created_at: now,
        }
    }
}

/// Queues a notice to each of `recipients`, over every push device and mail address of theirs, inside
/// the caller's transaction. Returns how many rows it queued; wake the workers after the commit.
///
/// # Errors
/// The database failed.
pub async fn queue(c: &mut Conn, about: &About, recipients: &[Id]) -> Result<usize, AppError> {
    queue_for(c, about, None, recipients).await
}

/// As [`queue`], about something that is neither patient nor post: a report, for instance.
///
/// Whoever has no own mail address also gets a line in their facility's shared inbox (F14). Whoever runs a
/// facility and has no address at all is mailed at once at the facility's own, the one it was applied with.
///
/// # Errors
/// The database failed.
pub async fn queue_for(
    c: &mut Conn,
    about: &About,
    object_id: Option<Id>,
    recipients: &[Id],
) -> Result<usize, AppError> {
    if recipients.is_empty() {
        return Ok(0);
    }
    let devices: Vec<(Id, Id, String, String)> = run!(
        c,
        load,
        push_registration::table
            .filter(push_registration::municipality_id.eq(about.municipality_id))
            .filter(push_registration::staff_id.eq_any(recipients))
            .select((
                push_registration::staff_id,
                push_registration::device_id,
                push_registration::provider,
                push_registration::token
            ))
    )?;
    let mails: Vec<Reach> = run!(
        c,
        load,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(about.municipality_id))
            .filter(staff::id.eq_any(recipients))
            .filter(staff::state.eq("active"))
            // A suspended facility is told nothing.
            .filter(facility::state.eq("approved"))
            .order(staff::id)
            .select(Reach::as_select())
    )?;
    let forwards =
        mails.iter().any(|m| m.forwarding_mail.is_some()) && forwards(c, about.municipality_id).await?;
    let mut rows = Vec::with_capacity(devices.len() + mails.len());
    let told: HashSet<Id> = mails.iter().map(|m| m.id).collect();
    for (staff_id, device_id, provider, token) in devices.into_iter().filter(|d| told.contains(&d.0)) {
        rows.push(Row {
            staff_id: Some(staff_id),
            device_id: Some(device_id),
            object_id,
            ..Row::new(about, &provider, token)
        });
    }
    let (mut lines, mut facilities) = (Vec::new(), HashSet::new());
    for reach in mails {
        let Reach { id, facility_id, mail, forwarding_mail, .. } = reach;
        // A placeholder is no address: none is on file.
        if mail.is_none() {
            lines.push(inbox::Row::new(about, object_id, facility_id, id));
        }
        let mut addresses: Vec<String> =
            [mail, forwarding_mail.filter(|_| forwards)].into_iter().flatten().collect();
        // One mail for a facility, however many run it.
        if addresses.is_empty() && runs(&reach.role) && facilities.insert(facility_id) {
            addresses.extend(Some(reach.manager_mail).filter(|address| !address.is_empty()));
        }
        for address in addresses {
            rows.push(Row { staff_id: Some(id), object_id, ..Row::new(about, "mail", address) });
        }
    }
    inbox::insert(c, &lines).await?;
    insert(c, &rows).await
}

/// Where somebody can be reached.
#[derive(Queryable, Selectable)]
#[diesel(table_name = staff)]
struct Reach {
    id: Id,
    facility_id: Id,
    role: String,
    mail: Option<String>,
    forwarding_mail: Option<String>,
    #[diesel(select_expression = facility::manager_mail)]
    manager_mail: String,
}

/// True for the word of a role that runs a facility.
fn runs(role: &str) -> bool {
    [Role::FacilityManager, Role::Secretariat].iter().any(|runs| word(runs) == role)
}

/// Whether the town lets notices go to a facility's address (F13).
async fn forwards(c: &mut Conn, town: Id) -> Result<bool, AppError> {
    let policy: String = run!(c, get_result, municipality::table.find(town).select(municipality::policy))?;
    Ok(MunicipalityPolicy::parse(&policy)?.forwarding_mail)
}

/// Queues one mail to an address, whether or not an account stands behind it that may be used.
///
/// # Errors
/// The database failed.
pub async fn queue_mail(c: &mut Conn, about: &About, address: &str) -> Result<usize, AppError> {
    insert(c, &[Row::new(about, "mail", address.to_owned())]).await
}

async fn insert(c: &mut Conn, rows: &[Row]) -> Result<usize, AppError> {
    if rows.is_empty() {
        return Ok(0);
    }
    run!(c, execute, diesel::insert_into(notice::table).values(rows))?;
    Ok(rows.len())
}

/// What a recipient may know of a notice: whom and what it is about.
///
/// # Errors
/// Not there, or another's: [`renraku_wire::Code::NotFound`] alike.
pub async fn of_recipient(
    c: &mut Conn,
    town: Id,
    recipient: Id,
    id: Id,
) -> Result<renraku_wire::Notice, AppError> {
    let row: Option<(String, Option<Id>, Option<Id>)> = run!(
        c,
        get_result,
        notice::table.find((town, id)).filter(notice::staff_id.eq(recipient)).select((
            notice::kind,
            notice::patient_id,
            notice::post_id
        ))
    )
    .optional()?;
    let (kind, patient, post) = row.ok_or(renraku_wire::Code::NotFound)?;
    Ok(renraku_wire::Notice {
        id: id.into(),
        kind: crate::db::sql::from_word(&kind)?,
        patient_id: patient.map(Into::into),
        post_id: post.map(Into::into),
    })
}
