//! The versions of a town's policy in the database. Nothing is overwritten: a change adds a version.

use super::changes;
use crate::access::Secretariat;
use crate::audit;
use crate::db::prelude::*;
use crate::db::schema::{facility, municipality, policy_history, staff};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::run;
use renraku_wire::{Code, FacilityKind};

/// One version of the policy.
#[derive(Clone, Debug)]
pub struct Version {
    /// 1, 2, …
    pub version: i32,
    /// The whole policy.
    pub policy: MunicipalityPolicy,
    /// Who wrote it; none for the operator who made the town.
    pub changed_by: Option<Id>,
    /// Their name.
    pub name: Option<String>,
    /// When.
    pub changed_at: i64,
}

type Row = (i32, String, Option<Id>, Option<String>, i64);

fn version((version, policy, changed_by, name, changed_at): Row) -> Result<Version, AppError> {
    Ok(Version { version, policy: MunicipalityPolicy::parse(&policy)?, changed_by, name, changed_at })
}

/// The newest versions, the newest first, at most so many.
///
/// # Errors
/// The database failed.
pub async fn versions(c: &mut Conn, office: &Secretariat, most: i64) -> Result<Vec<Version>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        policy_history::table
            .left_join(
                staff::table.on(staff::municipality_id
                    .eq(policy_history::municipality_id)
                    .and(policy_history::changed_by.eq(staff::id.nullable())))
            )
            .filter(policy_history::municipality_id.eq(office.municipality_id()))
            .order(policy_history::version.desc())
            .limit(most)
            .select((
                policy_history::version,
                policy_history::policy,
                policy_history::changed_by,
                staff::name.nullable(),
                policy_history::changed_at
            ))
    )?;
    rows.into_iter().map(version).collect()
}

/// The version in force.
///
/// # Errors
/// The database failed.
pub async fn current(c: &mut Conn, office: &Secretariat) -> Result<Version, AppError> {
    let newest = versions(c, office, 1).await?.pop();
    newest.ok_or_else(|| AppError::internal("a town has no version of its policy"))
}

/// The office's own row among the facilities says what the contact block says: mails of its duties go there.
async fn office_is(c: &mut Conn, town: Id, policy: &MunicipalityPolicy) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            facility::table
                .filter(facility::municipality_id.eq(town))
                .filter(facility::kind.eq(word(&FacilityKind::Secretariat)))
        )
        .set((
            facility::name.eq(&policy.contact.office),
            facility::telephone.eq(&policy.contact.telephone),
            facility::manager_mail.eq(&policy.contact.mail),
        ))
    )?;
    Ok(())
}

/// Puts a checked policy in the place of version `replaces`, with its audit entry. It holds from the very
/// next request on. The same change by the same person twice, or a policy that says the same, adds nothing.
/// Returns the version in force.
///
/// # Errors
/// [`Code::StateConflict`] when somebody changed the policy since.
pub async fn change(
    c: &mut Conn,
    office: &Secretariat,
    replaces: i32,
    new: &MunicipalityPolicy,
    now: i64,
) -> Result<Version, AppError> {
    let town = office.municipality_id();
    let current = current(c, office).await?;
    let again =
        current.version == replaces.saturating_add(1) && current.changed_by == Some(office.staff_id());
    if current.policy == *new && (current.version == replaces || again) {
        return Ok(current);
    }
    if current.version != replaces {
        return Err(Code::StateConflict.into());
    }
    let (stored, next) = (new.stored()?, replaces + 1);
    let changed = run!(
        c,
        execute,
        diesel::update(municipality::table.find(town).filter(municipality::policy_version.eq(replaces)))
            .set((municipality::policy.eq(&stored), municipality::policy_version.eq(next)))
    )?;
    if changed == 0 {
        return Err(Code::StateConflict.into());
    }
    run!(
        c,
        execute,
        diesel::insert_into(policy_history::table).values((
            policy_history::municipality_id.eq(town),
            policy_history::version.eq(next),
            policy_history::policy.eq(&stored),
            policy_history::changed_by.eq(Some(office.staff_id())),
            policy_history::changed_at.eq(now),
        ))
    )?;
    office_is(c, town, new).await?;
    let told = format!("version {next}: {}", changes::fields(&current.policy, new)?.join(", "));
    audit::record(c, office.actor(), "policy.change", Some(town), &told).await?;
    Ok(Version {
        version: next,
        policy: new.clone(),
        changed_by: Some(office.staff_id()),
        name: Some(office.name().to_owned()),
        changed_at: now,
    })
}
