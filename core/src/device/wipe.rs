//! What becomes of a revoked device (domain 4.3.5): at its next contact everything is removed from it. A device
//! whose certificate was replaced by a newer one that it has not got, or expired, or whose key is gone keeps
//! everything, and enrols anew.
//!
//! A file without a word in it marks the device before anything is removed, so that a kill half-way is finished
//! at the next opening, and the person is told why until the device enrols again. Where there is no room for the
//! mark, everything is removed all the same.

use super::Inner;
use crate::api::{Ended, OnEnded, Public};
use crate::error::Fault;
use crate::identity::{Enrolment, client_config};
use crate::runtime::block;
use renraku_wire::Code;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

const MARK: &str = "revoked";
/// What it says once everything is removed.
const WIPED: &[u8] = b"wiped";

impl Inner {
    /// What the client of the care host calls when this enrolment's certificate seems to be at its end.
    pub(super) fn watch(self: &Arc<Self>, enrolment: &Enrolment) -> OnEnded {
        let (inner, chain) = (Arc::downgrade(self), enrolment.certificate.chain.clone());
        Arc::new(move |ended| {
            let (inner, chain) = (inner.clone(), chain.clone());
            Box::pin(async move { inner.upgrade()?.heard(&chain, ended).await })
        })
    }

    /// Gives that the session is over when the certificate is not this device's any more, because it was renewed.
    async fn heard(self: Arc<Self>, chain: &[String], ended: Ended) -> Option<Code> {
        let enrolled = self.enrolled()?;
        let told = match ended {
            Ended::Said => Some(Code::CertificateRevoked),
            Ended::Replaced => Some(Code::CertificateReplaced),
            Ended::Expired => Some(Code::CertificateExpired),
            Ended::KeyGone => Some(Code::CertificateMissing),
            Ended::Alert if enrolled.enrolment.certificate.chain == chain => {
                self.confirmed(&enrolled.enrolment).await
            }
            Ended::Alert => None,
        };
        // Looked at last: asking takes a while, and what is renewed meanwhile is no lost device.
        if self.enrolled()?.enrolment.certificate.chain != chain {
            return Some(Code::SessionInvalid);
        }
        match told {
            Some(Code::CertificateRevoked) => {
                // What cannot be removed now is removed at the next opening: the mark stays.
                let _ = block(move || self.wipe_revoked()).await;
                None
            }
            Some(Code::CertificateReplaced) => {
                self.mark_ended();
                told
            }
            Some(Code::CertificateExpired | Code::CertificateMissing) => {
                self.mark_ended();
                None
            }
            _ => None,
        }
    }

    /// Nothing is removed: the device may enrol anew, and everyone goes on.
    pub(super) fn mark_ended(&self) {
        if let Some(enrolled) = self.enrolled() {
            enrolled.ended.store(true, Ordering::SeqCst);
        }
    }

    /// An alert may be anybody's, before the handshake is over. The public host's answer is the town's.
    async fn confirmed(&self, enrolment: &Enrolment) -> Option<Code> {
        let identity = self.identity(enrolment).ok()?;
        let tls = client_config(Some(identity), &self.roots).ok()?;
        let public = Public::new(tls, &enrolment.public_url).ok()?;
        public.diagnosis(&enrolment.municipality.slug).await.ok()?.code
    }

    /// Marks the device as revoked, and removes everything, marked or not.
    pub(super) fn wipe_revoked(self: Arc<Self>) -> Result<(), Fault> {
        self.revoked.store(true, Ordering::SeqCst);
        let mark = || std::fs::File::create(self.folder.join(MARK))?.sync_all();
        let marked = mark();
        let wiped = self.wipe();
        // By now there should be room.
        let marked = marked.or_else(|_| mark());
        wiped.and(marked.map_err(Fault::from))
    }

    /// Removes everything of a revoked device once; afterwards the mark says so. What an enrolment begins then, its
    /// key above all, outlives a lost answer and a restart. Blocks.
    pub(super) fn wipe_once(&self) -> Result<(), Fault> {
        let mark = self.folder.join(MARK);
        if std::fs::read(&mark).is_ok_and(|said| said == WIPED) {
            return Ok(());
        }
        self.wipe()?;
        // Where it cannot be written, there is one more wipe at worst.
        let _ = std::fs::write(&mark, WIPED);
        Ok(())
    }

    /// True when the device was revoked.
    pub(super) fn is_marked(&self) -> Result<bool, Fault> {
        let marked = self.folder.join(MARK).try_exists()?;
        self.revoked.store(marked, Ordering::SeqCst);
        Ok(marked)
    }

    /// The device may enrol again.
    pub(super) fn unmark(&self) -> Result<(), Fault> {
        match std::fs::remove_file(self.folder.join(MARK)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
            _ => self.revoked.store(false, Ordering::SeqCst),
        }
        Ok(())
    }

    /// Removes everyone's store, the certificate and both keys. Again and again, if need be. What one of them
    /// refuses does not keep the others; the first fault is told. Blocks.
    pub(super) fn wipe(&self) -> Result<(), Fault> {
        self.set_enrolled(None);
        self.close_all();
        let people = self.people.wipe();
        let enrolment = {
            let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
            self.set_enrolled(None);
            Enrolment::forget(self.vault.as_ref()).and(self.leaving.forget())
        };
        let mut keys = Ok(());
        for key in self.keys.iter().flatten() {
            keys = keys.and(key.delete());
        }
        people.and(enrolment.map_err(Fault::from)).and(keys.map_err(Fault::from))
    }
}
