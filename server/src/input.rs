//! What comes in: bodies that turn into problem documents when they are wrong, and checks of fields.

use crate::error::AppError;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Request};
use renraku_wire::{Code, limits, text};
use serde::de::DeserializeOwned;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization as _;

/// A JSON body. Unknown fields, a wrong type, too many bytes and a cut connection are refused with their code.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(e)) => Err(body_code(e.status().as_u16()).into()),
            Err(_) => Err(Code::RequestMalformed.into()),
        }
    }
}

/// The code of a body that could not be read, by the status that axum gives it.
#[must_use]
pub fn body_code(status: u16) -> Code {
    if status == 413 { Code::BodyTooLarge } else { Code::BodyTruncated }
}

/// An id in the address. One that is not an id is not found.
#[derive(Debug)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr> axum::extract::FromRequestParts<S> for PathId<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, AppError> {
        let Path(params) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| AppError::from(Code::NotFound))?;
        params
            .into_iter()
            .find(|(name, _)| name == "id")
            .and_then(|(_, value)| value.parse().ok())
            .map(Self)
            .ok_or_else(|| Code::NotFound.into())
    }
}

fn within(value: &str, field: &str, least: usize, most: usize) -> Result<String, AppError> {
    if !text::is_text(value, least, most) {
        return Err(AppError::field(field));
    }
    Ok(value.trim().replace("\r\n", "\n"))
}

/// A line that must be there: trimmed, at most [`limits::LINE_CHARS`] characters, no line break.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field.
pub fn line(value: &str, field: &str) -> Result<String, AppError> {
    let value = within(value, field, 1, limits::LINE_CHARS)?;
    if value.contains('\n') { Err(AppError::field(field)) } else { Ok(value) }
}

/// A user id as it is stored, however it was typed: full-width letters, capitals. What no id has in it stays
/// such, and is nothing that PostgreSQL refuses.
#[must_use]
pub fn login_id(typed: &str) -> String {
    let plain: String = typed.nfkc().collect();
    plain.trim().replace(char::is_control, "\u{fffd}").to_lowercase()
}

/// True for what can be a town's name in addresses.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A line that may be empty.
///
/// # Errors
/// As [`line`].
pub fn line_or_empty(value: &str, field: &str) -> Result<String, AppError> {
    if value.trim().is_empty() { Ok(String::new()) } else { line(value, field) }
}

/// A text of one to `most` characters.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field.
pub fn text(value: &str, field: &str, most: usize) -> Result<String, AppError> {
    within(value, field, 1, most)
}

/// A mail address, well enough to send to.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field.
pub fn mail(value: &str, field: &str) -> Result<String, AppError> {
    let value = line(value, field)?;
    value.parse::<lettre::Address>().map_err(|_| AppError::field(field))?;
    Ok(value)
}

/// A day as `YYYY-MM-DD` that is not in the future.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field.
pub fn past_day(value: &str, field: &str, now: i64) -> Result<String, AppError> {
    let day: jiff::civil::Date = value.trim().parse().map_err(|_| AppError::field(field))?;
    if day > crate::clock::japan(now).date() || day.year() < 1880 {
        return Err(AppError::field(field));
    }
    Ok(day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_bounded() {
        assert_eq!(line("  山田 ", "name").unwrap(), "山田");
        for bad in ["", "   ", "a\nb", "a\u{0}b", &"あ".repeat(201)] {
            assert!(line(bad, "name").is_err(), "{bad:?}");
        }
        assert_eq!(line_or_empty("  ", "name").unwrap(), "");
    }

    #[test]
    fn days_and_addresses() {
        let now = 1_795_000_000_000;
        assert_eq!(past_day("1940-02-29", "d", now).unwrap(), "1940-02-29");
        for bad in ["1941-02-29", "2999-01-01", "1940/02/03", "", "1600-01-01"] {
            assert!(past_day(bad, "d", now).is_err(), "{bad}");
        }
        assert!(mail("a@example.invalid", "m").is_ok());
        for bad in ["a", "a@", "@b", "a b@c.d", "a@b\r\nBcc: x@y"] {
            assert!(mail(bad, "m").is_err(), "{bad}");
        }
    }
}
