//! What a push may show. The push itself carries a kind and an opaque id; the rest is fetched over the care
//! host, with certificate and session. Not here: showing it.

use crate::error::{CoreError, StorageTrouble};
use crate::session::{Session, unreached};
use renraku_wire::{NoticeKind, PatientId, PostId, PushPayload};
use serde_json::Value;

/// Longest preview on an unlocked screen, in characters.
const PREVIEW: usize = 60;

/// What a push may show, before and after unlocking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushShown {
    /// For a locked screen: a generic Japanese line, no name, no facility, no clinical word.
    pub locked: String,
    /// For an unlocked screen; none when the server was not reached or tells this person nothing, and when the
    /// person must sign in or unlock first.
    pub unlocked: Option<Unlocked>,
}

/// What an unlocked screen may show of a notice.
#[derive(Clone, PartialEq, Eq)]
pub struct Unlocked {
    /// What it is about.
    pub kind: NoticeKind,
    /// Whom it is about.
    pub patient_id: Option<PatientId>,
    /// Their name.
    pub patient_name: Option<String>,
    /// The post.
    pub post_id: Option<PostId>,
    /// Who wrote it.
    pub author_name: Option<String>,
    /// Its first characters.
    pub preview: Option<String>,
    /// 緊急（重要）.
    pub urgent: bool,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unlocked")
            .field("kind", &self.kind)
            .field("post", &self.post_id)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Takes a push's payload (the whole JSON as Apple or Google delivered it, or its `renraku` part), fetches
    /// what it is about and keeps the post for reading. Does not mark it as read.
    ///
    /// # Errors
    /// `Invalid` for a payload that is not ours, `Certificate`, `Storage`. Not reaching the server, a session
    /// that is over and a store that is locked are no errors: there is nothing for the unlocked screen then.
    pub async fn handle_push(&self, payload: &str) -> Result<PushShown, CoreError> {
        let push = parse(payload).ok_or_else(|| CoreError::invalid("payload"))?;
        let locked = push.kind.line().to_owned();
        let unlocked = match self.unlocked(&push).await {
            Ok(unlocked) => unlocked,
            Err(CoreError::SignedOut { .. } | CoreError::Storage { kind: StorageTrouble::Locked }) => None,
            Err(e) => return Err(e),
        };
        Ok(PushShown { locked, unlocked })
    }

    async fn unlocked(&self, push: &PushPayload) -> Result<Option<Unlocked>, CoreError> {
        let notice = match self.care.notice(push.id).await {
            Ok(notice) => notice,
            Err(e) if unreached(&e) => return Ok(None),
            Err(e) => match e.into() {
                CoreError::NotFound => return Ok(None),
                e => return Err(e),
            },
        };
        let mut unlocked = Unlocked {
            kind: notice.kind,
            patient_id: notice.patient_id,
            patient_name: None,
            post_id: notice.post_id,
            author_name: None,
            preview: None,
            urgent: false,
        };
        if let Some(id) = notice.post_id {
            let post = absent_is_none(self.post(id).await)?.map(|seen| seen.value);
            unlocked.urgent = post.as_ref().is_some_and(|p| p.urgent);
            unlocked.preview = post.as_ref().map(|p| p.body.chars().take(PREVIEW).collect());
            unlocked.author_name = post.map(|p| p.author_name);
        }
        if let Some(id) = notice.patient_id {
            unlocked.patient_name = absent_is_none(self.patient(id).await)?.map(|seen| seen.value.name);
        }
        Ok(Some(unlocked))
    }
}

/// Gone, hidden or out of reach by now: the notice still stands.
fn absent_is_none<T>(found: Result<T, CoreError>) -> Result<Option<T>, CoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(CoreError::NotFound | CoreError::Offline { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Apple delivers an object beside `aps`; Google's data messages deliver only text values.
pub(crate) fn parse(payload: &str) -> Option<PushPayload> {
    let mut value: Value = serde_json::from_str(payload).ok()?;
    if let Some(part) = value.get_mut("renraku") {
        value = match part.take() {
            Value::String(text) => serde_json::from_str(&text).ok()?,
            other => other,
        };
    }
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_apple_and_google_deliver() {
        let id = "0199f5a0-0000-7000-8000-000000000001";
        let part = format!(r#"{{"kind":"post_published","id":"{id}"}}"#);
        let apple = format!(r#"{{"aps":{{"alert":"x"}},"renraku":{part}}}"#);
        let google = serde_json::json!({ "renraku": part }).to_string();
        for payload in [&part, &apple, &google] {
            let push = parse(payload).unwrap();
            assert_eq!((push.kind, push.id.to_string().as_str()), (NoticeKind::PostPublished, id));
        }
    }

    #[test]
    fn a_kind_of_tomorrow_shows_the_generic_line() {
        let push = parse(r#"{"kind":"new_thing","id":"0199f5a0-0000-7000-8000-000000000001"}"#).unwrap();
        assert_eq!(push.kind.line(), "新しい連絡があります");
    }

    #[test]
    fn anything_else_is_refused() {
        for payload in ["", "{}", "[]", r#"{"renraku":"no"}"#, r#"{"renraku":{"kind":"post_published"}}"#] {
            assert!(parse(payload).is_none(), "{payload}");
        }
    }
}
