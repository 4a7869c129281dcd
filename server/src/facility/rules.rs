//! What may become of a facility (domain 1.11). Pure.

use crate::error::AppError;
use crate::input;
use crate::policy::MunicipalityPolicy;
use renraku_wire::{
    Code, FacilityApplication, FacilityChange, FacilityKind, FacilityStage, FacilityState, MapListing,
    MapPosition, limits,
};

/// What happens to a facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 差戻し
    Return,
    /// 訂正: the applicant sends it again, or the office enters what came on paper.
    Correct,
    /// 承認・登録
    Approve,
    /// 却下
    Reject,
    /// 変更
    Change,
    /// 利用停止
    Suspend,
    /// 利用再開
    Resume,
    /// 廃止
    Close,
}

/// The state after an event.
///
/// # Errors
/// [`Code::StateConflict`] for every edge that the machine does not have.
pub fn after(state: FacilityState, event: Event) -> Result<FacilityState, Code> {
    use FacilityState::{Applied, Approved, Closed, Rejected, Returned, Suspended};
    match (state, event) {
        // Returned again: the mail did not arrive, or its link expired.
        (Applied | Returned, Event::Return) => Ok(Returned),
        (Applied | Returned, Event::Correct) => Ok(Applied),
        (Applied, Event::Approve) => Ok(Approved),
        // Who never answers a return is rejected in the end.
        (Applied | Returned, Event::Reject) => Ok(Rejected),
        (Approved, Event::Change) => Ok(Approved),
        (Approved, Event::Suspend) => Ok(Suspended),
        (Suspended, Event::Resume) => Ok(Approved),
        (Approved | Suspended, Event::Close) => Ok(Closed),
        _ => Err(Code::StateConflict),
    }
}

/// How far a facility is, from what is known of it.
#[must_use]
pub fn stage(state: FacilityState, equipped: bool, in_use: bool, change_waits: bool) -> FacilityStage {
    match state {
        FacilityState::Applied => FacilityStage::Applied,
        FacilityState::Returned => FacilityStage::Returned,
        FacilityState::Rejected => FacilityStage::Rejected,
        FacilityState::Approved if change_waits => FacilityStage::Changing,
        FacilityState::Approved if equipped && in_use => FacilityStage::Operating,
        FacilityState::Approved if equipped => FacilityStage::Equipped,
        FacilityState::Approved => FacilityStage::Approved,
        FacilityState::Suspended => FacilityStage::Suspended,
        FacilityState::Closed => FacilityStage::Closed,
        FacilityState::Unknown => FacilityStage::Unknown,
    }
}

/// Checks an application's fields, and whether the town takes such a facility (F19).
///
/// # Errors
/// [`Code::FieldInvalid`] with the field; [`Code::FacilityOutside`].
pub fn application(
    given: FacilityApplication,
    policy: &MunicipalityPolicy,
) -> Result<FacilityApplication, AppError> {
    if given.kind == FacilityKind::Secretariat {
        return Err(AppError::field("kind"));
    }
    let clean = FacilityApplication {
        name: input::line(&given.name, "name")?,
        address: input::line(&given.address, "address")?,
        telephone: input::line(&given.telephone, "telephone")?,
        manager_name: input::line(&given.manager_name, "manager_name")?,
        manager_mail: input::mail(&given.manager_mail, "manager_mail")?,
        ..given
    };
    if clean.outside && !policy.outside_facility {
        return Err(Code::FacilityOutside.into());
    }
    Ok(clean)
}

/// Checks the fields of a change.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field.
pub fn change(given: FacilityChange) -> Result<FacilityChange, AppError> {
    if given.kind == FacilityKind::Secretariat {
        return Err(AppError::field("kind"));
    }
    Ok(FacilityChange {
        name: input::line(&given.name, "name")?,
        address: input::line(&given.address, "address")?,
        telephone: input::line(&given.telephone, "telephone")?,
        opening: input::line_or_empty(&given.opening, "opening")?,
        ..given
    })
}

/// Checks a stated reason.
///
/// # Errors
/// [`Code::FieldInvalid`] for `reason`.
pub fn reason(given: &str) -> Result<String, AppError> {
    input::text(given, "reason", limits::TEXT_CHARS)
}

/// Checks a listing (F16). The bounds are those of Japan, so that swapped degrees are noticed.
///
/// # Errors
/// [`Code::NotOffered`] where the town has no public list; [`Code::FieldInvalid`] for `latitude` or
/// `longitude`.
pub fn listing(given: MapListing, policy: &MunicipalityPolicy) -> Result<MapListing, AppError> {
    if !policy.public_facility_map {
        return Err(Code::NotOffered.into());
    }
    if let Some(MapPosition { latitude, longitude }) = given.position {
        if !(20.0..=46.0).contains(&latitude) {
            return Err(AppError::field("latitude"));
        }
        if !(122.0..=154.0).contains(&longitude) {
            return Err(AppError::field("longitude"));
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FacilityState::{Applied, Approved, Closed, Rejected, Returned, Suspended, Unknown};

    #[test]
    fn the_machine_has_these_edges_and_no_other() {
        let states = [Applied, Returned, Rejected, Approved, Suspended, Closed, Unknown];
        let events = [
            Event::Return,
            Event::Correct,
            Event::Approve,
            Event::Reject,
            Event::Change,
            Event::Suspend,
            Event::Resume,
            Event::Close,
        ];
        let edges = [
            (Applied, Event::Return, Returned),
            (Applied, Event::Approve, Approved),
            (Applied, Event::Reject, Rejected),
            (Applied, Event::Correct, Applied),
            (Returned, Event::Return, Returned),
            (Returned, Event::Correct, Applied),
            (Returned, Event::Reject, Rejected),
            (Approved, Event::Change, Approved),
            (Approved, Event::Suspend, Suspended),
            (Approved, Event::Close, Closed),
            (Suspended, Event::Resume, Approved),
            (Suspended, Event::Close, Closed),
        ];
        let mut found = 0;
        for state in states {
            for event in events {
                let edge = edges.iter().find(|(from, by, _)| (*from, *by) == (state, event));
                let expected = edge.map(|(_, _, to)| *to).ok_or(Code::StateConflict);
                assert_eq!(after(state, event), expected, "{state:?} {event:?}");
                found += usize::from(edge.is_some());
            }
        }
        assert_eq!(found, edges.len());
    }

    #[test]
    fn an_approved_facility_goes_through_its_stages() {
        assert_eq!(stage(Approved, false, false, false), FacilityStage::Approved);
        assert_eq!(stage(Approved, true, false, false), FacilityStage::Equipped);
        assert_eq!(stage(Approved, true, true, false), FacilityStage::Operating);
        assert_eq!(stage(Approved, true, true, true), FacilityStage::Changing);
        for (state, expected) in [
            (Applied, FacilityStage::Applied),
            (Returned, FacilityStage::Returned),
            (Rejected, FacilityStage::Rejected),
            (Suspended, FacilityStage::Suspended),
            (Closed, FacilityStage::Closed),
            (Unknown, FacilityStage::Unknown),
        ] {
            assert_eq!(stage(state, true, true, true), expected);
        }
    }

    fn given() -> FacilityApplication {
        FacilityApplication {
            id: renraku_wire::FacilityId::new(),
            name: " 架空診療所 ".into(),
            kind: FacilityKind::Clinic,
            address: "架空町1".into(),
            telephone: "0000-00-0000".into(),
            manager_name: "架空 管子".into(),
            manager_mail: "a@example.invalid".into(),
            outside: true,
        }
    }

    fn refused<T: std::fmt::Debug>(outcome: Result<T, AppError>) -> (Code, Option<String>) {
        let problem = outcome.unwrap_err().into_problem();
        (problem.code, problem.field)
    }

    #[test]
    fn an_application_is_trimmed_and_from_outside_only_where_the_town_says_so() {
        let open = MunicipalityPolicy::default();
        assert_eq!(application(given(), &open).unwrap().name, "架空診療所");
        let closed = MunicipalityPolicy { outside_facility: false, ..open.clone() };
        assert_eq!(refused(application(given(), &closed)), (Code::FacilityOutside, None));
        assert!(application(FacilityApplication { outside: false, ..given() }, &closed).is_ok());
        let office = FacilityApplication { kind: FacilityKind::Secretariat, ..given() };
        assert_eq!(refused(application(office, &open)).1.as_deref(), Some("kind"));
        let mail = FacilityApplication { manager_mail: "x".into(), ..given() };
        assert_eq!(refused(application(mail, &open)).1.as_deref(), Some("manager_mail"));
    }

    #[test]
    fn a_place_lies_in_japan() {
        let policy = MunicipalityPolicy::default();
        let at = |latitude, longitude| MapListing {
            listed: true,
            position: Some(MapPosition { latitude, longitude }),
        };
        assert!(listing(at(35.9, 137.98), &policy).is_ok());
        assert!(listing(MapListing { listed: true, position: None }, &policy).is_ok());
        for (bad, field) in [
            (at(137.98, 35.9), "latitude"),
            (at(f64::NAN, 137.0), "latitude"),
            (at(35.0, f64::INFINITY), "longitude"),
            (at(35.0, 10.0), "longitude"),
        ] {
            assert_eq!(refused(listing(bad, &policy)).1.as_deref(), Some(field));
        }
        let shy = MunicipalityPolicy { public_facility_map: false, ..policy };
        assert_eq!(refused(listing(at(35.9, 137.98), &shy)).0, Code::NotOffered);
    }

    #[test]
    fn a_change_needs_its_lines_and_a_reason_its_words() {
        let given = FacilityChange {
            id: renraku_wire::FacilityChangeId::new(),
            name: "架空診療所".into(),
            kind: FacilityKind::Clinic,
            address: "架空町1".into(),
            telephone: "0000-00-0000".into(),
            opening: "  ".into(),
        };
        assert_eq!(change(given.clone()).unwrap().opening, "");
        assert_eq!(refused(change(FacilityChange { address: " ".into(), ..given })).1.unwrap(), "address");
        assert_eq!(refused(reason(" ")).1.unwrap(), "reason");
        assert_eq!(reason(" 確認 ").unwrap(), "確認");
    }
}
