//! A running server with a town in it, and devices that talk to it.

pub use crate::client::*;
use clap::Parser;
use renraku_server::config::{PasswordCost, ServeConfig};
use renraku_server::db::prelude::*;
use renraku_server::db::schema::device;
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::secret::OperatorSecret;
use renraku_server::serve::Server;
use renraku_server::{run, setup};
use renraku_wire::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A password that nobody guesses.
pub const PASSWORD: &str = "kumo-to-yama-39";

/// A running server with its data in a folder of its own.
pub struct Host {
    pub server: Server,
    pub secret: OperatorSecret,
    pub root: CertificateDer<'static>,
    pub mails: crate::mailbox::Mailbox,
    postgres: bool,
    _data: tempfile::TempDir,
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    serve: ServeConfig,
}

impl Host {
    /// From now on everybody works in a browser, where sessions end when idle.
    pub async fn in_browsers(&self) {
        let db = &self.server.app.db;
        db.write(async |c| {
            Ok(run!(c, execute, diesel::update(device::table).set(device::platform.eq("browser")))?)
        })
        .await
        .unwrap();
    }

    /// The folder of its data.
    pub fn folder(&self) -> &std::path::Path {
        self._data.path()
    }

    pub async fn sqlite() -> Self {
        Self::start(None, true).await
    }

    pub async fn postgres() -> Self {
        Self::start(Some(fresh_schema().await), true).await
    }

    /// One more server on a database of the same kind, which knows of no mail carrier.
    pub async fn without_mail(&self) -> Self {
        let database = if self.postgres { Some(fresh_schema().await) } else { None };
        Self::start(database, false).await
    }

    async fn start(database: Option<String>, mail: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let secret = OperatorSecret::create(&data.path().join("operator.secret")).unwrap();
        let mut args = vec!["serve".to_owned(), "--data".into(), data.path().display().to_string()];
        for host in ["--public-listen", "--care-listen"] {
            args.extend([host.to_owned(), "127.0.0.1:0".to_owned()]);
        }
        let postgres = database.is_some();
        if let Some(url) = database {
            args.extend(["--database".to_owned(), url]);
        }
        let mails = crate::mailbox::Mailbox::open().await;
        if mail {
            args.extend(["--smtp".to_owned(), mails.url.clone()]);
        }
        let mut config = Cli::parse_from(args).serve;
        // A bench hashes as a server does.
        if cfg!(debug_assertions) {
            config.password_cost = PasswordCost::LEAST;
        }
        let server = Server::start(&config).await.unwrap();
        let root = CertificateDer::from_pem_file(data.path().join("host/authority.pem")).unwrap();
        Self { server, secret, root, mails, postgres, _data: data }
    }

    /// A town by common defaults.
    pub async fn town(&self, slug: &str) -> Town<'_> {
        self.town_with(slug, MunicipalityPolicy::default()).await
    }

    pub async fn town_with(&self, slug: &str, policy: MunicipalityPolicy) -> Town<'_> {
        let new = setup::NewMunicipality {
            slug,
            name: "試験町",
            policy: &policy,
            login_id: "jimukyoku",
            staff_name: "事務 一郎",
        };
        let created = {
            let app = &self.server.app;
            setup::create(&app.db, &self.secret, &app.hashing, &new).await
        }
        .unwrap();
        self.server.app.load_authorities().await.unwrap();
        let ticket = (created.ticket.number.clone(), created.ticket.password.clone());
        Town {
            host: self,
            slug: slug.to_owned(),
            id: created.id,
            office_ticket: ticket,
            office_password: created.first_password,
        }
    }
}

/// An address of PostgreSQL with a schema of its own.
pub async fn fresh_schema() -> String {
    let url = std::env::var("RENRAKU_TEST_POSTGRES")
        .expect("RENRAKU_TEST_POSTGRES is not set: run the tests through scripts/with-postgres");
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
    let mut c = AsyncPgConnection::establish(&url).await.unwrap();
    c.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    format!("{url}?options=-c%20search_path%3D{name}")
}

/// A town on a host.
pub struct Town<'h> {
    pub host: &'h Host,
    pub slug: String,
    pub id: renraku_server::db::Id,
    pub office_ticket: (String, String),
    pub office_password: String,
}

impl<'h> Town<'h> {
    pub fn public(&self) -> Client {
        self.public_as(None)
    }

    pub fn public_as(&self, identity: Option<Identity>) -> Client {
        Client::new(&self.host.root, &self.host.server.app.public_url, identity)
    }

    pub fn care(&self, identity: Identity) -> Client {
        Client::new(&self.host.root, &self.host.server.app.care_url, Some(identity))
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/municipalities/{}{rest}", self.slug)
    }

    pub fn certificate_request(number: &str, password: &str, csr: &str) -> CertificateRequest {
        CertificateRequest {
            number: number.into(),
            password: password.into(),
            csr: csr.into(),
            device_name: "試験端末".into(),
            platform: Platform::Ios,
        }
    }

    pub async fn enrol(&self, number: &str, password: &str) -> Identity {
        let (key, csr) = csr();
        let request = Self::certificate_request(number, password, &csr);
        let issued: CertificateIssued = self.public().post(&self.path("/certificates"), &request).await.ok();
        identity(&key, &issued)
    }

    /// The office's device with its first account signed in.
    pub async fn office(&self) -> Client {
        let identity = self.enrol(&self.office_ticket.0, &self.office_ticket.1).await;
        let mut office = self.care(identity);
        office.first_sign_in("jimukyoku", &self.office_password).await;
        office
    }
}

/// A facility with its manager signed in on its first device.
pub struct Facility {
    pub id: FacilityId,
    pub manager: Client,
}

impl Town<'_> {
    /// Applies, is approved by the office, enrols its first device by a further ticket of the office (the
    /// mailed one is checked end to end elsewhere) and signs its manager in.
    pub async fn facility(&self, office: &Client, name: &str) -> Facility {
        let application = application(name);
        let applied: FacilityApplied =
            self.public().post(&self.path("/facility-applications"), &application).await.ok();
        let approved: FacilityApproved =
            office.post(&format!("/v1/facilities/{}/approval", applied.id), &()).await.ok();
        let mut manager = self.care(self.device(office, applied.id).await);
        manager.first_sign_in(&approved.login_id, &approved.first_password).await;
        Facility { id: applied.id, manager }
    }

    /// One more device of a facility.
    pub async fn device(&self, admin: &Client, facility: FacilityId) -> Identity {
        let ticket: EnrolmentTicket =
            admin.post(&format!("/v1/facilities/{facility}/tickets"), &NewTicket::another()).await.ok();
        self.enrol(&ticket.number, &ticket.password).await
    }

    /// A member of staff signed in on a device of their own.
    pub async fn member(
        &self,
        facility: &Facility,
        login_id: &str,
        profession: Profession,
    ) -> (StaffId, Client) {
        let new = NewStaff {
            id: StaffId::new(),
            login_id: login_id.into(),
            name: format!("試験 {login_id}"),
            profession,
            mail: Some(format!("{login_id}@example.invalid")),
            forwarding_mail: None,
        };
        let added: StaffAdded = facility.manager.post("/v1/staff", &new).await.ok();
        let mut client = self.care(self.device(&facility.manager, facility.id).await);
        client.first_sign_in(login_id, &added.first_password).await;
        (new.id, client)
    }
}

/// A facility's application.
pub fn application(name: &str) -> FacilityApplication {
    FacilityApplication {
        id: FacilityId::new(),
        name: name.into(),
        kind: FacilityKind::HomeNursing,
        address: "架空町1-2-3".into(),
        telephone: "0000-12-3456".into(),
        manager_name: "管理 二郎".into(),
        manager_mail: "kanri@example.invalid".into(),
        outside: false,
    }
}

/// The announcement of these bytes.
pub fn announcement(kind: MediaKind, bytes: &[u8]) -> NewMedia {
    use sha2::Digest as _;
    NewMedia {
        id: MediaId::new(),
        kind,
        length: bytes.len() as u64,
        sha256: hex::encode(sha2::Sha256::digest(bytes)),
        description: String::new(),
    }
}

/// A small PDF.
pub const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n";

/// Uploads a consent document.
pub async fn consent_document(client: &Client) -> MediaId {
    let new = announcement(MediaKind::Document, PDF);
    client.post("/v1/media", &new).await.done();
    client.upload(new.id, PDF).await.done();
    new.id
}

/// A registration with this consent document and team; the first member leads.
pub fn registration(document: MediaId, team: &[StaffId]) -> NewPatient {
    NewPatient {
        id: PatientId::new(),
        name: "架空 花子".into(),
        kana: "カクウ ハナコ".into(),
        gender: Gender::Female,
        birth_date: "1940-05-01".into(),
        address: "架空町9-9".into(),
        telephone: String::new(),
        care_level: Some("23".into()),
        consent: NewConsent {
            id: ConsentId::new(),
            document,
            giver: ConsentGiver::Patient,
            giver_name: None,
            form: ConsentForm::Municipal,
            obtained_on: "2026-01-05".into(),
        },
        team: team.iter().enumerate().map(|(i, s)| NewTeamMember { staff_id: *s, lead: i == 0 }).collect(),
    }
}

/// A post written now.
pub fn new_post(body: &str, media: Vec<NewMedia>) -> NewPost {
    NewPost {
        id: PostId::new(),
        body: body.into(),
        urgent: false,
        body_site: Some(BodySite::LeftHeel),
        written_at: Timestamp(renraku_server::clock::now()),
        media,
    }
}

/// A nurse and a doctor of two facilities who care for one patient.
pub struct Care {
    pub office: Client,
    pub nurse: (StaffId, Client),
    pub doctor: (StaffId, Client),
    pub nursing: Facility,
    pub patient: PatientId,
}

impl Town<'_> {
    pub async fn care_team(&self) -> Care {
        let office = self.office().await;
        let nursing = self.facility(&office, "架空訪問看護").await;
        let clinic = self.facility(&office, "架空診療所").await;
        let nurse = self.member(&nursing, "nurse.n", Profession::Nurse).await;
        let doctor = self.member(&clinic, "doctor.d", Profession::Physician).await;
        let document = consent_document(&nurse.1).await;
        let new = registration(document, &[nurse.0, doctor.0]);
        nurse.1.post("/v1/patients", &new).await.done();
        Care { office, nurse, doctor, nursing, patient: new.id }
    }
}
