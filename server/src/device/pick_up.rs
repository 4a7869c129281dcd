//! A PC's file once more for the very page that asked for it: its button was pressed twice, or the download broke.
//!
//! The key in the file is made here and kept nowhere, and a No works once: whoever else learns No and password must
//! not get a copy unseen. So what was made is held for a few minutes, in memory only, still closed with its password,
//! for the same form alone: the page's own secret, No, password and name must all be those of the first time. Each
//! time is in the log. After a restart, or at another server, the No is used, as it was.

use super::{certificates, enrol};
use crate::audit::{self, Actor};
use crate::error::AppError;
use crate::handover;
use crate::session::password;
use crate::state::App;
use renraku_wire::{Code, Pkcs12Request};

/// A page's own secret.
#[must_use]
pub fn page_secret() -> String {
    password::random_text(24)
}

/// [`enrol::pkcs12`] for a page: sent twice, at once or soon, it is one file.
///
/// # Errors
/// As [`enrol::pkcs12`].
pub async fn pkcs12(app: &App, slug: &str, page: &str, request: Pkcs12Request) -> Result<Vec<u8>, AppError> {
    if page.is_empty() {
        return Ok(enrol::pkcs12(app, slug, &request).await?.file.to_vec());
    }
    let key = handover::key(&[slug, page, &request.number, &request.password, &request.device_name]);
    let (app, slug) = (app.clone(), slug.to_owned());
    // A browser in which the button is pressed twice drops the first request: what that began goes on.
    let made = tokio::spawn(async move {
        let place = app.handover.place(key);
        let mut held = place.lock().await;
        if let Some(picked) = &*held {
            let (town, device) = (picked.town, picked.device);
            let actor = Actor { municipality_id: town, staff_id: None, device_id: Some(device) };
            let is_good = app
                .db
                .write(async |c| {
                    let is_good = certificates::device_has_good(c, town, device).await?;
                    if is_good {
                        audit::record(c, actor, "device.enrol_again", Some(device), "").await?;
                    }
                    Ok(is_good)
                })
                .await?;
            // Revoked meanwhile, or its facility was.
            if !is_good {
                *held = None;
                return Err(Code::TicketUsed.into());
            }
            return Ok(picked.file.to_vec());
        }
        match enrol::pkcs12(&app, &slug, &request).await {
            Ok(picked) => {
                let file = picked.file.to_vec();
                *held = Some(picked);
                Ok(file)
            }
            Err(e) => {
                app.handover.forget(key, &place);
                Err(e)
            }
        }
    });
    made.await.map_err(|_| AppError::from(Code::Unavailable))?
}
