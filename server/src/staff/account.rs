//! An account as those who manage it act on it: what is stored of it, and what they change.

use super::rules::{self, Mails};
use crate::access::FacilityAdmin;
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{notice, run};
use renraku_wire::{Code, FacilityKind, MailKind, Profession, Role, StaffState};

/// An account as those who manage it act on it.
#[derive(Queryable)]
pub struct Account {
    /// The person.
    pub id: Id,
    /// Where they work.
    pub facility_id: Id,
    /// Name.
    pub name: String,
    /// Individual user id.
    pub login_id: String,
    role: String,
    stored_state: String,
    /// The first password was not changed yet.
    pub must_change_password: bool,
    /// Own mail address.
    pub mail: Option<String>,
    /// Where notices go instead, or as well.
    pub forwarding_mail: Option<String>,
    /// May print and export records.
    pub may_export: bool,
    /// Under which id the first password was asked for.
    pub first_password_id: Option<Id>,
    facility_kind: String,
}

impl Account {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> StaffState {
        rules::state(&self.stored_state, self.must_change_password)
    }

    /// Its role.
    ///
    /// # Errors
    /// The row was written by a newer version.
    pub fn role(&self) -> Result<Role, AppError> {
        from_word(&self.role)
    }

    /// True for an account of the office itself.
    #[must_use]
    pub fn office(&self) -> bool {
        self.facility_kind == word(&FacilityKind::Secretariat)
    }
}

/// An account that this admin manages: of the own facility, or any for the office.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none.
pub async fn managed(c: &mut Conn, admin: &FacilityAdmin, id: Id) -> Result<Account, AppError> {
    let account: Option<Account> = run!(
        c,
        get_result,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(admin.municipality_id()))
            .filter(staff::id.eq(id))
            .select((
                staff::id,
                staff::facility_id,
                staff::name,
                staff::login_id,
                staff::role,
                staff::state,
                staff::must_change_password,
                staff::mail,
                staff::forwarding_mail,
                staff::may_export,
                staff::first_password_id,
                facility::kind
            ))
    )
    .optional()?;
    let office = admin.secretariat().is_ok();
    Ok(account.filter(|a| office || a.facility_id == admin.facility_id()).ok_or(Code::NotFound)?)
}

/// Refuses what nobody does to the own account.
///
/// # Errors
/// [`Code::RoleInsufficient`].
pub fn not_own(admin: &FacilityAdmin, id: Id) -> Result<(), Code> {
    if admin.staff_id() == id { Err(Code::RoleInsufficient) } else { Ok(()) }
}

/// The facility's other managers who may sign in.
///
/// # Errors
/// The database failed.
pub async fn managers_but(c: &mut Conn, town: Id, facility_id: Id, but: Id) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(facility_id))
            .filter(staff::id.ne(but))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq_any([word(&Role::FacilityManager), word(&Role::Secretariat)]))
            .select(staff::id)
    )?)
}

/// The address of a facility's manager, as it was applied with.
///
/// # Errors
/// The database failed.
pub async fn facility_mail(c: &mut Conn, town: Id, facility_id: Id) -> Result<String, AppError> {
    Ok(run!(c, get_result, facility::table.find((town, facility_id)).select(facility::manager_mail))?)
}

/// True for somebody who works at this facility and may sign in.
///
/// # Errors
/// The database failed.
pub async fn works_at(c: &mut Conn, town: Id, facility_id: Id, id: Id) -> Result<bool, AppError> {
    let n: i64 = run!(
        c,
        get_result,
        staff::table
            .find((town, id))
            .filter(staff::facility_id.eq(facility_id))
            .filter(staff::state.eq("active"))
            .count()
    )?;
    Ok(n == 1)
}

/// A profile without its addresses.
#[derive(Debug)]
pub struct Profile<'a> {
    /// Name.
    pub name: &'a str,
    /// Profession.
    pub profession: Profession,
    /// Role.
    pub role: Role,
    /// May print and export records.
    pub may_export: bool,
}

/// Stores a profile.
///
/// # Errors
/// The database failed.
pub async fn change(
    c: &mut Conn,
    town: Id,
    id: Id,
    profile: &Profile<'_>,
    mails: &Mails,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(staff::table.find((town, id))).set((
            staff::name.eq(profile.name),
            staff::profession.eq(word(&profile.profession)),
            staff::role.eq(word(&profile.role)),
            staff::may_export.eq(profile.may_export),
        ))
    )?;
    set_mails(c, town, id, mails).await
}

/// Stores addresses.
///
/// # Errors
/// The database failed.
pub async fn set_mails(c: &mut Conn, town: Id, id: Id, mails: &Mails) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(staff::table.find((town, id))).set((
            staff::mail.eq(&mails.mail),
            staff::mail_key.eq(&mails.key),
            staff::mail_kind.eq(word(&mails.kind)),
            staff::forwarding_mail.eq(&mails.forwarding),
        ))
    )?;
    Ok(())
}

/// Stores a first password, which must be changed, and under which id it was asked for.
///
/// # Errors
/// The database failed.
pub async fn set_first_password(
    c: &mut Conn,
    town: Id,
    id: Id,
    hash: &str,
    request: Id,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(staff::table.find((town, id))).set((
            staff::password_hash.eq(hash),
            staff::must_change_password.eq(true),
            staff::first_password_id.eq(request),
        ))
    )?;
    Ok(())
}

/// Ends an account: no addresses, no password, no rights; notices that it claimed wait for somebody else. The name and
/// the user id stay.
///
/// # Errors
/// The database failed.
pub async fn end(c: &mut Conn, town: Id, id: Id, left_on: &str) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(staff::table.find((town, id))).set((
            staff::state.eq("left"),
            staff::left_on.eq(left_on),
            staff::password_hash.eq(""),
            staff::may_export.eq(false),
        ))
    )?;
    notice::inbox::give_back(c, town, id).await?;
    let none = Mails { mail: None, key: None, kind: MailKind::None, forwarding: None };
    set_mails(c, town, id, &none).await
}
