//! The own account (マイプロファイル): what is on file, and the own mail address.

use super::pages::trouble;
use super::{change as changing, detail};
use crate::access::SignedIn;
use crate::error::AppError;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{MailKind, OwnMail, StaffDetail};
use serde::Deserialize;

/// The addresses as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    mail: String,
    forwarding_mail: String,
}

#[derive(Template)]
#[template(path = "staff/profile.html")]
struct ProfilePage {
    frame: Frame,
    trouble: Trouble,
    changed: bool,
    me: StaffDetail,
    profession: &'static str,
    role: &'static str,
    placeholder: bool,
    forwarding: bool,
    unique: bool,
    form: Typed,
}

impl ProfilePage {
    async fn new(app: &App, who: &SignedIn, form: Option<Typed>) -> Result<Self, AppError> {
        let (frame, me) =
            app.db.read(async |c| Ok((who.frame(app, c).await?, detail::own(c, who).await?))).await?;
        let form = form.unwrap_or_else(|| Typed {
            mail: me.mail.clone().unwrap_or_default(),
            forwarding_mail: me.forwarding_mail.clone().unwrap_or_default(),
        });
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            changed: false,
            profession: language::profession(me.profession),
            role: language::role(me.role),
            placeholder: me.mail_kind == MailKind::Placeholder,
            forwarding: who.policy().forwarding_mail,
            unique: who.policy().unique_mail,
            me,
            form,
        })
    }
}

/// What was just done.
#[derive(Deserialize, Debug)]
pub struct Done {
    changed: Option<String>,
}

/// `GET /profile`.
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let page = ProfilePage { changed: done.changed.is_some(), ..ProfilePage::new(&app, &who, None).await? };
    portal::page(&page)
}

/// `POST /profile`: the own addresses.
pub async fn change(
    State(app): State<App>,
    who: SignedIn,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let given =
        OwnMail { mail: Some(form.mail.clone()), forwarding_mail: Some(form.forwarding_mail.clone()) };
    match changing::own_mail(&app, &who, &given).await {
        Ok(()) => Ok(local::see("/profile?changed=1")),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut page = ProfilePage::new(&app, &who, Some(form)).await?;
            page.trouble = trouble(&problem, &page.frame, "mail");
            portal::html(status, &page)
        }
    }
}
