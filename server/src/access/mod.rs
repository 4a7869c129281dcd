//! Who may: the only maker of capabilities.
//!
//! One query gathers what is known of the certificate, the session, the person, the patient, the team
//! and the consent; pure rules decide; what comes out is a value that other rooms ask for. A function
//! that touches a patient takes a [`PatientAccess`], so a query without one does not compile.
//!
//! Not here: what a person does with the access. This floor reads the tables it needs and calls no room.

mod facts;
mod page;
mod request;
mod rules;

use crate::audit::Actor;
use crate::clock;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::seen::Seen;
use facts::{Facts, Target};
pub use page::Filled;
use renraku_wire::{Code, Profession, Role};
pub use request::{COOKIE_NAME, token_hash};
use std::marker::PhantomData;
use std::sync::Arc;

/// What a request brings: the certificate's serial number, and the hash of a session token.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Serial number of the client certificate, hex.
    pub serial: Option<String>,
    /// SHA-256 of the certificate's key, hex: a serial number alone proves nothing.
    pub key_sha256: Option<String>,
    /// SHA-256 of the session token.
    pub token_hash: Option<Vec<u8>>,
    /// Where it is noted that they were used.
    pub seen: Seen,
}

/// A device whose certificate is good. Made here only.
#[derive(Clone, Debug)]
pub struct DeviceAccess {
    municipality_id: Id,
    device_id: Id,
    facility_id: Id,
    serial: String,
    key_sha256: String,
    not_after: i64,
    app: bool,
    signed_in_before: bool,
    policy: Arc<MunicipalityPolicy>,
}

impl DeviceAccess {
    /// A session on it that was last used at this moment, or before it, has been idle for too long.
    #[must_use]
    pub fn idle_since(&self, now: i64) -> i64 {
        rules::idle_since(self.app, &self.policy, now)
    }

    /// The town.
    #[must_use]
    pub fn municipality_id(&self) -> Id {
        self.municipality_id
    }

    /// The device.
    #[must_use]
    pub fn device_id(&self) -> Id {
        self.device_id
    }

    /// The facility it belongs to.
    #[must_use]
    pub fn facility_id(&self) -> Id {
        self.facility_id
    }

    /// SHA-256 of its certificate's key, hex.
    #[must_use]
    pub fn key_sha256(&self) -> &str {
        &self.key_sha256
    }

    /// Serial number of its certificate.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Last instant of its certificate, UTC milliseconds.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// The town's policy.
    #[must_use]
    pub fn policy(&self) -> &MunicipalityPolicy {
        &self.policy
    }

    /// What it brought, without a session, for another look.
    #[must_use]
    pub fn credentials(&self, seen: Seen) -> Credentials {
        Credentials {
            serial: Some(self.serial.clone()),
            key_sha256: Some(self.key_sha256.clone()),
            token_hash: None,
            seen,
        }
    }

    /// Notes that somebody signed in on it.
    pub fn signed_in_on(&self, seen: &Seen) {
        if !self.signed_in_before {
            seen.first_sign_in(self.municipality_id, self.device_id);
        }
    }

    /// The device, for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { municipality_id: self.municipality_id, staff_id: None, device_id: Some(self.device_id) }
    }
}

/// A person signed in on a good device. Made here only.
#[derive(Clone)]
pub struct SignedIn {
    device: DeviceAccess,
    staff_id: Id,
    role: Role,
    profession: Profession,
    name: String,
    must_change_password: bool,
    may_export: bool,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

impl std::ops::Deref for SignedIn {
    type Target = DeviceAccess;
    fn deref(&self) -> &DeviceAccess {
        &self.device
    }
}

impl SignedIn {
    /// The person.
    #[must_use]
    pub fn staff_id(&self) -> Id {
        self.staff_id
    }

    /// Their role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Their profession.
    #[must_use]
    pub fn profession(&self) -> Profession {
        self.profession
    }

    /// Their name, for screens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True until the first password was changed.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.must_change_password
    }

    /// True when the person may print or export records: granted by the manager or the office.
    #[must_use]
    pub fn may_export(&self) -> bool {
        self.may_export
    }

    /// The person on the device, for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { staff_id: Some(self.staff_id), ..self.device.actor() }
    }

    /// The right to run the own facility: its manager's, and the office's for the office itself.
    ///
    /// # Errors
    /// [`Code::RoleInsufficient`].
    pub fn facility_admin(&self) -> Result<FacilityAdmin, AppError> {
        match self.role {
            Role::FacilityManager | Role::Secretariat => Ok(FacilityAdmin(self.clone())),
            Role::Member | Role::Unknown => Err(Code::RoleInsufficient.into()),
        }
    }

    /// The office's right.
    ///
    /// # Errors
    /// [`Code::RoleInsufficient`].
    pub fn secretariat(&self) -> Result<Secretariat, AppError> {
        match self.role {
            Role::Secretariat => Ok(Secretariat(self.clone())),
            Role::FacilityManager | Role::Member | Role::Unknown => Err(Code::RoleInsufficient.into()),
        }
    }

    /// The right to register patients, by the town's policy.
    ///
    /// # Errors
    /// [`Code::RoleInsufficient`].
    pub fn registrar(&self) -> Result<Registrar, AppError> {
        if rules::may_register(self.role, self.policy()) {
            Ok(Registrar(self.clone()))
        } else {
            Err(Code::RoleInsufficient.into())
        }
    }
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(SignedIn);

        impl std::ops::Deref for $name {
            type Target = SignedIn;
            fn deref(&self) -> &SignedIn {
                &self.0
            }
        }
    )+};
}

rights! {
    /// The right to run the own facility. Made here only.
    FacilityAdmin,
    /// The office's right over the town's facilities. Made here only.
    Secretariat,
    /// The right to register patients. Made here only.
    Registrar
}

/// Reading a patient's record.
#[derive(Clone, Copy, Debug)]
pub struct Read;

/// Adding to a patient's record; needs a consent on file.
#[derive(Clone, Copy, Debug)]
pub struct Write;

/// The right to one patient's record. Made here only.
#[derive(Clone, Debug)]
pub struct PatientAccess<M> {
    who: SignedIn,
    patient_id: Id,
    lead: bool,
    mode: PhantomData<M>,
}

impl<M> std::ops::Deref for PatientAccess<M> {
    type Target = SignedIn;
    fn deref(&self) -> &SignedIn {
        &self.who
    }
}

impl<M> PatientAccess<M> {
    /// The patient.
    #[must_use]
    pub fn patient_id(&self) -> Id {
        self.patient_id
    }

    /// True for a lead of the team.
    #[must_use]
    pub fn lead(&self) -> bool {
        self.lead
    }
}

impl PatientAccess<Write> {
    /// Who may add may read.
    #[must_use]
    pub fn reading(self) -> PatientAccess<Read> {
        PatientAccess { who: self.who, patient_id: self.patient_id, lead: self.lead, mode: PhantomData }
    }
}

/// The mode of an access.
pub trait Mode {
    #[doc(hidden)]
    const WRITES: bool;
}

impl Mode for Read {
    const WRITES: bool = false;
}

impl Mode for Write {
    const WRITES: bool = true;
}

/// What names the patient: the patient, one of their posts or one of their files.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// The patient.
    Patient(Id),
    /// A post about them.
    Post(Id),
    /// A file of theirs.
    Media(Id),
}

/// The device behind the request.
///
/// # Errors
/// The certificate's code: missing, foreign, expired, revoked, suspended.
pub async fn device(c: &mut Conn, credentials: &Credentials) -> Result<DeviceAccess, AppError> {
    let facts = Facts::gather(c, credentials, Target::None).await?;
    device_of(&facts, credentials)
}

fn device_of(facts: &Facts, credentials: &Credentials) -> Result<DeviceAccess, AppError> {
    rules::device(facts, clock::now())?;
    credentials.seen.device(facts.municipality_id, facts.device_id);
    if let (None, Some(serial)) = (facts.first_used_at, &credentials.serial) {
        credentials.seen.first_use(facts.municipality_id, serial);
    }
    Ok(DeviceAccess {
        municipality_id: facts.municipality_id,
        device_id: facts.device_id,
        facility_id: facts.facility_id,
        serial: credentials.serial.clone().unwrap_or_default(),
        key_sha256: facts.key_sha256.clone(),
        not_after: facts.not_after,
        app: facts.app,
        signed_in_before: facts.first_sign_in_at.is_some(),
        policy: Arc::new(MunicipalityPolicy::parse(&facts.policy)?),
    })
}

fn signed_in_of(facts: &Facts, credentials: &Credentials) -> Result<SignedIn, AppError> {
    let device = device_of(facts, credentials)?;
    let person = rules::session(facts, &device.policy, clock::now())?;
    if let Some(hash) = &credentials.token_hash {
        credentials.seen.session(facts.municipality_id, hash);
    }
    device.signed_in_on(&credentials.seen);
    Ok(SignedIn {
        device,
        staff_id: person.staff_id,
        role: crate::db::sql::from_word(person.role)?,
        profession: crate::db::sql::from_word(person.profession)?,
        name: person.name.to_owned(),
        must_change_password: person.must_change_password,
        may_export: person.may_export,
    })
}

/// The person behind the request, who may still have to change the first password.
///
/// # Errors
/// The certificate's code, or [`Code::SessionInvalid`].
pub async fn session(c: &mut Conn, credentials: &Credentials) -> Result<SignedIn, AppError> {
    let facts = Facts::gather(c, credentials, Target::None).await?;
    signed_in_of(&facts, credentials)
}

/// The person behind the request.
///
/// # Errors
/// As [`session`], or [`Code::PasswordChangeRequired`].
pub async fn signed_in(c: &mut Conn, credentials: &Credentials) -> Result<SignedIn, AppError> {
    let who = session(c, credentials).await?;
    rules::password_changed(who.must_change_password)?;
    Ok(who)
}

/// The right to the record of the patient whom `of` names.
///
/// # Errors
/// As [`signed_in`]; [`Code::NotFound`] alike for what is not there and what is not the caller's;
/// [`Code::ConsentMissing`].
pub async fn patient<M: Mode>(
    c: &mut Conn,
    credentials: &Credentials,
    of: Of,
) -> Result<PatientAccess<M>, AppError> {
    let facts = Facts::gather(c, credentials, of.into()).await?;
    let who = signed_in_of(&facts, credentials)?;
    rules::password_changed(who.must_change_password)?;
    let found = rules::patient(&facts, who.role, who.policy(), M::WRITES)?;
    Ok(PatientAccess { patient_id: found.patient_id, lead: found.lead, who, mode: PhantomData })
}
