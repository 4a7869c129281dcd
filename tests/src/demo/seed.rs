//! How the demo town comes to be: every step goes over the real hosts, by the same client that the apps have.
//! Only the instants of the week's posts are not now. What is said in them is in `story`.

use super::error::{DemoError, Step, failed};
use super::pc::{self, Pc};
use super::people::{FACILITIES, NewFacility, OFFICE_LOGIN, OFFICE_NAME, PASSWORD, SLUG, STAFF, TOWN};
use super::town::{Device, SignIn, Town};
use crate::harness::{
    Created, Fakes, Phone, PhoneEnrolment, ServerOptions, ServerProcess, create_municipality, mailed_ticket,
};
use renraku_core::api::{Care, Public};
use renraku_core::{Session, identity};
use renraku_wire::{
    EnrolmentTicket, FacilityApplication, FacilityId, NewStaff, PasswordChange, Pkcs12Request, Platform,
    Profession, PushProvider, StaffId,
};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Somebody signed in, on their facility's PC or on their own phone.
pub(crate) struct Actor {
    pub(crate) staff_id: StaffId,
    pub(crate) care: Care,
    pub(crate) phone: Option<(Phone, Arc<Session>)>,
}

/// A town in the making.
pub(crate) struct Seeding<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) server: &'a ServerProcess,
    pub(crate) fakes: &'a Fakes,
    pub(crate) town: Town,
    pub(crate) actors: HashMap<&'static str, Actor>,
}

/// Makes the data folder, the town and the office's first account.
///
/// # Errors
/// The server's command line refused.
pub(crate) async fn found(options: &ServerOptions) -> Result<Created, DemoError> {
    create_municipality(options, SLUG, TOWN, Some("izumo"), OFFICE_LOGIN, OFFICE_NAME)
        .await
        .step("creating the town")
}

impl<'a> Seeding<'a> {
    pub(crate) fn new(folder: &'a Path, server: &'a ServerProcess, fakes: &'a Fakes) -> Self {
        let town = Town { slug: SLUG.into(), name: TOWN.into(), devices: Vec::new(), sign_ins: Vec::new() };
        Self { folder, server, fakes, town, actors: HashMap::new() }
    }

    /// The office's PC, three facilities by application and approval, their PCs, staff and phones.
    pub(crate) async fn people(&mut self, created: &Created, say: &dyn Fn(&str)) -> Result<(), DemoError> {
        let office_pc = self.pc("office", "事務局PC", 8481, (&created.number, &created.password)).await?;
        let office = self.first_sign_in(&office_pc, OFFICE_LOGIN, &created.first_password).await?;
        self.listed(OFFICE_LOGIN, OFFICE_NAME, "事務局", Profession::Clerk, "office");
        for facility in &FACILITIES {
            say(&format!(
                "  {} … 申請・承認・証明書 (applies, is approved, gets its certificate)",
                facility.name
            ));
            self.facility(facility, &office.care).await?;
        }
        Ok(())
    }

    async fn facility(&mut self, new: &'static NewFacility, office: &Care) -> Result<(), DemoError> {
        let roots = identity::extra_roots(&self.server.root_pem).step("reading the server's own root")?;
        let tls = identity::client_config(None, &roots).step("choosing TLS 1.3")?;
        let public = Public::new(tls, &self.server.public_url).step("preparing the public host")?;
        let id = FacilityId::new();
        let mail = format!("{}@demo.invalid", new.key);
        let application = FacilityApplication {
            id,
            name: new.name.into(),
            kind: new.kind,
            address: new.address.into(),
            telephone: new.telephone.into(),
            manager_name: new.manager.into(),
            manager_mail: mail.clone(),
            outside: false,
        };
        public.apply(SLUG, &application).await.step("applying for a facility")?;
        let approved = office.approve_facility(id).await.step("approving a facility")?;
        let ticket = mailed_ticket(self.fakes, &mail).await;
        let (number, password) =
            ticket.ok_or_else(|| failed("waiting for the mail with No and password", "it did not come"))?;
        let pc = self.pc(new.key, new.device, new.port, (&number, &password)).await?;
        let manager = self.first_sign_in(&pc, &approved.login_id, &approved.first_password).await?;
        self.listed(&approved.login_id, new.manager, new.name, Profession::Other, new.key);
        for person in STAFF.iter().filter(|p| p.facility == new.key) {
            let staff = NewStaff {
                id: StaffId::new(),
                login_id: person.login.into(),
                name: person.name.into(),
                profession: person.profession,
                mail: Some(format!("{}@demo.invalid", person.login)),
                forwarding_mail: None,
            };
            let added = manager.care.add_staff(&staff).await.step("adding staff")?;
            let actor = match person.phone {
                None => self.first_sign_in(&pc, &added.login_id, &added.first_password).await?,
                Some(provider) => {
                    let ticket = manager.care.issue_ticket(id).await.step("issuing a ticket for a phone")?;
                    self.phone(person.login, &ticket, provider, &added.first_password).await?
                }
            };
            self.listed(person.login, person.name, new.name, person.profession, new.key);
            self.actors.insert(person.login, actor);
        }
        Ok(())
    }

    fn listed(&mut self, login: &str, name: &str, facility: &str, profession: Profession, device: &str) {
        self.town.sign_ins.push(SignIn {
            login_id: login.into(),
            password: PASSWORD.into(),
            name: name.into(),
            facility: facility.into(),
            profession: (profession != Profession::Other).then_some(profession),
            device: device.into(),
        });
    }

    /// Picks up a PC's certificate and keeps it for the gateway.
    async fn pc(
        &mut self,
        key: &str,
        name: &str,
        port: u16,
        (number, password): (&str, &str),
    ) -> Result<Pc, DemoError> {
        let request = Pkcs12Request {
            number: number.to_owned(),
            password: password.to_owned(),
            device_name: name.to_owned(),
        };
        let file = pc::pick_up(self.server, SLUG, &request).await?;
        let path = PathBuf::from(format!("devices/{key}.p12"));
        fs::create_dir_all(self.folder.join("devices"))
            .and_then(|()| fs::write(self.folder.join(&path), &file))
            .step("keeping a PC's certificate")?;
        let device =
            Device { key: key.into(), name: name.into(), port, file: path, password: password.to_owned() };
        self.town.devices.push(device);
        Pc::open(&file, password, &self.server.root_pem)
    }

    /// Signs in on a PC with the first password, and changes it to the demo's.
    async fn first_sign_in(&self, pc: &Pc, login_id: &str, first: &str) -> Result<Actor, DemoError> {
        let care = pc.care(&self.server.care_url)?;
        let sign_in = renraku_wire::SignIn { id: None, login_id: login_id.into(), password: first.into() };
        let opened = care.sign_in(&sign_in).await.step("signing in on a PC")?;
        let care = care.with_session(opened.token);
        let change = PasswordChange { current: first.into(), new: PASSWORD.into() };
        care.change_password(&change).await.step("changing a first password")?;
        Ok(Actor { staff_id: opened.staff.id, care, phone: None })
    }

    /// Enrols a phone with a key of its own, signs in on it and registers it for pushes.
    async fn phone(
        &self,
        login_id: &str,
        ticket: &EnrolmentTicket,
        provider: PushProvider,
        first: &str,
    ) -> Result<Actor, DemoError> {
        let (platform, kind) = match provider {
            PushProvider::Apns => (Platform::Ios, "iPhone"),
            PushProvider::Fcm => (Platform::Android, "Android"),
        };
        let at = PhoneEnrolment {
            public_url: &self.server.public_url,
            root_pem: &self.server.root_pem,
            slug: SLUG,
            number: &ticket.number,
            password: &ticket.password,
            device_name: &format!("{login_id} {kind}"),
            platform,
        };
        let phone = Phone::enrol(at).await.step("enrolling a phone")?;
        let session = phone.first_sign_in(login_id, first, PASSWORD).await.step("signing in on a phone")?;
        let session = session.core().clone();
        session.register_push(provider, &format!("demo-{login_id}")).await.step("registering for pushes")?;
        Ok(Actor {
            staff_id: session.staff().id,
            care: session.care().clone(),
            phone: Some((phone, session)),
        })
    }

    /// A member of staff by user id.
    pub(crate) fn actor(&self, login_id: &str) -> Result<&Actor, DemoError> {
        self.actors
            .get(login_id)
            .ok_or_else(|| failed("looking for somebody of the story", login_id.to_owned()))
    }
}
