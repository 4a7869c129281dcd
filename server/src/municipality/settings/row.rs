//! One row of the policy: where it stands in the policy's JSON, what it is called and what it may hold.

/// What a row may hold.
pub enum Kind {
    /// On or off.
    Switch,
    /// A whole number.
    Number { least: u32, most: u32, unit: &'static str },
    /// A whole number, or nothing for no limit.
    Limit { least: u32, most: u32, unit: &'static str },
    /// One of these.
    Choice(&'static [(&'static str, &'static str)]),
    /// Any of these; `some` when at least one is needed.
    Several { of: &'static [(&'static str, &'static str)], some: bool },
    /// A word of the town: short, one line.
    Word,
    /// One line; `needed` when it may not be empty.
    Line { needed: bool },
    /// A telephone or FAX number as it is printed; `needed` when it may not be empty.
    Telephone { needed: bool },
    /// A mail address.
    Mail,
    /// Several lines, at least one.
    Lines,
    /// Agreements, one a line: town, first day, last day.
    Agreements,
}

/// One row.
pub struct Row {
    /// JSON pointer into the policy.
    pub at: &'static str,
    /// What it is called, in the words that every town's sentences are written with.
    pub label: &'static str,
    /// What to know when it is changed; may be empty.
    pub hint: &'static str,
    /// What it may hold.
    pub kind: Kind,
}

impl Row {
    /// Name of the form's control: `/consent/givers` is `consent-givers`.
    pub fn control(&self) -> String {
        self.at.trim_start_matches('/').replace('/', "-")
    }

    /// Name of the field in a refusal: `/consent/givers` is `consent.givers`.
    pub fn field(&self) -> String {
        self.at.trim_start_matches('/').replace('/', ".")
    }
}

/// Rows that belong together.
pub struct Section {
    /// Word in addresses and for assistive technology.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Its rows.
    pub rows: &'static [Row],
}
