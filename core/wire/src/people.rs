//! Staff and the directory.

use crate::{Facility, FacilityId, StaffId};
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
/// Sending the same request again makes a new first password, as long as the account was never used.
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
