//! Picking up a certificate with No and password: what the API and the portal share.

use super::certificates::{self, Chain};
use super::{rules, store, ticket};
use crate::audit::{self, Actor};
use crate::db::Id;
use crate::error::AppError;
use crate::handover::Picked;
use crate::state::App;
use crate::tls::{Authority, Issued, Validity};
use crate::{clock, input, municipality};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::{CertificateIssued, CertificateRequest, Code, Pkcs12Request, Platform, Timestamp};
use zeroize::Zeroizing;

struct Checked {
    town: municipality::store::Municipality,
    facility_id: Id,
    number: String,
    is_used: bool,
    origin: ticket::Origin,
    authority: Authority,
    validity: Validity,
}

/// No and password are checked before anything is told of the ticket.
async fn check(app: &App, slug: &str, number: &str, given: &str) -> Result<Checked, AppError> {
    let number = rules::number(number);
    let now = clock::now();
    let (town, stored) = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let stored = ticket::get(c, town.id, &number).await?;
            Ok((town, stored))
        })
        .await?;
    let worn = stored.as_ref().is_some_and(|t| t.failed_count >= ticket::MAX_WRONG);
    let hash = stored.as_ref().filter(|_| !worn).map(|t| t.password_hash.as_str());
    let fits = app.hashing.verify(&rules::ticket_password(given), hash).await?;
    let Some(stored) = stored else { return Err(Code::TicketInvalid.into()) };
    if !fits {
        app.db.write(async |c| ticket::count_wrong(c, town.id, &number).await).await?;
        return Err(Code::TicketInvalid.into());
    }
    let is_used = stored.used_at.is_some();
    if !is_used && now > stored.expires_at {
        return Err(Code::TicketExpired.into());
    }
    let authority = app.authority(town.id).await?;
    let validity = Validity {
        // A clock that is a little slow must not make a fresh certificate useless.
        not_before: now - 3_600_000,
        not_after: now + i64::from(town.policy.certificate_days) * 86_400_000,
    };
    let origin = ticket::Origin {
        issued_by: stored.issued_by,
        replaces: stored.replaces_id,
        ..ticket::Origin::default()
    };
    Ok(Checked { facility_id: stored.facility_id, number, is_used, origin, authority, validity, town })
}

async fn keep(
    app: &App,
    checked: &Checked,
    issued: &Issued,
    name: &str,
    platform: Platform,
) -> Result<Id, AppError> {
    if checked.is_used {
        return Err(Code::TicketUsed.into());
    }
    let town = checked.town.id;
    let id = Id::new();
    let now = clock::now();
    app.db
        .write(async |c| {
            ticket::consume(c, town, &checked.number, now).await?;
            ticket::facility_is_approved(c, town, checked.facility_id).await.map_err(|e| match e {
                AppError::Refused(_) => Code::FacilitySuspended.into(),
                failed => failed,
            })?;
            let new = store::NewDevice {
                municipality_id: town,
                id,
                facility_id: checked.facility_id,
                name,
                platform,
                issued,
            };
            store::insert(c, &new, now).await?;
            store::link(c, town, id, checked.origin.issued_by, checked.origin.replaces).await?;
            let actor = Actor { municipality_id: town, staff_id: None, device_id: Some(id) };
            audit::record(c, actor, "device.enrol", Some(id), &issued.serial).await
        })
        .await?;
    Ok(id)
}

/// What this No was traded for, if that is a certificate of this very key: the answer to the device that asked was
/// lost, or not waited for. The key signed the request, so whoever asks is that device.
async fn again(app: &App, checked: &Checked, issued: &Issued) -> Result<Option<(Id, Chain)>, AppError> {
    let town = checked.town.id;
    app.db
        .read(async |c| {
            let stored = ticket::get(c, town, &checked.number).await?;
            let made = certificates::by_key(c, town, &issued.key_sha256).await?;
            let (Some(stored), Some(made)) = (stored, made) else { return Ok(None) };
            let same = stored.used_at == Some(made.created_at) && made.renews.is_none();
            if !same || made.revoked_at.is_some() {
                return Ok(None);
            }
            let device_id = made.device_id;
            Ok(made.chain(c, town).await?.map(|chain| (device_id, chain)))
        })
        .await
}

/// A phone's enrolment: its own key, by certificate request. The same No with the same key again gets the same
/// certificate again.
///
/// # Errors
/// The ticket's and the request's codes.
pub async fn by_request(
    app: &App,
    slug: &str,
    request: &CertificateRequest,
) -> Result<CertificateIssued, AppError> {
    let name = input::line(&request.device_name, "device_name")?;
    let csr = STANDARD.decode(&request.csr).map_err(|_| AppError::from(Code::CsrMalformed))?;
    let checked = check(app, slug, &request.number, &request.password).await?;
    let issued = checked.authority.issue_for_request(&csr, &name, checked.validity)?;
    let kept = keep(app, &checked, &issued, &name, request.platform).await;
    let (device_id, chain) = match kept {
        Ok(id) => {
            let authority = checked.authority.certificate().to_vec();
            let not_after = issued.validity.not_after;
            (id, Chain { certificate: issued.certificate, authority, not_after })
        }
        Err(used @ AppError::Refused(_)) => match again(app, &checked, &issued).await? {
            Some(before) => before,
            None => return Err(used),
        },
        Err(e) => return Err(e),
    };
    Ok(CertificateIssued {
        device_id: device_id.into(),
        municipality_id: checked.town.id.into(),
        chain: vec![STANDARD.encode(chain.certificate), STANDARD.encode(chain.authority)],
        not_after: Timestamp(chain.not_after),
        care_url: app.care_url.clone(),
    })
}

/// A PC's pick-up: key and certificate as PKCS#12, opened with the same password (F05).
///
/// # Errors
/// The ticket's codes.
pub async fn pkcs12(app: &App, slug: &str, request: &Pkcs12Request) -> Result<Picked, AppError> {
    let name = input::line(&request.device_name, "device_name")?;
    let checked = check(app, slug, &request.number, &request.password).await?;
    let (issued, file) = tokio::task::block_in_place(|| {
        checked.authority.issue_pkcs12(&name, &rules::ticket_password(&request.password), checked.validity)
    })?;
    let file = Zeroizing::new(file);
    let device = keep(app, &checked, &issued, &name, Platform::Browser).await?;
    Ok(Picked { town: checked.town.id, device, file })
}
