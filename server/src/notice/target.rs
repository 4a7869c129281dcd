//! Where a notice leads.

use crate::db::prelude::*;
use crate::db::schema::notice;
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, NoticeKind};

/// What a notice is about, as far as its page is concerned. Whether somebody may open the page is decided
/// there.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The kind.
    pub kind: NoticeKind,
    /// The patient.
    pub patient_id: Option<Id>,
    /// The post.
    pub post_id: Option<Id>,
    /// Something else: a report.
    pub object_id: Option<Id>,
}

impl Target {
    /// The page, as a path of the care host.
    #[must_use]
    pub fn path(&self) -> String {
        match (self.kind, self.patient_id, self.post_id, self.object_id) {
            (NoticeKind::InboxWaiting, ..) => "/inbox".to_owned(),
            (NoticeKind::TrainingDue, ..) => "/training".to_owned(),
            (NoticeKind::AccessReviewDue, ..) => "/review".to_owned(),
            (NoticeKind::DeviceTicketIssued | NoticeKind::CertificateExpiring, ..) => "/devices".to_owned(),
            (NoticeKind::StaffStateChanged, ..) => "/staff".to_owned(),
            (NoticeKind::IncidentWaiting | NoticeKind::IncidentUpdated, _, _, Some(id)) => {
                format!("/incidents/{id}")
            }
            (_, Some(patient), Some(post), _) => format!("/patients/{patient}#post-{post}"),
            (_, Some(patient), None, _) => format!("/patients/{patient}"),
            _ => "/".to_owned(),
        }
    }
}

/// Where a notice leads, for its recipient alone.
///
/// # Errors
/// Not there, or another's: [`Code::NotFound`] alike.
pub async fn target(c: &mut Conn, town: Id, recipient: Id, id: Id) -> Result<Target, AppError> {
    type Row = (String, Option<Id>, Option<Id>, Option<Id>);
    let row: Option<Row> = run!(
        c,
        get_result,
        notice::table.find((town, id)).filter(notice::staff_id.eq(recipient)).select((
            notice::kind,
            notice::patient_id,
            notice::post_id,
            notice::object_id
        ))
    )
    .optional()?;
    let (kind, patient_id, post_id, object_id) = row.ok_or(Code::NotFound)?;
    Ok(Target { kind: from_word(&kind)?, patient_id, post_id, object_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_leads_to_its_page() {
        let id = Id::new();
        let of = |kind| Target { kind, patient_id: None, post_id: None, object_id: Some(id) };
        assert_eq!(of(NoticeKind::InboxWaiting).path(), "/inbox");
        assert_eq!(of(NoticeKind::TrainingDue).path(), "/training");
        assert_eq!(of(NoticeKind::AccessReviewDue).path(), "/review");
        assert_eq!(of(NoticeKind::IncidentWaiting).path(), format!("/incidents/{id}"));
        assert_eq!(of(NoticeKind::IncidentUpdated).path(), format!("/incidents/{id}"));
        assert_eq!(of(NoticeKind::CertificateExpiring).path(), "/devices");
        assert_eq!(of(NoticeKind::StaffStateChanged).path(), "/staff");
        assert_eq!(of(NoticeKind::Unknown).path(), "/");
        let post = Target { patient_id: Some(id), post_id: Some(id), ..of(NoticeKind::PostPublished) };
        assert_eq!(post.path(), format!("/patients/{id}#post-{id}"));
        assert_eq!(Target { post_id: None, ..post }.path(), format!("/patients/{id}"));
    }
}
