//! The frame of a page, as the device and the person behind the request see it.

use super::{DeviceAccess, SignedIn};
use crate::db::Conn;
use crate::error::AppError;
use crate::portal::{Frame, Person};
use crate::state::App;

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
