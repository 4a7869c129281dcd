//! Login diagnosis (F62): what is wrong with the certificate that arrived, with an account, or with the mail
//! that did not come.
//!
//! It must not tell a stranger whether an account exists: an account is looked up only among those of the
//! facility of a good device, the lookup is made whoever asks, and what it does not find has one sentence.

use super::certificates;
use super::finding::{self, Finding};
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, facility, notice, old_authority, staff, ticket_letter};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::worded;
use crate::session::{rules, tally};
use crate::state::App;
use crate::tls::Peer;
use crate::{clock, input, municipality, run};
use renraku_wire::{Diagnosis, DiagnosisQuestion, NoticeKind, RevocationKind, Timestamp};
use x509_parser::prelude::FromDer as _;

/// A mail that waits longer than this is held up.
const HELD_UP: i64 = 10 * 60_000;

struct Known {
    not_before: i64,
    not_after: i64,
    revoked_at: Option<i64>,
    revoke_kind: RevocationKind,
    device_has_another: bool,
    device_id: Id,
    facility_id: Id,
    facility_state: String,
}

struct Person {
    state: String,
    locked_until: Option<i64>,
}

/// Tells what the care host would make of this certificate, and answers the question.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`] for the town.
pub async fn diagnose(
    app: &App,
    slug: &str,
    peer: &Peer,
    question: &DiagnosisQuestion,
) -> Result<Diagnosis, AppError> {
    let now = clock::now();
    let serial = peer.serial.as_deref().unwrap_or_default();
    // What cannot be an id is looked up as one that nobody has.
    let login_id = question
        .login_id
        .as_deref()
        .map(|id| input::line(id, "login_id").map(|id| input::login_id(&id)).unwrap_or_default());
    let (words, authorities, known, person, held_up) = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let known = known(c, town.id, serial).await?;
            let place = known.as_ref().map_or((town.id, town.id), |k| (k.facility_id, k.device_id));
            let person = match &login_id {
                Some(login_id) => person(c, town.id, place, login_id, now).await?,
                None => None,
            };
            let since = now - i64::from(town.policy.ticket_days) * 86_400_000;
            let held_up = question.mail_missing && mail_held_up(c, town.id, since, now).await?;
            let authorities = authorities(c, town.id, town.authority).await?;
            Ok((town.policy.words, authorities, known, person, held_up))
        })
        .await?;
    let finding = match verdict(peer, &authorities, known.as_ref(), now) {
        Finding::NoCertificate if question.mail_missing && held_up => Finding::MailDelayed,
        Finding::NoCertificate if question.mail_missing => Finding::MailSent,
        Finding::Fine if login_id.is_some() => of_person(person.as_ref(), now),
        finding => finding,
    };
    let until = person.as_ref().and_then(|p| p.locked_until);
    let sentence = match until.filter(|_| finding == Finding::Locked) {
        Some(until) => finding::locked(rules::minutes(until, now)),
        None => finding.sentence().to_owned(),
    };
    Ok(Diagnosis {
        ok: finding == Finding::Fine,
        code: finding.code(),
        sentence: worded(&sentence, &words),
        short: finding.short().to_owned(),
        server_time: Timestamp(now),
    })
}

fn of_person(person: Option<&Person>, now: i64) -> Finding {
    match person {
        None => Finding::PersonUntold,
        Some(p) if p.state != "active" => Finding::PersonSuspended,
        Some(p) if p.locked_until.is_some_and(|until| now < until) => Finding::Locked,
        Some(_) => Finding::Fine,
    }
}

fn verdict(peer: &Peer, authorities: &[Vec<u8>], known: Option<&Known>, now: i64) -> Finding {
    use x509_parser::certificate::X509Certificate;
    let Some(der) = peer.certificate.as_deref() else { return Finding::NoCertificate };
    let Ok((_, arrived)) = X509Certificate::from_der(der) else { return Finding::Foreign };
    // A serial number alone proves nothing: the signature must be this town's.
    let ours = authorities.iter().any(|authority| {
        X509Certificate::from_der(authority)
            .is_ok_and(|(_, a)| arrived.verify_signature(Some(a.public_key())).is_ok())
    });
    let Some(known) = known.filter(|_| ours) else { return Finding::Foreign };
    if known.revoked_at.is_some() {
        match known.revoke_kind {
            // Of a device that was exchanged for another, no certificate is good.
            RevocationKind::Replaced if known.device_has_another => Finding::Superseded,
            _ => Finding::Revoked,
        }
    } else if now > known.not_after {
        Finding::Expired
    } else if now < known.not_before {
        Finding::NotYetValid
    } else if known.facility_state != "approved" {
        Finding::FacilitySuspended
    } else {
        Finding::Fine
    }
}

/// Every authority that the town ever had: a certificate of a retired one is still told from a stranger's.
async fn authorities(c: &mut Conn, town: Id, present: Vec<u8>) -> Result<Vec<Vec<u8>>, AppError> {
    let mut all: Vec<Vec<u8>> = run!(
        c,
        load,
        old_authority::table.filter(old_authority::municipality_id.eq(town)).select(old_authority::cert)
    )?;
    all.push(present);
    Ok(all)
}

async fn known(c: &mut Conn, town: Id, serial: &str) -> Result<Option<Known>, AppError> {
    type Row = (i64, i64, Option<i64>, Option<String>, Id, Id, String);
    let row: Option<Row> = run!(
        c,
        get_result,
        certificate::table
            .inner_join(
                device::table.on(device::municipality_id
                    .eq(certificate::municipality_id)
                    .and(device::id.eq(certificate::device_id)))
            )
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(device::municipality_id)
                    .and(facility::id.eq(device::facility_id)))
            )
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::serial.eq(serial))
            .select((
                certificate::not_before,
                certificate::not_after,
                certificate::revoked_at,
                certificate::revoke_kind,
                certificate::device_id,
                facility::id,
                facility::state
            ))
    )
    .optional()?;
    let Some((not_before, not_after, revoked_at, kind, device_id, facility_id, facility_state)) = row else {
        return Ok(None);
    };
    let revoke_kind = kind.as_deref().map(from_word).transpose()?.unwrap_or_default();
    let device_has_another = certificates::device_has_good(c, town, device_id).await?;
    Ok(Some(Known {
        not_before,
        not_after,
        revoked_at,
        revoke_kind,
        device_has_another,
        device_id,
        facility_id,
        facility_state,
    }))
}

async fn person(
    c: &mut Conn,
    town: Id,
    (facility_id, device_id): (Id, Id),
    login_id: &str,
    now: i64,
) -> Result<Option<Person>, AppError> {
    let state: Option<String> = run!(
        c,
        get_result,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::login_id.eq(login_id))
            .filter(staff::facility_id.eq(facility_id))
            .select(staff::state)
    )
    .optional()?;
    // Looked up for nobody's id too: both take as long.
    let tallies = tally::load(c, &tally::Key::new(town, login_id, device_id, facility_id)).await?;
    Ok(state.map(|state| Person { state, locked_until: tallies.wait(now) }))
}

/// True when some mail with No and password failed lately, or waits too long, and nobody took it in hand. It
/// names nobody.
async fn mail_held_up(c: &mut Conn, town: Id, since: i64, now: i64) -> Result<bool, AppError> {
    let replaced = ticket_letter::table
        .filter(ticket_letter::municipality_id.eq(town))
        .filter(ticket_letter::replaced_at.is_not_null())
        .select(ticket_letter::notice_id);
    let held_up: i64 = run!(
        c,
        get_result,
        notice::table
            .filter(notice::municipality_id.eq(town))
            .filter(notice::kind.eq(word(&NoticeKind::FacilityApproved)))
            .filter(notice::channel.eq("mail"))
            .filter(notice::created_at.ge(since))
            .filter(notice::handled_at.is_null())
            .filter(notice::id.ne_all(replaced))
            .filter(
                notice::state
                    .eq("dead")
                    .or(notice::state.eq("queued").and(notice::created_at.lt(now - HELD_UP)))
            )
            .count()
    )?;
    Ok(held_up > 0)
}
