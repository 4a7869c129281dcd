//! Signing in at this device, and taking up a session. Not here: who may open which store (seats).

use super::certificate::renewal_from;
use super::opening::Opening;
use super::{Device, Enrolled, Inner};
use crate::api::{Care, OnOver, Public};
use crate::error::CoreError;
use crate::identity::client_config;
use crate::runtime::block;
use crate::session::{Desk, Session};
use crate::store::session;
use renraku_wire::{Code, MunicipalityInfo, SessionId, SignIn, Staff, StaffId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Longest that signing in waits for the town's description; the one at hand does.
const DESCRIPTION: Duration = Duration::from_secs(5);

impl Device {
    /// Signs a person in, and opens or makes their store. Takes the town's policy along, if it changed.
    ///
    /// When the certificate's renewal is due, this is the moment for it: it is renewed, and the person signed in
    /// once more with the new one, without noticing. What hinders the renewal does not hinder the signing in: it
    /// is tried again the next time. When the network goes right after it, the session is good for what needs no
    /// server, and asks to sign in again at its next contact. Of several sign-ins at once, one renews. Others on
    /// this device sign in again. The person's session before ends, there too: one person has one here. A caller who
    /// goes away leaves no open session that cannot be reached from here: what the server opened meanwhile is ended
    /// again, and the session before stays.
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
                    if code == Code::CertificateRevoked {
                        opening.forget();
                    }
                    return Err(CoreError::Certificate { code });
                }
                _ => {}
            }
        }
        if self.inner.is_enrolled_with(session.certificate()) {
            opening.keep().await;
            return Ok(session);
        }
        match self.signed_in(login_id, password).await {
            Ok((again, _, opened_again)) => {
                // The server ended the first with the certificate before.
                opening.keep().await;
                opened_again.keep().await;
                Ok(again)
            }
            Err(e @ CoreError::Certificate { code: Code::CertificateRevoked }) => {
                opening.forget();
                Err(e)
            }
            Err(e @ (CoreError::Certificate { .. } | CoreError::SignedOut { .. })) => Err(e),
            Err(_) => {
                opening.keep().await;
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
        desk.store.read(opening.noting(&desk.store, opened, now)).await?;
        let care = self.inner.with_session(&signed_in_at, token, &desk);
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
        let care = self.inner.with_session(&enrolled.care, token, &desk);
        let certificate = enrolled.enrolment.certificate.chain.clone();
        let way = (care, certificate);
        self.inner.session(&enrolled, way, desk, stored.staff, stored.must_change_password).await
    }
}

impl Inner {
    /// The way to the care host with a session. When the host says that it is over (the person was suspended or left,
    /// or it simply ended), it is over here too: what was kept is not read any more before the next sign-in. A host
    /// that ends it together with a renewed certificate says another thing, and a newer session stays.
    fn with_session(&self, care: &Care, token: String, desk: &Arc<Desk>) -> Care {
        let (desk, known) = (Arc::downgrade(desk), Zeroizing::new(token.clone()));
        let leaving = self.leaving.clone();
        let on_over: OnOver = Arc::new(move || {
            let (desk, known) = (desk.clone(), known.clone());
            leaving.mark_over(&known);
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
