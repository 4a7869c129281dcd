//! Facilities, certificates and devices.

use crate::{DeviceId, FacilityId, MunicipalityId, StaffId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a facility is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FacilityKind {
    /// 病院・診療所
    Clinic,
    /// 歯科
    Dental,
    /// 薬局
    Pharmacy,
    /// 訪問看護
    HomeNursing,
    /// 居宅介護支援
    CareManagement,
    /// 訪問介護・通所介護などの介護サービス
    HomeCare,
    /// 地域包括支援センター
    CommunitySupportCenter,
    /// 事務局
    Secretariat,
    /// その他
    #[serde(other)]
    Other,
}

/// Where a facility stands (domain 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FacilityState {
    /// 申請
    Applied,
    /// 差戻し: the applicant corrects it
    Returned,
    /// 却下
    Rejected,
    /// 承認・稼働
    Approved,
    /// 利用停止
    Suspended,
    /// 廃止
    Closed,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/municipalities/{slug}/facility-applications` on the public host (F02).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityApplication {
    /// Made by the applicant's side: sending twice applies once.
    pub id: FacilityId,
    /// Name of the facility.
    pub name: String,
    /// What it is.
    pub kind: FacilityKind,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Name of the designated manager (施設管理者, F09).
    pub manager_name: String,
    /// The manager's mail address, to which No and password go.
    pub manager_mail: String,
    /// The facility lies outside the town (F19): refused with `facility_outside` where the town takes none.
    #[serde(default)]
    pub outside: bool,
}

impl std::fmt::Debug for FacilityApplication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FacilityApplication").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/municipalities/{slug}/facility-applications`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityApplied {
    /// The application's id.
    pub id: FacilityId,
}

/// Answer of `POST /v1/facilities/{id}/approval` (F03): the manager's account, which the office hands
/// over. Certificate No and password go to the manager by mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityApproved {
    /// Individual user id.
    pub login_id: String,
    /// First password.
    pub first_password: String,
}

impl std::fmt::Debug for FacilityApproved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FacilityApproved")
    }
}

/// A facility as the office and the directory see it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facility {
    /// Its id.
    pub id: FacilityId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FacilityKind,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Name of the manager.
    pub manager_name: String,
    /// Where it stands.
    pub state: FacilityState,
    /// When it applied.
    pub applied_at: Timestamp,
}

impl std::fmt::Debug for Facility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facility").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A certificate No and password (証明書取得用No/パスワード): one use, short life.
/// Answer of `POST /v1/facilities/{id}/tickets`, for one more device (F07).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentTicket {
    /// The No.
    pub number: String,
    /// The password.
    pub password: String,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for EnrolmentTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentTicket").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// A browser on a PC, with a PKCS#12 file.
    Browser,
    /// The iOS app.
    Ios,
    /// The Android app.
    Android,
    /// A platform of a newer version.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/municipalities/{slug}/certificates` on the public host: an app's enrolment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// 証明書取得用No, as mailed.
    pub number: String,
    /// Its password.
    pub password: String,
    /// PKCS#10, DER, base64: a P-256 key that the device made itself.
    pub csr: String,
    /// What people call the device: 訪問用スマホ1.
    pub device_name: String,
    /// What it is.
    pub platform: Platform,
}

impl std::fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateRequest").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// Body of `POST /v1/municipalities/{slug}/certificates/pkcs12` on the public host: a PC's pick-up (F05).
/// The answer is a PKCS#12 file, opened with the same password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Pkcs12Request {
    /// 証明書取得用No, as mailed.
    pub number: String,
    /// Its password.
    pub password: String,
    /// What people call the device.
    pub device_name: String,
}

impl std::fmt::Debug for Pkcs12Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pkcs12Request").finish_non_exhaustive()
    }
}

/// A certificate as issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateIssued {
    /// The device it stands for.
    pub device_id: DeviceId,
    /// The town.
    pub municipality_id: MunicipalityId,
    /// The certificate and then its authority, each DER in base64.
    pub chain: Vec<String>,
    /// Last instant at which it is valid.
    pub not_after: Timestamp,
    /// Where the care host is.
    pub care_url: String,
}

/// A device in the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The facility it belongs to.
    pub facility_id: FacilityId,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub platform: Platform,
    /// Serial number of its certificate, hex.
    pub serial: String,
    /// Last instant at which the certificate is valid.
    pub not_after: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it last spoke to the server.
    pub last_seen_at: Option<Timestamp>,
    /// Where it stands.
    pub state: DeviceState,
    /// Who asked for its No and password; none for the first ones.
    #[serde(default)]
    pub enrolled_by: Option<StaffId>,
    /// The device that it replaces.
    #[serde(default)]
    pub replaces: Option<DeviceId>,
}

/// Where a device stands (domain 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// 有効
    Valid,
    /// 期限接近: the time to renew has come
    Expiring,
    /// 期限切れ
    Expired,
    /// 失効
    Revoked,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// Body of `POST /v1/devices/tickets` and of `POST /v1/facilities/{id}/tickets`: No and password for one more
/// device (F07). The same request again gets the same No and password again, until they are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// Made by the caller.
    pub id: TicketId,
    /// For which facility; the own one, or the one of the address, when absent. Another one is the office's
    /// to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility_id: Option<FacilityId>,
    /// The device that the new one replaces, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<DeviceId>,
}

impl NewTicket {
    /// One more device of the own facility, or of the one of the address.
    #[must_use]
    pub fn another() -> Self {
        Self { id: TicketId::new(), facility_id: None, replaces: None }
    }
}

/// Body of `POST /v1/devices/current/certificate`: the device that asks renews its own certificate. The
/// person signed in on it vouches for it; the answer is a [`CertificateIssued`] with the same device id.
/// Refused with `renewal_too_early` before the town's window (30 days before expiry). The same request
/// again gets the same certificate again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CertificateRenewal {
    /// PKCS#10, DER, base64: a new P-256 key of the device.
    pub csr: String,
}

/// Body of `PUT /v1/devices/{id}/name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceName {
    /// What people call it: 訪問用スマホ1.
    pub name: String,
}

/// Why a certificate is revoked, as the published list of revocations says it (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevocationKind {
    /// 紛失・盗難: somebody else may hold the key
    Lost,
    /// 交換・更新: another certificate took its place
    Replaced,
    /// 利用終了
    Ended,
    /// その他
    #[default]
    #[serde(other)]
    Other,
}

/// Body of `POST /v1/devices/{id}/revocation`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Why: lost, replaced, the person left …
    pub reason: String,
    /// The same for machines.
    #[serde(default)]
    pub kind: RevocationKind,
}

/// Answer of `GET /v1/municipalities/{slug}/diagnosis` on the public host (F62):
/// what the server makes of the certificate that arrived, if any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnosis {
    /// True when this device can reach the care host.
    pub ok: bool,
    /// Why not, as the same code that a refusal carries.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub code: Option<crate::Code>,
    /// The one thing to do.
    pub sentence: String,
    /// What to read out to the office on the telephone: `R-104`. The office's own page explains it.
    #[serde(default)]
    pub short: String,
    /// The server's clock: what the device's should show.
    #[serde(default = "unknown_instant")]
    pub server_time: Timestamp,
}

const fn unknown_instant() -> Timestamp {
    Timestamp(0)
}

/// Body of `POST /v1/municipalities/{slug}/diagnosis` on the public host (F62): the diagnosis with one
/// question more.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DiagnosisQuestion {
    /// Is this account locked or suspended? Answered only to a good device of that person's facility;
    /// everybody else gets one and the same sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// The mail with No and password did not arrive.
    #[serde(default)]
    pub mail_missing: bool,
}

impl std::fmt::Debug for DiagnosisQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiagnosisQuestion").field("mail_missing", &self.mail_missing).finish_non_exhaustive()
    }
}
