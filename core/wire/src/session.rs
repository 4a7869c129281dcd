//! Signing in.

use crate::{Platform, Profession, SessionId, Staff, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// Body of `POST /v1/session` on the care host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Made by the caller, so that sending twice within some minutes opens one session. Without it, each opens one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<SessionId>,
    /// Individual user id.
    pub login_id: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/session`. The token goes into `Authorization: Bearer` and is bound to the
/// certificate it was opened with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionOpened {
    /// Opaque random token.
    pub token: String,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub staff: Staff,
    /// True until the first password was changed: nothing else is allowed before.
    pub must_change_password: bool,
}

impl std::fmt::Debug for SessionOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionOpened").field("staff", &self.staff.id).finish_non_exhaustive()
    }
}

/// Body of `POST /v1/session/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    pub current: String,
    /// The password from now on.
    pub new: String,
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// Whose push service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushProvider {
    /// Apple.
    Apns,
    /// Google.
    Fcm,
}

/// Body of `PUT /v1/session/push`: where pushes for the person signed in on this device go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushRegistration {
    /// Whose service.
    pub provider: PushProvider,
    /// Its token for this device.
    pub token: String,
}

impl std::fmt::Debug for PushRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushRegistration").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A colleague with a session on this device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonHere {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// When they last used it.
    pub last_seen_at: Timestamp,
    /// True when it rests: it opens nothing until its owner comes back with the password.
    pub resting: bool,
}

impl std::fmt::Debug for PersonHere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonHere").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/session/others`: who else has a session on this device, of this facility only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeopleHere {
    /// By name.
    pub people: Vec<PersonHere>,
}

/// One of the own sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSession {
    /// Names it in `DELETE /v1/sessions/{id}`.
    pub id: SessionId,
    /// What people call the device.
    pub device_name: String,
    /// What the device is.
    pub platform: Platform,
    /// True for the one that asks.
    pub current: bool,
    /// True when it rests until its owner comes back with the password.
    pub resting: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, to within a minute.
    pub last_seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
}

/// Answer of `GET /v1/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSessions {
    /// The last used one first.
    pub sessions: Vec<OwnSession>,
}
