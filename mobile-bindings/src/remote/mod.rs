//! Types of the contract and the core that cross as they are. Their meaning is documented where they are
//! defined; the lists here only tell uniffi their shape, and do not compile when that changes.

mod choices;
mod records;

use crate::MobileError;
use renraku_wire::{Code, FacilityId, MediaId, PatientId, PostId, StaffId, Timestamp};

macro_rules! ids {
    ($($id:ident),+) => {$(
        uniffi::custom_type!($id, String, {
            remote,
            lower: |id| id.to_string(),
            try_lift: |text| Ok(text.parse().map_err(|_| not_an_id())?),
        });
    )+};
}

ids!(FacilityId, MediaId, PatientId, PostId, StaffId);

fn not_an_id() -> MobileError {
    MobileError::Invalid { code: Code::FieldInvalid.as_str().to_owned(), field: Some("id".to_owned()) }
}

uniffi::custom_type!(Timestamp, i64, {
    remote,
    lower: |at| at.0,
    try_lift: |millis| Ok(Timestamp(millis)),
});

uniffi::custom_type!(Code, String, {
    remote,
    lower: |code| code.as_str().to_owned(),
    try_lift: |text| Ok(*Code::ALL.iter().find(|c| c.as_str() == text).unwrap_or(&Code::Unknown)),
});
