//! A town's authority in the operator's hands: looking at it, a sealed copy and its check, rolling it with an
//! overlap, retiring the old one. Putting a copy back is [`super::restore`]'s.

use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{certificate, municipality, old_authority};
use crate::db::{Conn, Db, Id};
use crate::error::AppError;
use crate::secret::{Closed, OperatorSecret};
use crate::tls::{Authority, authority_id};
use crate::{clock, run};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

/// One authority of a town.
#[derive(Debug)]
pub struct Standing {
    /// Its name among the town's.
    pub id: String,
    /// True for the one that signs.
    pub present: bool,
    /// When it was retired.
    pub retired_at: Option<i64>,
    /// Good certificates that it signed.
    pub certificates: i64,
}

#[derive(Queryable)]
struct Town {
    id: Id,
    slug: String,
    cert: Vec<u8>,
    sealed: Vec<u8>,
}

async fn town(c: &mut Conn, slug: &str) -> Result<Town, AppError> {
    let row: Option<Town> = run!(
        c,
        get_result,
        municipality::table.filter(municipality::slug.eq(slug)).select((
            municipality::id,
            municipality::slug,
            municipality::authority_cert,
            municipality::authority_key_sealed
        ))
    )
    .optional()?;
    row.ok_or_else(|| AppError::internal(format!("there is no town {slug}; nothing was changed")))
}

fn damaged(slug: &str, e: &AppError) -> AppError {
    AppError::internal(format!(
        "the authority of {slug} cannot be opened ({e}); nothing was changed. Name the operator's secret that \
         the data was made with (--secret-file), or put the database back from a backup, or the authority from \
         the operator's copy: `renraku-server authority import --slug {slug} --file COPY`"
    ))
}

/// Opens every town's authorities once, so that a wrong secret or a damaged record is told at the start and
/// not when the first device comes.
///
/// # Errors
/// A sentence that says what to do.
pub async fn check_authorities(db: &Db, secret: &OperatorSecret) -> Result<(), AppError> {
    let (towns, old) = db
        .read(async |c| {
            let towns: Vec<Town> = run!(
                c,
                load,
                municipality::table.select((
                    municipality::id,
                    municipality::slug,
                    municipality::authority_cert,
                    municipality::authority_key_sealed
                ))
            )?;
            let old: Vec<(String, Vec<u8>, Option<Vec<u8>>)> = run!(
                c,
                load,
                old_authority::table
                    .inner_join(municipality::table.on(municipality::id.eq(old_authority::municipality_id)))
                    .filter(old_authority::retired_at.is_null())
                    .select((municipality::slug, old_authority::cert, old_authority::key_sealed))
            )?;
            Ok((towns, old))
        })
        .await?;
    let open = |cert: Vec<u8>, sealed: &[u8]| Authority::open(cert, &secret.open(sealed)?).map(|_| ());
    for town in towns {
        open(town.cert, &town.sealed).map_err(|e| damaged(&town.slug, &e))?;
    }
    for (slug, cert, sealed) in old {
        open(cert, &sealed.unwrap_or_default()).map_err(|e| damaged(&slug, &e))?;
    }
    Ok(())
}

/// The town's authorities, the present one first.
///
/// # Errors
/// No such town.
pub async fn standing(db: &Db, slug: &str) -> Result<Vec<Standing>, AppError> {
    let now = clock::now();
    db.read(async |c| {
        let town = town(c, slug).await?;
        let present = authority_id(&town.cert);
        let mut all = vec![Standing {
            certificates: living(c, town.id, &present, true, now).await?,
            id: present,
            present: true,
            retired_at: None,
        }];
        let old: Vec<(String, Option<i64>)> = run!(
            c,
            load,
            old_authority::table
                .filter(old_authority::municipality_id.eq(town.id))
                .order(old_authority::replaced_at.desc())
                .select((old_authority::id, old_authority::retired_at))
        )?;
        for (id, retired_at) in old {
            let certificates = living(c, town.id, &id, false, now).await?;
            all.push(Standing { id, present: false, retired_at, certificates });
        }
        Ok(all)
    })
    .await
}

/// Good certificates of an authority. Until a town's first roll, those without a name are the present one's.
async fn living(c: &mut Conn, town: Id, id: &str, present: bool, now: i64) -> Result<i64, AppError> {
    let nameless = present.into_sql::<diesel::sql_types::Bool>();
    Ok(run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::revoked_at.is_null())
            .filter(certificate::not_after.ge(now))
            .filter(
                certificate::authority
                    .eq(id)
                    .assume_not_null()
                    .or(nameless.and(certificate::authority.is_null()))
            )
            .count()
    )?)
}

/// A copy of an authority as it lies, sealed, in a file.
#[derive(Serialize, Deserialize)]
struct Copy {
    format: u32,
    slug: String,
    certificate: String,
    key: String,
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// A copy of the present authority, sealed to the operator's secret.
///
/// # Errors
/// No such town; the secret is another one.
pub async fn export(db: &Db, secret: &OperatorSecret, slug: &str) -> Result<Vec<u8>, AppError> {
    let town = db.read(async |c| town(c, slug).await).await?;
    let key = secret.open(&town.sealed).map_err(|e| damaged(slug, &e))?;
    Authority::open(town.cert.clone(), &key).map_err(|e| damaged(slug, &e))?;
    let copy = Copy {
        format: 1,
        slug: town.slug,
        certificate: hex::encode(&town.cert),
        key: hex::encode(key.as_slice()),
    };
    let text = Zeroizing::new(
        serde_json::to_vec(&copy).map_err(|e| AppError::internal(format!("no copy can be made: {e}")))?,
    );
    secret.seal(&text)
}

/// What a copy holds, opened.
pub struct Kept {
    /// The town's name in addresses.
    pub slug: String,
    /// The authority.
    pub authority: Authority,
    /// Its key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// Opens a copy: with the secret that it was sealed to, whole, certificate and key of one authority.
///
/// # Errors
/// A sentence that says what to do.
pub fn open_copy(secret: &OperatorSecret, sealed: &[u8]) -> Result<Kept, AppError> {
    let plain = secret.try_open(sealed).map_err(|why| {
        AppError::internal(match why {
            Closed::ToAnother => {
                "the copy does not open: it was sealed to another operator's secret; nothing was changed. Name \
                 the secret that was in use when it was made"
            }
            Closed::Damaged => {
                "the copy does not open: it is damaged or cut short; nothing was changed. Take another copy, or, \
                 while the authority stands, make a new one"
            }
        })
    })?;
    let other = || {
        AppError::internal(
            "the file is not a copy of an authority; nothing was changed. Name one that `authority export` made",
        )
    };
    let copy: Copy = serde_json::from_slice(&plain).map_err(|_| other())?;
    if copy.format != 1 {
        return Err(AppError::internal(
            "a newer version made the copy; nothing was changed. Use that version of renraku-server",
        ));
    }
    let certificate = hex::decode(&copy.certificate).map_err(|_| other())?;
    let key = Zeroizing::new(hex::decode(&copy.key).map_err(|_| other())?);
    let authority = Authority::open(certificate, &key).map_err(|e| {
        AppError::internal(format!("the copy is of no use ({e}); nothing was changed. Take another one"))
    })?;
    Ok(Kept { slug: copy.slug.clone(), authority, key })
}

/// Checks that a copy could be put back: it opens with this secret, certificate and key belong together, and
/// they are this database's. Returns the town and the authority's name.
///
/// # Errors
/// What is wrong with it.
pub async fn check_copy(
    db: &Db,
    secret: &OperatorSecret,
    sealed: &[u8],
) -> Result<(String, String), AppError> {
    let kept = open_copy(secret, sealed)?;
    let id = kept.authority.id();
    let known = standing(db, &kept.slug).await?;
    if !known.iter().any(|s| s.id == id) {
        return Err(AppError::internal(format!(
            "the copy is whole, but {} has no such authority: it is older than this database, or of another one",
            kept.slug
        )));
    }
    Ok((kept.slug, id))
}

/// Gives the town a new authority. The old one signs nothing more but stays trusted, until it is retired.
/// Devices renew their certificates when they are next used. Returns the names of the old one and the new.
///
/// # Errors
/// No such town; an older one is not retired yet; the secret is another one. Then nothing was changed.
pub async fn roll(db: &Db, secret: &OperatorSecret, slug: &str) -> Result<(String, String), AppError> {
    let now = clock::now();
    let name = format!("{slug} {}", clock::japan(now).strftime("%Y%m%d%H%M%S"));
    let (new, key) = Authority::create(&name, now)?;
    let sealed = secret.seal(&key)?;
    check_authorities(db, secret).await?;
    let old = db
        .write(async |c| {
            let town = town(c, slug).await?;
            let rolling: i64 = run!(
                c,
                get_result,
                old_authority::table
                    .filter(old_authority::municipality_id.eq(town.id))
                    .filter(old_authority::retired_at.is_null())
                    .count()
            )?;
            if rolling > 0 {
                return Err(AppError::internal(
                    "an older authority is still trusted; nothing was changed. Retire it first \
                     (`authority status` says when that is possible)",
                ));
            }
            let old = authority_id(&town.cert);
            run!(
                c,
                execute,
                diesel::insert_into(old_authority::table).values((
                    old_authority::municipality_id.eq(town.id),
                    old_authority::id.eq(&old),
                    old_authority::cert.eq(&town.cert),
                    old_authority::key_sealed.eq(&town.sealed),
                    old_authority::replaced_at.eq(now),
                ))
            )?;
            run!(
                c,
                execute,
                diesel::update(
                    certificate::table
                        .filter(certificate::municipality_id.eq(town.id))
                        .filter(certificate::authority.is_null())
                )
                .set(certificate::authority.eq(&old))
            )?;
            run!(
                c,
                execute,
                diesel::update(municipality::table.find(town.id)).set((
                    municipality::authority_cert.eq(new.certificate()),
                    municipality::authority_key_sealed.eq(&sealed),
                ))
            )?;
            let operator = Actor { municipality_id: town.id, staff_id: None, device_id: None };
            audit::record(c, operator, "authority.roll", Some(town.id), &new.id()).await?;
            Ok(old)
        })
        .await?;
    Ok((old, new.id()))
}

/// Retires the old authority: it is trusted no more, and its key is destroyed.
///
/// # Errors
/// None to retire; good certificates of it are left. Then nothing was changed.
pub async fn retire(db: &Db, slug: &str) -> Result<String, AppError> {
    let now = clock::now();
    db.write(async |c| {
        let town = town(c, slug).await?;
        let id: Option<String> = run!(
            c,
            get_result,
            old_authority::table
                .filter(old_authority::municipality_id.eq(town.id))
                .filter(old_authority::retired_at.is_null())
                .select(old_authority::id)
        )
        .optional()?;
        let id = id.ok_or_else(|| AppError::internal("there is no older authority to retire"))?;
        let left = living(c, town.id, &id, false, now).await?;
        if left > 0 {
            return Err(AppError::internal(format!(
                "{left} certificates of the older authority are still good; nothing was changed. Wait until \
                 those devices have renewed, or revoke them on the page 端末"
            )));
        }
        run!(
            c,
            execute,
            diesel::update(old_authority::table.find((town.id, &id)))
                .set((old_authority::retired_at.eq(now), old_authority::key_sealed.eq(None::<Vec<u8>>)))
        )?;
        let operator = Actor { municipality_id: town.id, staff_id: None, device_id: None };
        audit::record(c, operator, "authority.retire", Some(town.id), &id).await?;
        Ok(id)
    })
    .await
}
