//! Patients, their consent and their team.

use crate::{ConsentId, FacilityId, MediaId, PatientId, Profession, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// Administrative gender, as FHIR has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    /// 男
    Male,
    /// 女
    Female,
    /// その他
    Other,
    /// 不明
    #[serde(other)]
    Unknown,
}

/// Who gave the consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentGiver {
    /// 本人
    Patient,
    /// 家族
    Family,
    /// 後見人
    Guardian,
}

/// Whose form was signed (F30).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentForm {
    /// The municipality's form.
    Municipal,
    /// A clause in the facility's own contract or privacy consent.
    OwnClause,
}

/// A consent with its file (F29).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// Made by the caller.
    pub id: ConsentId,
    /// The uploaded copy: `purpose` of the upload is `consent`.
    pub document: MediaId,
    /// Who gave it.
    pub giver: ConsentGiver,
    /// Name of the giver where it is not the patient.
    pub giver_name: Option<String>,
    /// Whose form.
    pub form: ConsentForm,
    /// The day it was signed, `YYYY-MM-DD`.
    pub obtained_on: String,
}

impl std::fmt::Debug for NewConsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewConsent").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One member of a new team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTeamMember {
    /// Who.
    pub staff_id: StaffId,
    /// True for the lead (担当者).
    pub lead: bool,
}

/// Body of `POST /v1/patients` (F34): patient, consent and team in one step.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPatient {
    /// Made by the caller: sending twice registers once.
    pub id: PatientId,
    /// Name.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// 要介護状態区分: `21` is 要介護1 (domain 3.5).
    pub care_level: Option<String>,
    /// The consent.
    pub consent: NewConsent,
    /// The team; at least one lead.
    pub team: Vec<NewTeamMember>,
}

impl std::fmt::Debug for NewPatient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPatient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/patients`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatientRegistered {
    /// The patient.
    pub id: PatientId,
}

/// A team member as the team sees them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamMember {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Where they work.
    pub facility_id: FacilityId,
    /// Name of the place.
    pub facility_name: String,
    /// True for the lead.
    pub lead: bool,
}

impl std::fmt::Debug for TeamMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TeamMember")
            .field("staff_id", &self.staff_id)
            .field("lead", &self.lead)
            .finish_non_exhaustive()
    }
}

/// One line in the list of patients.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatientSummary {
    /// Their id.
    pub id: PatientId,
    /// Name.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Age in years today.
    pub age: u32,
    /// When the newest post was written.
    pub last_post_at: Option<Timestamp>,
    /// Posts that the caller has not read.
    pub unread: u32,
}

impl std::fmt::Debug for PatientSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatientSummary").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/patients`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PatientList {
    /// Those whom the caller may see, newest post first.
    pub patients: Vec<PatientSummary>,
}

/// Answer of `GET /v1/patients/{id}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Patient {
    /// Their id.
    pub id: PatientId,
    /// Name.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Age in years today.
    pub age: u32,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// 要介護状態区分.
    pub care_level: Option<String>,
    /// The team.
    pub team: Vec<TeamMember>,
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patient").field("id", &self.id).finish_non_exhaustive()
    }
}
