//! Forms with a file (`multipart/form-data`). A file that is too large is read to its end and dropped, so
//! that the browser hears the answer and the form can come back with what was typed.

use crate::error::AppError;
use crate::input::body_code;
use axum::extract::{FromRequest, Multipart, Request};
use renraku_wire::{Code, limits};

/// Most bytes of a file that a form keeps.
const FILE_BYTES: usize = 32 * 1024 * 1024;
/// Most bytes of a form with its file, which routes allow.
pub const FORM_BYTES: usize = 96 * 1024 * 1024;

/// A file of a form.
pub struct Given {
    /// The control that it was chosen with.
    pub control: String,
    /// Its name on the person's device.
    pub name: String,
    /// Its bytes; none when it was too large.
    pub bytes: Option<Vec<u8>>,
}

/// The fields of a form with at most one file.
#[derive(Default)]
pub struct FieldsAndFile {
    fields: Vec<(String, String)>,
    /// The file, if one was chosen.
    pub file: Option<Given>,
}

impl std::fmt::Debug for FieldsAndFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldsAndFile").field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

impl FieldsAndFile {
    /// The value of a field; empty when it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Every field as it came.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Every value of a field, as checkboxes send them.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for FieldsAndFile {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|_| AppError::from(Code::RequestMalformed))?;
        let refused =
            |e: axum::extract::multipart::MultipartError| AppError::from(body_code(e.status().as_u16()));
        let mut form = Self::default();
        let mut text_bytes = 0;
        while let Some(mut part) = parts.next_field().await.map_err(refused)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let most = if file_name.is_some() { FILE_BYTES } else { limits::JSON_BYTES - text_bytes };
            let (mut bytes, mut too_large) = (Vec::new(), false);
            while let Some(chunk) = part.chunk().await.map_err(refused)? {
                if bytes.len() + chunk.len() > most {
                    too_large = true;
                    bytes = Vec::new();
                } else if !too_large {
                    bytes.extend_from_slice(&chunk);
                }
            }
            match file_name {
                // A file control left empty sends a nameless empty file.
                Some(given) if given.is_empty() && bytes.is_empty() && !too_large => {}
                Some(given) => {
                    let bytes = (!too_large).then_some(bytes);
                    form.file = Some(Given { control: name, name: given, bytes });
                }
                None if too_large => return Err(Code::BodyTooLarge.into()),
                None => {
                    text_bytes += bytes.len();
                    let text =
                        String::from_utf8(bytes).map_err(|_| AppError::from(Code::RequestMalformed))?;
                    form.fields.push((name, text));
                }
            }
        }
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::http::Request as Http;
    use axum::routing::post;
    use tower::ServiceExt as _;

    fn request(file: &[u8]) -> Http<Body> {
        let mut body = b"--X\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n\xE3\x81\x82\r\n\
            --X\r\nContent-Disposition: form-data; name=\"member\"\r\n\r\n1\r\n\
            --X\r\nContent-Disposition: form-data; name=\"member\"\r\n\r\n2\r\n\
            --X\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\n"
            .to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--X--\r\n");
        Http::post("/")
            .header("content-type", "multipart/form-data; boundary=X")
            .body(Body::from(body))
            .unwrap()
    }

    async fn told(file: &[u8]) -> String {
        let tell = |form: FieldsAndFile| async move {
            let members: Vec<_> = form.all("member").collect();
            let length = form.file.as_ref().and_then(|f| f.bytes.as_ref()).map(Vec::len);
            format!("{} {members:?} {length:?} {:?}", form.get("body"), form.get("absent"))
        };
        let app = axum::Router::new().route("/", post(tell)).layer(DefaultBodyLimit::max(FORM_BYTES));
        let answer = app.oneshot(request(file)).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn fields_repeat_and_a_huge_file_does_not_lose_them() {
        assert_eq!(told(b"abc").await, r#"あ ["1", "2"] Some(3) """#);
        assert_eq!(told(&vec![7; FILE_BYTES + 1]).await, r#"あ ["1", "2"] None """#);
    }
}
