//! A film's poster: what a team sees of it before anyone plays it. The server takes films apart only to check
//! them, so the device that made the film makes it.

use super::store;
use super::upload::{name, refusal};
use crate::access::SignedIn;
use crate::error::AppError;
use crate::state::App;
use renraku_media::photo;
use renraku_wire::{Code, MediaId, MediaKind, MediaState, limits};

/// Keeps the poster of a film that is still on its way. The same one again is kept once.
///
/// # Errors
/// [`Code::NotFound`] for a file that is no film of the person's; [`Code::IdConflict`] when another one is
/// there; [`Code::StateConflict`] when the film is there already; [`Code::MediaTooLarge`],
/// [`Code::MediaNotStripped`], [`Code::MediaUnreadable`].
pub async fn keep(app: &App, who: &SignedIn, id: MediaId, bytes: Vec<u8>) -> Result<(), AppError> {
    let file = app.db.read(async |c| store::own(c, who, id.into()).await).await?;
    if file.kind()? != MediaKind::Video {
        return Err(Code::NotFound.into());
    }
    let object = name(&file, "thumbnail");
    if let Some(kept) = app.storage.find(&object).await? {
        return if *kept == bytes { Ok(()) } else { Err(Code::IdConflict.into()) };
    }
    if file.state()? != MediaState::Pending {
        return Err(Code::StateConflict.into());
    }
    let bytes = tokio::task::spawn_blocking(move || {
        let limits = photo::Limits { max_bytes: limits::POSTER_BYTES, max_side: limits::THUMBNAIL_SIDE };
        photo::verify(&bytes, &limits).map(|_| bytes).map_err(|e| refusal(&e))
    })
    .await
    .map_err(|_| AppError::from(Code::MediaUnreadable))??;
    app.storage.put(&object, &bytes).await
}
