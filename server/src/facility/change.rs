//! Changes of an approved facility (F09, F16): what is on file, its manager, its place on the map, its end.
//! What the API and the portal share.

use super::decide::{fresh_login, tell};
use super::rules::{self, Event};
use super::store::{self, changes, letters, people};
use crate::access::{FacilityAdmin, Secretariat};
use crate::audit;
use crate::clock;
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::input;
use crate::notice::FacilityNews;
use crate::sent;
use crate::session::{self, password};
use crate::staff;
use crate::state::App;
use renraku_wire::{
    ChangeState, Code, FacilityChange, FacilityChangeId, FacilityChanged, FacilityClosing, ManagerChange,
    ManagerDesignated, MapListing, Problem,
};

/// The office reaches every facility, a manager the own one; the others are not there.
fn reach(admin: &FacilityAdmin, id: Id) -> Result<Option<Secretariat>, AppError> {
    match admin.secretariat() {
        Ok(office) => Ok(Some(office)),
        Err(_) if id == admin.facility_id() => Ok(None),
        Err(_) => Err(Code::NotFound.into()),
    }
}

/// Changes what is on file. Telephone and opening hours take effect at once; name, kind and address wait
/// for the office when the manager changes them. Sending the same change twice changes once.
///
/// While such a change waits, the office does not change name, kind and address past it: what the manager
/// asked for is confirmed or refused first, so that neither undoes the other unseen.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none; [`Code::FieldInvalid`]; [`Code::StateConflict`];
/// [`Code::IdConflict`].
pub async fn change(
    app: &App,
    admin: &FacilityAdmin,
    id: Id,
    change: FacilityChange,
) -> Result<FacilityChanged, AppError> {
    let office = reach(admin, id)?;
    let change = rules::change(change)?;
    let town = admin.municipality_id();
    let now = clock::now();
    let state = app
        .db
        .write(async |c| {
            let before = store::standing(c, town, id).await?;
            let what = (admin.staff_id().to_string(), id.to_string(), &change);
            sent::again(c, town, KIND, change.id.into(), &what).await?;
            let asked = changes::Asked::Change(&change);
            if let Some(state) = changes::again(c, town, change.id, (id, &asked)).await? {
                return Ok(state);
            }
            rules::after(from_word(&before.state)?, Event::Change)?;
            let on_file = before.unchanged(change.id)?;
            let place = (&on_file.name, on_file.kind, &on_file.address)
                != (&change.name, change.kind, &change.address);
            let reach = (&on_file.telephone, &on_file.opening) != (&change.telephone, &change.opening);
            let waits = place && office.is_none();
            if place && !waits && changes::waiting(c, town, id).await?.is_some_and(|w| w.closing.is_none()) {
                return Err(one_waits());
            }
            let state = if waits { ChangeState::Waiting } else { ChangeState::Done };
            changes::insert(c, admin, id, &change, None, state, now).await?;
            if reach || (place && !waits) {
                store::keep_past(c, town, id, &before, Some(admin.staff_id()), now).await?;
                changes::set_reach(c, town, id, &change.telephone, &change.opening).await?;
                audit::record(c, admin.actor(), "facility.change", Some(id), "").await?;
            }
            if waits {
                audit::record(c, admin.actor(), "facility.change_ask", Some(id), "").await?;
            } else if place {
                let kind = crate::db::sql::word(&change.kind);
                changes::set_place(c, town, id, (&change.name, &kind, &change.address)).await?;
            }
            if office.is_some() && (place || reach) {
                tell(c, app, town, &before.manager_mail, FacilityNews::Changed).await?;
            }
            Ok(state)
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(FacilityChanged { id: change.id, state })
}

/// Of a change and of a 廃止届 in [`sent`].
const KIND: &str = "facility_change";

/// The refusal that says what comes first.
fn one_waits() -> AppError {
    let detail = "管理者が届け出た変更が確認を待っています。先に、その変更を承認するか、承認しないかを決めてください。";
    Problem { detail: detail.to_owned(), ..Problem::new(Code::StateConflict) }.into()
}

/// Confirms a change that waits: what was asked for takes effect, a 廃止届 closes the facility.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] when it waits no longer, or the facility is not in use.
pub async fn confirm(app: &App, office: &Secretariat, id: Id) -> Result<FacilityChanged, AppError> {
    let town = office.municipality_id();
    let now = clock::now();
    app.db
        .write(async |c| {
            let change = changes::decide(c, office, id, ChangeState::Done, None, now).await?;
            if let Some(reason) = &change.closing {
                return close(c, app, office, change.facility_id, reason, now).await;
            }
            let before = store::standing(c, town, change.facility_id).await?;
            rules::after(from_word(&before.state)?, Event::Change)?;
            store::keep_past(c, town, change.facility_id, &before, Some(office.staff_id()), now).await?;
            let place = (change.name.as_str(), change.kind.as_str(), change.address.as_str());
            changes::set_place(c, town, change.facility_id, place).await?;
            tell(c, app, town, &before.manager_mail, FacilityNews::ChangeConfirmed).await?;
            audit::record(c, office.actor(), "facility.change_confirm", Some(change.facility_id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(FacilityChanged { id: id.into(), state: ChangeState::Done })
}

/// Refuses a change that waits.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] when it waits no longer; [`Code::FieldInvalid`].
pub async fn refuse(
    app: &App,
    office: &Secretariat,
    id: Id,
    reason: &str,
) -> Result<FacilityChanged, AppError> {
    let reason = rules::reason(reason)?;
    let town = office.municipality_id();
    let now = clock::now();
    app.db
        .write(async |c| {
            let change = changes::decide(c, office, id, ChangeState::Refused, Some(&reason), now).await?;
            let facility = store::standing(c, town, change.facility_id).await?;
            tell(c, app, town, &facility.manager_mail, FacilityNews::ChangeRefused).await?;
            audit::record(c, office.actor(), "facility.change_refuse", Some(change.facility_id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(FacilityChanged { id: id.into(), state: ChangeState::Refused })
}

/// 廃止届: the manager's waits for the office; the office's own closes at once. Sending it twice closes once.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none; [`Code::FieldInvalid`]; [`Code::StateConflict`];
/// [`Code::IdConflict`].
pub async fn end(
    app: &App,
    admin: &FacilityAdmin,
    id: Id,
    closing: &FacilityClosing,
) -> Result<FacilityChanged, AppError> {
    let office = reach(admin, id)?;
    let reason = rules::reason(&closing.reason)?;
    let town = admin.municipality_id();
    let now = clock::now();
    let change_id: FacilityChangeId = closing.id;
    let state = app
        .db
        .write(async |c| {
            let before = store::standing(c, town, id).await?;
            let what = (admin.staff_id().to_string(), id.to_string(), &reason);
            sent::again(c, town, KIND, change_id.into(), &what).await?;
            let asked = changes::Asked::Closing(&reason);
            if let Some(state) = changes::again(c, town, change_id, (id, &asked)).await? {
                return Ok(state);
            }
            rules::after(from_word(&before.state)?, Event::Close)?;
            let same = before.unchanged(change_id)?;
            match &office {
                Some(office) => {
                    changes::insert(c, admin, id, &same, Some(&reason), ChangeState::Done, now).await?;
                    close(c, app, office, id, &reason, now).await?;
                    Ok(ChangeState::Done)
                }
                None => {
                    changes::insert(c, admin, id, &same, Some(&reason), ChangeState::Waiting, now).await?;
                    audit::record(c, admin.actor(), "facility.close_ask", Some(id), "").await?;
                    Ok(ChangeState::Waiting)
                }
            }
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(FacilityChanged { id: change_id, state })
}

/// Closes a facility (廃止). Posts keep their author and the facility's name: no row goes.
async fn close(
    c: &mut Conn,
    app: &App,
    office: &Secretariat,
    id: Id,
    reason: &str,
    now: i64,
) -> Result<(), AppError> {
    let town = office.municipality_id();
    let facility = store::advance(c, town, id, Event::Close, Some(reason)).await?;
    people::end(c, office, id, now).await?;
    letters::end_tickets(c, town, id, now).await?;
    letters::settle(c, office, id, now).await?;
    changes::withdraw(c, town, id, now).await?;
    store::set_listing(c, town, id, &MapListing { listed: false, position: None }).await?;
    tell(c, app, town, &facility.manager_mail, FacilityNews::Closed).await?;
    audit::record(c, office.actor(), "facility.close", Some(id), "").await
}

/// Designates who manages a facility (F09). Its manager hands over to one of its staff; the office may also
/// name somebody new, or give a manager who never signed in a new first password, which lifts locks and ends
/// sessions. There is exactly one
/// manager afterwards. The same request again gets the same first password again, until it is used.
///
/// # Errors
/// [`Code::NotFound`] for another's facility and for none, and for somebody who does not work there;
/// [`Code::StateConflict`] for a facility that is not approved, and for a manager who handed over already;
/// [`Code::FieldInvalid`]; [`Code::IdConflict`].
pub async fn designate(
    app: &App,
    admin: &FacilityAdmin,
    id: Id,
    given: &ManagerChange,
) -> Result<ManagerDesignated, AppError> {
    let office = reach(admin, id)?;
    let mail = input::mail(&given.mail, "mail")?;
    let name = match given.name.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(name) => Some(input::line(name, "name")?),
    };
    if name.is_some() && office.is_none() {
        return Err(Code::RoleInsufficient.into());
    }
    let town = admin.municipality_id();
    let now = clock::now();
    let (person, request) = (Id::from(given.staff_id), Id::from(given.id));
    let about = format!("manager {person}");
    let first_password = password::asked_for(&app.secret, town, &about, request).to_string();
    let hash = app.hashing.hash(&first_password).await?;
    let login_id = fresh_login();
    let designated = app
        .db
        .write(async |c| {
            let before = store::standing(c, town, id).await?;
            rules::after(from_word(&before.state)?, Event::Change)?;
            let what = (id.to_string(), given.staff_id, &name, &mail);
            sent::again(c, town, staff::FIRST_PASSWORD, request, &what).await?;
            let found = people::find(c, town, person).await?;
            let known = found.as_ref().filter(|p| p.facility_id == id && p.state == "active");
            let others =
                people::active(c, town, id).await?.into_iter().any(|p| p.manages() && p.id != person);
            let on_file = |name: &str| before.manager_name == name && before.manager_mail == mail;
            // As when the same request arrives twice.
            let stands = known.is_some_and(|p| p.manages() && on_file(&p.name)) && !others;
            if office.is_none()
                && !stands
                && !people::find(c, town, admin.staff_id()).await?.is_some_and(|p| p.manages())
            {
                return Err(Code::StateConflict.into());
            }
            // Whether a first password is handed out, and a new one.
            let (name, login_id, handed_out) = match (known, &name, &office) {
                (Some(known), _, _) => {
                    // Handed out again only to somebody who never signed in, and by the office alone.
                    let unused = office.is_some() && known.must_change_password && known.manages();
                    let again = known.first_password_id == Some(request);
                    if unused && !again {
                        staff::account::set_first_password(c, town, person, &hash, request).await?;
                        // As every new first password: nothing that came before it counts.
                        session::store::close_all(c, town, person).await?;
                        session::tally::lift(c, town, &known.login_id).await?;
                        session::store::end_tickets(c, town, person, now).await?;
                    }
                    let handed_out = unused.then_some(!again);
                    (known.name.clone(), known.login_id.clone(), handed_out)
                }
                (None, Some(name), Some(office)) => {
                    if found.is_some() {
                        return Err(Code::IdConflict.into());
                    }
                    let account = (hash.as_str(), request);
                    staff::store::insert_manager(c, office, (id, person), &login_id, name, account, now)
                        .await?;
                    (name.clone(), login_id.clone(), Some(true))
                }
                (None, _, _) => return Err(Code::NotFound.into()),
            };
            let first_password = handed_out.is_some().then(|| first_password.clone());
            if stands && handed_out != Some(true) {
                if first_password.is_some() {
                    let again = person.to_string();
                    audit::record(c, admin.actor(), "facility.manager_again", Some(id), &again).await?;
                }
                return Ok((login_id, first_password));
            }
            people::hand_over(c, town, id, person).await?;
            let changed = !on_file(&name);
            if changed {
                store::keep_past(c, town, id, &before, Some(admin.staff_id()), now).await?;
                store::set_manager(c, town, id, &name, &mail).await?;
            }
            if changed || others {
                tell(c, app, town, &before.manager_mail, FacilityNews::ManagerChanged).await?;
                if mail != before.manager_mail {
                    tell(c, app, town, &mail, FacilityNews::ManagerChanged).await?;
                }
            }
            audit::record(c, admin.actor(), "facility.manager", Some(id), &person.to_string()).await?;
            Ok((login_id, first_password))
        })
        .await?;
    app.notices_queued.notify_one();
    let (login_id, first_password) = designated;
    Ok(ManagerDesignated { staff_id: given.staff_id, login_id, first_password })
}

/// Sets whether and where the public list shows a facility (F16).
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none; [`Code::NotOffered`]; [`Code::FieldInvalid`];
/// [`Code::StateConflict`].
pub async fn list(app: &App, admin: &FacilityAdmin, id: Id, map: MapListing) -> Result<(), AppError> {
    reach(admin, id)?;
    let map = rules::listing(map, admin.policy())?;
    let town = admin.municipality_id();
    app.db
        .write(async |c| {
            let facility = store::standing(c, town, id).await?;
            rules::after(from_word(&facility.state)?, Event::Change)?;
            store::set_listing(c, town, id, &map).await?;
            let detail = if map.listed { "listed" } else { "unlisted" };
            audit::record(c, admin.actor(), "facility.map", Some(id), detail).await
        })
        .await
}
