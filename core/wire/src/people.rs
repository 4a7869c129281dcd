//! Staff and the directory.

use crate::{Facility, FacilityId, FirstPasswordId, StaffId, SuspensionId, Timestamp};
use serde::{Deserialize, Serialize};

/// A profession (職種).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Profession {
    /// 医師
    Physician,
    /// 歯科医師
    Dentist,
    /// 薬剤師
    Pharmacist,
    /// 看護師
    Nurse,
    /// 保健師
    PublicHealthNurse,
    /// 介護支援専門員（ケアマネジャー）
    CareManager,
    /// 介護職・ヘルパー
    Helper,
    /// 理学療法士・作業療法士・言語聴覚士
    Therapist,
    /// 管理栄養士
    Dietitian,
    /// 社会福祉士・相談員
    SocialWorker,
    /// 事務職
    Clerk,
    /// その他
    #[serde(other)]
    Other,
}

/// What a person may do beside caring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 利用スタッフ
    Member,
    /// 施設管理者
    FacilityManager,
    /// 事務局
    Secretariat,
    /// A role of a newer server: treat as `Member`.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/staff` (F08): by the facility's manager, for the own facility.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewStaff {
    /// Made by the caller: sending twice adds once.
    pub id: StaffId,
    /// Individual user id, unique in the town: letters, digits, `.`, `-`, `_`.
    pub login_id: String,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Own mail address, unique in the town, or none.
    pub mail: Option<String>,
    /// Where notices go instead, or as well (転送用メールアドレス).
    pub forwarding_mail: Option<String>,
}

impl std::fmt::Debug for NewStaff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewStaff").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/staff`: the first password is shown once and must be changed at the first sign-in.
/// The same request again gets the same first password again, as long as the account was never used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffAdded {
    /// The new account.
    pub id: StaffId,
    /// Individual user id.
    pub login_id: String,
    /// First password.
    pub first_password: String,
}

impl std::fmt::Debug for StaffAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffAdded").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Body of `POST /v1/staff/{id}/first-password`; the answer is a [`StaffAdded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewFirstPassword {
    /// Made by the caller: the same request again gets the same first password again, until it is used.
    pub id: FirstPasswordId,
}

/// A person as colleagues see them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Staff {
    /// Their id.
    pub id: StaffId,
    /// Where they work.
    pub facility_id: FacilityId,
    /// Name of the place.
    pub facility_name: String,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Role.
    pub role: Role,
}

impl std::fmt::Debug for Staff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staff").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/directory`: who can be asked to join a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Directory {
    /// Approved facilities, by name.
    pub facilities: Vec<Facility>,
    /// Their active staff.
    pub staff: Vec<Staff>,
}

/// Where an account stands (domain 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StaffState {
    /// 付与: the first password was handed out and not changed yet.
    Granted,
    /// 利用中
    Active,
    /// 一時停止: the office suspended the id (F55).
    Suspended,
    /// 退職: the account ended (F11).
    Left,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// What a person's own mail address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// Their own.
    Own,
    /// 仮のアドレス: they have none, notices go to the forwarding address. Never mailed (F13).
    Placeholder,
    /// They have none, and none is forwarded to.
    None,
    /// A kind of a newer server.
    #[serde(other)]
    Unknown,
}

/// An account as the facility's manager and the office see it: `GET /v1/staff/{id}`, and each of
/// `GET /v1/staff`. Its owner sees it as `GET /v1/profile`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StaffDetail {
    /// The person.
    pub id: StaffId,
    /// Where they work.
    pub facility_id: FacilityId,
    /// Name of the place.
    pub facility_name: String,
    /// Individual user id.
    pub login_id: String,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Role.
    pub role: Role,
    /// Where the account stands.
    pub state: StaffState,
    /// Own mail address.
    pub mail: Option<String>,
    /// What that is.
    pub mail_kind: MailKind,
    /// Where notices go instead, or as well (転送用メールアドレス).
    pub forwarding_mail: Option<String>,
    /// May print and export records.
    pub may_export: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// The last day, as `YYYY-MM-DD`, of somebody who left.
    pub left_on: Option<String>,
    /// Why and since when the id is suspended, if it is.
    pub suspension: Option<Suspension>,
}

impl std::fmt::Debug for StaffDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffDetail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A suspension that lasts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suspension {
    /// Which.
    pub id: SuspensionId,
    /// Why, as the office wrote it.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl std::fmt::Debug for Suspension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suspension").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Body of `PUT /v1/staff/{id}` (F10): the whole profile as it is to be, by the manager or the office.
/// `already_taken` with field `mail`; `manager_needed` when the facility's last manager would be none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StaffChange {
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Role: member or manager of a facility, member or secretariat of the office. The own one stays.
    pub role: Role,
    /// Own mail address, or none.
    pub mail: Option<String>,
    /// Where notices go instead, or as well.
    pub forwarding_mail: Option<String>,
    /// May print and export records.
    pub may_export: bool,
}

impl std::fmt::Debug for StaffChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffChange").finish_non_exhaustive()
    }
}

/// Body of `PUT /v1/profile/mail`: by the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnMail {
    /// Own mail address, or none.
    pub mail: Option<String>,
    /// Where notices go instead, or as well.
    pub forwarding_mail: Option<String>,
}

impl std::fmt::Debug for OwnMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnMail").finish_non_exhaustive()
    }
}

/// Body of `POST /v1/staff/{id}/leaving` (F11): the account ends for good. `lead_needed` when a team would
/// lose its last lead and nobody is named to take over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// The last day, as `YYYY-MM-DD`; today or within the last year.
    pub left_on: String,
    /// A colleague of the same facility who becomes lead where the leaver was the only one.
    pub successor: Option<StaffId>,
}

/// Body of `POST /v1/staff/{id}/suspension` (F55), by the office.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Suspending {
    /// Made by the caller: sending twice suspends once.
    pub id: SuspensionId,
    /// Why.
    pub reason: String,
    /// The person or their facility agreed. Needed where the town's policy does not let the office suspend
    /// without asking.
    pub agreed: bool,
}

impl std::fmt::Debug for Suspending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suspending").field("id", &self.id).finish_non_exhaustive()
    }
}
