//! Dead letters, for the office: what could not be delivered, why, and to whose colleague.

use crate::access::{Secretariat, SignedIn};
use crate::db::Conn;
use crate::error::AppError;
use crate::input::PathId;
use crate::policy::worded;
use crate::portal::{self, Frame, Task, language, local};
use crate::state::App;
use crate::{audit, clock, notice};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{NoticeId, Undelivered};

/// Pushes and mails that will not arrive and that nobody has dealt with, the newest first.
#[utoipa::path(get, path = "/v1/undelivered", tag = "notice", responses((status = 200, body = [Undelivered])))]
pub async fn list(State(app): State<App>, office: Secretariat) -> Result<Json<Vec<Undelivered>>, AppError> {
    let found = app.db.read(async |c| notice::undelivered(c, office.municipality_id()).await).await?;
    Ok(Json(found.into_iter().map(|(letter, _)| letter).collect()))
}

/// Puts one aside, after it was dealt with. A second time changes nothing.
#[utoipa::path(post, path = "/v1/undelivered/{id}/handled", tag = "notice", params(("id" = NoticeId, Path)),
    responses((status = 204)))]
pub async fn handled(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<NoticeId>,
) -> Result<StatusCode, AppError> {
    handle(&app, &office, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn handle(app: &App, office: &Secretariat, id: NoticeId) -> Result<(), AppError> {
    let (town, me) = (office.municipality_id(), office.staff_id());
    app.db
        .write(async |c| {
            notice::handle_undelivered(c, town, id.into(), me, clock::now()).await?;
            audit::record(c, office.actor(), "notice.handled", Some(id.into()), "").await
        })
        .await
}

struct Line {
    id: String,
    what: String,
    channel: &'static str,
    to: String,
    reason: String,
    when: String,
}

#[derive(Template)]
#[template(path = "undelivered.html")]
struct UndeliveredPage {
    frame: Frame,
    lines: Vec<Line>,
    /// Mails that nobody has tried to send, and since when.
    lying: Option<(i64, String)>,
}

/// `GET /undelivered`.
pub async fn page(State(app): State<App>, office: Secretariat) -> Result<Response, AppError> {
    let town = office.municipality_id();
    let (frame, found, lying) = app
        .db
        .read(async |c| {
            let lying = notice::mails_left_lying(c, town, clock::now()).await?;
            Ok((office.frame(&app, c).await?, notice::undelivered(c, town).await?, lying))
        })
        .await?;
    let lines = found.into_iter().map(|(letter, name)| Line {
        id: letter.id.to_string(),
        what: worded(letter.kind.line(), &frame.words),
        channel: match letter.channel.as_str() {
            "mail" => "メール",
            "apns" => "プッシュ通知（Apple）",
            "fcm" => "プッシュ通知（Google）",
            _ => "その他",
        },
        to: match (letter.facility_name, name) {
            (Some(facility), Some(name)) => format!("{facility}　{name}さん"),
            _ => "代表の宛先".to_owned(),
        },
        reason: letter.reason,
        when: language::when(letter.given_up_at.0),
    });
    let lines = lines.collect();
    let lying = lying.map(|(count, since)| (count, language::when(since)));
    portal::page(&UndeliveredPage { frame, lines, lying })
}

/// `POST /undelivered/{id}/handled`.
pub async fn put_aside(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<NoticeId>,
) -> Result<Response, AppError> {
    handle(&app, &office, id).await?;
    Ok(local::see("/undelivered"))
}

/// What waits for the office here.
pub(super) async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.secretariat().is_err() {
        return Ok(vec![]);
    }
    let waiting = notice::undelivered_waiting(c, who.municipality_id()).await?;
    let dead = waiting.map(|(count, since)| Task {
        text: format!("届かなかったお知らせ{count}件の宛先を確認する"),
        href: "/undelivered".to_owned(),
        since,
    });
    let lying = notice::mails_left_lying(c, who.municipality_id(), clock::now()).await?;
    let lying = lying.map(|(count, since)| Task {
        text: format!(
            "メール{count}件が送られずに待っています。メール送信の設定をサーバーの運用者に依頼する"
        ),
        href: "/undelivered".to_owned(),
        since,
    });
    Ok(dead.into_iter().chain(lying).collect())
}
