//! The frame of a page, as the device and the person behind the request see it.

use super::{DeviceAccess, SignedIn};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::inbox_line;
use crate::error::AppError;
use crate::portal::{Frame, Person};
use crate::run;
use crate::state::App;
use renraku_wire::Role;

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
        let facility = crate::portal::facility_name(c, self.municipality_id(), self.facility_id()).await?;
        let mut links = if self.must_change_password() { vec![] } else { self.links() };
        if !links.is_empty() {
            links.insert(2, self.inbox_link(c).await?);
            links.insert(3, ("/incidents", "事故の報告".to_owned(), "nav-incidents"));
        }
        let left = self.not_after() - crate::clock::now();
        if left < i64::from(self.policy().renewal_days) * 86_400_000 {
            frame.certificate_ends = Some(crate::portal::language::day(self.not_after()));
        }
        frame.person = Some(Person { name: self.name().to_owned(), facility, links });
        Ok(frame)
    }

    /// The facility's shared inbox, with how many lines nobody has claimed.
    async fn inbox_link(&self, c: &mut Conn) -> Result<(&'static str, String, &'static str), AppError> {
        let waiting: i64 = run!(
            c,
            get_result,
            inbox_line::table
                .filter(inbox_line::municipality_id.eq(self.municipality_id()))
                .filter(inbox_line::facility_id.eq(self.facility_id()))
                .filter(inbox_line::claimed_by.is_null())
                .filter(inbox_line::done_at.is_null())
                .count()
        )?;
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
