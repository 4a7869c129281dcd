//! Who sits at this device: signing in, taking up, unlocking, locking, forgetting.

use super::certificate::renewal_from;
use super::opening::Opening;
use super::{Device, Enrolled, Inner, SOURCES};
use crate::api::{Care, OnOver, Public};
use crate::error::{CoreError, StorageTrouble};
use crate::identity::client_config;
use crate::lock::PersonLock;
use crate::people::{Opener, Person};
use crate::runtime::block;
use crate::session::{Desk, Session};
use crate::store::{Store, session};
use crate::vault::Vault;
use renraku_wire::{Code, MunicipalityInfo, SessionId, SignIn, Staff, StaffId, Timestamp};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// Longest that signing in waits for the town's description; the one at hand does.
const DESCRIPTION: Duration = Duration::from_secs(5);

/// How a person opens their store.
pub enum Unlock {
    /// Their PIN. Each try is counted before it is looked at; see [`crate::PIN_TRIES`].
    Pin(String),
    /// Their finger or face: a vault that gives out what it keeps only after the platform recognised them.
    Biometrics(Arc<dyn Vault>),
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pin(_) => "Pin",
            Self::Biometrics(_) => "Biometrics",
        })
    }
}

impl Drop for Unlock {
    fn drop(&mut self) {
        if let Self::Pin(pin) = self {
            pin.zeroize();
        }
    }
}

impl Device {
    /// Signs a person in, and opens or makes their store. Takes the town's policy along, if it changed.
    ///
    /// When the certificate's renewal is due, this is the moment for it: it is renewed, and the person signed in
    /// once more with the new one, without noticing. What hinders the renewal does not hinder the signing in: it
    /// is tried again the next time. When the network goes right after it, the session is good for what needs no
    /// server, and asks to sign in again at its next contact. Of several sign-ins at once, one renews. Others on
    /// this device sign in again. A caller who goes away leaves no open session that cannot be reached from here:
    /// what the server opened meanwhile is ended again.
    ///
    /// # Errors
    /// `SignedOut` for a wrong id or password or a locked account, `Certificate`, `Offline`, `Storage`: with
    /// `Locked`, the person has a PIN here, so [`Device::unlock`] first.
    pub async fn sign_in(&self, login_id: &str, password: &str) -> Result<Session, CoreError> {
        let before = self.inner.must_be_enrolled()?.enrolment.certificate.chain.clone();
        // Kept at the very end: whoever goes away before has no session here.
        let (session, until, opening) = match self.signed_in(login_id, password).await {
            // Another sign-in renewed the certificate under this one.
            Err(CoreError::SignedOut { code: Code::SessionInvalid })
                if !self.inner.is_enrolled_with(&before) =>
            {
                self.signed_in(login_id, password).await?
            }
            opened => opened?,
        };
        if !session.must_change_password() && self.is_renewal_due(until) {
            let lost = [Code::CertificateRevoked, Code::CertificateReplaced];
            match self.renew_if_due(&session, until).await {
                Err(CoreError::Certificate { code }) if lost.contains(&code) => {
                    return Err(CoreError::Certificate { code });
                }
                _ => {}
            }
        }
        if self.inner.is_enrolled_with(session.certificate()) {
            opening.keep();
            return Ok(session);
        }
        match self.signed_in(login_id, password).await {
            Ok((again, _, opened_again)) => {
                // The server ended the first with the certificate before.
                opening.keep();
                opened_again.keep();
                Ok(again)
            }
            Err(e @ (CoreError::Certificate { .. } | CoreError::SignedOut { .. })) => Err(e),
            Err(_) => {
                opening.keep();
                Ok(session)
            }
        }
    }

    /// By this device's clock, or by the server's, whom a clock set back does not deceive: a session's end is a
    /// few hours from now. Asking too early costs one refusal.
    pub(super) fn is_renewal_due(&self, session_until: Timestamp) -> bool {
        let Some(enrolled) = self.inner.enrolled() else { return false };
        let spare = self.inner.keys.iter().all(Option::is_some);
        spare && renewal_from(&enrolled.enrolment) <= self.inner.clock.now().max(session_until)
    }

    /// Gives when the session ends, too, and what ends it here and there unless it is kept.
    async fn signed_in(
        &self,
        login_id: &str,
        password: &str,
    ) -> Result<(Session, Timestamp, Opening), CoreError> {
        let enrolled = self.inner.must_be_enrolled()?;
        let sign_in = SignIn {
            id: Some(SessionId::new()),
            login_id: login_id.to_owned(),
            password: password.to_owned(),
        };
        let mut opening = Opening::begin(&enrolled.care, &self.inner.leaving, sign_in);
        let (opened, described) = tokio::join!(opening.answer(), self.inner.described(&enrolled));
        let opened = opened?;
        let (staff, token) = (opened.staff.clone(), opened.token.clone());
        // Whatever the device's certificate is by now, the session is this one's.
        let certificate = enrolled.enrolment.certificate.chain.clone();
        let signed_in_at = enrolled.care.clone();
        let enrolled = self.inner.redescribed(enrolled, described).await;
        let desk = match self.inner.desk(staff.id) {
            Some(desk) => desk,
            None => {
                let (inner, whose) = (self.inner.clone(), staff.clone());
                let made = block(move || inner.people.open_or_make(&whose, || inner.enrolled().is_none()));
                self.inner.seat(staff.id, made.await??.ok_or_else(|| self.inner.not_enrolled())?)
            }
        };
        let now = self.inner.clock.now();
        let (must_change, until) = (opened.must_change_password, opened.expires_at);
        opening.at(&desk.store);
        let (store, leaving) = (desk.store.clone(), self.inner.leaving.clone());
        // Both in one go: who takes up a session finds both or neither.
        let noted = desk.store.read(move |c| {
            let before = session::token(c)?.filter(|token| *token != opened.token);
            let note = store.note(&opened.token)?;
            c.immediate_transaction(|tx| session::open(tx, &opened, now))?;
            note.counts()?;
            // Nobody here can end the one before any more; while it runs there, pushes would outlive this one's end.
            before.into_iter().for_each(|token| leaving.add(token));
            Ok(())
        });
        noted.await?;
        self.inner.leaving.tell_soon(&signed_in_at);
        let care = with_session(&signed_in_at, token, &desk);
        let session = self.inner.session(&enrolled, (care, certificate), desk, staff, must_change).await?;
        Ok((session, until, opening))
    }

    /// Takes up the session that a person left open, without the network.
    ///
    /// # Errors
    /// `SignedOut` when there is none, `Certificate` when the device is not enrolled (any more), `Storage`:
    /// with `Locked`, the person has a PIN, so [`Device::unlock`] first.
    pub async fn resume(&self, staff: StaffId) -> Result<Session, CoreError> {
        let enrolled = self.inner.must_be_enrolled()?;
        self.inner.leaving.tell_soon(&enrolled.care);
        let signed_out = CoreError::SignedOut { code: Code::SessionInvalid };
        let desk = match self.inner.desk(staff) {
            Some(desk) => desk,
            None => {
                let inner = self.inner.clone();
                let store = block(move || inner.people.open(staff)).await??;
                self.inner.seat(staff, store.ok_or_else(|| signed_out.clone())?)
            }
        };
        let store = desk.store.clone();
        let found = desk.store.read(move |c| {
            let Some(stored) = session::load(c)? else { return Ok(None) };
            let Some(token) = stored.token.clone() else { return Ok(None) };
            let is_open = store.is_occupied_by(&token)?;
            if !is_open {
                let _ = c.immediate_transaction(|tx| session::over(tx, &token));
            }
            Ok(Some((stored, token, is_open)))
        });
        let (stored, token) = match found.await? {
            Some((stored, token, true)) => (stored, token),
            Some((_, token, false)) => {
                // Left behind by a sign-in or a signing out that did not come to its end.
                let leaving = self.inner.leaving.clone();
                let _ = block(move || leaving.add(token)).await;
                self.inner.leaving.tell_soon(&enrolled.care);
                return Err(signed_out);
            }
            None => return Err(signed_out),
        };
        let care = with_session(&enrolled.care, token, &desk);
        let certificate = enrolled.enrolment.certificate.chain.clone();
        let way = (care, certificate);
        self.inner.session(&enrolled, way, desk, stored.staff, stored.must_change_password).await
    }

    /// Opens the store of someone with a PIN, until [`Device::lock`] or the app's end. [`Device::resume`] or
    /// [`Device::sign_in`] comes next. Takes some tenths of a second, for the PIN's sake. Without a PIN there
    /// is nothing to open. Needs no network.
    ///
    /// # Errors
    /// `Storage`: `WrongPin` with the tries that are left; `Wiped` after the last, when everything of the
    /// person is gone from this device; `Locked` when biometrics do not open it (any more): ask for the PIN.
    /// `NotFound` for somebody unknown here.
    pub async fn unlock(&self, staff: StaffId, unlock: Unlock) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let opened = block(move || match &unlock {
            Unlock::Pin(pin) => inner.people.unlock(staff, &Opener::Pin(pin)),
            Unlock::Biometrics(guarded) => inner.people.unlock(staff, &Opener::Biometrics(guarded.as_ref())),
        });
        let store = self.wiped_is_closed(staff, opened.await?.map_err(CoreError::from))?;
        let desk = self.inner.seat(staff, store.ok_or(CoreError::NotFound)?);
        self.inner.unlocked().insert(staff, desk);
        Ok(())
    }

    /// Closes a person's store, if they have a PIN: their sessions here give `Storage` with `Locked` from now
    /// on, and the key leaves the memory. What is on its way is finished first. Someone without a PIN stays.
    pub async fn lock(&self, staff: StaffId) {
        let inner = self.inner.clone();
        let closed = block(move || {
            // Where the vault cannot tell, rather once too often.
            let open = matches!(inner.people.lock_state(staff), Ok(Some(state)) if !state.pin);
            if !open {
                inner.close(staff);
            }
        });
        let _ = closed.await;
    }

    /// How a person's store is guarded.
    ///
    /// # Errors
    /// `NotFound` for somebody unknown here, `Storage`.
    pub async fn person_lock(&self, staff: StaffId) -> Result<PersonLock, CoreError> {
        let inner = self.inner.clone();
        block(move || inner.people.lock_state(staff)).await??.ok_or(CoreError::NotFound)
    }

    /// Sets a person's first PIN (`current` is none), or another one. The store's key stays the same and is
    /// sealed anew; a kill leaves the old PIN or the new one.
    ///
    /// # Errors
    /// `Invalid` (`pin`) for less than 6 or more than 64 characters, one character over and over, or a run like
    /// 123456; `Storage` as [`Device::unlock`] for a wrong `current`, `Locked` when it is missing; `NotFound`.
    pub async fn set_pin(
        &self,
        staff: StaffId,
        current: Option<String>,
        pin: String,
    ) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let (current, pin) = (current.map(Zeroizing::new), Zeroizing::new(pin));
        let set = block(move || inner.people.set_pin(staff, current.as_ref().map(|pin| pin.as_str()), &pin));
        let known = self.wiped_is_closed(staff, set.await?.map_err(CoreError::from))?;
        if known { Ok(()) } else { Err(CoreError::NotFound) }
    }

    /// Lets the person's finger or face open their store too. `guarded` must give out what it keeps only after
    /// the platform recognised the person, and lose it when another finger or face is enrolled.
    ///
    /// # Errors
    /// `Storage` as [`Device::unlock`] for a wrong PIN, `Damaged` without one; `NotFound`.
    pub async fn add_biometrics(
        &self,
        staff: StaffId,
        pin: String,
        guarded: Arc<dyn Vault>,
    ) -> Result<(), CoreError> {
        let (inner, pin) = (self.inner.clone(), Zeroizing::new(pin));
        let added = block(move || inner.people.add_biometrics(staff, &pin, guarded.as_ref()));
        let known = self.wiped_is_closed(staff, added.await?.map_err(CoreError::from))?;
        if known { Ok(()) } else { Err(CoreError::NotFound) }
    }

    /// Only the PIN opens the person's store from now on. What the platform may still keep opens nothing.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn remove_biometrics(&self, staff: StaffId) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        Ok(block(move || inner.people.remove_biometrics(staff)).await??)
    }

    fn wiped_is_closed<T>(&self, staff: StaffId, done: Result<T, CoreError>) -> Result<T, CoreError> {
        if matches!(done, Err(CoreError::Storage { kind: StorageTrouble::Wiped })) {
            self.inner.close(staff);
        }
        done
    }

    /// Those who signed in on this device before.
    ///
    /// # Errors
    /// `Storage` when the vault cannot look now.
    pub async fn people(&self) -> Result<Vec<Person>, CoreError> {
        let inner = self.inner.clone();
        Ok(block(move || inner.people.list()).await??)
    }

    /// Forgets a person on this device: key, store, outbox. What was not sent is lost. Their session is ended, and
    /// pushes to them with it, as at signing out; behind a PIN, where nobody can read which that is, it ends by itself.
    ///
    /// # Errors
    /// `Storage` when something may still be there.
    pub async fn forget_person(&self, staff: StaffId) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let forgotten = block(move || {
            let open = inner.desk(staff).map(|desk| desk.store.clone());
            let store = open.or_else(|| inner.people.open(staff).ok().flatten());
            let token = store.and_then(|store| store.read_here(session::token).ok().flatten());
            inner.close(staff);
            let forgotten = inner.people.forget(staff);
            // Noted although something may still be there: whoever was to be forgotten is not to be told of anything.
            token.into_iter().for_each(|token| inner.leaving.add(token));
            forgotten
        });
        let forgotten = forgotten.await?;
        if let Some(enrolled) = self.inner.enrolled() {
            self.inner.leaving.tell_soon(&enrolled.care);
        }
        Ok(forgotten?)
    }
}

/// The way to the care host with a session. When the host says that it is over (the person was suspended or left,
/// or it simply ended), it is over here too: what was kept is not read any more before the next sign-in. A host
/// that ends it together with a renewed certificate says another thing, and a newer session stays.
fn with_session(care: &Care, token: String, desk: &Arc<Desk>) -> Care {
    let (desk, known) = (Arc::downgrade(desk), Zeroizing::new(token.clone()));
    let on_over: OnOver = Arc::new(move || {
        let (desk, known) = (desk.clone(), known.clone());
        Box::pin(async move {
            if let Some(desk) = desk.upgrade() {
                let _ = block(move || {
                    // Needs neither room nor the PIN of a store that was closed meanwhile, as the other does.
                    let _ = desk.store.vacate(&known);
                    let _ = desk.store.write_here(|tx| session::over(tx, &known));
                })
                .await;
            }
        })
    });
    care.with_session(token).until_over(on_over)
}

impl Inner {
    /// What the town says of itself now, if it says it soon.
    async fn described(&self, enrolled: &Enrolled) -> Option<MunicipalityInfo> {
        let tls = client_config(None, &self.roots).ok()?;
        let public = Public::new(tls, &enrolled.enrolment.public_url).ok()?;
        let asked = public.municipality(&enrolled.enrolment.municipality.slug);
        tokio::time::timeout(DESCRIPTION, asked).await.ok()?.ok()
    }

    /// Keeps it, if it is news.
    async fn redescribed(
        self: &Arc<Self>,
        enrolled: Arc<Enrolled>,
        described: Option<MunicipalityInfo>,
    ) -> Arc<Enrolled> {
        let old = &enrolled.enrolment.municipality;
        let Some(news) = described.filter(|new| new != old && new.id == old.id && new.slug == old.slug)
        else {
            return enrolled;
        };
        let _changing = self.changing.lock().await;
        let Some(current) = self.enrolled() else { return enrolled };
        let mut enrolment = current.enrolment.clone();
        enrolment.municipality = news;
        let inner = self.clone();
        let _ = block(move || inner.replace(Some(&current), enrolment)).await;
        self.enrolled().unwrap_or(enrolled)
    }

    fn unlocked(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<StaffId, Arc<Desk>>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self, staff: StaffId) -> Option<Arc<Desk>> {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.get(&staff)?.upgrade().filter(|desk| !desk.store.is_closed())
    }

    /// Two sessions of one person share one store and one line of sending.
    fn seat(&self, staff: StaffId, store: Store) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(&staff).and_then(Weak::upgrade).filter(|d| !d.store.is_closed()) {
            return desk;
        }
        let sources = self.folder.join(SOURCES).join(store.name());
        let desk = Arc::new(Desk::new(store, sources, self.clock.clone()));
        desks.insert(staff, Arc::downgrade(&desk));
        desk
    }

    /// Closes a person's store for all who hold it. Blocks while something runs.
    fn close(&self, staff: StaffId) {
        self.unlocked().remove(&staff);
        let desk = self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(&staff);
        if let Some(desk) = desk.and_then(|desk| desk.upgrade()) {
            desk.store.close();
        }
    }

    /// The same for everyone.
    pub(super) fn close_all(&self) {
        let staff: Vec<StaffId> =
            self.desks.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for staff in staff {
            self.close(staff);
        }
    }

    async fn session(
        &self,
        enrolled: &Enrolled,
        (care, certificate): (Care, Vec<String>),
        desk: Arc<Desk>,
        staff: Staff,
        must_change_password: bool,
    ) -> Result<Session, CoreError> {
        let policy = enrolled.enrolment.municipality.device_policy.clone();
        let leaving = self.leaving.clone();
        let session = Session::new((care, certificate), leaving, desk, staff, policy, must_change_password);
        session.prune().await?;
        Ok(session)
    }
}
