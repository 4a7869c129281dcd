//! Ids and instants.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id, ordered by the time it was made (UUIDv7).
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a fresh id is not a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    )+};
}

ids! {
    /// A town or another body that runs the network (自治体).
    MunicipalityId,
    /// A care provider (施設・事業所); the office itself is one too.
    FacilityId,
    /// A change of a facility that somebody asked for. Made by the caller.
    FacilityChangeId,
    /// A person with an own account (利用スタッフ).
    StaffId,
    /// A PC, tablet or phone that holds a certificate.
    DeviceId,
    /// The person supported (支援対象者).
    PatientId,
    /// One consent of a patient (同意).
    ConsentId,
    /// One post (投稿). Made by the device that composes it, so that sending twice stores once.
    PostId,
    /// One picture, film or document. Made by the device.
    MediaId,
    /// One suspension of an account. Made by the caller, so that sending twice suspends once.
    SuspensionId,
    /// One request for a certificate No and password. Made by the caller, so that asking twice makes one.
    TicketId,
    /// One request for a first password. Made by the caller, so that asking twice makes one.
    FirstPasswordId,
    /// One session of a person on one device, as its owner names it; never its token.
    SessionId,
    /// One notice to one recipient over one channel (お知らせ). All that a push carries.
    NoticeId,
}

ids! {
    /// One line of a facility's shared inbox (共有のお知らせ).
    InboxLineId,
    /// One completion of the yearly training (研修). Made by the caller.
    TrainingId,
    /// One yearly review of access (点検). Made by the caller.
    ReviewId,
    /// One incident report (セキュリティ事故). Made by the caller.
    IncidentId,
    /// One entry of an incident's timeline. Made by the caller.
    EntryId,
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Timestamp(pub i64);
