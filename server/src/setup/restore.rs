//! Putting the operator's copy of an authority back where its record is lost, empty or damaged.
//!
//! A whole authority is never overwritten. Neither is one that merely does not open because the operator
//! named another secret: SQLite's file opens with the right secret only, and on PostgreSQL some other sealed
//! record must open before one that does not is taken for damaged.

use super::ceremony::Kept;
use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{certificate, municipality, notice, old_authority};
use crate::db::{Conn, Db, Id};
use crate::error::AppError;
use crate::run;
use crate::secret::{Closed, OperatorSecret};
use crate::tls::{Authority, authority_id};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// This very authority stands; nothing was changed.
    Stood,
    /// It was put back and signs again.
    Present,
    /// It was put back as the older one, which is trusted until it is retired.
    Older,
}

/// How a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    Whole,
    Damaged,
    /// Sealed to another secret, as far as anybody can tell.
    ToAnother,
}

/// How a record stands, and whether its key is the copy's.
fn look(
    secret: &OperatorSecret,
    sure: bool,
    kept: &Kept,
    certificate: &[u8],
    sealed: &[u8],
) -> (Record, bool) {
    let key = secret.try_open(sealed);
    let same_key = key.as_ref().is_ok_and(|key| key[..] == kept.key[..]);
    // No key ever has two certificates: one that still reads, but is not the copy's, is damaged.
    let altered = same_key && certificate != kept.authority.certificate();
    let record = match key {
        Ok(key) if !altered && Authority::open(certificate.to_vec(), &key).is_ok() => Record::Whole,
        Err(Closed::ToAnother) if !sure => Record::ToAnother,
        _ => Record::Damaged,
    };
    (record, same_key)
}

fn refused(what: &str, then: &str) -> AppError {
    AppError::internal(format!("{what}; nothing was changed. {then}"))
}

#[derive(Queryable)]
struct Old {
    id: String,
    cert: Vec<u8>,
    sealed: Option<Vec<u8>>,
    retired_at: Option<i64>,
}

/// Puts a copy back, whole or not at all. Done twice it is done once.
///
/// # Errors
/// A sentence that says what to do; then nothing was changed.
pub async fn import(db: &Db, secret: &OperatorSecret, slug: &str, kept: &Kept) -> Result<Restored, AppError> {
    of_this_town(slug, kept)?;
    let sealed = secret.seal(&kept.key)?;
    let sqlite = db.is_sqlite();
    db.write(async |c| {
        let town: Option<(Id, Vec<u8>, Vec<u8>)> = run!(
            c,
            get_result,
            municipality::table.filter(municipality::slug.eq(slug)).select((
                municipality::id,
                municipality::authority_cert,
                municipality::authority_key_sealed
            ))
        )
        .optional()?;
        let Some((town, cert, key)) = town else { return Err(no_town(slug)) };
        let proof = if sqlite { Proof::Opens } else { proof(c, secret).await? };
        if proof == Proof::OpensNothing {
            return Err(another_secret(slug));
        }
        let sure = proof == Proof::Opens;
        let old: Vec<Old> = run!(
            c,
            load,
            old_authority::table.filter(old_authority::municipality_id.eq(town)).select((
                old_authority::id,
                old_authority::cert,
                old_authority::key_sealed,
                old_authority::retired_at
            ))
        )?;
        let signers = signers(c, town).await?;
        let present = look(secret, sure, kept, &cert, &key);
        let outcome = rule(secret, sure, slug, kept, (present, &cert), &old, &signers)?;
        let id = kept.authority.id();
        match outcome {
            Restored::Stood => return Ok(outcome),
            Restored::Present => {
                // What it signed while its own certificate was altered is this one's.
                let signed = certificate::table
                    .filter(certificate::municipality_id.eq(town))
                    .filter(certificate::authority.eq(authority_id(&cert)));
                run!(c, execute, diesel::update(signed).set(certificate::authority.eq(&id)))?;
                run!(
                    c,
                    execute,
                    diesel::update(municipality::table.find(town)).set((
                        municipality::authority_cert.eq(kept.authority.certificate()),
                        municipality::authority_key_sealed.eq(&sealed),
                    ))
                )?
            }
            Restored::Older => run!(
                c,
                execute,
                diesel::update(old_authority::table.find((town, &id))).set((
                    old_authority::cert.eq(kept.authority.certificate()),
                    old_authority::key_sealed.eq(Some(&sealed)),
                ))
            )?,
        };
        let operator = Actor { municipality_id: town, staff_id: None, device_id: None };
        audit::record(c, operator, "authority.import", Some(town), &id).await?;
        Ok(outcome)
    })
    .await
    .map_err(|e| match e {
        AppError::Db(e) => refused(
            &format!("the database cannot be written ({e})"),
            "Free space on its disk, or see to the database, and run the command again",
        ),
        other => other,
    })
}

/// The refusal of a copy of another town.
///
/// # Errors
/// It is one.
pub fn of_this_town(slug: &str, kept: &Kept) -> Result<(), AppError> {
    if kept.slug == slug {
        return Ok(());
    }
    let what = format!("the copy is of the town {}, not of {slug}", kept.slug);
    Err(refused(&what, &format!("Name {slug}'s copy, or the town {}", kept.slug)))
}

fn another_secret(slug: &str) -> AppError {
    refused(
        &format!("the authority of {slug} is sealed to another operator's secret"),
        "Name the secret that the data was made with (--secret-file)",
    )
}

fn no_town(slug: &str) -> AppError {
    refused(
        &format!("there is no town {slug} in this database"),
        &format!(
            "Put the database back from a backup; where there is none, create the town with the copy: \
             `renraku-server municipality create --slug {slug} --authority COPY …`"
        ),
    )
}

/// Which record of the town the copy goes to, if any.
fn rule(
    secret: &OperatorSecret,
    sure: bool,
    slug: &str,
    kept: &Kept,
    ((present, same_key), cert): ((Record, bool), &[u8]),
    old: &[Old],
    signers: &[String],
) -> Result<Restored, AppError> {
    let id = kept.authority.id();
    if let Some(old) = old.iter().find(|o| o.id == id) {
        if old.retired_at.is_some() {
            let what = format!("the copy is of the authority {id}, which {slug} has retired");
            return Err(refused(&what, "Name a copy that was made after the last roll"));
        }
        let sealed = old.sealed.as_deref().unwrap_or_default();
        return match (look(secret, sure, kept, &old.cert, sealed).0, present) {
            (Record::Damaged, _) => Ok(Restored::Older),
            (Record::ToAnother, _) => Err(another_secret(slug)),
            (Record::Whole, Record::Whole) => Ok(Restored::Stood),
            (Record::Whole, _) => Err(refused(
                &format!(
                    "the copy is of the older authority {id}, which stands; what is damaged is the present one"
                ),
                "Name the copy that was made after the last roll",
            )),
        };
    }
    let stands = authority_id(cert);
    match present {
        Record::Whole if stands == id => Ok(Restored::Stood),
        Record::Whole => Err(refused(
            &format!("{slug} has a whole authority, {stands}, and the copy is of another one, {id}"),
            "A standing authority is never overwritten: to change it, use `authority roll`",
        )),
        Record::ToAnother => Err(another_secret(slug)),
        Record::Damaged => {
            let lost: Vec<&String> = signers.iter().filter(|s| old.iter().all(|o| o.id != **s)).collect();
            // The certificate itself says whose the lost key was; where it is lost too, what it signed does.
            let is_it = stands == id
                || same_key
                || lost.contains(&&id)
                || (!Authority::is_certificate(cert) && lost.is_empty());
            if is_it {
                Ok(Restored::Present)
            } else {
                let named = lost.first().map_or(stands.as_str(), |s| s.as_str());
                Err(refused(
                    &format!(
                        "the damaged authority of {slug} is {named}, and the copy is of another one, {id}"
                    ),
                    "Name a copy of that one, or put the database back from a backup",
                ))
            }
        }
    }
}

/// The authorities that the town's certificates name.
async fn signers(c: &mut Conn, town: Id) -> Result<Vec<String>, AppError> {
    let named: Vec<Option<String>> = run!(
        c,
        load,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .select(certificate::authority)
            .distinct()
    )?;
    Ok(named.into_iter().flatten().collect())
}

/// What the sealed records here say of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Opens,
    /// Some are whole, and sealed to another.
    OpensNothing,
    /// There is none that could tell.
    Silent,
}

async fn proof(c: &mut Conn, secret: &OperatorSecret) -> Result<Proof, AppError> {
    let mut sealed: Vec<Vec<u8>> =
        run!(c, load, municipality::table.select(municipality::authority_key_sealed))?;
    let old: Vec<Option<Vec<u8>>> = run!(
        c,
        load,
        old_authority::table
            .filter(old_authority::key_sealed.is_not_null())
            .select(old_authority::key_sealed)
    )?;
    let mails: Vec<Option<Vec<u8>>> =
        run!(c, load, notice::table.filter(notice::sealed.is_not_null()).select(notice::sealed).limit(20))?;
    sealed.extend(old.into_iter().chain(mails).flatten());
    let opened: Vec<_> = sealed.iter().map(|s| secret.try_open(s).err()).collect();
    Ok(if opened.contains(&None) {
        Proof::Opens
    } else if opened.contains(&Some(Closed::ToAnother)) {
        Proof::OpensNothing
    } else {
        Proof::Silent
    })
}
