//! The style sheet and the icon. Their names carry a digest, so browsers may keep them for ever.

use crate::error::AppError;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use renraku_wire::Code;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let digest = hex::encode(&Sha256::digest(bytes)[..8]);
        Self { name: format!("{stem}-{digest}.{ending}"), media_type, bytes }
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css"))
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")));

/// Where the style sheet is.
#[must_use]
pub fn style() -> String {
    format!("/assets/{}", STYLE.name)
}

/// Where the icon is.
#[must_use]
pub fn icon() -> String {
    format!("/assets/{}", ICON.name)
}

/// `GET /assets/{name}` on both hosts.
///
/// # Errors
/// [`Code::NotFound`] for any other name.
pub async fn get(Path(name): Path<String>) -> Result<Response, AppError> {
    let asset = [&*STYLE, &*ICON].into_iter().find(|a| a.name == name).ok_or(Code::NotFound)?;
    let head = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((head, asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_current_names_are_served() {
        let name = style().trim_start_matches("/assets/").to_owned();
        let found = get(Path(name)).await.unwrap();
        assert_eq!(found.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(get(Path("style.css".into())).await.is_err());
        assert_ne!(style(), icon());
    }

    #[test]
    fn the_style_sheet_fetches_nothing() {
        let css = include_str!("../../assets/style.css");
        assert!(!css.contains("url(") && !css.contains("@import"));
    }
}
