//! Reviews in the database.

use super::rules;
use crate::access::{FacilityAdmin, Secretariat, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{access_review, access_review_line, certificate, device, facility, staff};
use crate::db::sql::{Uid, from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::reminder::{DAY, FIRST_DAYS};
use crate::portal::{Task, language};
use crate::{clock, run};
use diesel::sql_types::{BigInt, Text};
use renraku_wire::{
    AccessReview, Code, NewAccessReview, ReviewDevice, ReviewLine, ReviewStaff, Timestamp, Verdict,
};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// Where a facility stands with its review.
#[derive(Debug)]
pub(super) struct Standing {
    pub facility_id: Id,
    pub name: String,
    pub signed_at: Option<i64>,
    pub due_at: i64,
}

/// The approved facilities, or one of them; the earliest due first.
pub(super) async fn standings(c: &mut Conn, town: Id, only: Option<Id>) -> Result<Vec<Standing>, AppError> {
    let every = only.is_none().into_sql::<diesel::sql_types::Bool>();
    let rows: Vec<(Id, String, i64, Option<i64>)> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::state.eq("approved"))
            .filter(facility::id.eq(only.unwrap_or(town)).or(every))
            .select((facility::id, facility::name, facility::applied_at, facility::decided_at))
    )?;
    let signed: Vec<(Id, Option<i64>)> = run!(
        c,
        load,
        access_review::table
            .filter(access_review::municipality_id.eq(town))
            .group_by(access_review::facility_id)
            .select((access_review::facility_id, diesel::dsl::max(access_review::signed_at)))
    )?;
    let signed: HashMap<Id, Option<i64>> = signed.into_iter().collect();
    let mut standings: Vec<Standing> = rows
        .into_iter()
        .map(|(facility_id, name, applied_at, decided_at)| {
            let signed_at = signed.get(&facility_id).copied().flatten();
            let due_at = rules::due(signed_at, decided_at.unwrap_or(applied_at));
            Standing { facility_id, name, signed_at, due_at }
        })
        .collect();
    standings.sort_by(|a, b| (a.due_at, &a.name).cmp(&(b.due_at, &b.name)));
    Ok(standings)
}

/// Active accounts of the own facility: id, name, user id, role, profession, right to print or export.
async fn accounts(
    c: &mut Conn,
    admin: &FacilityAdmin,
) -> Result<Vec<(Id, String, String, String, String, bool)>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(admin.municipality_id()))
            .filter(staff::facility_id.eq(admin.facility_id()))
            .filter(staff::state.eq("active"))
            .order((staff::name, staff::id))
            .select((
                staff::id,
                staff::name,
                staff::login_id,
                staff::role,
                staff::profession,
                staff::may_export
            ))
    )?)
}

/// Devices of the own facility with a good certificate: id, name, kind, last seen.
async fn devices(
    c: &mut Conn,
    admin: &FacilityAdmin,
    now: i64,
) -> Result<Vec<(Id, String, String, Option<i64>)>, AppError> {
    Ok(run!(
        c,
        load,
        device::table
            .inner_join(
                certificate::table.on(certificate::municipality_id
                    .eq(device::municipality_id)
                    .and(certificate::device_id.eq(device::id)))
            )
            .filter(device::municipality_id.eq(admin.municipality_id()))
            .filter(device::facility_id.eq(admin.facility_id()))
            .filter(certificate::revoked_at.is_null())
            .filter(certificate::not_after.gt(now))
            .order((device::name, device::id))
            .select((device::id, device::name, device::platform, device::last_seen_at))
            .distinct()
    )?)
}

/// The verdicts of the facility's last review, with its instant and who signed.
async fn last(
    c: &mut Conn,
    admin: &FacilityAdmin,
) -> Result<(Option<(i64, String)>, HashMap<Id, Verdict>), AppError> {
    let town = admin.municipality_id();
    let review: Option<(Id, i64, String)> = run!(
        c,
        get_result,
        access_review::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(access_review::municipality_id)
                    .and(staff::id.eq(access_review::signed_by)))
            )
            .filter(access_review::municipality_id.eq(town))
            .filter(access_review::facility_id.eq(admin.facility_id()))
            .order((access_review::signed_at.desc(), access_review::id.desc()))
            .select((access_review::id, access_review::signed_at, staff::name))
            .limit(1)
    )
    .optional()?;
    let Some((id, signed_at, name)) = review else { return Ok((None, HashMap::new())) };
    let lines: Vec<(Id, String)> = run!(
        c,
        load,
        access_review_line::table
            .filter(access_review_line::municipality_id.eq(town))
            .filter(access_review_line::review_id.eq(id))
            .select((access_review_line::subject_id, access_review_line::verdict))
    )?;
    let verdicts: Result<_, AppError> =
        lines.into_iter().map(|(id, verdict)| Ok((id, from_word(&verdict)?))).collect();
    Ok((Some((signed_at, name)), verdicts?))
}

/// What the next review of the own facility must confirm.
///
/// # Errors
/// The database failed.
pub async fn current(c: &mut Conn, admin: &FacilityAdmin, now: i64) -> Result<AccessReview, AppError> {
    let standing = standings(c, admin.municipality_id(), Some(admin.facility_id())).await?;
    let due_at = standing.first().map_or(now, |s| s.due_at);
    let (signed, verdicts) = last(c, admin).await?;
    let mut staff = vec![];
    for (id, name, login_id, role, _, may_export) in accounts(c, admin).await? {
        let (role, last) = (from_word(&role)?, verdicts.get(&id).copied());
        staff.push(ReviewStaff { staff_id: id.into(), name, login_id, role, may_export, last });
    }
    let devices = devices(c, admin, now).await?.into_iter().map(|(id, name, _, seen)| ReviewDevice {
        device_id: id.into(),
        name,
        last_seen_at: seen.map(Timestamp),
        last: verdicts.get(&id).copied(),
    });
    Ok(AccessReview {
        due_at: Timestamp(due_at),
        signed_at: signed.as_ref().map(|(at, _)| Timestamp(*at)),
        signed_by: signed.map(|(_, name)| name),
        staff,
        devices: devices.collect(),
    })
}

/// Stores a signed review; true when it is new. The same one again is the same review.
///
/// # Errors
/// [`Code::FieldInvalid`] for `staff` or `devices` when it does not name each exactly once;
/// [`Code::IdConflict`].
pub async fn sign(
    c: &mut Conn,
    admin: &FacilityAdmin,
    new: &NewAccessReview,
    now: i64,
) -> Result<bool, AppError> {
    let (town, id) = (admin.municipality_id(), Id::from(new.id));
    let fingerprint = fingerprint(admin, new)?;
    let same: Option<String> =
        run!(c, get_result, access_review::table.find((town, id)).select(access_review::request_sha256))
            .optional()?;
    if let Some(stored) = same {
        return if stored == fingerprint { Ok(false) } else { Err(Code::IdConflict.into()) };
    }
    let accounts = accounts(c, admin).await?;
    let devices = devices(c, admin, now).await?;
    let people: Vec<_> = new.staff.iter().map(|s| (Id::from(s.staff_id), s.verdict)).collect();
    let things: Vec<_> = new.devices.iter().map(|d| (Id::from(d.device_id), d.verdict)).collect();
    if !rules::whole(&accounts.iter().map(|a| a.0).collect::<Vec<_>>(), &people) {
        return Err(AppError::field("staff"));
    }
    if !rules::whole(&devices.iter().map(|d| d.0).collect::<Vec<_>>(), &things) {
        return Err(AppError::field("devices"));
    }
    let rows = run!(
        c,
        execute,
        diesel::insert_into(access_review::table)
            .values((
                access_review::municipality_id.eq(town),
                access_review::id.eq(id),
                access_review::facility_id.eq(admin.facility_id()),
                access_review::signed_by.eq(admin.staff_id()),
                access_review::signed_at.eq(now),
                access_review::request_sha256.eq(&fingerprint),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 {
        return Ok(false);
    }
    // What was confirmed is kept as it was then.
    let mut seen: HashMap<Id, String> = accounts
        .into_iter()
        .map(|(id, _, _, role, profession, may_export)| {
            (id, format!("{role} {profession}{}", if may_export { " export" } else { "" }))
        })
        .collect();
    seen.extend(devices.into_iter().map(|(id, _, platform, _)| (id, platform)));
    let lines: Vec<_> = people
        .iter()
        .map(|line| ("staff", line))
        .chain(things.iter().map(|line| ("device", line)))
        .map(|(subject, (subject_id, verdict))| {
            (
                access_review_line::municipality_id.eq(town),
                access_review_line::review_id.eq(id),
                access_review_line::subject_id.eq(*subject_id),
                access_review_line::subject.eq(subject),
                access_review_line::seen.eq(seen.remove(subject_id).unwrap_or_default()),
                access_review_line::verdict.eq(word(verdict)),
            )
        })
        .collect();
    run!(c, execute, diesel::insert_into(access_review_line::table).values(&lines))?;
    Ok(true)
}

fn fingerprint(admin: &FacilityAdmin, new: &NewAccessReview) -> Result<String, AppError> {
    let text = serde_json::to_vec(&(admin.facility_id().0, admin.staff_id().0, new))
        .map_err(|e| AppError::internal(format!("a review cannot be written as JSON: {e}")))?;
    Ok(hex::encode(Sha256::digest(text)))
}

/// Where every facility stands, for the office.
///
/// # Errors
/// The database failed.
pub async fn overview(c: &mut Conn, office: &Secretariat, now: i64) -> Result<Vec<ReviewLine>, AppError> {
    let standings = standings(c, office.municipality_id(), None).await?;
    Ok(standings
        .into_iter()
        .map(|s| ReviewLine {
            facility_id: s.facility_id.into(),
            facility_name: s.name,
            signed_at: s.signed_at.map(Timestamp),
            due_at: Timestamp(s.due_at),
            overdue: now >= s.due_at,
        })
        .collect())
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Whether an account or a device was changed at or after a moment. The words stand in an index of the log.
async fn changed_since(c: &mut Conn, who: &SignedIn, subject: Id, since: i64) -> Result<bool, AppError> {
    const STATEMENT: &str = "SELECT count(*) AS n FROM audit \
         WHERE municipality_id = $1 AND object_id = $2 AND at >= $3 \
             AND action IN ('staff.change', 'staff.own_mail', 'device.rename')";
    let found = run!(
        c,
        get_result::<Count>,
        diesel::sql_query(STATEMENT)
            .bind::<Uid, _>(who.municipality_id())
            .bind::<Text, _>(subject.to_string())
            .bind::<BigInt, _>(since)
    )?;
    Ok(found.n > 0)
}

/// What waits for this person here: the own facility's review from a month before it is due, those whom the
/// last review said leave, or are to be changed and were not since; for the office, facilities that are overdue.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let Ok(admin) = who.facility_admin() else { return Ok(vec![]) };
    let now = clock::now();
    let mut tasks = vec![];
    let review = current(c, &admin, now).await?;
    let since = review.due_at.0 - FIRST_DAYS * DAY;
    if now >= since {
        let (staff, due) = (&who.policy().words.staff, language::day(review.due_at.0));
        let text = format!("年1回の{staff}・端末の点検をする（期限 {due}）");
        tasks.push(Task { text, href: "/review".to_owned(), since });
    }
    let signed_at = review.signed_at.map_or(now, |t| t.0);
    for person in review.staff.iter().filter(|s| s.last == Some(Verdict::Leave)) {
        let text = format!("{}さんの利用を終える（点検の結果）", person.name);
        tasks.push(Task { text, href: "/staff".to_owned(), since: signed_at });
    }
    for device in review.devices.iter().filter(|d| d.last == Some(Verdict::Leave)) {
        let text = format!("端末「{}」を失効させる（点検の結果）", device.name);
        tasks.push(Task { text, href: format!("/devices#device-{}", device.device_id), since: signed_at });
    }
    let changes = |last: Option<Verdict>| last == Some(Verdict::ChangeNeeded);
    for person in review.staff.iter().filter(|s| changes(s.last)) {
        if !changed_since(c, who, person.staff_id.into(), signed_at).await? {
            let text = format!("{}さんの登録を直す（点検の結果）", person.name);
            tasks.push(Task { text, href: format!("/staff/{}", person.staff_id), since: signed_at });
        }
    }
    for device in review.devices.iter().filter(|d| changes(d.last)) {
        if !changed_since(c, who, device.device_id.into(), signed_at).await? {
            let text = format!("端末「{}」の登録を直す（点検の結果）", device.name);
            let href = format!("/devices#device-{}", device.device_id);
            tasks.push(Task { text, href, since: signed_at });
        }
    }
    if let Ok(office) = who.secretariat() {
        let own = who.facility_id().into();
        let late = overview(c, &office, now).await?;
        tasks.extend(late.into_iter().filter(|l| l.overdue && l.facility_id != own).map(|l| Task {
            text: format!("{}の年1回の点検が期限を過ぎています", l.facility_name),
            href: "/review/overview".to_owned(),
            since: l.due_at.0,
        }));
    }
    Ok(tasks)
}
