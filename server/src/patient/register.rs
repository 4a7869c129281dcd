//! Registering a patient (F29, F34, F39): what the API and the portal share.

use super::{rules, store};
use crate::access::Registrar;
use crate::error::AppError;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, media, sent};
use renraku_wire::{MediaId, NewPatient, NoticeKind, PatientId};

/// Registers patient, consent and team, and tells the team (F35): all of it or nothing. The same
/// registration sent twice registers once.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`], [`renraku_wire::Code::ConsentMissing`],
/// [`renraku_wire::Code::TeamInvalid`], [`renraku_wire::Code::IdConflict`],
/// [`renraku_wire::Code::RoleInsufficient`] for a profession that does not explain consents here (F26).
pub async fn register(app: &App, who: &Registrar, new: &NewPatient) -> Result<PatientId, AppError> {
    let now = clock::now();
    rules::may_record(who.role(), who.profession(), &who.policy().consent)?;
    let new = rules::check(new, who.policy(), now)?;
    app.db
        .write(async |c| {
            // A page keeps its file anew each time that it is sent: the same file is meant.
            let document = media::store::digest(c, who, new.consent.document.into()).await?;
            let mut said = new.clone();
            said.consent.document = MediaId(uuid::Uuid::nil());
            let what = (who.staff_id().to_string(), &said, document);
            sent::again(c, who.municipality_id(), "patient", new.id.into(), &what).await?;
            if !store::insert(c, who, &new, now).await? {
                return store::same_registration(c, who, &new).await;
            }
            store::insert_consent(c, who, &new, now).await?;
            store::insert_team(c, who, &new, now).await?;
            let town = who.municipality_id();
            let members = store::members_but(c, town, new.id.into(), who.staff_id()).await?;
            let about = About {
                municipality_id: town,
                kind: NoticeKind::PatientRegistered,
                patient_id: Some(new.id.into()),
                post_id: None,
            };
            notice::queue(c, &about, &members).await?;
            audit::record(c, who.actor(), "patient.register", Some(new.id.into()), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(new.id)
}
