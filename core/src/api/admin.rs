//! The care host for those who manage: staff, tickets, devices, the directory.

use super::{ApiResult, Care, decode, nothing};
use renraku_wire::{
    Device, DeviceId, Directory, EnrolmentTicket, Facility, FacilityApproved, FacilityId, NewStaff,
    NewTicket, Revocation, StaffAdded,
};
use reqwest::Method;

impl Care {
    /// Approved facilities and their staff.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells.
    pub async fn directory(&self) -> ApiResult<Directory> {
        decode(self.http.send(self.request(Method::GET, &["v1", "directory"])).await?).await
    }

    /// Adds a member of staff to the own facility. The answer holds the first password.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `role_insufficient` and `already_taken` among the refusals.
    pub async fn add_staff(&self, staff: &NewStaff) -> ApiResult<StaffAdded> {
        decode(self.http.send_json(self.request(Method::POST, &["v1", "staff"]), staff).await?).await
    }

    /// Every facility with where it stands; for the secretariat.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `role_insufficient` among the refusals.
    pub async fn facilities(&self) -> ApiResult<Vec<Facility>> {
        decode(self.http.send(self.request(Method::GET, &["v1", "facilities"])).await?).await
    }

    /// Approves a facility; for the secretariat. The answer holds the manager's first password.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `state_conflict` and `role_insufficient` among the refusals.
    pub async fn approve_facility(&self, facility: FacilityId) -> ApiResult<FacilityApproved> {
        let path = ["v1", "facilities", &facility.to_string(), "approval"];
        decode(self.http.send(self.request(Method::POST, &path)).await?).await
    }

    /// Issues a certificate No and password for one more device.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `role_insufficient` among the refusals.
    pub async fn issue_ticket(&self, facility: FacilityId) -> ApiResult<EnrolmentTicket> {
        let path = ["v1", "facilities", &facility.to_string(), "tickets"];
        decode(self.http.send_json(self.request(Method::POST, &path), &NewTicket::another()).await?).await
    }

    /// The inventory of devices.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `role_insufficient` among the refusals.
    pub async fn devices(&self) -> ApiResult<Vec<Device>> {
        decode(self.http.send(self.request(Method::GET, &["v1", "devices"])).await?).await
    }

    /// Revokes a device's certificate. Its very next request is refused.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `role_insufficient` among the refusals.
    pub async fn revoke_device(&self, device: DeviceId, revocation: &Revocation) -> ApiResult<()> {
        let path = ["v1", "devices", &device.to_string(), "revocation"];
        nothing(self.http.send_json(self.request(Method::POST, &path), revocation).await?)
    }
}
