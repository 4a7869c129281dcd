//! What the town "sent": every push and mail that the fakes took, newest first, kept over a restart.

use crate::fakes::Received;
use crate::harness::Fakes;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One push or mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    /// When it arrived, UTC milliseconds.
    pub at: i64,
    /// `Apple (APNs)`, `Google (FCM)` or `メール`.
    pub by: String,
    /// The device token, or the address.
    pub to: String,
    /// What a locked screen shows, or the subject.
    pub line: String,
    /// All of it: the payload, or the mail's text.
    pub whole: String,
    /// The HTTP status that a push was answered with.
    pub answer: Option<u16>,
}

impl Sent {
    /// When it arrived, as a Japanese clock shows it.
    #[must_use]
    pub fn clock(&self) -> String {
        jiff::Timestamp::from_millisecond(self.at).map_or_else(
            |_| String::new(),
            |at| {
                let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
                at.to_zoned(zone).strftime("%m/%d %H:%M:%S").to_string()
            },
        )
    }
}

/// The list, and how much of the fakes' recordings is in it.
#[derive(Debug)]
pub(crate) struct SentLog {
    path: PathBuf,
    list: Vec<Sent>,
    taken: [usize; 3],
}

impl SentLog {
    /// Takes up what earlier runs kept; a line that cannot be read is left out.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join("sent.jsonl");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let list = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Self { path, list, taken: [0; 3] }
    }

    /// Adds what the fakes got since the last time, and gives everything, newest first.
    pub(crate) fn newest(&mut self, fakes: &Fakes) -> Vec<Sent> {
        let (apns, google, mails) = (fakes.apns.received(), fakes.google.received(), fakes.smtp.received());
        let mut fresh = Vec::new();
        for push in apns.iter().skip(self.taken[0]) {
            fresh.push(of_push("Apple (APNs)", push, &push.payload["aps"]["alert"]));
        }
        for push in google.iter().skip(self.taken[1]) {
            fresh.push(of_push("Google (FCM)", push, &push.payload["message"]["notification"]));
        }
        for mail in mails.iter().skip(self.taken[2]) {
            fresh.push(Sent {
                at: since_epoch(mail.at),
                by: "メール".into(),
                to: mail.to.join(", "),
                line: mail.header("subject").unwrap_or_default().to_owned(),
                whole: mail.body.clone(),
                answer: None,
            });
        }
        self.taken = [apns.len(), google.len(), mails.len()];
        self.keep(&fresh);
        self.list.extend(fresh);
        self.list.sort_by_key(|sent| std::cmp::Reverse(sent.at));
        self.list.clone()
    }

    /// The demo works without its history: a full disk is no reason to end it.
    fn keep(&self, fresh: &[Sent]) {
        let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.path) else { return };
        for line in fresh.iter().filter_map(|sent| serde_json::to_string(sent).ok()) {
            let _ = writeln!(file, "{line}");
        }
    }
}

fn of_push(by: &str, push: &Received, alert: &serde_json::Value) -> Sent {
    let text = |v: &serde_json::Value| v.as_str().map(str::to_owned);
    Sent {
        at: since_epoch(push.at),
        by: by.into(),
        to: push.token.clone(),
        line: text(alert)
            .or_else(|| text(&alert["body"]))
            .or_else(|| text(&alert["title"]))
            .unwrap_or_default(),
        whole: serde_json::to_string_pretty(&push.payload).unwrap_or_default(),
        answer: Some(push.status.as_u16()),
    }
}

fn since_epoch(at: Instant) -> i64 {
    let then = SystemTime::now().checked_sub(at.elapsed()).unwrap_or(UNIX_EPOCH);
    then.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
