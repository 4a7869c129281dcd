//! What a text is called, what it may hold, when it is shown, and how plain text becomes a page. Pure.

use super::shipped::SHIPPED;
use crate::db::sql::{from_word, word};
use crate::error::AppError;
use crate::input;
use renraku_wire::{PortalText, PortalTextChange, PortalTopic, limits};
use uuid::Uuid;

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// One that a portal always has.
    Standing(PortalTopic),
    /// An announcement.
    Announcement(Uuid),
}

impl Key {
    /// Reads a name as addresses and rows hold it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        // One spelling of a UUID only: a name is a row's key.
        if let Ok(id) = name.parse::<Uuid>() {
            return (id.to_string() == name).then_some(Self::Announcement(id));
        }
        let topic = from_word(name).ok()?;
        SHIPPED.iter().any(|(t, ..)| *t == topic).then_some(Self::Standing(topic))
    }

    /// Its name in addresses and rows.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Standing(topic) => word(&topic),
            Self::Announcement(id) => id.to_string(),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn topic(self) -> PortalTopic {
        match self {
            Self::Standing(topic) => topic,
            Self::Announcement(_) => PortalTopic::Announcement,
        }
    }
}

/// Cleans a change.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`] with the field.
pub fn check(change: &PortalTextChange) -> Result<PortalTextChange, AppError> {
    let publish_from = day(change.publish_from.as_deref(), "publish_from")?;
    let publish_until = day(change.publish_until.as_deref(), "publish_until")?;
    if publish_from.is_some() && publish_until.is_some() && publish_until < publish_from {
        return Err(AppError::field("publish_until"));
    }
    Ok(PortalTextChange {
        version: change.version,
        title: input::line(&change.title, "title")?,
        body: input::text(&change.body, "body", limits::TEXT_CHARS)?,
        publish_from,
        publish_until,
        withdrawn: change.withdrawn,
    })
}

/// `YYYY-MM-DD` of these centuries, so that days compare as texts do.
fn day(text: Option<&str>, field: &str) -> Result<Option<String>, AppError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let day: jiff::civil::Date = text.parse().map_err(|_| AppError::field(field))?;
    if (1950..=2200).contains(&day.year()) { Ok(Some(day.to_string())) } else { Err(AppError::field(field)) }
}

/// Where a text stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The office took it away.
    Withdrawn,
    /// Its first day is still to come.
    Coming,
    /// Its last day is over.
    Over,
    /// The public sees it.
    Shown,
}

/// Where a text stands on this day (`YYYY-MM-DD`, Japan).
#[must_use]
pub fn standing(text: &PortalText, today: &str) -> Standing {
    if text.withdrawn {
        Standing::Withdrawn
    } else if text.publish_from.as_deref().is_some_and(|from| today < from) {
        Standing::Coming
    } else if text.publish_until.as_deref().is_some_and(|until| until < today) {
        Standing::Over
    } else {
        Standing::Shown
    }
}

/// The texts that the public sees on this day; the one about the trial only while it is on (F20).
#[must_use]
pub fn shown(texts: Vec<PortalText>, today: &str, on_trial: bool) -> Vec<PortalText> {
    let now = |text: &PortalText| {
        standing(text, today) == Standing::Shown && (on_trial || text.topic != PortalTopic::Trial)
    };
    texts.into_iter().filter(now).collect()
}

/// A piece of a plain text.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// A line with `■` in front.
    Heading(String),
    /// Lines with `・` in front.
    Items(Vec<String>),
    /// Other lines that follow each other.
    Paragraph(String),
}

/// The pieces of a plain text, for the template to escape.
#[must_use]
pub fn blocks(body: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut apart = true;
    for line in body.lines().map(str::trim) {
        if line.is_empty() {
            apart = true;
            continue;
        }
        if let Some(heading) = line.strip_prefix('■') {
            blocks.push(Block::Heading(heading.trim().to_owned()));
        } else if let Some(item) = line.strip_prefix('・') {
            match blocks.last_mut() {
                Some(Block::Items(items)) if !apart => items.push(item.trim().to_owned()),
                _ => blocks.push(Block::Items(vec![item.trim().to_owned()])),
            }
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(text)) if !apart => {
                    text.push('\n');
                    text.push_str(line);
                }
                _ => blocks.push(Block::Paragraph(line.to_owned())),
            }
        }
        apart = false;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::shipped::shipped;
    use super::*;

    fn change() -> PortalTextChange {
        PortalTextChange {
            version: 0,
            title: " お知らせ ".into(),
            body: "本文\r\n二行目".into(),
            publish_from: None,
            publish_until: None,
            withdrawn: false,
        }
    }

    fn blamed(change: &PortalTextChange) -> String {
        match check(change) {
            Err(AppError::Refused(p)) => p.field.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }

    #[test]
    fn a_text_needs_words_and_days_in_order() {
        let clean = check(&change()).unwrap();
        assert_eq!((clean.title.as_str(), clean.body.as_str()), ("お知らせ", "本文\n二行目"));
        assert_eq!(blamed(&PortalTextChange { title: "あ\nい".into(), ..change() }), "title");
        assert_eq!(blamed(&PortalTextChange { body: " ".into(), ..change() }), "body");
        let long = "あ".repeat(limits::TEXT_CHARS + 1);
        assert_eq!(blamed(&PortalTextChange { body: long, ..change() }), "body");
        let days = |from: &str, until: &str| PortalTextChange {
            publish_from: Some(from.into()),
            publish_until: Some(until.into()),
            ..change()
        };
        assert_eq!(blamed(&days("2026-04-01", "2026-04-01")), "");
        assert_eq!(blamed(&days("2026-04-02", "2026-04-01")), "publish_until");
        assert_eq!(blamed(&days("2026-02-30", "")), "publish_from");
        assert_eq!(blamed(&days("", "9999-12-31")), "publish_until");
        assert_eq!(check(&days("", " ")).unwrap().publish_from, None);
    }

    #[test]
    fn texts_are_shown_from_their_first_to_their_last_day() {
        let text = PortalText {
            key: String::new(),
            topic: PortalTopic::Announcement,
            version: 1,
            title: String::new(),
            body: String::new(),
            publish_from: Some("2026-04-01".into()),
            publish_until: Some("2026-04-30".into()),
            withdrawn: false,
            changed_at: None,
        };
        for (today, expected) in [
            ("2026-03-31", Standing::Coming),
            ("2026-04-01", Standing::Shown),
            ("2026-04-30", Standing::Shown),
            ("2026-05-01", Standing::Over),
        ] {
            assert_eq!(standing(&text, today), expected);
        }
        let trial = PortalText { topic: PortalTopic::Trial, ..text.clone() };
        let topics = |on_trial| {
            let both = shown(vec![text.clone(), trial.clone()], "2026-04-01", on_trial);
            both.into_iter().map(|text| text.topic).collect::<Vec<_>>()
        };
        assert_eq!(topics(false), [PortalTopic::Announcement]);
        assert_eq!(topics(true), [PortalTopic::Announcement, PortalTopic::Trial]);
        assert_eq!(standing(&PortalText { withdrawn: true, ..text }, "2026-04-01"), Standing::Withdrawn);
    }

    #[test]
    fn keys_have_one_spelling() {
        for (topic, ..) in SHIPPED {
            assert_eq!(Key::parse(&Key::Standing(*topic).name()), Some(Key::Standing(*topic)));
        }
        let id = Uuid::now_v7();
        assert_eq!(Key::parse(&id.to_string()), Some(Key::Announcement(id)));
        for bad in
            ["", "announcement", "unknown", "x", &id.simple().to_string(), &id.to_string().to_uppercase()]
        {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn plain_text_becomes_headings_lists_and_paragraphs() {
        let text = "一行目\n二行目\n\n別の段落\n■見出し\n・一つ目\n・<b>二つ目</b>\n\n・別の一覧";
        assert_eq!(
            blocks(text),
            [
                Block::Paragraph("一行目\n二行目".into()),
                Block::Paragraph("別の段落".into()),
                Block::Heading("見出し".into()),
                Block::Items(vec!["一つ目".into(), "<b>二つ目</b>".into()]),
                Block::Items(vec!["別の一覧".into()]),
            ]
        );
        assert_eq!(blocks(" \n\n"), []);
    }

    #[test]
    fn what_is_shipped_is_allowed() {
        for (topic, ..) in SHIPPED {
            let (title, body) = shipped(*topic).unwrap();
            let change = PortalTextChange { title: title.into(), body: body.into(), ..change() };
            assert_eq!(check(&change).unwrap(), change);
        }
    }
}
