//! Applications (F02, F19, F20): from the public form, on paper by way of the office, and corrected ones.
//! What the API and the portal share.

use super::rules::{self, Event};
use super::store::{self, Paper, letters, record};
use crate::access::{Secretariat, token_hash};
use crate::audit::{self, Actor};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::state::App;
use crate::{clock, input, media, municipality, sent};
use renraku_wire::{
    Code, FacilityApplication, FacilityId, FacilityState, IntakeChannel, NoMailReport, NoticeId,
    PaperApplication, ReturnedApplication, Timestamp,
};

fn stranger(town: Id) -> Actor {
    Actor { municipality_id: town, staff_id: None, device_id: None }
}

/// Takes an application. Sending the same one twice applies once.
///
/// # Errors
/// [`Code::NotFound`] for the town; [`Code::TrialClosed`]; [`Code::FieldInvalid`];
/// [`Code::FacilityOutside`]; [`Code::IdConflict`].
pub async fn apply(app: &App, slug: &str, application: FacilityApplication) -> Result<FacilityId, AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            if town.policy.trial_mode {
                return Err(Code::TrialClosed.into());
            }
            let clean = rules::application(application.clone(), &town.policy)?;
            let again = sent::again(c, town.id, KIND, clean.id.into(), &clean).await?;
            if store::insert(c, town.id, &clean, None, now).await? {
                audit::record(c, stranger(town.id), "facility.apply", Some(clean.id.into()), "").await?;
            } else if !again {
                on_file(c, town.id, &clean).await?;
            }
            Ok(clean.id)
        })
        .await
}

/// Of an application in [`sent`].
const KIND: &str = "facility_application";

/// Refuses what is not the application of this id that was taken in before what is sent was noted.
async fn on_file(c: &mut Conn, town: Id, clean: &FacilityApplication) -> Result<(), AppError> {
    let (same, _, _) = record::application(c, town, clean.id.into()).await?;
    if same == *clean { Ok(()) } else { Err(Code::IdConflict.into()) }
}

/// Takes in an application that came on paper, or the correction of one that is not decided, in trial mode too.
/// Sending it twice applies or corrects once.
///
/// # Errors
/// [`Code::FieldInvalid`]; [`Code::FacilityOutside`]; [`Code::IdConflict`]; for a correction [`Code::NotFound`] and
/// [`Code::StateConflict`].
pub async fn on_paper(
    app: &App,
    office: &Secretariat,
    paper: &PaperApplication,
) -> Result<FacilityId, AppError> {
    let now = clock::now();
    let clean = rules::application(paper.application.clone(), office.policy())?;
    if !matches!(paper.channel, IntakeChannel::Fax | IntakeChannel::Post | IntakeChannel::Hand) {
        return Err(AppError::field("channel"));
    }
    let intake = Paper {
        channel: paper.channel,
        received_on: input::past_day(&paper.received_on, "received_on", now)?,
        received_by: office.staff_id(),
        scan: paper.scan.into(),
    };
    let town = office.municipality_id();
    app.db
        .write(async |c| {
            if let Some(id) = paper.corrects {
                store::standing(c, town, id.into()).await?;
            }
            if !record::is_scan(c, &office.facility_admin()?, intake.scan).await? {
                return Err(AppError::field("scan"));
            }
            // A page keeps its scan anew each time that it is sent: the same scan is meant.
            let scan = media::store::digest(c, office, intake.scan).await?;
            let what = (&clean, &intake.channel, &intake.received_on, scan, &paper.corrects, &paper.replaces);
            let again = sent::again(c, town, KIND, clean.id.into(), &what).await?;
            if let Some(id) = paper.corrects {
                let clean = FacilityApplication { id, ..clean.clone() };
                if again {
                    return Ok(());
                }
                letters::as_seen(c, town, id.into(), paper.replaces).await?;
                return correct_on_paper(c, office, &clean, &intake, now).await;
            }
            if store::insert(c, town, &clean, Some(&intake), now).await? {
                let word = crate::db::sql::word(&intake.channel);
                return audit::record(c, office.actor(), "facility.intake", Some(clean.id.into()), &word)
                    .await;
            }
            if again { Ok(()) } else { on_file(c, town, &clean).await }
        })
        .await?;
    Ok(paper.corrects.unwrap_or(clean.id))
}

/// What the office corrects for an applicant: an application that is not decided, as it stands, and the letter whose
/// link works.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] once it is decided.
pub async fn to_correct(
    app: &App,
    office: &Secretariat,
    id: FacilityId,
) -> Result<(FacilityApplication, Option<NoticeId>), AppError> {
    let town = office.municipality_id();
    app.db
        .read(async |c| {
            store::standing(c, town, id.into()).await?;
            let (application, state, _) = record::application(c, town, id.into()).await?;
            rules::after(state, Event::Correct)?;
            let mail = letters::return_mails(c, town, &[id.into()]).await?.pop();
            Ok((application, mail.map(|(_, mail)| mail.id)))
        })
        .await
}

/// Writes a correction that came on paper over the application. Its scan takes the place of the one before, whose id
/// the audit trail keeps.
async fn correct_on_paper(
    c: &mut Conn,
    office: &Secretariat,
    clean: &FacilityApplication,
    intake: &Paper,
    now: i64,
) -> Result<(), AppError> {
    let (town, id) = (office.municipality_id(), Id::from(clean.id));
    let before = store::advance(c, town, id, Event::Correct, None).await?;
    store::keep_past(c, town, id, &before, Some(office.staff_id()), now).await?;
    store::correct(c, town, clean, now).await?;
    let instead = store::came_on_paper(c, town, id, intake).await?;
    letters::end_links(c, town, id, now).await?;
    let instead = instead.map_or(String::new(), |old| format!(" instead of {old}"));
    let detail = format!("{}{instead}", crate::db::sql::word(&intake.channel));
    audit::record(c, office.actor(), "facility.correct_on_paper", Some(id), &detail).await
}

/// A returned application as its link opens it.
///
/// # Errors
/// [`Code::NotFound`] for the town; [`Code::LinkInvalid`].
pub async fn returned(app: &App, slug: &str, token: &str) -> Result<ReturnedApplication, AppError> {
    let now = clock::now();
    app.db
        .read(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let link = letters::link(c, town.id, &token_hash(token), now).await?;
            let (application, state, reason) = record::application(c, town.id, link.facility_id).await?;
            if link.used || state != FacilityState::Returned {
                return Err(Code::LinkInvalid.into());
            }
            Ok(ReturnedApplication { application, reason, expires_at: Timestamp(link.expires_at) })
        })
        .await
}

/// Takes the corrected application. The link works once; the very same correction sent again by it is
/// taken as that one.
///
/// # Errors
/// [`Code::NotFound`] for the town; [`Code::LinkInvalid`]; [`Code::FieldInvalid`];
/// [`Code::FacilityOutside`].
pub async fn correct(
    app: &App,
    slug: &str,
    token: &str,
    application: FacilityApplication,
) -> Result<FacilityId, AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let link = letters::link(c, town.id, &token_hash(token), now).await?;
            let clean = FacilityApplication { id: link.facility_id.into(), ..application.clone() };
            let clean = rules::application(clean, &town.policy)?;
            let (on_file, state, _) = record::application(c, town.id, link.facility_id).await?;
            match state {
                FacilityState::Returned if !link.used => {}
                FacilityState::Applied if link.used && on_file == clean => return Ok(clean.id),
                _ => return Err(Code::LinkInvalid.into()),
            }
            let before = store::advance(c, town.id, link.facility_id, Event::Correct, None).await?;
            store::keep_past(c, town.id, link.facility_id, &before, None, now).await?;
            store::correct(c, town.id, &clean, now).await?;
            letters::end_links(c, town.id, link.facility_id, now).await?;
            audit::record(c, stranger(town.id), "facility.correct", Some(link.facility_id), "").await?;
            Ok(clean.id)
        })
        .await
}

/// A manager says that the mail with No and password did not come (F04). Nobody learns whether there is
/// such a facility.
///
/// # Errors
/// [`Code::NotFound`] for the town; [`Code::FieldInvalid`].
pub async fn no_mail(app: &App, slug: &str, report: &NoMailReport) -> Result<(), AppError> {
    let name = input::line(&report.name, "name")?;
    let mail = input::mail(&report.manager_mail, "manager_mail")?;
    let now = clock::now();
    app.db
        .write(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            letters::report(c, town.id, &name, &mail, now).await
        })
        .await
}
