//! The patients whom a signed-in person may see, for a shell.

use crate::held::Held;
use crate::{MobileError, PatientSeen, PatientsSeen};
use renraku_core::Session;
use renraku_wire::PatientId;

/// The patients of a signed-in person. Errors, threads and cancelling: as [`RenrakuSession`](crate::RenrakuSession).
#[derive(Debug, uniffi::Object)]
pub struct RenrakuPatients(pub(crate) Held<Session>);

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuPatients {
    /// The patients whom this person may see. Without the server, as last seen.
    ///
    /// Fails with `Offline` when nothing was seen yet, `Storage` when the offline lease is over (`LeaseOver`) or
    /// the clock was set back (`ClockSetBack`).
    pub async fn list(&self) -> Result<PatientsSeen, MobileError> {
        self.0.run_until(async move |session| session.patients().await.map(Into::into)).await
    }

    /// The patients as last seen, from the sealed store alone: milliseconds, whatever the network does. Show them,
    /// then call `list`. None when there was no list yet.
    ///
    /// Fails with `SignedOut` when the session is over, `Storage` as `list`.
    pub async fn list_last_seen(&self) -> Result<Option<PatientsSeen>, MobileError> {
        self.0.run(async move |session| Ok(session.patients_last_seen().await?.map(Into::into))).await
    }

    /// One patient with the team. Without the server, as last seen.
    ///
    /// Fails as `list`, and with `NotFound`.
    pub async fn patient(&self, id: PatientId) -> Result<PatientSeen, MobileError> {
        self.0.run_until(async move |session| session.patient(id).await.map(Into::into)).await
    }

    /// One patient as last seen, from the sealed store alone. Milliseconds. None for one who was not opened before.
    ///
    /// Fails as `list_last_seen`.
    pub async fn patient_last_seen(&self, id: PatientId) -> Result<Option<PatientSeen>, MobileError> {
        self.0.run(async move |session| Ok(session.patient_last_seen(id).await?.map(Into::into))).await
    }
}
