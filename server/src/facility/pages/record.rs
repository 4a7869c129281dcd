//! The page of one facility: for the office, and for its own manager.

use super::kinds;
use crate::access::FacilityAdmin;
use crate::error::AppError;
use crate::facility::store::{people, record};
use crate::input::PathId;
use crate::portal::forms::{Choice, Trouble};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{
    DeliveryState, FacilityChangeId, FacilityFile, FacilityId, FacilityKind, FacilityRecord, FacilityState,
    IntakeChannel, NoticeId, Timestamp,
};
use serde::Deserialize;

/// What the forms of this page send; each sends its own part.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    pub(super) id: String,
    pub(super) facility: String,
    pub(super) reason: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) address: String,
    pub(super) telephone: String,
    pub(super) opening: String,
    pub(super) staff_id: String,
    pub(super) manager_name: String,
    pub(super) manager_mail: String,
    pub(super) ticket_mail: String,
    pub(super) return_mail: String,
    /// The letter that a return replaces, as the page showed it.
    pub(super) replaces: String,
    pub(super) listed: String,
    pub(super) latitude: String,
    pub(super) longitude: String,
}

impl Typed {
    /// What is on file, under what was typed.
    fn over(mut self, record: &FacilityRecord) -> Self {
        let fill = |typed: &mut String, on_file: &str| {
            if typed.is_empty() {
                on_file.clone_into(typed);
            }
        };
        let facility = &record.facility;
        fill(&mut self.name, &facility.name);
        fill(&mut self.kind, &crate::db::sql::word(&facility.kind));
        fill(&mut self.address, &facility.address);
        fill(&mut self.telephone, &facility.telephone);
        fill(&mut self.opening, &record.opening);
        fill(&mut self.manager_mail, &record.manager_mail);
        fill(&mut self.ticket_mail, &record.manager_mail);
        fill(&mut self.return_mail, &record.manager_mail);
        if facility.state == FacilityState::Returned {
            let reason = record.file.as_ref().and_then(|f| f.reason.as_deref());
            fill(&mut self.reason, reason.unwrap_or_default());
        }
        if let Some(position) = record.map.position {
            fill(&mut self.latitude, &position.latitude.to_string());
            fill(&mut self.longitude, &position.longitude.to_string());
        }
        if record.map.listed {
            fill(&mut self.listed, "true");
        }
        self
    }
}

struct Person {
    id: String,
    name: String,
    manages: bool,
}

struct Past {
    until: String,
    name: String,
    address: String,
    telephone: String,
    manager_name: String,
}

#[derive(Template)]
#[template(path = "facility/record.html")]
pub(super) struct RecordPage {
    pub(super) frame: Frame,
    pub(super) trouble: Trouble,
    done: Option<&'static str>,
    record: FacilityRecord,
    office: Option<FacilityFile>,
    form: Typed,
    kinds: Vec<Choice>,
    staff: Vec<Person>,
    past: Vec<Past>,
    map_offered: bool,
    ids: [String; 5],
}

impl RecordPage {
    pub(super) async fn new(
        app: &App,
        admin: &FacilityAdmin,
        id: FacilityId,
        form: Typed,
    ) -> Result<Self, AppError> {
        let town = admin.municipality_id();
        let (frame, record, staff) = app
            .db
            .read(async |c| {
                let record = record::get(c, admin, id.into()).await?;
                let staff = people::active(c, town, id.into()).await?;
                Ok((admin.frame(app, c).await?, record, staff))
            })
            .await?;
        let form = form.over(&record);
        let past = record.past.iter().map(|p| Past {
            until: language::when(p.until.0),
            name: p.name.clone(),
            address: p.address.clone(),
            telephone: p.telephone.clone(),
            manager_name: p.manager_name.clone(),
        });
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            done: None,
            kinds: kinds(&form.kind),
            staff: staff
                .into_iter()
                .map(|p| Person { id: p.id.to_string(), manages: p.manages(), name: p.name })
                .collect(),
            past: past.collect(),
            office: record.file.clone(),
            map_offered: admin.policy().public_facility_map,
            ids: [
                FacilityChangeId::new().to_string(),
                FacilityChangeId::new().to_string(),
                NoticeId::new().to_string(),
                FacilityChangeId::new().to_string(),
                NoticeId::new().to_string(),
            ],
            record,
            form,
        })
    }

    fn applied(&self) -> bool {
        self.record.facility.state == FacilityState::Applied
    }

    fn returned(&self) -> bool {
        self.record.facility.state == FacilityState::Returned
    }

    /// The return does not reach the applicant.
    fn unreached(&self) -> bool {
        let mail = self.office.as_ref().and_then(|file| file.return_mail.as_ref());
        self.returned() && mail.is_none_or(|mail| mail.state == DeliveryState::Dead)
    }

    fn approved(&self) -> bool {
        self.record.facility.state == FacilityState::Approved
    }

    fn suspended(&self) -> bool {
        self.record.facility.state == FacilityState::Suspended
    }

    fn kind(&self) -> &'static str {
        language::kind(self.record.facility.kind)
    }

    fn stage(&self) -> &'static str {
        language::stage(self.record.stage)
    }
}

/// What was just done.
#[derive(Deserialize, Debug)]
pub struct Done {
    done: Option<String>,
}

fn sentence(done: &str) -> Option<&'static str> {
    Some(match done {
        "taken" => "申請を登録しました。内容を確認して、承認してください。",
        "corrected" => "訂正を登録しました。内容を確認して、承認してください。",
        "returned" => "申請を差し戻し、申請者にメールで知らせます。",
        "suspended" => "利用を停止しました。端末からは開けません。",
        "resumed" => "利用を再開しました。",
        "closed" => "廃止しました。電子証明書とユーザーIDは使えなくなりました。",
        "changed" => "変更しました。",
        "waiting" => "事務局に届けました。確認されると変わります。",
        "refused" => "承認しないことを、管理者にメールで知らせます。",
        "managed" => "管理者を決めました。",
        "mailed" => "新しいNoとパスワードをメールで送ります。前のNoは使えません。",
        "settled" => "対応済みにしました。",
        "listed" => "公開の設定を変えました。",
        _ => return None,
    })
}

/// `GET /facilities/{id}`.
pub async fn page(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let mut page = RecordPage::new(&app, &admin, id, Typed::default()).await?;
    page.done = done.done.as_deref().and_then(sentence);
    portal::page(&page)
}

/// `GET /facility`: the own one.
pub async fn own(admin: FacilityAdmin) -> Response {
    local::see(&format!("/facilities/{}", admin.facility_id()))
}

// What the template shows; askama hands over references.

fn delivery(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "送信待ち",
        DeliveryState::Sent => "送信済み",
        DeliveryState::Dead => "届きません（送信エラー）",
        DeliveryState::Unknown => "不明",
    }
}

fn when(at: &Timestamp) -> String {
    language::when(at.0)
}

fn channel(channel: &IntakeChannel) -> &'static str {
    language::channel(*channel)
}

fn kind_of(kind: &FacilityKind) -> &'static str {
    language::kind(*kind)
}
