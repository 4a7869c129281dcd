//! What differs between towns is data: one typed policy a municipality, with the words its screens use.
//!
//! Rules take the policy as an argument. The three towns' ways of working are shipped as presets; their
//! contact data is fictional there, because a demo could dial or send. What a row does is the matter of the
//! room whose rule reads it; a row can be edited and is kept before that rule is built.
//!
//! Not here: storing and editing it, and what each row may hold (`municipality::settings`).

mod presets;
mod rows;
mod words;

use renraku_wire::{Contact, DevicePolicy, Words};
use serde::{Deserialize, Serialize};

pub use presets::{PRESETS, preset};
pub use rows::*;
pub use words::{has_words, worded};

/// How one town works: one field or group for each row in which towns differ (domain 1.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct MunicipalityPolicy {
    /// The words of its screens (F17).
    pub words: Words,
    /// Whom to ask (F64).
    pub contact: Contact,
    /// Who enters a patient (F34).
    pub patient_registrar: PatientRegistrar,
    /// How a team changes (F38, F39).
    pub team_edit: TeamEdit,
    /// What a consent must be (F26–F31).
    pub consent: ConsentPolicy,
    /// Who may be a patient (F18, F24).
    pub eligibility: Eligibility,
    /// Facilities outside the town may apply (F19).
    pub outside_facility: bool,
    /// Agreements with other towns (F21).
    pub wide_area_agreements: Vec<WideAreaAgreement>,
    /// Who makes the certificate No of one more device (F07).
    pub extra_certificate: ExtraCertificate,
    /// How a patient registered twice is found (F36, F37).
    pub duplicate_handling: DuplicateHandling,
    /// The office belongs to every team (F40); each view of it is logged like any other.
    pub office_sees_all_patients: bool,
    /// The compose screen has 緊急（重要）(F46).
    pub urgent_flag: bool,
    /// Who sees who has read (F49).
    pub read_history: ReadHistory,
    /// Posts have a 👍 (F50).
    pub thumbs_ack: bool,
    /// Notices may be forwarded to an address of the facility (F13).
    pub forwarding_mail: bool,
    /// No two people have the same mail address (F12).
    pub unique_mail: bool,
    /// How sharing stops (F53, F54).
    pub stop_procedure: StopProcedure,
    /// The office may suspend an id without asking (F55).
    pub suspend_without_consent: bool,
    /// Operation is reported to two councils (F59).
    pub council_reports: bool,
    /// Security training is due once a year (F57).
    pub yearly_training: bool,
    /// Days after an account begins, within which its owner takes the first training.
    pub training_first_days: u32,
    /// Incidents go from staff through the facility to the town (F56); else to the town at once.
    pub incident_through_facility: bool,
    /// The portal shows the facilities that wish it on a map (F16).
    pub public_facility_map: bool,
    /// 試行期間 (F20): only facilities that the office names take part.
    pub trial_mode: bool,
    /// Days within which the approval mail arrives, as the portal promises (F04).
    pub approval_mail_days: u32,
    /// Days that a certificate No lives.
    pub ticket_days: u32,
    /// Days that a certificate lives.
    pub certificate_days: u32,
    /// Days before its end from which a certificate can be renewed.
    pub renewal_days: u32,
    /// Days after the first use of a new certificate for which the one that it renews stays good.
    pub renewal_overlap_days: u32,
    /// Minutes without a request after which a session ends in a browser; the app locks itself
    /// ([`DevicePolicy::relock_seconds`]).
    pub session_idle_minutes: u32,
    /// Hours after which a session ends, whatever happens.
    pub session_hours: u32,
    /// Wrong passwords in a row that lock an account.
    pub lock_after: u32,
    /// Minutes that the lock lasts.
    pub lock_minutes: u32,
    /// The part that devices follow; they are told [`MunicipalityPolicy::for_devices`].
    #[serde(serialize_with = "device_rows")]
    pub device: DevicePolicy,
}

impl Default for MunicipalityPolicy {
    fn default() -> Self {
        Self {
            words: Words {
                patient: "支援対象者".into(),
                facility: "施設".into(),
                staff: "スタッフ".into(),
                post: "投稿".into(),
                lead: "担当者".into(),
            },
            contact: Contact {
                office: "事務局".into(),
                section: String::new(),
                telephone: "0000-00-0000".into(),
                fax: "0000-00-0001".into(),
                mail: "office@town.invalid".into(),
                hours: "月曜日から金曜日（祝日を除く）8:30〜17:15".into(),
                document: String::new(),
            },
            patient_registrar: PatientRegistrar::ObtainerOfficeConfirms,
            team_edit: TeamEdit::default(),
            consent: ConsentPolicy::default(),
            eligibility: Eligibility::default(),
            outside_facility: true,
            wide_area_agreements: vec![],
            extra_certificate: ExtraCertificate::SelfService,
            duplicate_handling: DuplicateHandling { at_entry: true, by_office: true },
            office_sees_all_patients: true,
            urgent_flag: true,
            read_history: ReadHistory { author: true, lead: true },
            thumbs_ack: true,
            forwarding_mail: true,
            unique_mail: true,
            stop_procedure: StopProcedure { form: true, death_notice: true },
            suspend_without_consent: true,
            council_reports: true,
            yearly_training: true,
            training_first_days: 30,
            incident_through_facility: true,
            public_facility_map: true,
            trial_mode: false,
            approval_mail_days: 1,
            ticket_days: 14,
            certificate_days: 365,
            renewal_days: 30,
            renewal_overlap_days: 7,
            session_idle_minutes: 30,
            session_hours: 12,
            lock_after: 5,
            lock_minutes: 15,
            device: DevicePolicy {
                post_chars_guidance: 100,
                video_seconds: 60,
                photo_bytes: 700_000,
                photo_quality: 81,
                video_bytes: 32_000_000,
                video_rate: 30,
                offline_lease_hours: 72,
                relock_seconds: 60,
                offline_days: 30,
                offline_patients: 50,
                urgent_flag: true,
                thumbs_ack: true,
            },
        }
    }
}

/// The rows of its own: what stands in a row of the town's is not kept twice.
fn device_rows<S: serde::Serializer>(device: &DevicePolicy, to: S) -> Result<S::Ok, S::Error> {
    let mut rows = serde_json::to_value(device).map_err(serde::ser::Error::custom)?;
    if let Some(rows) = rows.as_object_mut() {
        rows.remove("urgent_flag");
        rows.remove("thumbs_ack");
    }
    rows.serialize(to)
}

impl MunicipalityPolicy {
    /// What devices are told.
    #[must_use]
    pub fn for_devices(&self) -> DevicePolicy {
        DevicePolicy { urgent_flag: self.urgent_flag, thumbs_ack: self.thumbs_ack, ..self.device.clone() }
    }

    /// Reads a stored policy; fields that the row does not have yet take their default.
    ///
    /// # Errors
    /// The row is not a policy.
    pub fn parse(stored: &str) -> Result<Self, crate::error::AppError> {
        serde_json::from_str(stored)
            .map_err(|e| crate::error::AppError::internal(format!("a stored policy cannot be read: {e}")))
    }

    /// The policy as it is stored.
    ///
    /// # Errors
    /// None in practice; the text cannot be made.
    pub fn stored(&self) -> Result<String, crate::error::AppError> {
        serde_json::to_string(self)
            .map_err(|e| crate::error::AppError::internal(format!("a policy cannot be written: {e}")))
    }
}
