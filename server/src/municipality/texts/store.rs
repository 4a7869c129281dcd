//! The portal's texts in the database. Nothing is overwritten: a change adds a version.

use super::rules::Key;
use super::shipped::{SHIPPED, shipped};
use crate::access::Secretariat;
use crate::audit;
use crate::db::prelude::*;
use crate::db::schema::{portal_text, staff};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::worded;
use crate::run;
use diesel::dsl::{exists, not};
use renraku_wire::{Code, PortalText, PortalTextChange, PortalTopic, Timestamp, Words};

type Row = (String, i32, String, String, Option<String>, Option<String>, bool, i64);

const fn columns() -> (
    portal_text::name,
    portal_text::version,
    portal_text::title,
    portal_text::body,
    portal_text::publish_from,
    portal_text::publish_until,
    portal_text::withdrawn,
    portal_text::changed_at,
) {
    (
        portal_text::name,
        portal_text::version,
        portal_text::title,
        portal_text::body,
        portal_text::publish_from,
        portal_text::publish_until,
        portal_text::withdrawn,
        portal_text::changed_at,
    )
}

/// None for a row of a topic that this version does not know.
fn text((name, version, title, body, publish_from, publish_until, withdrawn, at): Row) -> Option<PortalText> {
    Some(PortalText {
        topic: Key::parse(&name)?.topic(),
        key: name,
        version: u32::try_from(version).unwrap_or_default(),
        title,
        body,
        publish_from,
        publish_until,
        withdrawn,
        changed_at: Some(Timestamp(at)),
    })
}

/// A standing text before the office wrote its own.
fn unwritten(topic: PortalTopic, words: &Words) -> Option<PortalText> {
    let (title, body) = shipped(topic)?;
    Some(PortalText {
        key: Key::Standing(topic).name(),
        topic,
        version: 0,
        title: worded(title, words),
        body: worded(body, words),
        publish_from: None,
        publish_until: None,
        withdrawn: false,
        changed_at: None,
    })
}

/// Every text of the town as it stands now: the standing ones in the order of the page, shipped where the
/// office wrote none, then the announcements, the newest first. Public, but not yet sorted by day: see
/// [`super::rules::standing`].
///
/// # Errors
/// The database failed.
pub async fn all(c: &mut Conn, town: Id, words: &Words) -> Result<Vec<PortalText>, AppError> {
    let later = diesel::alias!(portal_text as later_text);
    let rows: Vec<Row> = run!(
        c,
        load,
        portal_text::table
            .filter(portal_text::municipality_id.eq(town))
            .filter(not(exists(
                later
                    .filter(later.field(portal_text::municipality_id).eq(portal_text::municipality_id))
                    .filter(later.field(portal_text::name).eq(portal_text::name))
                    .filter(later.field(portal_text::version).gt(portal_text::version))
            )))
            .select(columns())
    )?;
    let (mut announcements, own): (Vec<_>, Vec<_>) =
        rows.into_iter().filter_map(text).partition(|t| t.topic == PortalTopic::Announcement);
    announcements.sort_by(|a, b| {
        let day = |t: &PortalText| (t.publish_from.clone(), t.changed_at, t.key.clone());
        day(b).cmp(&day(a))
    });
    let standing = SHIPPED.iter().filter_map(|(topic, ..)| {
        let written = own.iter().find(|t| t.topic == *topic).cloned();
        written.or_else(|| unwritten(*topic, words))
    });
    Ok(standing.chain(announcements).collect())
}

/// One version of a text, with who wrote it.
pub struct Version {
    /// The text.
    pub text: PortalText,
    /// Who wrote it.
    pub by: Id,
    /// Their name.
    pub name: String,
}

/// The versions of one text, the newest first, at most so many; none for a shipped text or a new key.
///
/// # Errors
/// The database failed.
pub async fn versions(
    c: &mut Conn,
    office: &Secretariat,
    key: Key,
    most: i64,
) -> Result<Vec<Version>, AppError> {
    let rows: Vec<(Row, Id, String)> = run!(
        c,
        load,
        portal_text::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(portal_text::municipality_id)
                    .and(staff::id.eq(portal_text::changed_by)))
            )
            .filter(portal_text::municipality_id.eq(office.municipality_id()))
            .filter(portal_text::name.eq(key.name()))
            .order(portal_text::version.desc())
            .limit(most)
            .select((columns(), staff::id, staff::name))
    )?;
    let version = |(row, by, name)| Some(Version { text: text(row)?, by, name });
    Ok(rows.into_iter().filter_map(version).collect())
}

/// The text of this key as it stands now.
///
/// # Errors
/// [`Code::NotFound`] for an announcement that nobody wrote.
pub async fn current(c: &mut Conn, office: &Secretariat, key: Key) -> Result<PortalText, AppError> {
    if let Some(newest) = versions(c, office, key, 1).await?.pop() {
        return Ok(newest.text);
    }
    unwritten(key.topic(), &office.policy().words).ok_or_else(|| Code::NotFound.into())
}

fn same(text: &PortalText, change: &PortalTextChange) -> bool {
    (&text.title, &text.body, text.withdrawn) == (&change.title, &change.body, change.withdrawn)
        && (&text.publish_from, &text.publish_until) == (&change.publish_from, &change.publish_until)
}

/// Writes the next version of a text from a checked change, with its audit entry. The same change by the
/// same person twice, or one that says what already stands there, adds nothing.
///
/// # Errors
/// [`Code::StateConflict`] when somebody wrote another version since.
pub async fn change(
    c: &mut Conn,
    office: &Secretariat,
    key: Key,
    new: &PortalTextChange,
    now: i64,
) -> Result<PortalText, AppError> {
    let newest = versions(c, office, key, 1).await?.pop();
    let version = newest.as_ref().map_or(0, |n| n.text.version);
    if let Some(newest) = newest
        && same(&newest.text, new)
        && (version == new.version
            || (newest.by == office.staff_id() && version == new.version.saturating_add(1)))
    {
        return Ok(newest.text);
    }
    let next = i32::try_from(new.version).ok().and_then(|v| v.checked_add(1));
    let Some(next) = next.filter(|_| version == new.version) else { return Err(Code::StateConflict.into()) };
    let written = run!(
        c,
        execute,
        diesel::insert_into(portal_text::table)
            .values((
                portal_text::municipality_id.eq(office.municipality_id()),
                portal_text::name.eq(key.name()),
                portal_text::version.eq(next),
                portal_text::title.eq(&new.title),
                portal_text::body.eq(&new.body),
                portal_text::publish_from.eq(&new.publish_from),
                portal_text::publish_until.eq(&new.publish_until),
                portal_text::withdrawn.eq(new.withdrawn),
                portal_text::changed_by.eq(office.staff_id()),
                portal_text::changed_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if written == 0 {
        return Err(Code::StateConflict.into());
    }
    let (object, told) = match key {
        Key::Standing(_) => (None, format!("{} version {next}", key.name())),
        Key::Announcement(id) => (Some(Id(id)), format!("announcement version {next}")),
    };
    audit::record(c, office.actor(), "portal.text", object, &told).await?;
    Ok(PortalText {
        key: key.name(),
        topic: key.topic(),
        version: new.version + 1,
        title: new.title.clone(),
        body: new.body.clone(),
        publish_from: new.publish_from.clone(),
        publish_until: new.publish_until.clone(),
        withdrawn: new.withdrawn,
        changed_at: Some(Timestamp(now)),
    })
}
