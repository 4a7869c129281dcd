//! When devices and sessions were last used: noted by `access` with each request that it lets through,
//! stored together a little later. Not in each request: that would turn every reading into a writing.

use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, session};
use crate::db::{Db, Id, kept};
use crate::error::AppError;
use crate::run;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was used since it was last stored. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    devices: HashMap<(Id, Id), i64>,
    sessions: HashMap<(Id, Vec<u8>), i64>,
    first_uses: HashMap<(Id, String), i64>,
    first_sign_ins: HashMap<(Id, Id), i64>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Seen {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a device was used now.
    pub fn device(&self, town: Id, device: Id) {
        self.noted().devices.insert((town, device), clock::now());
    }

    /// Notes that a session was used now.
    pub fn session(&self, town: Id, token_hash: &[u8]) {
        self.noted().sessions.insert((town, token_hash.to_vec()), clock::now());
    }

    /// Notes that a certificate was used for the first time.
    pub fn first_use(&self, town: Id, serial: &str) {
        self.noted().first_uses.entry((town, serial.to_owned())).or_insert_with(clock::now);
    }

    /// Notes that somebody signed in on a device for the first time.
    pub fn first_sign_in(&self, town: Id, device: Id) {
        self.noted().first_sign_ins.entry((town, device)).or_insert_with(clock::now);
    }

    /// Stores what was noted.
    ///
    /// # Errors
    /// The database failed; what is noted from then on is kept for the next time.
    pub async fn store(&self, db: &Db) -> Result<(), AppError> {
        let Noted { devices, sessions, first_uses, first_sign_ins } = std::mem::take(&mut *self.noted());
        if devices.is_empty() {
            return Ok(());
        }
        let (devices, sessions) = (&devices, &sessions);
        let (first_uses, first_sign_ins) = (&first_uses, &first_sign_ins);
        db.write(async |c| {
            for ((town, id), at) in devices {
                run!(
                    c,
                    execute,
                    kept(diesel::update(device::table.find((*town, *id))).set(device::last_seen_at.eq(at)))
                )?;
            }
            for ((town, hash), at) in sessions {
                run!(
                    c,
                    execute,
                    kept(
                        diesel::update(session::table.find((*town, hash))).set(session::last_seen_at.eq(at))
                    )
                )?;
            }
            for ((town, serial), at) in first_uses {
                let this = certificate::table.find((*town, serial));
                run!(
                    c,
                    execute,
                    diesel::update(this.filter(certificate::first_used_at.is_null()))
                        .set(certificate::first_used_at.eq(at))
                )?;
            }
            for ((town, id), at) in first_sign_ins {
                let this = device::table.find((*town, *id));
                run!(
                    c,
                    execute,
                    diesel::update(this.filter(device::first_sign_in_at.is_null()))
                        .set(device::first_sign_in_at.eq(at))
                )?;
            }
            Ok(())
        })
        .await
    }
}
