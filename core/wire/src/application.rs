//! An application until it is decided: how it comes, goes back, and comes again.

use crate::delivery::DeliveryState;
use crate::quiet::quiet;
use crate::{FacilityApplication, FacilityId, MediaId, NoticeId, Timestamp};
use serde::{Deserialize, Serialize};

/// How an application arrived (F02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntakeChannel {
    /// The form on the public host.
    Portal,
    /// By FAX.
    Fax,
    /// By post.
    Post,
    /// By hand.
    Hand,
    /// A channel of a newer server.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/facility-applications` on the care host, by the office: an application that came on
/// paper (F02, F28). Afterwards it is approved like any other. Refusals: `field_invalid` (`channel` when it
/// is the portal, `received_on` when it lies ahead, `scan` when it is no document that the caller uploaded),
/// `facility_outside`; with `corrects` also `not_found`, and `state_conflict` once that application is decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PaperApplication {
    /// What the paper says. Its id makes sending twice apply once, or correct once.
    pub application: FacilityApplication,
    /// How it came.
    pub channel: IntakeChannel,
    /// The day it came, `YYYY-MM-DD`.
    pub received_on: String,
    /// The uploaded scan.
    pub scan: MediaId,
    /// The application that this paper corrects, as long as it is not decided: an applicant whom no mail reaches
    /// answers a return on paper. None for a new application.
    #[serde(default)]
    pub corrects: Option<FacilityId>,
    /// As [`FacilityReturn::replaces`]: a correction that the applicant sent in the meantime is not written over.
    #[serde(default)]
    pub replaces: Option<NoticeId>,
}

/// Answer of `GET /v1/municipalities/{slug}/corrections/{token}` on the public host: a returned application
/// as it stands, to be corrected. Sent back as [`FacilityApplication`] by `POST` to the same address.
/// Refusal: `link_invalid`, alike for a link that is unknown, used or too old.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnedApplication {
    /// As it stands.
    pub application: FacilityApplication,
    /// What the office asks for.
    pub reason: String,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

/// Body of `POST /v1/facilities/{id}/return` (差戻し), by the office: the applicant gets a mail with a link to correct
/// the application, which works once. An application that was returned may be returned again: the applicant gets
/// another link, and the one before is worth nothing from then on. Refusals: `field_invalid` (`reason`, `mail`),
/// `state_conflict` once it is decided, `id_conflict`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityReturn {
    /// Made by the caller: sending twice mails once.
    pub id: NoticeId,
    /// What the applicant is asked to correct.
    pub reason: String,
    /// The corrected address; none for the one on file.
    #[serde(default)]
    pub mail: Option<String>,
    /// The letter whose link works no longer then, as the sender saw it ([`ReturnMailStatus::id`]); none where none
    /// works. With another one, a colleague or the applicant was faster: `state_conflict`.
    #[serde(default)]
    pub replaces: Option<NoticeId>,
}

/// The last mail with the link to a returned application, as the office sees it (F02).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnMailStatus {
    /// The letter.
    pub id: NoticeId,
    /// Where it went.
    pub address: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it will not arrive, or did not yet.
    pub reason: Option<String>,
    /// When it was written.
    pub queued_at: Timestamp,
    /// When it left, or was given up.
    pub done_at: Option<Timestamp>,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

/// Body of `POST /v1/municipalities/{slug}/no-mail-reports` on the public host (F04): the mail with No and
/// password did not come. The answer is 202 whether or not there is such a facility.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NoMailReport {
    /// Name of the facility, as in the application.
    pub name: String,
    /// The manager's mail address, as in the application.
    pub manager_mail: String,
}

quiet!(PaperApplication, ReturnedApplication, FacilityReturn, ReturnMailStatus, NoMailReport);
