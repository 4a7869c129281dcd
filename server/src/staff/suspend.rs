//! Suspending an id and letting it be used again (F55): what the API and the portal share.

use super::{account, rules, suspension};
use crate::access::Secretariat;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, input, sent, session};
use renraku_wire::{Code, NoticeKind, Suspending};

/// Suspends an id: its sessions end at once, and notices that it claimed wait for somebody else. The person hears by mail, the facility's managers as they hear
/// of everything.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::RoleInsufficient`] for the own account; [`Code::StateConflict`] for one that
/// is suspended or ended; [`Code::ManagerNeeded`] for the office's last one; [`Code::IdConflict`]; [`Code::FieldInvalid`] for no reason, and for `agreed`
/// where the town does not suspend without asking.
pub async fn suspend(app: &App, office: &Secretariat, id: Id, given: &Suspending) -> Result<(), AppError> {
    let town = office.municipality_id();
    let reason = input::text(&given.reason, "reason", 1_000)?;
    if !given.agreed && !office.policy().suspend_without_consent {
        return Err(AppError::field("agreed"));
    }
    let now = clock::now();
    app.db
        .write(async |c| {
            let admin = office.facility_admin()?;
            let account = account::managed(c, &admin, id).await?;
            account::not_own(&admin, id)?;
            let what = (id.to_string(), &reason, given.agreed);
            sent::again(c, town, "suspension", given.id.into(), &what).await?;
            if let Some(whose) = suspension::of(c, town, given.id.into()).await? {
                // Sent twice: suspended once.
                return if whose == id { Ok(()) } else { Err(Code::IdConflict.into()) };
            }
            rules::next(account.state(), rules::Act::Suspend)?;
            if account.office() {
                // Of two who suspend each other at once, one stays: somebody has to let the other go on.
                let others = account::managers_but(c, town, account.facility_id, id).await?.len();
                rules::keeps_a_manager(account.role()?, None, i64::try_from(others).unwrap_or(i64::MAX))?;
            }
            suspension::begin(c, office, id, given.id.into(), &reason, now).await?;
            session::store::close_all(c, town, id).await?;
            session::store::end_tickets(c, town, id, now).await?;
            notice::inbox::give_back(c, town, id).await?;
            tell(c, town, &account, NoticeKind::AccountSuspended).await?;
            audit::record(c, office.actor(), "staff.suspend", Some(id), &given.id.to_string()).await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Lets a suspended id be used again.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] for one that is not suspended.
pub async fn resume(app: &App, office: &Secretariat, id: Id) -> Result<(), AppError> {
    let town = office.municipality_id();
    let now = clock::now();
    app.db
        .write(async |c| {
            let account = account::managed(c, &office.facility_admin()?, id).await?;
            rules::next(account.state(), rules::Act::Resume { fresh: account.must_change_password })?;
            suspension::end(c, office, id, now).await?;
            tell(c, town, &account, NoticeKind::AccountResumed).await?;
            audit::record(c, office.actor(), "staff.resume", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Tells the person by mail, at every address of theirs, and the managers of their facility. Where there is no
/// other manager, the facility's own address takes the mail.
async fn tell(c: &mut Conn, town: Id, account: &account::Account, kind: NoticeKind) -> Result<(), AppError> {
    let about = |kind| About { municipality_id: town, kind, patient_id: None, post_id: None };
    for address in [&account.mail, &account.forwarding_mail].into_iter().flatten() {
        notice::queue_mail(c, &about(kind), address).await?;
    }
    let managers = account::managers_but(c, town, account.facility_id, account.id).await?;
    let news = about(NoticeKind::StaffStateChanged);
    notice::queue(c, &news, &managers).await?;
    if managers.is_empty() {
        let address = account::facility_mail(c, town, account.facility_id).await?;
        notice::queue_mail(c, &news, &address).await?;
    }
    Ok(())
}
