//! A film's poster: what a team sees of it before anyone plays it. The server takes films apart only to check
//! them, so the device that made the film makes it.

use super::store::{self, File};
use super::upload::{name, refusal};
use crate::access::{self, Credentials, Of, SignedIn, Write};
use crate::audit;
use crate::error::AppError;
use crate::state::App;
use renraku_media::photo;
use renraku_wire::{Code, MediaId, MediaKind, MediaState, limits};

/// Keeps the poster of a film that is still on its way. The same one again is kept once.
///
/// # Errors
/// [`Code::NotFound`] for a file that is no film of the person's; the access's codes; [`Code::IdConflict`] when
/// another one is there; [`Code::StateConflict`] when the film is there already, or will not come;
/// [`Code::MediaTooLarge`], [`Code::MediaNotStripped`], [`Code::MediaUnreadable`].
pub async fn keep(
    app: &App,
    who: &SignedIn,
    credentials: &Credentials,
    id: MediaId,
    bytes: Vec<u8>,
) -> Result<(), AppError> {
    let file = app.db.read(async |c| store::own(c, who, id.into()).await).await?;
    if file.kind()? != MediaKind::Video {
        return Err(Code::NotFound.into());
    }
    let object = name(&file, "thumbnail");
    if let Some(kept) = app.storage.find(&object).await? {
        return same(&kept, &bytes);
    }
    still_pending(&file)?;
    let bytes = tokio::task::spawn_blocking(move || {
        let limits = photo::Limits { max_bytes: limits::POSTER_BYTES, max_side: limits::THUMBNAIL_SIDE };
        photo::verify(&bytes, &limits).map(|_| bytes).map_err(|e| refusal(&e))
    })
    .await
    .map_err(|_| AppError::from(Code::MediaUnreadable))??;
    // On record before it can be seen: what a team sees changes.
    app.db
        .write(async |c| {
            let access = access::patient::<Write>(c, credentials, Of::Media(file.id)).await?;
            still_pending(&store::own(c, who, file.id).await?)?;
            audit::record(c, access.actor(), "media.poster", Some(file.id), "").await
        })
        .await?;
    if !app.storage.put_new(&object, &bytes).await? {
        let kept = app.storage.find(&object).await?.ok_or(Code::StateConflict)?;
        return same(&kept, &bytes);
    }
    // Given up or refused meanwhile: whoever did that found nothing to take away.
    let now = app.db.read(async |c| store::own(c, who, file.id).await).await?;
    if now.state()? == MediaState::Refused {
        app.storage.remove(&object).await;
        return Err(Code::StateConflict.into());
    }
    Ok(())
}

fn still_pending(file: &File) -> Result<(), AppError> {
    if file.state()? == MediaState::Pending { Ok(()) } else { Err(Code::StateConflict.into()) }
}

fn same(kept: &[u8], given: &[u8]) -> Result<(), AppError> {
    if kept == given { Ok(()) } else { Err(Code::IdConflict.into()) }
}
