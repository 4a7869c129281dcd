//! The daily look (F15): a mail to the facility's address while a line has waited for more than a day.

use crate::db::prelude::*;
use crate::db::schema::{facility, inbox_line, staff};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::inbox::managers_kinds;
use crate::notice::reminder::{self, DAY};
use crate::notice::{self, About};
use crate::state::App;
use crate::{clock, municipality, run};
use renraku_wire::NoticeKind;
use std::collections::{BTreeMap, BTreeSet};

/// Mails each facility whose inbox nobody looks at, once a day (in Japan). The mail goes to the forwarding
/// addresses of those whose lines wait, where the town allows it; else, and for what only managers see, to the
/// manager's address.
///
/// # Errors
/// The database failed.
pub async fn run(app: &App, now: i64) -> Result<(), AppError> {
    let mut queued = 0;
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        let forwards = town.policy.forwarding_mail;
        queued += app.db.write(async |c| town_once(c, town.id, forwards, now).await).await?;
    }
    if queued > 0 {
        app.notices_queued.notify_one();
    }
    Ok(())
}

async fn town_once(c: &mut Conn, town: Id, forwards: bool, now: i64) -> Result<usize, AppError> {
    let rows: Vec<(Id, String, Option<String>, String)> = run!(
        c,
        load,
        inbox_line::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(inbox_line::municipality_id)
                    .and(staff::id.eq(inbox_line::staff_id)))
            )
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(inbox_line::municipality_id)
                    .and(facility::id.eq(inbox_line::facility_id)))
            )
            .filter(inbox_line::municipality_id.eq(town))
            .filter(inbox_line::claimed_by.is_null())
            .filter(inbox_line::done_at.is_null())
            .filter(inbox_line::created_at.lt(now - DAY))
            .filter(facility::state.eq("approved"))
            .select((
                inbox_line::facility_id,
                inbox_line::kind,
                staff::forwarding_mail,
                facility::manager_mail
            ))
    )?;
    let mut addresses: BTreeMap<Id, (BTreeSet<String>, String)> = BTreeMap::new();
    let managers = managers_kinds();
    for (facility, kind, forwarding, manager) in rows {
        let of = addresses.entry(facility).or_insert_with(|| (BTreeSet::new(), manager.clone()));
        if managers.contains(&kind) {
            of.0.insert(manager);
        } else {
            of.0.extend(forwarding.filter(|_| forwards));
        }
    }
    let about =
        About { municipality_id: town, kind: NoticeKind::InboxWaiting, patient_id: None, post_id: None };
    let today = clock::japan(now).date().to_string();
    let mut queued = 0;
    for (facility, (mut to, manager)) in addresses {
        if !reminder::once(c, town, "inbox", facility, &today, now).await? {
            continue;
        }
        if to.is_empty() {
            to.insert(manager);
        }
        for address in to {
            queued += notice::queue_mail(c, &about, &address).await?;
        }
    }
    Ok(queued)
}
