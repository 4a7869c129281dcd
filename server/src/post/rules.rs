//! What the town's policy makes of posts. Pure.

use crate::error::AppError;
use crate::policy::MunicipalityPolicy;

/// A post marked 緊急（重要） needs a town that has the mark (F46).
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`] with `urgent`.
pub fn urgent(marked: bool, policy: &MunicipalityPolicy) -> Result<(), AppError> {
    if marked && !policy.urgent_flag { Err(AppError::field("urgent")) } else { Ok(()) }
}

/// 👍 needs a town that has it (F50). One may be taken back in any.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`] with `acknowledged`.
pub fn acknowledged(given: Option<bool>, policy: &MunicipalityPolicy) -> Result<(), AppError> {
    if given == Some(true) && !policy.thumbs_ack { Err(AppError::field("acknowledged")) } else { Ok(()) }
}

/// Who sees who has read a post: its author and the team's leads, each as the town says (F49).
#[must_use]
pub fn sees_readers(author: bool, lead: bool, policy: &MunicipalityPolicy) -> bool {
    (author && policy.read_history.author) || (lead && policy.read_history.lead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ReadHistory;

    #[test]
    fn marks_need_a_town_that_has_them() {
        let with = MunicipalityPolicy::default();
        let without = MunicipalityPolicy { urgent_flag: false, thumbs_ack: false, ..with.clone() };
        assert!(urgent(true, &with).is_ok() && urgent(false, &without).is_ok());
        assert!(
            matches!(urgent(true, &without), Err(AppError::Refused(p)) if p.field.as_deref() == Some("urgent"))
        );
        assert!(acknowledged(Some(true), &with).is_ok());
        assert!(acknowledged(Some(true), &without).is_err());
        assert!(acknowledged(Some(false), &without).is_ok() && acknowledged(None, &without).is_ok());
    }

    #[test]
    fn readers_are_seen_as_the_town_says() {
        let sees = |author, lead, of: (bool, bool)| {
            let read_history = ReadHistory { author: of.0, lead: of.1 };
            sees_readers(author, lead, &MunicipalityPolicy { read_history, ..Default::default() })
        };
        assert!(sees(true, false, (true, true)) && sees(false, true, (true, true)));
        assert!(!sees(false, false, (true, true)));
        assert!(!sees(true, false, (false, true)) && sees(false, true, (false, true)));
        assert!(!sees(false, true, (true, false)) && sees(true, true, (true, false)));
        assert!(!sees(true, true, (false, false)));
    }
}
