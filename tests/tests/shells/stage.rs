//! What a shell's tests play on: a town at work on the real server, the network in front of it, a colleague
//! with a phone of his own, and a prompter on a loopback port. He is asked one line and answers one line of
//! `name=value` between tabs.

use crate::network::Network;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};
use renraku_core::ItemState;
use renraku_media::fixture;
use renraku_mobile::{PostDraft, RenrakuSession};
use renraku_tests::harness::{
    Browser, Fakes, HarnessError, Phone, PhoneEnrolment, ServerOptions, ServerProcess, Town,
    create_municipality,
};
use renraku_wire::{
    ConsentForm, ConsentGiver, ConsentId, FacilityId, FacilityKind, Gender, NewConsent, NewPatient, NewStaff,
    NewTeamMember, PatientId, PatientRegistered, Platform, Profession, StaffAdded, StaffId,
};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const SLUG: &str = "kasou";
const PASSWORD: &str = "asa-no-sanpo-7ji";
const PATIENT: (&str, &str) = ("試験 梅子", "シケン ウメコ");
/// As many people as the tests of one shell take, each its own.
const NEWCOMERS: usize = 12;
/// A push is on its way for less than this.
const DELIVERY: Duration = Duration::from_secs(30);

/// The stage. Everything on it is gone when it is dropped.
pub struct Stage {
    /// Where the prompter listens.
    pub port: u16,
    /// A folder for the phones.
    pub folder: TempDir,
    server: ServerProcess,
    // Pushes and mails go there as long as the server runs.
    _fakes: Arc<Fakes>,
}

struct Prompter {
    fakes: Arc<Fakes>,
    network: Arc<Network>,
    town: Town,
    facility: FacilityId,
    newcomers: Mutex<Vec<StaffAdded>>,
    /// The secure chips of phones whose shell has no cryptography here.
    chips: Mutex<HashMap<String, KeyPair>>,
    patient: PatientId,
    colleague: Arc<RenrakuSession>,
    _colleagues_phone: Phone,
    folder: PathBuf,
}

impl Stage {
    /// Sets it, on SQLite or on the database of that address.
    pub async fn set(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fakes = Arc::new(Fakes::start().await.expect("Apple, Google and a mail carrier"));
        let network = Network::new();
        let mut options = ServerOptions::new(folder.path().join("data"));
        options.database = database;
        options.fakes = Some(fakes.settings.clone());
        let created = create_municipality(&options, SLUG, "架空町", None, "jimu", "事務 一郎").await;
        let created = created.unwrap_or_else(|e| panic!("{e}"));
        let server = behind(&network, options).await;
        let town = Town::open(&server, SLUG, &created, PASSWORD).await.expect("the office signs in");

        let applied = town.apply(
            "あおぞら訪問看護ステーション",
            FacilityKind::HomeNursing,
            "管野 理子",
            "k1@nursing.invalid",
        );
        let applied = applied.await.expect("it applies");
        let account = town.approve(applied.id).await.expect("the office approves");
        let manager = town.manager(&applied, &account, &fakes, PASSWORD).await.expect("the manager's PC");
        let mut newcomers = Vec::new();
        for n in 0..=NEWCOMERS {
            newcomers.push(joins(&town, &manager, n).await);
        }
        let patient = a_patient(&manager, &newcomers).await;
        let phone = phone(&town, applied.id).await;
        let doctor = newcomers.remove(0);
        let colleague = phone.first_sign_in(&doctor.login_id, &doctor.first_password, PASSWORD).await;
        camera(folder.path());
        std::fs::write(folder.path().join("roots.pem"), &town.root_pem).expect("a file");
        let prompter = Arc::new(Prompter {
            fakes: fakes.clone(),
            network,
            facility: applied.id,
            newcomers: Mutex::new(newcomers),
            chips: Mutex::default(),
            patient,
            colleague: colleague.expect("the doctor signs in"),
            _colleagues_phone: phone,
            folder: folder.path().to_owned(),
            town,
        });
        Self { port: listen(prompter).await, folder, server, _fakes: fakes }
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Starts the server so that devices reach it over the network alone.
async fn behind(network: &Arc<Network>, options: ServerOptions) -> ServerProcess {
    for _ in 0..5 {
        let ([public, care], held) = free_ports().await;
        let url = |port| Some(format!("https://localhost:{port}"));
        let options = ServerOptions {
            public_listen: public,
            care_listen: care,
            public_url: url(network.lead(public).await),
            care_url: url(network.lead(care).await),
            ..options.clone()
        };
        drop(held);
        match ServerProcess::start(options).await {
            Ok(server) => return server,
            // Somebody else may have taken a port in between.
            Err(HarnessError::NotStarted { log }) if log.contains("cannot listen") => {}
            Err(e) => panic!("{e}"),
        }
    }
    panic!("no port stayed free");
}

async fn free_ports() -> ([SocketAddr; 2], [TcpListener; 2]) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let held = [TcpListener::bind(any).await, TcpListener::bind(any).await];
    let held = held.map(|bound| bound.expect("a free port"));
    (held.each_ref().map(|l| l.local_addr().expect("bound")), held)
}

async fn joins(town: &Town, manager: &Browser, n: usize) -> StaffAdded {
    let profession = if n == 0 { Profession::Physician } else { Profession::Nurse };
    let new = NewStaff {
        id: StaffId::new(),
        login_id: format!("hito{n}"),
        name: format!("試験 {n}子"),
        profession,
        mail: Some(format!("s{n}@nursing.invalid")),
        forwarding_mail: None,
    };
    town.add(manager, &new).await.expect("the manager adds an account")
}

async fn a_patient(manager: &Browser, people: &[StaffAdded]) -> PatientId {
    let scan = fixture::jpeg(&[250; 595 * 842 * 3], 595, 842, 80);
    let new = NewPatient {
        id: PatientId::new(),
        name: PATIENT.0.to_owned(),
        kana: PATIENT.1.to_owned(),
        gender: Gender::Female,
        birth_date: "1938-02-03".to_owned(),
        address: "架空郡架空町9-9".to_owned(),
        telephone: String::new(),
        care_level: None,
        consent: NewConsent {
            id: ConsentId::new(),
            document: manager.upload_document(&scan, "同意書").await.expect("the consent's file"),
            giver: ConsentGiver::Patient,
            giver_name: None,
            form: ConsentForm::Municipal,
            obtained_on: "2026-01-05".to_owned(),
        },
        team: people
            .iter()
            .enumerate()
            .map(|(n, p)| NewTeamMember { staff_id: p.id, lead: n == 0 })
            .collect(),
    };
    let registered: PatientRegistered = manager.post("/v1/patients", &new).await.expect("registered");
    registered.id
}

async fn phone(town: &Town, facility: FacilityId) -> Phone {
    let ticket = town.ticket(&town.office, facility).await.expect("a ticket");
    let at = PhoneEnrolment {
        public_url: &town.public_url,
        root_pem: &town.root_pem,
        slug: SLUG,
        number: &ticket.number,
        password: &ticket.password,
        device_name: "医師のスマホ",
        platform: Platform::Ios,
    };
    Phone::enrol(at).await.expect("a certificate")
}

/// What the phones' cameras took.
fn camera(folder: &Path) {
    std::fs::write(folder.join("photo.jpg"), fixture::phone_photo(7)).expect("a file");
    fixture::phone_film(&folder.join("film.mov"), 4.0).expect("the ffmpeg command makes films");
}

async fn listen(prompter: Arc<Prompter>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let prompter = prompter.clone();
            tokio::spawn(async move { prompter.serve(stream).await });
        }
    });
    port
}

impl Prompter {
    async fn serve(&self, mut stream: TcpStream) {
        let (from, mut to) = stream.split();
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = self.answer(&line).await.unwrap_or_else(|why| format!("error={why}"));
            if to.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, question: &str) -> Result<String, String> {
        let (word, rest) = question.split_once(' ').unwrap_or((question, ""));
        let mut answer = String::new();
        let said = |e: &dyn std::fmt::Debug| format!("{e:?}").replace(['\t', '\n'], " ");
        match word {
            "town" => {
                let file = |name: &str| self.folder.join(name).display().to_string();
                let (photo, film, roots) = (file("photo.jpg"), file("film.mov"), file("roots.pem"));
                answer = format!(
                    "public_url={}\tslug={SLUG}\troots={roots}\tpatient={}\tpatient_name={}\tphoto={photo}\tfilm={film}",
                    self.town.public_url, self.patient, PATIENT.0
                );
            }
            "newcomer" => {
                let next = self.newcomers.lock().expect("nobody panicked").pop();
                let one = next.ok_or("nobody is left: raise NEWCOMERS")?;
                answer = format!("login_id={}\tfirst_password={}", one.login_id, one.first_password);
            }
            "ticket" => {
                let ticket =
                    self.town.ticket(&self.town.office, self.facility).await.map_err(|e| said(&e))?;
                answer = format!("number={}\tpassword={}", ticket.number, ticket.password);
            }
            "cut" => self.network.cut(),
            "mend" => self.network.mend(),
            "stall" => self.network.stall_after(rest.parse().map_err(|_| "a number of bytes")?),
            "flow" => self.network.flow(),
            "sent" => answer = format!("bytes={}", self.network.sent()),
            "chip" | "sign" => answer = format!("hex={}", self.chip(rest).ok_or("no such chip")?),
            "post" => answer = format!("id={}", self.post(rest).await.map_err(|e| said(&e))?),
            "push" => answer = format!("payload={}", self.push(rest).await.ok_or("no push came")?),
            "arrived" => answer = self.arrived(rest).await.map_err(|e| said(&e))?,
            _ => return Err("no such question".to_owned()),
        }
        Ok(answer)
    }

    /// A chip's public key as Apple hands it out, made when there is none; or its signature of what follows.
    fn chip(&self, question: &str) -> Option<String> {
        let (name, message) = question.split_once(' ').unwrap_or((question, ""));
        let mut chips = self.chips.lock().expect("nobody panicked");
        if message.is_empty() {
            let made = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("ring makes keys");
            return Some(hex::encode(chips.entry(name.to_owned()).or_insert_with(made).der_bytes()));
        }
        chips.get(name)?.sign(&hex::decode(message).ok()?).ok().map(hex::encode)
    }

    /// The colleague posts this text.
    async fn post(&self, body: &str) -> Result<String, renraku_mobile::MobileError> {
        let draft = PostDraft {
            patient_id: self.patient,
            body: body.to_owned(),
            urgent: false,
            body_site: None,
            attachments: vec![],
            keep_as_draft: false,
            id: None,
        };
        let id = self.colleague.outbox().compose(draft).await?;
        self.colleague.outbox().flush(true).await?;
        let outbox = self.colleague.outbox().items().await?;
        assert!(outbox.iter().any(|item| item.id == id && item.state == ItemState::Sent), "{outbox:?}");
        Ok(id.to_string())
    }

    /// What Google's service was given for this device, on one line.
    async fn push(&self, token: &str) -> Option<String> {
        let end = tokio::time::Instant::now() + DELIVERY;
        while tokio::time::Instant::now() < end {
            let pushes = self.fakes.google.received();
            if let Some(push) = pushes.iter().rev().find(|p| p.token == token) {
                return Some(push.payload["message"]["data"].to_string());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// How often the colleague sees this text, and the files with it.
    async fn arrived(&self, body: &str) -> Result<String, renraku_mobile::MobileError> {
        let page = self.colleague.posts().timeline(self.patient, None).await?;
        let posts: Vec<_> = page.posts.iter().filter(|p| p.body == body).collect();
        let files: Vec<String> = posts
            .iter()
            .flat_map(|p| &p.media)
            .map(|m| {
                let size = (m.width.unwrap_or(0), m.height.unwrap_or(0));
                format!("{:?} {:?} {}x{}", m.kind, m.state, size.0, size.1)
            })
            .collect();
        Ok(format!("times={}\tfiles={}", posts.len(), files.join(",")))
    }
}
