//! The settings as a form: from the policy, or from what was typed, to controls and back.

use super::row::{Kind, Row};
use super::rules::value;
use super::table::{SECTIONS, rows};
use crate::error::AppError;
use crate::policy::{MunicipalityPolicy, worded};
use crate::portal::forms::{Choice, choices};
use renraku_wire::Words;
use serde_json::{Value, json};

/// What the controls hold: name and value, a name once for each ticked box.
pub struct Typed(Vec<(String, String)>);

/// One control.
pub struct Control {
    /// Its id and name.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What to know.
    pub hint: String,
    /// Which control: `switch`, `number`, `choice`, `several`, `area` or an input's type.
    pub what: &'static str,
    /// What it holds.
    pub value: String,
    /// What it offers.
    pub choices: Vec<Choice>,
    /// Unit of a number.
    pub unit: &'static str,
}

/// Controls that belong together.
pub struct Group {
    /// Id of the heading.
    pub id: &'static str,
    /// Heading.
    pub title: String,
    /// Its controls.
    pub controls: Vec<Control>,
}

impl Typed {
    /// A policy as the controls hold it.
    ///
    /// # Errors
    /// None in practice.
    pub fn of(policy: &MunicipalityPolicy) -> Result<Self, AppError> {
        let policy = value(policy)?;
        let mut pairs = Vec::new();
        for row in rows() {
            let held = policy.pointer(row.at).cloned().unwrap_or_default();
            pairs.extend(row.typed(&held).into_iter().map(|text| (row.control(), text)));
        }
        Ok(Self(pairs))
    }

    /// What a form sent.
    #[must_use]
    pub fn sent(fields: &[(String, String)]) -> Self {
        Self(fields.to_vec())
    }

    /// The policy that was typed: every row of it.
    ///
    /// # Errors
    /// [`renraku_wire::Code::FieldInvalid`] with the first row that cannot be read.
    pub fn policy(&self) -> Result<MunicipalityPolicy, AppError> {
        let mut policy = value(&MunicipalityPolicy::default())?;
        for row in rows() {
            let read = row.read(self).ok_or_else(|| AppError::field(&row.field()))?;
            if let Some(place) = policy.pointer_mut(row.at) {
                *place = read;
            }
        }
        serde_json::from_value(policy)
            .map_err(|e| AppError::internal(format!("the typed policy cannot be read: {e}")))
    }

    /// The controls, in the town's words.
    #[must_use]
    pub fn groups(&self, words: &Words) -> Vec<Group> {
        SECTIONS
            .iter()
            .map(|section| Group {
                id: section.id,
                title: worded(section.title, words),
                controls: section.rows.iter().map(|row| row.shown(self, words)).collect(),
            })
            .collect()
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    fn has(&self, name: &str, of: &str) -> bool {
        self.0.iter().any(|(n, v)| n == name && v == of)
    }
}

/// The control of a refused row, and what to do about it.
#[must_use]
pub fn blame(field: &str, words: &Words) -> Option<(String, String)> {
    let row = rows().find(|row| row.field() == field)?;
    let label = worded(row.label, words);
    let range = match row.kind {
        Kind::Number { least, most, unit } | Kind::Limit { least, most, unit } => {
            format!("{least}から{most}{unit}までの数にしてください。")
        }
        Kind::Several { .. } => "一つ以上選んでください。".to_owned(),
        Kind::Word => "20文字までで、ほかの言葉と違うものにしてください。".to_owned(),
        _ => "入力内容を確認してください。".to_owned(),
    };
    Some((row.control(), format!("「{label}」：{range}")))
}

impl Row {
    /// What the controls hold for this value.
    fn typed(&self, held: &Value) -> Vec<String> {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let items = held.as_array().map(Vec::as_slice).unwrap_or_default();
        match &self.kind {
            Kind::Limit { .. } if held.is_null() => vec![String::new()],
            Kind::Several { .. } => items.iter().map(text).collect(),
            Kind::Lines => vec![items.iter().map(text).collect::<Vec<_>>().join("\n")],
            Kind::Agreements => {
                let line = |one: &Value| {
                    let parts =
                        ["partner", "since", "until"].map(|part| one[part].as_str().unwrap_or_default());
                    parts.join(", ").trim_end_matches(", ").to_owned()
                };
                vec![items.iter().map(line).collect::<Vec<_>>().join("\n")]
            }
            _ => vec![text(held)],
        }
    }

    /// The value that the controls hold; none when it cannot be one of this row.
    fn read(&self, typed: &Typed) -> Option<Value> {
        let name = self.control();
        let text = typed.get(&name);
        let whole = |text: &str| text.parse::<u32>().ok().map(Value::from);
        match &self.kind {
            Kind::Switch => Some(Value::Bool(text == "true")),
            Kind::Limit { .. } if text.is_empty() => Some(Value::Null),
            Kind::Number { .. } | Kind::Limit { .. } => whole(text),
            Kind::Choice(of) => of.iter().any(|(word, _)| *word == text).then(|| text.into()),
            Kind::Several { of, .. } => {
                let chosen = of.iter().filter(|(word, _)| typed.has(&name, word));
                Some(chosen.map(|(word, _)| Value::from(*word)).collect())
            }
            Kind::Lines => Some(lines(text).map(Value::from).collect()),
            Kind::Agreements => lines(text).map(agreement).collect::<Option<Vec<_>>>().map(Value::from),
            Kind::Word | Kind::Line { .. } | Kind::Telephone { .. } | Kind::Mail => Some(text.into()),
        }
    }

    fn shown(&self, typed: &Typed, words: &Words) -> Control {
        let id = self.control();
        let (what, unit) = match self.kind {
            Kind::Switch => ("switch", ""),
            Kind::Number { unit, .. } | Kind::Limit { unit, .. } => ("number", unit),
            Kind::Choice(_) => ("choice", ""),
            Kind::Several { .. } => ("several", ""),
            Kind::Lines | Kind::Agreements => ("area", ""),
            Kind::Telephone { .. } => ("tel", ""),
            Kind::Mail => ("email", ""),
            Kind::Word | Kind::Line { .. } => ("text", ""),
        };
        let offered = match self.kind {
            Kind::Choice(of) | Kind::Several { of, .. } => of,
            _ => &[],
        };
        let mut choices = choices(offered, "");
        for choice in &mut choices {
            choice.chosen = typed.has(&id, &choice.value);
            choice.label = worded(&choice.label, words);
        }
        // The words' own hints name examples: they stay as they are.
        let hint =
            if matches!(self.kind, Kind::Word) { self.hint.to_owned() } else { worded(self.hint, words) };
        Control {
            value: typed.get(&id).to_owned(),
            label: worded(self.label, words),
            id,
            hint,
            what,
            choices,
            unit,
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// `架空市, 2026-04-01, 2027-03-31`.
fn agreement(line: &str) -> Option<Value> {
    let parts: Vec<&str> = line.split([',', '，', '、']).map(str::trim).collect();
    match parts[..] {
        [partner, since] | [partner, since, ""] => {
            Some(json!({"partner": partner, "since": since, "until": null}))
        }
        [partner, since, until] => Some(json!({"partner": partner, "since": since, "until": until})),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PRESETS, preset};

    #[test]
    fn a_policy_goes_through_the_form_unchanged() {
        for policy in
            PRESETS.iter().map(|(name, _)| preset(name).unwrap()).chain([MunicipalityPolicy::default()])
        {
            assert_eq!(Typed::of(&policy).unwrap().policy().unwrap(), policy);
        }
    }

    fn typed(name: &str, text: &str) -> Typed {
        let mut typed = Typed::of(&MunicipalityPolicy::default()).unwrap();
        typed.0.retain(|(n, _)| n != name);
        typed.0.push((name.to_owned(), text.to_owned()));
        typed
    }

    fn blamed(name: &str, text: &str) -> String {
        match typed(name, text).policy() {
            Err(AppError::Refused(p)) => p.field.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }

    #[test]
    fn what_cannot_be_a_row_is_refused_at_it() {
        assert_eq!(blamed("ticket_days", "many"), "ticket_days");
        assert_eq!(blamed("ticket_days", ""), "ticket_days");
        assert_eq!(blamed("eligibility-min_age", ""), "");
        assert_eq!(blamed("patient_registrar", "anybody"), "patient_registrar");
        assert_eq!(blamed("wide_area_agreements", "架空市"), "wide_area_agreements");
        assert_eq!(blamed("wide_area_agreements", "架空市，2026-04-01、"), "");
        assert!(Typed::sent(&[]).policy().is_err());
    }

    #[test]
    fn a_refused_row_is_named_in_the_towns_words() {
        let words = preset("izumo").unwrap().words;
        let (control, sentence) = blame("office_sees_all_patients", &words).unwrap();
        assert_eq!(control, "office_sees_all_patients");
        assert!(sentence.contains("患者") && !sentence.contains("支援対象者"));
        assert!(blame("ticket_days", &words).unwrap().1.contains("1から60日"));
        assert!(blame("nonsense", &words).is_none());
    }

    #[test]
    fn what_was_typed_comes_back() {
        let typed = typed("ticket_days", "many");
        let groups = typed.groups(&MunicipalityPolicy::default().words);
        let control = groups.iter().flat_map(|g| &g.controls).find(|c| c.id == "ticket_days").unwrap();
        assert_eq!((control.value.as_str(), control.what, control.unit), ("many", "number", "日"));
        let givers = groups.iter().flat_map(|g| &g.controls).find(|c| c.id == "consent-givers").unwrap();
        assert_eq!(givers.choices.iter().filter(|c| c.chosen).count(), 3);
    }
}
