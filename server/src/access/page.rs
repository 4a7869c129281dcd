//! The frame of a page, as the device and the person behind the request see it.

use super::{DeviceAccess, SignedIn};
use crate::db::Conn;
use crate::error::AppError;
use crate::portal::{Frame, Person};
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
        let links = if self.must_change_password() { vec![] } else { self.links() };
        let left = self.not_after() - crate::clock::now();
        if left < i64::from(self.policy().renewal_days) * 86_400_000 {
            frame.certificate_ends = Some(crate::portal::language::day(self.not_after()));
        }
        frame.person = Some(Person { name: self.name().to_owned(), facility, links });
        Ok(frame)
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
