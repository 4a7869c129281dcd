//! The operator's first step: a town, its certificate authority, its office and the office's first account.

pub mod ceremony;
pub mod reseal;
pub mod restore;
pub mod way_in;

use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{facility, municipality, policy_history, staff};
use crate::db::sql::word;
use crate::db::{Conn, Db, Id};
use crate::device::ticket;
use crate::error::AppError;
use crate::hashing::Hashing;
use crate::policy::MunicipalityPolicy;
use crate::secret::OperatorSecret;
use crate::session::password;
use crate::tls::Authority;
use crate::{clock, input, run};
use renraku_wire::{EnrolmentTicket, FacilityKind, FacilityState, Profession, Role};

/// What the operator says.
#[derive(Debug)]
pub struct NewMunicipality<'a> {
    /// Name in addresses: small letters, digits, `-`.
    pub slug: &'a str,
    /// Name on screens.
    pub name: &'a str,
    /// How it works.
    pub policy: &'a MunicipalityPolicy,
    /// Individual user id of the office's first account.
    pub login_id: &'a str,
    /// Name of that person.
    pub staff_name: &'a str,
}

/// What the operator hands to the office.
#[derive(Debug)]
pub struct Created {
    /// The town.
    pub id: Id,
    /// Certificate No and password for the office's first device.
    pub ticket: EnrolmentTicket,
    /// First password of the office's first account.
    pub first_password: String,
}

/// Creates the town with a new authority.
///
/// # Errors
/// The slug is malformed or taken, or the database failed: then nothing was created.
pub async fn create(
    db: &Db,
    secret: &OperatorSecret,
    hashing: &Hashing,
    new: &NewMunicipality<'_>,
) -> Result<Created, AppError> {
    create_with(db, secret, hashing, new, None).await
}

/// Creates the town; with the authority of an operator's copy where one is given, for the day on which the
/// whole database is lost.
///
/// # Errors
/// As [`create`]; the copy is another town's.
pub async fn create_with(
    db: &Db,
    secret: &OperatorSecret,
    hashing: &Hashing,
    new: &NewMunicipality<'_>,
    kept: Option<ceremony::Kept>,
) -> Result<Created, AppError> {
    if !input::is_slug(new.slug) || RESERVED.contains(&new.slug) {
        return Err(AppError::internal(
            "the slug must be 2 to 32 small letters, digits or hyphens, and not a word that the server uses",
        ));
    }
    let name = input::line(new.name, "name")?;
    let staff_name = input::line(new.staff_name, "staff_name")?;
    let login_id = crate::staff::rules::login_id(new.login_id)?;
    let now = clock::now();
    let (authority, key) = match kept {
        Some(kept) => {
            restore::of_this_town(new.slug, &kept)?;
            (kept.authority, kept.key)
        }
        None => Authority::create(new.slug, now)?,
    };
    let sealed = secret.seal(&key)?;
    let first_password = password::random();
    let password_hash = hashing.hash(&first_password).await?;
    let policy = new.policy.stored()?;
    let (id, office, person) = (Id::new(), Id::new(), Id::new());
    let fresh = ticket::Fresh::make(hashing, new.policy, now).await?;
    db.write(async |c| {
        run!(
            c,
            execute,
            diesel::insert_into(municipality::table).values((
                municipality::id.eq(id),
                municipality::slug.eq(new.slug),
                municipality::name.eq(&name),
                municipality::policy.eq(&policy),
                municipality::policy_version.eq(1),
                municipality::authority_cert.eq(authority.certificate()),
                municipality::authority_key_sealed.eq(&sealed),
                municipality::created_at.eq(now),
            ))
        )?;
        run!(
            c,
            execute,
            diesel::insert_into(policy_history::table).values((
                policy_history::municipality_id.eq(id),
                policy_history::version.eq(1),
                policy_history::policy.eq(&policy),
                policy_history::changed_at.eq(now),
            ))
        )?;
        run!(
            c,
            execute,
            diesel::insert_into(facility::table).values((
                facility::municipality_id.eq(id),
                facility::id.eq(office),
                facility::name.eq(&new.policy.contact.office),
                facility::kind.eq(word(&FacilityKind::Secretariat)),
                facility::address.eq(""),
                facility::telephone.eq(&new.policy.contact.telephone),
                facility::manager_name.eq(&staff_name),
                facility::manager_mail.eq(&new.policy.contact.mail),
                facility::state.eq(word(&FacilityState::Approved)),
                facility::applied_at.eq(now),
                facility::decided_at.eq(now),
            ))
        )?;
        secretary(c, (id, office, person), (&login_id, &staff_name), &password_hash, now).await?;
        ticket::insert(c, id, office, &fresh).await?;
        let operator = Actor { municipality_id: id, staff_id: None, device_id: None };
        audit::record(c, operator, "municipality.create", Some(id), new.slug).await
    })
    .await?;
    Ok(Created { id, ticket: fresh.shown(), first_password })
}

/// An account of the office with a first password.
async fn secretary(
    c: &mut Conn,
    (town, office, person): (Id, Id, Id),
    (login_id, name): (&str, &str),
    password_hash: &str,
    now: i64,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::insert_into(staff::table).values((
            staff::municipality_id.eq(town),
            staff::id.eq(person),
            staff::facility_id.eq(office),
            staff::login_id.eq(login_id),
            staff::name.eq(name),
            staff::profession.eq(word(&Profession::Clerk)),
            staff::role.eq(word(&Role::Secretariat)),
            staff::password_hash.eq(password_hash),
            staff::must_change_password.eq(true),
            staff::state.eq("active"),
            staff::created_at.eq(now),
        ))
    )?;
    Ok(())
}

/// Words that stand in the public host's addresses themselves.
const RESERVED: &[&str] = &["v1", "assets", "health"];
