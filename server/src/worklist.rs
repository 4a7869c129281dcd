//! What lies over several rooms and belongs to none: the care host's home, what waits for a person, and a
//! notice's target, seen by its recipient.

use crate::access::SignedIn;
use crate::db::Conn;
use crate::error::AppError;
use crate::input::PathId;
use crate::portal::{self, Frame, Task, local};
use crate::state::App;
use crate::{device, facility, inbox, incident, notice, patient, review, training};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use renraku_wire::{Notice, NoticeId, Tasks, Timestamp};

pub mod undelivered;

/// `GET /notices/{id}`: where a mail's link lands; it leads on to what the notice is about.
pub async fn landing(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<NoticeId>,
) -> Result<Response, AppError> {
    let found = app
        .db
        .read(async |c| notice::target(c, who.municipality_id(), who.staff_id(), id.into()).await)
        .await?;
    Ok(local::see(&found.path()))
}

/// Whom and what a notice is about, for its recipient alone.
#[utoipa::path(get, path = "/v1/notices/{id}", tag = "notice",
    params(("id" = NoticeId, Path)), responses((status = 200, body = Notice)))]
pub async fn notice(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<NoticeId>,
) -> Result<Json<Notice>, AppError> {
    let found = app
        .db
        .read(async |c| notice::of_recipient(c, who.municipality_id(), who.staff_id(), id.into()).await)
        .await?;
    Ok(Json(found))
}

/// What waits for the caller.
#[utoipa::path(get, path = "/v1/tasks", tag = "notice", responses((status = 200, body = Tasks)))]
pub async fn list(State(app): State<App>, who: SignedIn) -> Result<Json<Tasks>, AppError> {
    let tasks = app.db.read(async |c| tasks(c, &who).await).await?;
    let wire =
        |task: Task| renraku_wire::Task { text: task.text, path: task.href, since: Timestamp(task.since) };
    Ok(Json(Tasks { tasks: tasks.into_iter().map(wire).collect() }))
}

/// Everything that waits for this person, the oldest first: one line for each room that has something.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let mut tasks = facility::store::tasks(c, who).await?;
    tasks.extend(device::tasks::tasks(c, who).await?);
    tasks.extend(patient::waiting::tasks(c, who).await?);
    tasks.extend(inbox::store::tasks(c, who).await?);
    tasks.extend(incident::store::tasks(c, who).await?);
    tasks.extend(training::store::tasks(c, who).await?);
    tasks.extend(review::store::tasks(c, who).await?);
    tasks.extend(undelivered::tasks(c, who).await?);
    tasks.sort_by_key(|task| task.since);
    Ok(tasks)
}

#[derive(Template)]
#[template(path = "worklist.html")]
struct TasksPage {
    frame: Frame,
    tasks: Vec<Task>,
    admin: bool,
    office: bool,
}

/// `GET /tasks`: what waits for whoever is signed in.
pub async fn page(State(app): State<App>, who: SignedIn) -> Result<Response, AppError> {
    let (frame, tasks) =
        app.db.read(async |c| Ok((who.frame(&app, c).await?, tasks(c, &who).await?))).await?;
    let (admin, office) = (who.facility_admin().is_ok(), who.secretariat().is_ok());
    portal::page(&TasksPage { frame, tasks, admin, office })
}

#[derive(Template)]
#[template(path = "patient/home.html")]
struct HomePage {
    frame: Frame,
    patients: Vec<patient::roll::Line>,
    waiting: usize,
    registrar: bool,
}

/// `GET /`: whom the person cares for, and how much waits for them.
pub async fn home(State(app): State<App>, who: SignedIn) -> Result<Response, AppError> {
    let (frame, patients, tasks) = app
        .db
        .read(async |c| {
            let patients = patient::store::list(c, &who).await?;
            Ok((who.frame(&app, c).await?, patients, tasks(c, &who).await?))
        })
        .await?;
    let may = patient::rules::may_record(who.role(), who.profession(), &who.policy().consent);
    let (patients, registrar) =
        (patient::roll::lines(patients, None), who.registrar().is_ok() && may.is_ok());
    portal::page(&HomePage { frame, patients, waiting: tasks.len(), registrar })
}
