//! The rows of the policy that are more than a number or a switch (domain 1.10).

use renraku_wire::{ConsentForm, ConsentGiver, Profession};
use serde::{Deserialize, Serialize};

/// Who enters a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatientRegistrar {
    /// The office alone.
    Secretariat,
    /// Whoever obtained the consent; the office may too.
    Obtainer,
    /// As [`Self::Obtainer`], and the office confirms afterwards.
    ObtainerOfficeConfirms,
}

/// Ways in which a team changes; each is a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct TeamEdit {
    /// Members add and remove.
    pub by_members: bool,
    /// Whoever registers the patient enters the team.
    pub with_registration: bool,
    /// Others ask to join and a member approves.
    pub by_join_request: bool,
}

impl Default for TeamEdit {
    fn default() -> Self {
        Self { by_members: true, with_registration: true, by_join_request: true }
    }
}

/// Who keeps the original of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OriginalKeeper {
    /// Whoever explained.
    Explainer,
    /// The patient.
    Patient,
    /// The facility.
    Facility,
}

/// How the copy of a consent reaches the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentDelivery {
    /// Uploaded by whoever obtained it.
    Upload,
    /// By FAX; the office files it.
    Fax,
    /// Attached to a mail; the office files it.
    Mail,
    /// By post; the office files it.
    Post,
    /// By hand; the office files it.
    Hand,
}

/// For whom a consent speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentScope {
    /// 包括同意: every facility and person that supports the patient (F31).
    Comprehensive,
    /// The facilities that it names.
    NamedFacilities,
}

/// What a consent must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ConsentPolicy {
    /// Who may explain and obtain it; empty for every profession (F26).
    pub explainers: Vec<Profession>,
    /// The office may explain too.
    pub office_explains: bool,
    /// Who may give it.
    pub givers: Vec<ConsentGiver>,
    /// Who keeps the original (F27).
    pub original_kept_by: OriginalKeeper,
    /// How the copy arrives (F28, F29).
    pub delivery: Vec<ConsentDelivery>,
    /// Whose form is taken (F30).
    pub forms: Vec<ConsentForm>,
    /// For whom it speaks.
    pub scope: ConsentScope,
    /// The items that are shared, as the form lists them.
    pub scope_items: Vec<String>,
    /// Version of that list, as the form prints it.
    pub scope_version: String,
}

impl Default for ConsentPolicy {
    fn default() -> Self {
        Self {
            explainers: vec![],
            office_explains: true,
            givers: vec![ConsentGiver::Patient, ConsentGiver::Family, ConsentGiver::Guardian],
            original_kept_by: OriginalKeeper::Explainer,
            delivery: vec![
                ConsentDelivery::Upload,
                ConsentDelivery::Fax,
                ConsentDelivery::Mail,
                ConsentDelivery::Post,
                ConsentDelivery::Hand,
            ],
            forms: vec![ConsentForm::Municipal, ConsentForm::OwnClause],
            scope: ConsentScope::Comprehensive,
            scope_items: [
                "基本情報",
                "家族の状況",
                "病歴・服薬",
                "介護・福祉の状況",
                "生活の状況",
                "画像・動画",
            ]
            .map(Into::into)
            .into(),
            scope_version: "1".into(),
        }
    }
}

/// Where a patient must live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Residency {
    /// In the town, without exception (F24).
    Resident,
    /// In the town, or for a reason that is recorded.
    ResidentOrReason,
    /// Anywhere.
    Anywhere,
}

/// Who may be a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Eligibility {
    /// Where they live.
    pub residency: Residency,
    /// Lowest age, in years; none for no limit.
    pub min_age: Option<u32>,
    /// Younger ones for a reason that is recorded.
    pub age_exception: bool,
}

impl Default for Eligibility {
    fn default() -> Self {
        Self { residency: Residency::ResidentOrReason, min_age: None, age_exception: true }
    }
}

/// An agreement with another town (広域利用の協定). For a patient, the terms of the town where they live
/// apply (F22).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WideAreaAgreement {
    /// Name of the other town.
    pub partner: String,
    /// First day, `YYYY-MM-DD`.
    pub since: String,
    /// Last day, or none.
    pub until: Option<String>,
}

/// Who makes the certificate No of one more device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtraCertificate {
    /// Any signed-in member of staff for the own facility; its manager is told.
    SelfService,
    /// The facility's manager.
    FacilityManager,
    /// The office, when asked.
    Secretariat,
}

/// How a patient registered twice is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DuplicateHandling {
    /// Shown to whoever registers.
    pub at_entry: bool,
    /// Listed for the office.
    pub by_office: bool,
}

/// Who sees who has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadHistory {
    /// The post's author.
    pub author: bool,
    /// The team's leads.
    pub lead: bool,
}

/// How sharing stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StopProcedure {
    /// A 中止届 goes to the office.
    pub form: bool,
    /// So does the notice of a death.
    pub death_notice: bool,
}
