//! Renewal: a device asks for a new certificate with a new key of its own, while the old one is good.
//!
//! The certificate alone does not renew itself: a person must be signed in on the device, so that a phone
//! lost in a drawer ends with its certificate. The device keeps its id. The old certificate stays good for
//! the town's overlap after the new one was first used, then it is revoked as superseded. While the new one was
//! not used it may never have arrived: the old one lives to its own end. Sessions are bound to the certificate that they were opened with: with the new one the person signs in once more.

use super::certificates::{self, Chain};
use super::{rules, store};
use crate::access::{self, SignedIn};
use crate::audit::{self, Actor};
use crate::error::AppError;
use crate::state::App;
use crate::tls::Validity;
use crate::{clock, municipality};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::{CertificateIssued, CertificateRenewal, Code, Timestamp};

/// Renews the certificate of the device that asks. The same request again gets the same answer again.
///
/// # Errors
/// [`Code::RenewalTooEarly`], the request's own codes, [`Code::CsrKeyInUse`]; [`Code::StateConflict`]
/// when the new certificate is in use already.
pub async fn renew(
    app: &App,
    who: &SignedIn,
    request: &CertificateRenewal,
) -> Result<CertificateIssued, AppError> {
    let csr = STANDARD.decode(&request.csr).map_err(|_| AppError::from(Code::CsrMalformed))?;
    let (town, device) = (who.municipality_id(), who.device_id());
    let now = clock::now();
    let (name, signed_by) = app
        .db
        .read(async |c| {
            Ok((
                store::name(c, town, device).await?,
                certificates::authority_of(c, town, who.serial()).await?,
            ))
        })
        .await?;
    let authority = app.authority(town).await?;
    // One that an older authority signed is renewed at any time: that authority is on its way out.
    let of_an_older_one = signed_by.is_some_and(|id| id != authority.id());
    if !of_an_older_one && !rules::renewable(who.not_after(), who.policy(), now) {
        return Err(Code::RenewalTooEarly.into());
    }
    let validity = Validity {
        not_before: now - 3_600_000,
        not_after: now + i64::from(who.policy().certificate_days) * 86_400_000,
    };
    let present = who.credentials(app.seen.clone());
    let issued = authority.issue_for_request(&csr, &name, validity)?;
    let chain = app
        .db
        .write(async |c| {
            // What was revoked or suspended since the request came stays so.
            access::device(c, &present).await?;
            if let Some(made) = certificates::by_key(c, town, &issued.key_sha256).await? {
                let again = made.device_id == device
                    && made.renews.as_deref() == Some(who.serial())
                    && made.revoked_at.is_none();
                if !again {
                    return Err(Code::CsrKeyInUse.into());
                }
                return made.chain(c, town).await?.ok_or_else(|| Code::CsrKeyInUse.into());
            }
            certificates::drop_unused_successors(c, town, who.serial(), now).await?;
            if certificates::has_successor(c, town, who.serial()).await? {
                return Err(Code::StateConflict.into());
            }
            certificates::insert(c, town, device, &issued, Some(who.serial()), now).await?;
            audit::record(c, who.actor(), "device.renew", Some(device), &issued.serial).await?;
            Ok(Chain {
                certificate: issued.certificate.clone(),
                authority: authority.certificate().to_vec(),
                not_after: issued.validity.not_after,
            })
        })
        .await?;
    Ok(CertificateIssued {
        device_id: device.into(),
        municipality_id: town.into(),
        chain: vec![STANDARD.encode(chain.certificate), STANDARD.encode(chain.authority)],
        not_after: Timestamp(chain.not_after),
        care_url: app.care_url.clone(),
    })
}

/// Revokes the certificates that a renewal left behind, where their time has come.
///
/// # Errors
/// The database failed; what was done stays done.
pub async fn settle(app: &App, now: i64) -> Result<(), AppError> {
    for town in app.db.read(async |c| municipality::store::all(c).await).await? {
        let waiting = app.db.read(async |c| certificates::renewed(c, town.id).await).await?;
        for pair in waiting {
            if !rules::superseded(pair.first_used_at, &town.policy, now) {
                continue;
            }
            let (id, pair) = (town.id, &pair);
            app.db
                .write(async |c| {
                    if certificates::supersede(c, id, &pair.old, now).await? {
                        let actor =
                            Actor { municipality_id: id, staff_id: None, device_id: Some(pair.device_id) };
                        audit::record(c, actor, "device.supersede", Some(pair.device_id), &pair.old).await?;
                    }
                    Ok(())
                })
                .await?;
        }
    }
    Ok(())
}
