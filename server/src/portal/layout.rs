//! The frame around every page: the town, its words and contact, and who is signed in.

use crate::db::prelude::*;
use crate::db::schema::{facility, municipality, old_authority};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::run;
use crate::state::App;
use crate::tls::Peer;
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use renraku_wire::{Code, Contact, Words};

/// Who is signed in, as the head of each page shows.
#[derive(Clone)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Name of the facility.
    pub facility: String,
    /// Where this person may go: address, label, id of the link.
    pub links: Vec<(&'static str, String, &'static str)>,
}

/// What surrounds the content of a page.
#[derive(Clone)]
pub struct Frame {
    /// The town's name; empty where no town is known.
    pub town: String,
    /// The town's name in addresses.
    pub slug: String,
    /// The words of its screens.
    pub words: Words,
    /// Whom to ask, where a town is known.
    pub contact: Option<Contact>,
    /// Who is signed in.
    pub person: Option<Person>,
    /// The day on which this device's certificate ends, when that is near.
    pub certificate_ends: Option<String>,
    /// Where the name of the town leads.
    pub home: String,
    public_url: String,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("slug", &self.slug).finish_non_exhaustive()
    }
}

type Row = (String, String, String);

impl Frame {
    fn of(app: &App, (slug, town, policy): Row, home: String) -> Result<Self, AppError> {
        let policy = MunicipalityPolicy::parse(&policy)?;
        Ok(Self {
            town,
            slug,
            words: policy.words,
            contact: Some(policy.contact),
            person: None,
            certificate_ends: None,
            home,
            public_url: app.public_url.clone(),
        })
    }

    /// A frame that names no town.
    #[must_use]
    pub fn nameless(app: &App, home: &str) -> Self {
        Self {
            town: String::new(),
            slug: String::new(),
            words: MunicipalityPolicy::default().words,
            contact: None,
            person: None,
            certificate_ends: None,
            home: home.to_owned(),
            public_url: app.public_url.clone(),
        }
    }

    /// The frame of the town's care pages.
    ///
    /// # Errors
    /// The database failed.
    pub async fn of_town(app: &App, c: &mut Conn, town: Id) -> Result<Self, AppError> {
        let row: Row = run!(
            c,
            get_result,
            municipality::table.find(town).select((
                municipality::slug,
                municipality::name,
                municipality::policy
            ))
        )?;
        Self::of(app, row, "/".to_owned())
    }

    /// The frame of the town's public pages.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn of_slug(app: &App, slug: &str) -> Result<Self, AppError> {
        let row: Option<Row> = app
            .db
            .read(async |c| {
                Ok(run!(
                    c,
                    get_result,
                    municipality::table.filter(municipality::slug.eq(slug)).select((
                        municipality::slug,
                        municipality::name,
                        municipality::policy
                    ))
                )
                .optional()?)
            })
            .await?;
        Self::of(app, row.ok_or(Code::NotFound)?, format!("/{slug}"))
    }

    /// As [`Self::of_slug`], or a frame that names no town.
    pub async fn of_slug_or_nameless(app: &App, slug: &str) -> Self {
        Self::of_slug(app, slug).await.unwrap_or_else(|_| Self::nameless(app, "/"))
    }

    /// The frame of the town whose authority issued the certificate that arrived, or one that names no
    /// town: for pages shown to devices that are refused.
    pub async fn of_peer(app: &App, peer: &Peer) -> Self {
        let all = app
            .db
            .read(async |c| {
                let mut rows: Vec<(Row, Vec<u8>)> = run!(
                    c,
                    load,
                    municipality::table.select((
                        (municipality::slug, municipality::name, municipality::policy),
                        municipality::authority_cert
                    ))
                )?;
                let old: Vec<(Row, Vec<u8>)> = run!(
                    c,
                    load,
                    old_authority::table
                        .inner_join(
                            municipality::table.on(municipality::id.eq(old_authority::municipality_id))
                        )
                        .select((
                            (municipality::slug, municipality::name, municipality::policy),
                            old_authority::cert
                        ))
                )?;
                rows.extend(old);
                Ok(rows)
            })
            .await
            .unwrap_or_default();
        all.into_iter()
            .find(|(_, authority)| issued_by(peer, authority))
            .and_then(|(row, _)| Self::of(app, row, "/".to_owned()).ok())
            .unwrap_or_else(|| Self::nameless(app, "/"))
    }

    /// Where the style sheet is.
    #[must_use]
    pub fn style(&self) -> String {
        super::assets::style()
    }

    /// Where the icon is.
    #[must_use]
    pub fn icon(&self) -> String {
        super::assets::icon()
    }

    /// The login diagnosis on the public host.
    #[must_use]
    pub fn diagnosis(&self) -> String {
        if self.slug.is_empty() {
            format!("{}/", self.public_url)
        } else {
            format!("{}/{}/diagnosis", self.public_url, self.slug)
        }
    }

    /// The town's portal on the public host.
    #[must_use]
    pub fn portal(&self) -> String {
        format!("{}/{}", self.public_url, self.slug)
    }
}

fn issued_by(peer: &Peer, authority: &[u8]) -> bool {
    use x509_parser::certificate::X509Certificate;
    use x509_parser::prelude::FromDer as _;
    let Some(der) = peer.certificate.as_deref() else { return false };
    match (X509Certificate::from_der(der), X509Certificate::from_der(authority)) {
        (Ok((_, certificate)), Ok((_, authority))) => {
            certificate.issuer().as_raw() == authority.subject().as_raw()
        }
        _ => false,
    }
}

/// Name of a facility.
///
/// # Errors
/// The database failed.
pub(crate) async fn facility_name(c: &mut Conn, town: Id, id: Id) -> Result<String, AppError> {
    Ok(run!(c, get_result, facility::table.find((town, id)).select(facility::name))?)
}

#[derive(Template)]
#[template(path = "interrupted.html")]
struct Interrupted<'a> {
    frame: Frame,
    action: &'a str,
    fields: &'a [(String, String)],
    file: Option<&'a str>,
    multipart: bool,
}

/// The page for somebody whose session ended while they typed: it holds the form, to be sent again after
/// signing in. `file` names the file control, where a file was chosen and must be chosen again.
///
/// # Errors
/// The template failed.
pub fn interrupted(
    frame: Frame,
    action: &str,
    fields: &[(String, String)],
    file: Option<&str>,
) -> Result<Response, AppError> {
    html(StatusCode::UNAUTHORIZED, &Interrupted { frame, action, fields, file, multipart: true })
}

/// As [`interrupted`], for a form without files.
///
/// # Errors
/// The template failed.
pub fn interrupted_short(
    frame: Frame,
    action: &str,
    fields: &[(String, String)],
) -> Result<Response, AppError> {
    html(StatusCode::UNAUTHORIZED, &Interrupted { frame, action, fields, file: None, multipart: false })
}

/// A telephone number as a link dials it: without the extension (内線) that is printed after it.
#[must_use]
pub fn dial(printed: &str) -> String {
    let number = printed.split("内線").next().unwrap_or_default();
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// A page.
///
/// # Errors
/// The template failed.
pub fn page<T: Template>(template: &T) -> Result<Response, AppError> {
    html(StatusCode::OK, template)
}

/// A page with a status.
///
/// # Errors
/// The template failed.
pub fn html<T: Template>(status: StatusCode, template: &T) -> Result<Response, AppError> {
    let text = template.render().map_err(|e| AppError::internal(format!("a page cannot be made: {e}")))?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::dial;

    #[test]
    fn an_extension_is_not_dialled() {
        assert_eq!(dial("0000-12-3456（内線626・617）"), "0000123456");
        assert_eq!(dial("+81 (0)3-0000-0000"), "+810300000000");
        assert_eq!(dial("内線5"), "");
    }
}
