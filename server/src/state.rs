//! What handlers share. One value for the process, cheap to clone.

use crate::db::prelude::*;
use crate::db::schema::{municipality, old_authority};
use crate::db::{Db, Id};
use crate::error::AppError;
use crate::handover::Handover;
use crate::hashing::Hashing;
use crate::run;
use crate::secret::OperatorSecret;
use crate::seen::Seen;
use crate::storage::Storage;
use crate::throttle::Throttle;
use crate::tls::{Authority, CareVerifier};
use std::sync::Arc;
use tokio::sync::Notify;

/// The shared state.
#[derive(Clone, Debug)]
pub struct App(Arc<Inner>);

/// What [`App`] points at.
pub struct Inner {
    /// The database.
    pub db: Db,
    /// Where media lie.
    pub storage: Storage,
    /// The operator's secret.
    pub secret: OperatorSecret,
    /// How devices reach the public host, without a slash at the end.
    pub public_url: String,
    /// How devices reach the care host, without a slash at the end.
    pub care_url: String,
    /// Whom the care host lets through.
    pub care_verifier: Arc<CareVerifier>,
    /// Two who load the authorities at once must not put an older list in a newer one's place.
    loading_authorities: tokio::sync::Mutex<()>,
    /// Wakes the notice workers.
    pub notices_queued: Notify,
    /// Where passwords wait to be hashed.
    pub hashing: Hashing,
    /// When devices and sessions were last used.
    pub seen: Seen,
    /// How often strangers may send something to the public host.
    pub throttle: Arc<Throttle>,
    /// Files for PCs that may be asked for once more.
    pub handover: Handover,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts the state together.
    #[must_use]
    pub fn new(
        db: Db,
        storage: Storage,
        secret: OperatorSecret,
        public_url: String,
        care_url: String,
        care_verifier: Arc<CareVerifier>,
        hashing: Hashing,
    ) -> Self {
        Self(Arc::new(Inner {
            db,
            storage,
            secret,
            public_url,
            care_url,
            care_verifier,
            loading_authorities: tokio::sync::Mutex::new(()),
            notices_queued: Notify::new(),
            hashing,
            seen: Seen::default(),
            throttle: Arc::default(),
            handover: Handover::default(),
        }))
    }

    /// Opens a town's certificate authority.
    ///
    /// # Errors
    /// No such town, or the operator's secret is another one.
    pub async fn authority(&self, town: Id) -> Result<Authority, AppError> {
        let row: (String, Vec<u8>, Vec<u8>) = self
            .db
            .read(async |c| {
                Ok(run!(
                    c,
                    get_result,
                    municipality::table.find(town).select((
                        municipality::slug,
                        municipality::authority_cert,
                        municipality::authority_key_sealed
                    ))
                )?)
            })
            .await?;
        self.open_authority(row)
    }

    /// Opens one of a town's authorities by its name: the present one, or one that is not retired yet.
    ///
    /// # Errors
    /// [`renraku_wire::Code::NotFound`]; the operator's secret is another one.
    pub async fn authority_of(&self, town: Id, id: &str) -> Result<Authority, AppError> {
        let present = self.authority(town).await?;
        if present.id() == id {
            return Ok(present);
        }
        let row: Option<(String, Vec<u8>, Option<Vec<u8>>)> = self
            .db
            .read(async |c| {
                Ok(run!(
                    c,
                    get_result,
                    old_authority::table
                        .inner_join(
                            municipality::table.on(municipality::id.eq(old_authority::municipality_id))
                        )
                        .filter(old_authority::municipality_id.eq(town))
                        .filter(old_authority::id.eq(id))
                        .select((municipality::slug, old_authority::cert, old_authority::key_sealed))
                )
                .optional()?)
            })
            .await?;
        match row {
            Some((slug, certificate, Some(sealed))) => self.open_authority((slug, certificate, sealed)),
            _ => Err(renraku_wire::Code::NotFound.into()),
        }
    }

    fn open_authority(
        &self,
        (slug, certificate, sealed): (String, Vec<u8>, Vec<u8>),
    ) -> Result<Authority, AppError> {
        let authority = Authority::open(certificate, &self.secret.open(&sealed)?)?;
        let url = format!("{}/{slug}/crl/{}", self.public_url, authority.id());
        Ok(authority.with_list_at(url))
    }

    /// Lets the care host know every town's authorities: the present ones and those not retired yet.
    ///
    /// # Errors
    /// The database failed, or holds no certificate where one must be.
    pub async fn load_authorities(&self) -> Result<(), AppError> {
        let _loading = self.loading_authorities.lock().await;
        let all: Vec<Vec<u8>> = self
            .db
            .read(async |c| {
                let mut all: Vec<Vec<u8>> =
                    run!(c, load, municipality::table.select(municipality::authority_cert))?;
                let old: Vec<Vec<u8>> = run!(
                    c,
                    load,
                    old_authority::table
                        .filter(old_authority::retired_at.is_null())
                        .select(old_authority::cert)
                )?;
                all.extend(old);
                Ok(all)
            })
            .await?;
        self.care_verifier
            .replace(&all)
            .map_err(|e| AppError::internal(format!("an authority's certificate cannot be read: {e}")))
    }
}
