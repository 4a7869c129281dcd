//! What two versions of a policy differ in, row by row. Pure.

use super::row::{Kind, Row};
use super::rules::value;
use super::table::rows;
use crate::error::AppError;
use crate::policy::{MunicipalityPolicy, worded};
use renraku_wire::Words;
use serde_json::Value;

/// One row that differs, as the history shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// What the row is called.
    pub label: String,
    /// What it said.
    pub before: String,
    /// What it says.
    pub after: String,
}

fn differing(
    before: &MunicipalityPolicy,
    after: &MunicipalityPolicy,
) -> Result<impl Iterator<Item = (&'static Row, Value, Value)>, AppError> {
    let (before, after) = (value(before)?, value(after)?);
    Ok(rows().filter_map(move |row| {
        let of = |policy: &Value| policy.pointer(row.at).cloned().unwrap_or_default();
        let (old, new) = (of(&before), of(&after));
        (old != new).then_some((row, old, new))
    }))
}

/// The names of the rows that differ, for the audit log: `consent.givers`.
///
/// # Errors
/// None in practice.
pub fn fields(before: &MunicipalityPolicy, after: &MunicipalityPolicy) -> Result<Vec<String>, AppError> {
    Ok(differing(before, after)?.map(|(row, ..)| row.field()).collect())
}

/// The rows that differ, in the town's words.
///
/// # Errors
/// None in practice.
pub fn changes(
    before: &MunicipalityPolicy,
    after: &MunicipalityPolicy,
    words: &Words,
) -> Result<Vec<Change>, AppError> {
    Ok(differing(before, after)?
        .map(|(row, old, new)| Change {
            label: worded(row.label, words),
            before: said(row, &old, words),
            after: said(row, &new, words),
        })
        .collect())
}

/// What a row says, as a person reads it.
fn said(row: &Row, held: &Value, words: &Words) -> String {
    let label = |of: &[(&str, &str)], word: &Value| {
        let found = of.iter().find(|(known, _)| Some(*known) == word.as_str());
        found.map_or_else(|| plain(word), |(_, label)| worded(label, words))
    };
    let list = |items: Vec<String>| if items.is_empty() { "なし".to_owned() } else { items.join("、") };
    let items = held.as_array().map(Vec::as_slice).unwrap_or_default();
    match &row.kind {
        Kind::Switch => if held == &Value::Bool(true) { "する" } else { "しない" }.to_owned(),
        Kind::Limit { .. } if held.is_null() => "なし".to_owned(),
        Kind::Number { unit, .. } | Kind::Limit { unit, .. } => format!("{held}{unit}"),
        Kind::Choice(of) => label(of, held),
        Kind::Several { of, .. } => list(items.iter().map(|word| label(of, word)).collect()),
        Kind::Agreements => list(items.iter().map(agreement).collect()),
        Kind::Lines => list(items.iter().map(plain).collect()),
        Kind::Word | Kind::Line { .. } | Kind::Telephone { .. } | Kind::Mail => match plain(held) {
            text if text.is_empty() => "なし".to_owned(),
            text => text,
        },
    }
}

fn plain(held: &Value) -> String {
    held.as_str().map_or_else(|| held.to_string(), str::to_owned)
}

fn agreement(one: &Value) -> String {
    let until = one["until"].as_str().unwrap_or_default();
    format!("{}（{}〜{until}）", plain(&one["partner"]), plain(&one["since"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::preset;

    #[test]
    fn each_changed_row_is_told_in_words() {
        let before = MunicipalityPolicy::default();
        let mut after = before.clone();
        assert_eq!(changes(&before, &after, &before.words).unwrap(), vec![]);
        after.urgent_flag = false;
        after.eligibility.min_age = Some(40);
        after.consent.explainers = vec![renraku_wire::Profession::Nurse];
        after.words.facility = "事業所".into();
        let told = changes(&before, &after, &after.words).unwrap();
        let told: Vec<_> = told.iter().map(|c| (c.before.as_str(), c.after.as_str())).collect();
        assert_eq!(told, [("施設", "事業所"), ("なし", "40歳"), ("なし", "看護師"), ("する", "しない")]);
        assert_eq!(
            fields(&before, &after).unwrap(),
            ["words.facility", "eligibility.min_age", "consent.explainers", "urgent_flag"]
        );
    }

    #[test]
    fn a_whole_preset_can_be_told() {
        let before = MunicipalityPolicy::default();
        let after = preset("minowa").unwrap();
        let told = changes(&before, &after, &after.words).unwrap();
        let agreements = told.iter().find(|c| c.label == "広域利用の協定").unwrap();
        assert_eq!(
            (agreements.before.as_str(), agreements.after.as_str()),
            ("なし", "伊那市（2024-09-01〜）、南箕輪村（2024-09-01〜）")
        );
        assert!(told.iter().all(|c| c.before != c.after && !c.label.is_empty()));
    }
}
