//! A post written in a browser: its photo is made small and stripped here, then taken in as a device
//! would upload it.

use super::{publish, store};
use crate::access::{self, Credentials, Of, Read, SignedIn};
use crate::clock;
use crate::db::sql::word;
use crate::error::AppError;
use crate::media::upload;
use crate::portal::upload::{FieldsAndFile, Given};
use crate::state::App;
use renraku_media::{Cancel, MediaError, photo};
use renraku_wire::{
    BodySite, Code, MediaId, MediaKind, NewMedia, NewPost, PatientId, PostId, Timestamp, limits,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

/// A phone's photo takes hundreds of megabytes while it is decoded: one at a time.
static SHRINKING: Semaphore = Semaphore::const_new(1);

/// A post as typed.
#[derive(Default)]
pub struct Typed {
    /// Made with the form, so that sending twice publishes once.
    pub id: String,
    /// The text.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// Word of the place on the body; empty for none.
    pub body_site: String,
    /// What the photo shows.
    pub description: String,
}

impl Typed {
    /// An empty form.
    #[must_use]
    pub fn fresh() -> Self {
        Self { id: PostId::new().to_string(), ..Self::default() }
    }

    /// What the form holds.
    #[must_use]
    pub fn of(form: &FieldsAndFile) -> Self {
        Self {
            id: form.get("id").to_owned(),
            body: form.get("body").to_owned(),
            urgent: form.get("urgent") == "true",
            body_site: form.get("body_site").to_owned(),
            description: form.get("description").to_owned(),
        }
    }

    fn site(&self) -> Result<Option<BodySite>, AppError> {
        if self.body_site.is_empty() {
            return Ok(None);
        }
        let known = BodySite::ALL.iter().find(|site| word(*site) == self.body_site);
        known.map(|site| Some(*site)).ok_or_else(|| AppError::field("body_site"))
    }
}

/// What became of a post that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// All of it is there.
    Whole,
    /// The text is there, its photo is not.
    WithoutPhoto,
}

/// Publishes what was typed, with its photo.
///
/// # Errors
/// As [`publish::publish`]; [`Code::MediaUnreadable`], [`Code::MediaTooLarge`] for the photo, and then
/// nothing was published.
pub async fn send(
    app: &App,
    credentials: &Credentials,
    who: &SignedIn,
    patient: PatientId,
    typed: &Typed,
    file: Option<Given>,
) -> Result<Sent, AppError> {
    let body_site = typed.site()?;
    let picture = match file {
        Some(file) => {
            Some(small(file.bytes.ok_or(Code::MediaTooLarge)?, who.policy().device.photo_bytes).await?)
        }
        None => None,
    };
    let announced = picture.as_ref().map(|bytes| NewMedia {
        id: MediaId::new(),
        kind: MediaKind::Photo,
        length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: hex::encode(Sha256::digest(bytes)),
        description: typed.description.clone(),
    });
    let photo_id = announced.as_ref().map(|m| m.id);
    let new = NewPost {
        id: typed.id.parse().unwrap_or_else(|_| PostId::new()),
        body: typed.body.clone(),
        urgent: typed.urgent,
        body_site,
        written_at: Timestamp(clock::now()),
        media: announced.into_iter().collect(),
    };
    match publish::publish(app, credentials, patient, &new).await {
        Ok(_) => {}
        // The same form sent twice, by a double click or a reload.
        Err(AppError::Refused(p))
            if p.code == Code::IdConflict && again(app, credentials, who, &new).await? =>
        {
            return Ok(Sent::Whole);
        }
        Err(e) => return Err(e),
    }
    let (Some(id), Some(bytes)) = (photo_id, picture) else { return Ok(Sent::Whole) };
    let mut offset = 0;
    for chunk in bytes.chunks(limits::CHUNK_BYTES) {
        match upload::append(app, who, id, offset, chunk).await {
            Ok(status) => offset = status.offset,
            Err(e) => {
                let problem = e.into_problem();
                tracing::warn!(code = problem.code.as_str(), "a browser's photo was not kept");
                return Ok(Sent::WithoutPhoto);
            }
        }
    }
    Ok(Sent::Whole)
}

/// True when the stored post of this id says the same, by the same person.
async fn again(
    app: &App,
    credentials: &Credentials,
    who: &SignedIn,
    new: &NewPost,
) -> Result<bool, AppError> {
    let stored = app
        .db
        .read(async |c| {
            let access = access::patient::<Read>(c, credentials, Of::Post(new.id.into())).await?;
            store::get(c, &access, new.id.into()).await
        })
        .await;
    match stored {
        Ok(post) => Ok(post.author_id == who.staff_id().into()
            && post.body == new.body.trim().replace("\r\n", "\n")
            && post.urgent == new.urgent
            && post.body_site == new.body_site
            && post.media.len() == new.media.len()),
        Err(AppError::Refused(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

async fn small(bytes: Vec<u8>, budget: u32) -> Result<Vec<u8>, AppError> {
    let _turn = SHRINKING.acquire().await.map_err(|_| AppError::from(Code::Unavailable))?;
    let plan = photo::Plan {
        longest_side: limits::PHOTO_SIDE,
        thumbnail_side: limits::THUMBNAIL_SIDE,
        max_bytes: usize::try_from(budget).unwrap_or(usize::MAX),
        ..photo::Plan::default()
    };
    let made = tokio::task::spawn_blocking(move || photo::compress(&bytes, &plan, &Cancel::new()))
        .await
        .map_err(|_| AppError::from(Code::MediaUnreadable))?;
    match made {
        Ok(made) => Ok(made.photo),
        Err(MediaError::TooLarge { .. }) => Err(Code::MediaTooLarge.into()),
        Err(_) => Err(Code::MediaUnreadable.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_places_on_the_body_are_taken() {
        let at = |word: &str| Typed { body_site: word.into(), ..Typed::default() }.site();
        assert_eq!(at("").unwrap(), None);
        assert_eq!(at("left_heel").unwrap(), Some(BodySite::LeftHeel));
        assert!(at("antenna").is_err());
    }

    #[tokio::test]
    async fn what_is_no_picture_is_refused() {
        for bad in [b"".to_vec(), b"no picture".to_vec(), b"\xFF\xD8\xFF\xE0".to_vec()] {
            match small(bad, 700_000).await {
                Err(AppError::Refused(p)) => assert_eq!(p.code, Code::MediaUnreadable),
                other => panic!("{:?}", other.map(|b| b.len())),
            }
        }
    }
}
