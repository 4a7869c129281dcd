//! What a policy may say. Pure.

use super::row::{Kind, Row};
use super::table::rows;
use crate::error::AppError;
use crate::input;
use crate::policy::{MunicipalityPolicy, WideAreaAgreement};
use crate::portal::dial;
use renraku_wire::Code;
use serde_json::Value;
use std::collections::HashSet;

/// Longest word of a town, in characters.
const WORD_CHARS: usize = 20;
/// Most lines of a list.
const MOST_LINES: usize = 100;

/// Reads a whole policy from JSON, strictly: a field that is missing or that nobody knows is refused, so
/// that an older tool cannot set a newer row back unseen.
///
/// # Errors
/// [`Code::RequestMalformed`].
pub fn whole(given: &Value) -> Result<MunicipalityPolicy, AppError> {
    let read: MunicipalityPolicy =
        serde_json::from_value(given.clone()).map_err(|_| AppError::from(Code::RequestMalformed))?;
    if value(&read)? == *given { Ok(read) } else { Err(Code::RequestMalformed.into()) }
}

/// The policy as JSON.
pub(super) fn value(policy: &MunicipalityPolicy) -> Result<Value, AppError> {
    serde_json::to_value(policy)
        .map_err(|e| AppError::internal(format!("a policy cannot be written as JSON: {e}")))
}

/// The policy with its lines trimmed, when every row holds what it may.
///
/// # Errors
/// [`Code::FieldInvalid`] with the row: `consent.givers`.
pub fn check(policy: &MunicipalityPolicy) -> Result<MunicipalityPolicy, AppError> {
    let mut clean = value(policy)?;
    for row in rows() {
        let Some(held) = clean.pointer_mut(row.at) else {
            return Err(AppError::internal(format!("the policy has no row {}", row.at)));
        };
        row.check(held)?;
    }
    let clean: MunicipalityPolicy = serde_json::from_value(clean)
        .map_err(|e| AppError::internal(format!("a checked policy cannot be read: {e}")))?;
    together(&clean)?;
    Ok(clean)
}

/// What rows must be to each other.
fn together(policy: &MunicipalityPolicy) -> Result<(), AppError> {
    let words = &policy.words;
    let people = [&words.patient, &words.facility, &words.staff];
    for (word, field) in [(&words.patient, "words.patient"), (&words.staff, "words.staff")] {
        // In the towns' guides it means the staff here and the person cared for there.
        if word == "利用者" {
            return Err(AppError::field(field));
        }
    }
    if people.iter().collect::<HashSet<_>>().len() < people.len() {
        return Err(AppError::field("words.staff"));
    }
    let team = policy.team_edit;
    if !team.by_members && !team.with_registration && !team.by_join_request {
        return Err(AppError::field("team_edit.by_members"));
    }
    if policy.session_idle_minutes > policy.session_hours * 60 {
        return Err(AppError::field("session_idle_minutes"));
    }
    Ok(())
}

impl Row {
    fn refused(&self) -> AppError {
        AppError::field(&self.field())
    }

    fn check(&self, held: &mut Value) -> Result<(), AppError> {
        let field = self.field();
        match (&self.kind, &mut *held) {
            (Kind::Switch, Value::Bool(_)) | (Kind::Limit { .. }, Value::Null) => Ok(()),
            (Kind::Number { least, most, .. } | Kind::Limit { least, most, .. }, Value::Number(n)) => {
                let fits = n.as_u64().is_some_and(|n| (u64::from(*least)..=u64::from(*most)).contains(&n));
                if fits { Ok(()) } else { Err(self.refused()) }
            }
            // The types know the words; what is left is the number of them.
            (Kind::Choice(_), Value::String(_)) => Ok(()),
            (Kind::Several { of, some }, Value::Array(chosen)) => {
                let given: HashSet<&str> = chosen.iter().filter_map(Value::as_str).collect();
                let known = of.iter().map(|(word, _)| *word).filter(|word| given.contains(word));
                // In one order, so that the same choice made in another is no change.
                let sorted: Vec<Value> = known.map(Value::from).collect();
                if sorted.len() != chosen.len() || (*some && chosen.is_empty()) {
                    return Err(self.refused());
                }
                *chosen = sorted;
                Ok(())
            }
            (Kind::Word, Value::String(text)) => {
                *text = input::line(text, &field)?;
                if text.chars().count() > WORD_CHARS { Err(self.refused()) } else { Ok(()) }
            }
            (Kind::Line { needed }, Value::String(text)) => {
                *text =
                    if *needed { input::line(text, &field)? } else { input::line_or_empty(text, &field)? };
                Ok(())
            }
            (Kind::Telephone { needed }, Value::String(text)) => {
                *text =
                    if *needed { input::line(text, &field)? } else { input::line_or_empty(text, &field)? };
                // A number of Japan has ten or eleven digits; one with a country code a few more.
                let fits = text.is_empty() || (10..=15).contains(&dial(text).trim_start_matches('+').len());
                if fits { Ok(()) } else { Err(self.refused()) }
            }
            (Kind::Mail, Value::String(text)) => {
                *text = input::mail(text, &field)?;
                Ok(())
            }
            (Kind::Lines, Value::Array(lines)) => {
                for line in lines.iter_mut() {
                    *line = input::line(line.as_str().unwrap_or_default(), &field)?.into();
                }
                if lines.is_empty() || lines.len() > MOST_LINES { Err(self.refused()) } else { Ok(()) }
            }
            (Kind::Agreements, Value::Array(_)) => self.agreements(held),
            _ => Err(self.refused()),
        }
    }

    fn agreements(&self, held: &mut Value) -> Result<(), AppError> {
        let mut all: Vec<WideAreaAgreement> =
            serde_json::from_value(held.take()).map_err(|_| self.refused())?;
        if all.len() > MOST_LINES {
            return Err(self.refused());
        }
        for one in &mut all {
            one.partner = input::line(&one.partner, &self.field())?;
            let since = day(&one.since).ok_or_else(|| self.refused())?;
            one.since = since.to_string();
            if let Some(until) = &mut one.until {
                let last = day(until).filter(|last| *last >= since).ok_or_else(|| self.refused())?;
                *until = last.to_string();
            }
        }
        *held = serde_json::to_value(all)
            .map_err(|e| AppError::internal(format!("agreements cannot be written as JSON: {e}")))?;
        Ok(())
    }
}

/// A day of this age.
fn day(text: &str) -> Option<jiff::civil::Date> {
    text.trim().parse().ok().filter(|day: &jiff::civil::Date| (1950..=2200).contains(&day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PRESETS, preset};
    use serde_json::json;

    /// The default policy with one row set.
    fn with(at: &str, held: Value) -> MunicipalityPolicy {
        let mut policy = value(&MunicipalityPolicy::default()).unwrap();
        *policy.pointer_mut(at).unwrap() = held;
        serde_json::from_value(policy).unwrap()
    }

    fn blamed(at: &str, held: Value) -> String {
        match check(&with(at, held)) {
            Err(AppError::Refused(p)) => p.field.clone().unwrap_or_default(),
            Err(e) => panic!("{e}"),
            Ok(_) => String::new(),
        }
    }

    #[test]
    fn what_is_shipped_is_allowed() {
        let all = PRESETS.iter().map(|(name, _)| preset(name).unwrap());
        for policy in all.chain([MunicipalityPolicy::default()]) {
            assert_eq!(check(&policy).unwrap(), policy);
        }
    }

    #[test]
    fn numbers_have_their_range() {
        for row in rows() {
            let (Kind::Number { least, most, .. } | Kind::Limit { least, most, .. }) = row.kind else {
                continue;
            };
            assert_eq!(blamed(row.at, json!(most + 1)), row.field());
            if least > 0 {
                assert_eq!(blamed(row.at, json!(least - 1)), row.field());
            }
            assert!(
                ["", "session_idle_minutes"].contains(&blamed(row.at, json!(most)).as_str()),
                "{}",
                row.at
            );
        }
        assert_eq!(blamed("/eligibility/min_age", Value::Null), "");
        let long = MunicipalityPolicy { session_hours: 1, session_idle_minutes: 61, ..Default::default() };
        assert!(check(&long).is_err(), "an idle limit that never comes");
    }

    #[test]
    fn words_are_there_short_and_apart() {
        for at in ["/words/patient", "/words/facility", "/words/staff", "/words/post", "/words/lead"] {
            for bad in ["", "  ", "あ\nい", &"あ".repeat(WORD_CHARS + 1)] {
                assert_eq!(blamed(at, json!(bad)), at[1..].replace('/', "."), "{bad:?}");
            }
        }
        assert_eq!(blamed("/words/patient", json!("利用者")), "words.patient");
        assert_eq!(blamed("/words/staff", json!("利用者")), "words.staff");
        assert_eq!(blamed("/words/staff", json!("支援対象者")), "words.staff");
        assert_eq!(check(&with("/words/post", json!(" 記事 "))).unwrap().words.post, "記事");
    }

    #[test]
    fn a_consent_has_somebody_who_gives_it_and_a_form() {
        for at in ["/consent/givers", "/consent/forms", "/consent/delivery", "/consent/scope_items"] {
            assert_eq!(blamed(at, json!([])), at[1..].replace('/', "."));
        }
        assert_eq!(blamed("/consent/explainers", json!([])), "", "every profession");
        assert_eq!(blamed("/consent/explainers", json!(["nurse", "nurse"])), "consent.explainers");
        let sorted = check(&with("/consent/explainers", json!(["care_manager", "physician"]))).unwrap();
        assert_eq!(value(&sorted).unwrap()["consent"]["explainers"], json!(["physician", "care_manager"]));
        assert_eq!(blamed("/consent/scope_items", json!([" "])), "consent.scope_items");
    }

    #[test]
    fn contact_data_can_be_dialled_and_written_to() {
        assert_eq!(blamed("/contact/telephone", json!("0000-12-3456（内線626・617）")), "");
        for bad in ["", "電話", "119", "1".repeat(16).as_str()] {
            assert_eq!(blamed("/contact/telephone", json!(bad)), "contact.telephone", "{bad}");
        }
        assert_eq!(blamed("/contact/fax", json!("")), "");
        assert_eq!(blamed("/contact/mail", json!("nowhere")), "contact.mail");
        assert_eq!(blamed("/contact/document", json!("")), "");
    }

    #[test]
    fn agreements_have_days_in_order() {
        let one =
            |since: &str, until: Option<&str>| json!([{"partner": "架空市", "since": since, "until": until}]);
        assert_eq!(blamed("/wide_area_agreements", one("2024-09-01", None)), "");
        assert_eq!(blamed("/wide_area_agreements", one("2024-09-01", Some("2024-09-01"))), "");
        for (since, until) in
            [("2024-02-30", None), ("", None), ("2024-09-02", Some("2024-09-01")), ("2024-01-01", Some("x"))]
        {
            assert_eq!(blamed("/wide_area_agreements", one(since, until)), "wide_area_agreements");
        }
        let nameless = json!([{"partner": " ", "since": "2024-09-01", "until": null}]);
        assert_eq!(blamed("/wide_area_agreements", nameless), "wide_area_agreements");
    }

    #[test]
    fn a_team_can_be_changed_somehow() {
        let none = json!({"by_members": false, "with_registration": false, "by_join_request": false});
        assert_eq!(blamed("/team_edit", none), "team_edit.by_members");
    }

    #[test]
    fn a_policy_is_read_whole_or_not_at_all() {
        let good = value(&MunicipalityPolicy::default()).unwrap();
        assert!(whole(&good).is_ok());
        let mut missing = good.clone();
        missing["consent"].as_object_mut().unwrap().remove("scope");
        let mut unknown = good.clone();
        unknown["teleport"] = json!(true);
        let mut other = good.clone();
        other["patient_registrar"] = json!("anybody");
        for bad in [missing, unknown, other, json!({}), json!(null)] {
            assert!(whole(&bad).is_err());
        }
    }
}
