//! The page of one facility: for the office, and for its own manager.

use super::{ApprovedPage, kind, kinds};
use crate::access::{FacilityAdmin, Secretariat};
use crate::error::AppError;
use crate::facility::store::{people, record};
use crate::facility::{change, decide};
use crate::input::PathId;
use crate::portal::forms::{Choice, Fields, Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{
    DeliveryState, FacilityChange, FacilityChangeId, FacilityClosing, FacilityFile, FacilityId, FacilityKind,
    FacilityRecord, FacilityState, IntakeChannel, ManagerChange, MapListing, MapPosition, NoticeId, Problem,
    StaffId, TicketMailAgain, Timestamp,
};
use serde::Deserialize;

/// What the forms of this page send; each sends its own part.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    facility: String,
    reason: String,
    name: String,
    kind: String,
    address: String,
    telephone: String,
    opening: String,
    staff_id: String,
    manager_name: String,
    manager_mail: String,
    ticket_mail: String,
    listed: String,
    latitude: String,
    longitude: String,
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
struct RecordPage {
    frame: Frame,
    trouble: Trouble,
    done: Option<&'static str>,
    record: FacilityRecord,
    office: Option<FacilityFile>,
    form: Typed,
    kinds: Vec<Choice>,
    staff: Vec<Person>,
    past: Vec<Past>,
    map_offered: bool,
    ids: [String; 3],
}

impl RecordPage {
    async fn new(app: &App, admin: &FacilityAdmin, id: FacilityId, form: Typed) -> Result<Self, AppError> {
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

/// Leads back to the page; a refusal is shown at the control that `control` names for the field at fault.
async fn answer(
    app: &App,
    admin: &FacilityAdmin,
    id: FacilityId,
    outcome: Result<&'static str, AppError>,
    form: Typed,
    control: impl Fn(&str) -> &'static str,
) -> Result<Response, AppError> {
    let e = match outcome {
        Ok(done) => return Ok(local::see(&format!("/facilities/{id}?done={done}"))),
        Err(e) => e,
    };
    let (status, problem): (_, Problem) = shown(e)?;
    let mut page = RecordPage::new(app, admin, id, form).await?;
    let trouble = Trouble::of(&problem, &page.frame.words, "");
    page.trouble = match problem.field.as_deref().map(control) {
        Some(name) if !name.is_empty() => Trouble::own(name, trouble.sentence()),
        _ => trouble,
    };
    portal::html(status, &page)
}

/// `POST /facilities/{id}/return`.
pub async fn send_back(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = decide::send_back(&app, &office, id.into(), &form.reason).await.map(|()| "returned");
    answer(&app, &office.facility_admin()?, id, outcome, form, |_| "return-reason").await
}

/// `POST /facilities/{id}/suspension`.
pub async fn suspend(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = decide::suspend(&app, &office, id.into(), &form.reason).await.map(|()| "suspended");
    answer(&app, &office.facility_admin()?, id, outcome, form, |_| "suspend-reason").await
}

/// `POST /facilities/{id}/resumption`.
pub async fn resume(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let outcome = decide::resume(&app, &office, id.into()).await.map(|()| "resumed");
    answer(&app, &office.facility_admin()?, id, outcome, Typed::default(), |_| "").await
}

fn told(state: renraku_wire::ChangeState, done: &'static str) -> &'static str {
    if state == renraku_wire::ChangeState::Waiting { "waiting" } else { done }
}

/// `POST /facilities/{id}/closure`.
pub async fn close(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let closing = FacilityClosing {
        id: form.id.parse().unwrap_or_else(|_| FacilityChangeId::new()),
        reason: form.reason.clone(),
    };
    let outcome = change::end(&app, &admin, id.into(), &closing).await.map(|c| told(c.state, "closed"));
    answer(&app, &admin, id, outcome, form, |_| "close-reason").await
}

/// `POST /facilities/{id}/changes`.
pub async fn change(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let given = kind(&form.kind).map(|kind| FacilityChange {
        id: form.id.parse().unwrap_or_else(|_| FacilityChangeId::new()),
        name: form.name.clone(),
        kind,
        address: form.address.clone(),
        telephone: form.telephone.clone(),
        opening: form.opening.clone(),
    });
    let outcome = match given {
        Some(given) => change::change(&app, &admin, id.into(), given).await.map(|c| told(c.state, "changed")),
        None => Err(AppError::field("kind")),
    };
    answer(&app, &admin, id, outcome, form, |_| "").await
}

/// `POST /facility-changes/{id}/confirmation`.
pub async fn confirm(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = change::confirm(&app, &office, id.into()).await.map(|_| "changed");
    let facility = form.facility.parse().map_err(|_| AppError::field("facility"))?;
    answer(&app, &office.facility_admin()?, facility, outcome, form, |_| "").await
}

/// `POST /facility-changes/{id}/refusal`.
pub async fn refuse(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = change::refuse(&app, &office, id.into(), &form.reason).await.map(|_| "refused");
    let facility = form.facility.parse().map_err(|_| AppError::field("facility"))?;
    answer(&app, &office.facility_admin()?, facility, outcome, form, |_| "refuse-reason").await
}

/// `POST /facilities/{id}/manager`: shows a new account, once.
pub async fn designate(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let name = Some(form.manager_name.trim().to_owned()).filter(|name| !name.is_empty());
    let staff_id = match (&name, form.staff_id.parse()) {
        // Somebody new: the form brings an id for them.
        (Some(_), _) => form.id.parse::<StaffId>().map_err(|_| AppError::field("staff_id")),
        (None, Ok(chosen)) => Ok(chosen),
        (None, Err(_)) => Err(AppError::field("staff_id")),
    };
    let outcome = match staff_id {
        Ok(staff_id) => {
            let given = ManagerChange { staff_id, name, mail: form.manager_mail.clone() };
            change::designate(&app, &admin, id.into(), &given).await
        }
        Err(e) => Err(e),
    };
    let outcome = match outcome {
        Ok(designated) => match designated.first_password {
            Some(first_password) => {
                let frame = app.db.read(async |c| admin.frame(&app, c).await).await?;
                return portal::page(&ApprovedPage {
                    frame,
                    heading: "管理者を決めました".to_owned(),
                    mailed: false,
                    login_id: designated.login_id,
                    first_password,
                });
            }
            // Who handed over is no manager any more, and this page is none of theirs.
            None if admin.secretariat().is_err() => return Ok(local::see("/")),
            None => Ok("managed"),
        },
        Err(e) => Err(e),
    };
    let control = |field: &str| match field {
        "mail" => "manager_mail",
        "name" => "manager_name",
        _ => "staff_id",
    };
    answer(&app, &admin, id, outcome, form, control).await
}

/// `POST /facilities/{id}/map`.
pub async fn map(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match position(&form) {
        Ok(position) => {
            let listing = MapListing { listed: form.listed == "true", position };
            change::list(&app, &admin, id.into(), listing).await.map(|()| "listed")
        }
        Err(e) => Err(e),
    };
    answer(&app, &admin, id, outcome, form, |_| "").await
}

fn position(form: &Typed) -> Result<Option<MapPosition>, AppError> {
    let (latitude, longitude) = (form.latitude.trim(), form.longitude.trim());
    if latitude.is_empty() && longitude.is_empty() {
        return Ok(None);
    }
    Ok(Some(MapPosition {
        latitude: latitude.parse().map_err(|_| AppError::field("latitude"))?,
        longitude: longitude.parse().map_err(|_| AppError::field("longitude"))?,
    }))
}

/// `POST /facilities/{id}/ticket-mail`.
pub async fn mail_again(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let again = TicketMailAgain {
        id: form.id.parse().unwrap_or_else(|_| NoticeId::new()),
        mail: Some(form.ticket_mail.clone()),
    };
    let outcome = decide::mail_again(&app, &office, id.into(), &again).await.map(|()| "mailed");
    answer(&app, &office.facility_admin()?, id, outcome, form, |_| "ticket_mail").await
}

/// `POST /facilities/{id}/no-mail-settlement`.
pub async fn settle(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let outcome = decide::settle(&app, &office, id.into()).await.map(|()| "settled");
    answer(&app, &office.facility_admin()?, id, outcome, Typed::default(), |_| "").await
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
