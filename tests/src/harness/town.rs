//! How a town comes to life, step by step, as its people do it: the office signs in, facilities apply and
//! are approved, the mailed No and password are used, staff are added.

use super::browser::{answer, stranger};
use super::{Browser, Created, Fakes, Pickup, ServerProcess};
use renraku_wire::{
    Code, EnrolmentTicket, FacilityApplication, FacilityApplied, FacilityApproved, FacilityId, FacilityKind,
    NewStaff, NewTicket, Problem, StaffAdded,
};
use std::time::Duration;

/// A mail is on its way for less than this.
const MAIL: Duration = Duration::from_secs(30);

/// One town on a running server, with its office at work.
pub struct Town {
    /// The public host.
    pub public_url: String,
    /// PEM of the root that devices trust as a server.
    pub root_pem: String,
    /// Its name in addresses.
    pub slug: String,
    /// The office's PC, signed in.
    pub office: Browser,
}

/// A facility that applied.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its id.
    pub id: FacilityId,
    /// Where No and password will go.
    pub mail: String,
}

impl Town {
    /// The office picks up its first PC's certificate, signs in and changes the first password to
    /// `password`.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn open(
        server: &ServerProcess,
        slug: &str,
        created: &Created,
        password: &str,
    ) -> Result<Self, Problem> {
        let mut office = Browser::pick_up(Pickup {
            public_url: &server.public_url,
            root_pem: &server.root_pem,
            slug,
            number: &created.number,
            password: &created.password,
            device_name: "事務局PC",
        })
        .await?;
        office.first_sign_in(&created.login_id, &created.first_password, password).await?;
        Ok(Self {
            public_url: server.public_url.clone(),
            root_pem: server.root_pem.clone(),
            slug: slug.to_owned(),
            office,
        })
    }

    /// A facility applies on the public host (F02).
    ///
    /// # Errors
    /// What the server refused.
    pub async fn apply(
        &self,
        name: &str,
        kind: FacilityKind,
        manager_name: &str,
        manager_mail: &str,
    ) -> Result<Applied, Problem> {
        let application = FacilityApplication {
            id: FacilityId::new(),
            name: name.to_owned(),
            kind,
            address: "架空郡架空町1-1".to_owned(),
            telephone: "0000-00-1000".to_owned(),
            manager_name: manager_name.to_owned(),
            manager_mail: manager_mail.to_owned(),
            outside: false,
        };
        let url = format!("{}/v1/municipalities/{}/facility-applications", self.public_url, self.slug);
        let applied: FacilityApplied = answer(stranger(&self.root_pem).post(url).json(&application)).await?;
        Ok(Applied { id: applied.id, mail: manager_mail.to_owned() })
    }

    /// The office approves it (F03).
    ///
    /// # Errors
    /// What the server refused.
    pub async fn approve(&self, facility: FacilityId) -> Result<FacilityApproved, Problem> {
        self.office.post(&format!("/v1/facilities/{facility}/approval"), &()).await
    }

    /// The manager's PC: certificate by the mailed No and password, first sign-in, password changed.
    ///
    /// # Errors
    /// What the server refused; `ticket_invalid` when no mail came.
    pub async fn manager(
        &self,
        facility: &Applied,
        account: &FacilityApproved,
        fakes: &Fakes,
        password: &str,
    ) -> Result<Browser, Problem> {
        let Some((number, ticket_password)) = mailed_ticket(fakes, &facility.mail).await else {
            return Err(Problem::new(Code::TicketInvalid));
        };
        let mut manager = Browser::pick_up(Pickup {
            public_url: &self.public_url,
            root_pem: &self.root_pem,
            slug: &self.slug,
            number: &number,
            password: &ticket_password,
            device_name: "管理者PC",
        })
        .await?;
        manager.first_sign_in(&account.login_id, &account.first_password, password).await?;
        Ok(manager)
    }

    /// A manager adds an account to the own facility (F08).
    ///
    /// # Errors
    /// What the server refused.
    pub async fn add(&self, manager: &Browser, new: &NewStaff) -> Result<StaffAdded, Problem> {
        manager.post("/v1/staff", new).await
    }

    /// A manager gets No and password for one more device of the own facility (F07).
    ///
    /// # Errors
    /// What the server refused.
    pub async fn ticket(&self, manager: &Browser, facility: FacilityId) -> Result<EnrolmentTicket, Problem> {
        manager.post(&format!("/v1/facilities/{facility}/tickets"), &NewTicket::another()).await
    }
}

/// No and password out of the newest mail to this address that holds them; none when none comes in time.
pub async fn mailed_ticket(fakes: &Fakes, address: &str) -> Option<(String, String)> {
    let end = tokio::time::Instant::now() + MAIL;
    loop {
        let mails = fakes.smtp.received();
        let here = mails.iter().rev().filter(|m| m.to.iter().any(|to| to == address));
        if let Some(found) = here.filter_map(|m| ticket_of(&m.body)).next() {
            return Some(found);
        }
        let left = end.checked_duration_since(tokio::time::Instant::now())?;
        fakes.smtp.wait_for(mails.len() + 1, left).await;
    }
}

fn ticket_of(body: &str) -> Option<(String, String)> {
    let after = |word: &str| body.lines().find_map(|l| l.strip_prefix(word)).map(|v| v.trim().to_owned());
    Some((after("証明書取得用No:")?, after("パスワード:")?))
}
