//! Incident reports (F56): from whoever noticed, through the facility's manager, to the office.

use crate::{DeviceId, EntryId, FacilityId, IncidentId, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A device was lost or stolen.
    LostDevice,
    /// An id or password leaked.
    CredentialLeak,
    /// Something was sent or shown to the wrong person, or about the wrong patient.
    WrongRecipient,
    /// Somebody got in who may not.
    UnauthorisedAccess,
    /// A virus, or the suspicion of one.
    Virus,
    /// The system does not work as it should.
    SystemTrouble,
    /// Something else.
    #[serde(other)]
    Other,
}

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// With the facility's manager.
    Reported,
    /// On its way to the office.
    Forwarded,
    /// The office has it.
    Received,
    /// Ended, with measures against its happening again (再発防止).
    Closed,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// What an entry of a report's timeline does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentStep {
    /// The report itself; made with it, never sent.
    Report,
    /// More about it, by anybody who sees the report.
    Note,
    /// The manager's assessment; the report goes on to the office.
    Forward,
    /// The office has it; the entry may set the legal duty.
    Receive,
    /// The office changes the legal duty, and says why.
    Assess,
    /// The prompt report to the authority was made (速報).
    PromptReport,
    /// The final report to the authority was made (確報).
    FinalReport,
    /// The office ends it; the text holds the measures.
    Close,
    /// A step of a newer server.
    #[serde(other)]
    Unknown,
}

/// What the privacy law asks for after a leak (R-P2). Counted from the instant it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LegalDuty {
    /// No report to the authority.
    None,
    /// A prompt report within 5 days, the final one within 30.
    Leak,
    /// As above, with malice: the final one within 60 days.
    MaliciousLeak,
    /// A duty of a newer server.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/incidents`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// Made by the caller: sending twice reports once.
    pub id: IncidentId,
    /// What happened.
    pub kind: IncidentKind,
    /// When it was noticed; not in the future, at most a year ago.
    pub noticed_at: Timestamp,
    /// In plain words; 1 to 2,000 characters.
    pub description: String,
    /// The device concerned, one of the own facility.
    pub device_id: Option<DeviceId>,
}

impl std::fmt::Debug for NewIncident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewIncident").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Body of `POST /v1/incidents/{id}/entries`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewIncidentEntry {
    /// Made by the caller: sending twice enters once.
    pub id: EntryId,
    /// What it does.
    pub step: IncidentStep,
    /// What it says; 1 to 2,000 characters, which only `receive` may leave out.
    pub text: String,
    /// The legal duty: needed with `assess`, may come with `receive`, refused with every other step.
    pub duty: Option<LegalDuty>,
}

impl std::fmt::Debug for NewIncidentEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewIncidentEntry").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An entry of a report's timeline. Entries are added, never changed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentEntry {
    /// Its id.
    pub id: EntryId,
    /// What it did.
    pub step: IncidentStep,
    /// What it says.
    pub text: String,
    /// The legal duty that it set.
    pub duty: Option<LegalDuty>,
    /// Who wrote it.
    pub author_id: StaffId,
    /// Their name.
    pub author_name: String,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for IncidentEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncidentEntry").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A report as lists show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentSummary {
    /// Its id.
    pub id: IncidentId,
    /// What happened.
    pub kind: IncidentKind,
    /// Where it stands.
    pub state: IncidentState,
    /// The reporter's facility.
    pub facility_id: FacilityId,
    /// Its name.
    pub facility_name: String,
    /// Who reported.
    pub reporter_id: StaffId,
    /// Their name.
    pub reporter_name: String,
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// When it was reported.
    pub reported_at: Timestamp,
    /// When the prompt report to the authority is due; none where none is, or when it was made.
    pub prompt_due_at: Option<Timestamp>,
    /// When the final report is due; none where none is, or when it was made.
    pub final_due_at: Option<Timestamp>,
}

impl std::fmt::Debug for IncidentSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncidentSummary").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/incidents`: the reports that the caller may see, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentList {
    /// The reports.
    pub incidents: Vec<IncidentSummary>,
}

/// Answer of `GET /v1/incidents/{id}` and of every change, for the reporter, their facility's manager and
/// the office; `not_found` for everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    /// Its head.
    pub summary: IncidentSummary,
    /// The device concerned.
    pub device_id: Option<DeviceId>,
    /// What the privacy law asks for, as far as the office has judged.
    pub duty: LegalDuty,
    /// The timeline, the oldest first.
    pub entries: Vec<IncidentEntry>,
    /// The steps that the caller may take now.
    pub steps: Vec<IncidentStep>,
}
