//! What differs between towns is data: one typed policy a municipality, with the words its screens use.
//!
//! Rules take the policy as an argument. The three towns' ways of working are shipped as presets; their
//! contact data is fictional there, because a demo could dial or send.

mod presets;

use renraku_wire::{Contact, DevicePolicy, Words};
use serde::{Deserialize, Serialize};

pub use presets::preset;

/// Who enters a patient (domain 1.10, `patient_registrar`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatientRegistrar {
    /// The office alone.
    Secretariat,
    /// Whoever obtained the consent; the office may too.
    Obtainer,
}

/// How one town works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MunicipalityPolicy {
    /// The words of its screens (F17).
    pub words: Words,
    /// Whom to ask (F64).
    pub contact: Contact,
    /// Who enters a patient.
    pub patient_registrar: PatientRegistrar,
    /// The office belongs to every team (F40); each view of it is logged like any other.
    pub office_sees_all_patients: bool,
    /// Lowest age of a patient, in years; none for no limit.
    pub min_age: Option<u32>,
    /// Characters after which the counter turns (F44).
    pub post_chars_guidance: u32,
    /// The compose screen has 緊急（重要）(F46).
    pub urgent_flag: bool,
    /// Days that a certificate No lives.
    pub ticket_days: u32,
    /// Days that a certificate lives.
    pub certificate_days: u32,
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u32,
    /// Hours after which a session ends, whatever happens.
    pub session_hours: u32,
    /// Wrong passwords in a row that lock an account.
    pub lock_after: u32,
    /// Minutes that the lock lasts.
    pub lock_minutes: u32,
    /// Days within which the approval mail arrives, as the portal promises (F04).
    pub approval_mail_days: u32,
    /// The part that devices follow.
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
                telephone: "0000-00-0000".into(),
                fax: "0000-00-0001".into(),
                mail: "office@town.invalid".into(),
                hours: "月曜日から金曜日（祝日を除く）8:30〜17:15".into(),
            },
            patient_registrar: PatientRegistrar::Obtainer,
            office_sees_all_patients: true,
            min_age: None,
            post_chars_guidance: 100,
            urgent_flag: true,
            ticket_days: 14,
            certificate_days: 365,
            session_idle_minutes: 30,
            session_hours: 12,
            lock_after: 5,
            lock_minutes: 15,
            approval_mail_days: 1,
            device: DevicePolicy {
                post_chars_guidance: 100,
                video_seconds: 60,
                photo_bytes: 700_000,
                offline_lease_hours: 72,
                relock_seconds: 60,
            },
        }
    }
}

impl MunicipalityPolicy {
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
