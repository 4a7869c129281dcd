//! The frame of a page, as the device and the person behind the request see it.

use super::{Credentials, DeviceAccess, SignedIn};
use crate::db::Conn;
use crate::error::AppError;
use crate::notice;
use crate::portal::upload::FieldsAndFile;
use crate::portal::{self, Frame, Person};
use crate::state::App;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use renraku_wire::{Code, Role};

/// A long form, and who sent it. Whose session ended while they typed gets a page that keeps the form.
#[derive(Debug)]
pub struct Filled {
    /// Who sent it.
    pub who: SignedIn,
    /// What they sent.
    pub form: FieldsAndFile,
}

impl FromRequest<App> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        match Self::take(request, app).await {
            Ok(taken) => taken,
            Err(e) => Err(e.into_response()),
        }
    }
}

impl Filled {
    async fn take(request: Request, app: &App) -> Result<Result<Self, Response>, AppError> {
        let (mut parts, body) = request.into_parts();
        let device = DeviceAccess::from_request_parts(&mut parts, app).await?;
        let credentials = match Credentials::from_request_parts(&mut parts, app).await {
            Ok(credentials) => credentials,
            Err(never) => match never {},
        };
        let action = parts.uri.path().to_owned();
        let form = FieldsAndFile::from_request(Request::from_parts(parts, body), app).await?;
        match app.db.read(async |c| super::signed_in(c, &credentials).await).await {
            Ok(who) => Ok(Ok(Self { who, form })),
            Err(AppError::Refused(p)) if p.code == Code::SessionInvalid => {
                let frame = app.db.read(async |c| device.bare_frame(app, c).await).await?;
                let file = form.file.as_ref().map(|f| f.control.as_str());
                Ok(Err(portal::interrupted(frame, &action, form.fields(), file)?))
            }
            Err(e) => Err(e),
        }
    }
}

impl DeviceAccess {
    /// The frame of a page for nobody in particular on this device.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bare_frame(&self, app: &App, c: &mut Conn) -> Result<Frame, AppError> {
        Frame::of_town(app, c, self.municipality_id()).await
    }
}

impl SignedIn {
    /// The frame of a page for this person, with the links that their role has.
    ///
    /// # Errors
    /// The database failed.
    pub async fn frame(&self, app: &App, c: &mut Conn) -> Result<Frame, AppError> {
        let mut frame = self.bare_frame(app, c).await?;
        let facility = portal::facility_name(c, self.municipality_id(), self.facility_id()).await?;
        let mut links = if self.must_change_password() { vec![] } else { self.links() };
        if !links.is_empty() {
            links.insert(2, self.inbox_link(c).await?);
            links.insert(3, ("/incidents", "事故の報告".to_owned(), "nav-incidents"));
        }
        let left = self.not_after() - crate::clock::now();
        if left < i64::from(self.policy().renewal_days) * 86_400_000 {
            frame.certificate_ends = Some(portal::language::day(self.not_after()));
        }
        frame.person = Some(Person { name: self.name().to_owned(), facility, links });
        Ok(frame)
    }

    /// The facility's shared inbox, with how many of the lines that this person sees nobody has claimed.
    async fn inbox_link(&self, c: &mut Conn) -> Result<(&'static str, String, &'static str), AppError> {
        let person = (self.municipality_id(), self.facility_id(), self.staff_id());
        let manages = matches!(self.role(), Role::FacilityManager | Role::Secretariat);
        let (waiting, _) = notice::inbox::unclaimed(c, person, manages).await?;
        let label = match waiting {
            0 => "共有のお知らせ".to_owned(),
            n => format!("共有のお知らせ（{n}）"),
        };
        Ok(("/inbox", label, "nav-inbox"))
    }

    fn links(&self) -> Vec<(&'static str, String, &'static str)> {
        let words = &self.policy().words;
        let mut links =
            vec![("/", "ホーム".to_owned(), "nav-home"), ("/tasks", "やること".to_owned(), "nav-tasks")];
        if self.registrar().is_ok() {
            links.push(("/patients/new", format!("{}の登録", words.patient), "nav-new-patient"));
        }
        if self.secretariat().is_ok() {
            links.push(("/facilities", words.facility.clone(), "nav-facilities"));
            links.push(("/settings", "設定".to_owned(), "nav-settings"));
        }
        links.push(("/devices/own", "この端末".to_owned(), "nav-own-device"));
        if self.role() == Role::FacilityManager {
            links.push(("/facility", format!("{}の登録内容", words.facility), "nav-facility"));
        }
        if self.facility_admin().is_ok() {
            links.push(("/staff", words.staff.clone(), "nav-staff"));
            links.push(("/devices", "端末".to_owned(), "nav-devices"));
        }
        links.push(("/profile", "マイプロファイル".to_owned(), "nav-profile"));
        links.push(("/password", "パスワード変更".to_owned(), "nav-password"));
        links
    }
}
