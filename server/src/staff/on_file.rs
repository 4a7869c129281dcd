//! Who is on file as a facility's manager, kept in step with the accounts: letters about the facility, and a certificate
//! No that is mailed once more, go to that address.

use super::account::Account;
use super::rules;
use crate::access::SignedIn;
use crate::audit;
use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::{Uid, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::{self, FacilityNews, Letter};
use crate::run;
use crate::secret::OperatorSecret;
use diesel::sql_types::BigInt;
use renraku_wire::{Code, Problem, Role};

/// What becomes of an account.
#[derive(Clone, Copy, Debug)]
pub enum Fate<'a> {
    /// It goes on under this name, with this own address.
    Stays(&'a str, Option<&'a str>),
    /// It manages no longer: it ends, or has another role from now on.
    Goes,
}

/// Writes what becomes of the manager on file, in the caller's transaction. A new name and a new address of their own
/// are written; where the one on file goes and one other manager with an address is left, that one takes the place,
/// and both addresses hear of it. Of somebody who is not on file nothing is written.
///
/// # Errors
/// [`Code::ManagerNeeded`] where it is not plain who takes the place: the next manager is to be designated first.
pub async fn follow(
    c: &mut Conn,
    secret: &OperatorSecret,
    who: &SignedIn,
    account: &Account,
    fate: Fate<'_>,
) -> Result<(), AppError> {
    if account.office() || account.role()? != Role::FacilityManager {
        return Ok(());
    }
    let (town, id) = (who.municipality_id(), account.facility_id);
    let place = facility::table.find((town, id));
    let before: (String, String) =
        run!(c, get_result, place.select((facility::manager_name, facility::manager_mail)))?;
    if before.0 != account.name {
        return Ok(());
    }
    let after = match fate {
        Fate::Stays(name, own) => {
            let was_own = account.mail.as_ref() == Some(&before.1);
            let mail = own.filter(|_| was_own).unwrap_or(&before.1);
            (name.to_owned(), mail.to_owned())
        }
        Fate::Goes => rules::successor(&others(c, town, account).await?).ok_or_else(designate_first)?,
    };
    if after == before {
        return Ok(());
    }
    keep_past(c, who, id).await?;
    let (name, mail) = &after;
    let now_on_file = (facility::manager_name.eq(name), facility::manager_mail.eq(mail));
    run!(c, execute, diesel::update(place).set(now_on_file))?;
    if matches!(fate, Fate::Goes) {
        for address in [Some(&before.1), Some(mail).filter(|mail| **mail != before.1)].into_iter().flatten() {
            let letter = Letter::Facility { news: FacilityNews::ManagerChanged };
            notice::queue_letter(c, secret, town, Id::new(), address, &letter).await?;
        }
    }
    audit::record(c, who.actor(), "facility.manager_on_file", Some(id), "").await
}

/// The refusal that says what comes first.
fn designate_first() -> AppError {
    let detail = "この人が管理者として登録されています。先に、登録内容の画面の「管理者を変える」で、次の管理者を決めてください（利用停止中のときは、利用を再開してから）。";
    Problem { detail: detail.to_owned(), ..Problem::new(Code::ManagerNeeded) }.into()
}

/// The facility's other managers, with their own address or one to forward to.
async fn others(
    c: &mut Conn,
    town: Id,
    account: &Account,
) -> Result<Vec<(String, Option<String>)>, AppError> {
    let rows: Vec<(String, Option<String>, Option<String>)> = run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(account.facility_id))
            .filter(staff::id.ne(account.id))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq(word(&Role::FacilityManager)))
            .select((staff::name, staff::mail, staff::forwarding_mail))
    )?;
    Ok(rows.into_iter().map(|(name, own, forwarding)| (name, own.or(forwarding))).collect())
}

/// Keeps what is on file before it is replaced.
async fn keep_past(c: &mut Conn, who: &SignedIn, facility_id: Id) -> Result<(), AppError> {
    const STATEMENT: &str = "INSERT INTO facility_past (municipality_id, id, facility_id, name, kind, address, \
         telephone, opening, manager_name, manager_mail, until_at, replaced_by) \
         SELECT f.municipality_id, $1, f.id, f.name, f.kind, f.address, f.telephone, f.opening, f.manager_name, \
             f.manager_mail, $2, $3 FROM facility f WHERE f.municipality_id = $4 AND f.id = $5";
    run!(
        c,
        execute,
        diesel::sql_query(STATEMENT)
            .bind::<Uid, _>(Id::new())
            .bind::<BigInt, _>(clock::now())
            .bind::<Uid, _>(who.staff_id())
            .bind::<Uid, _>(who.municipality_id())
            .bind::<Uid, _>(facility_id)
    )?;
    Ok(())
}
