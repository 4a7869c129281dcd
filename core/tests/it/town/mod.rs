//! A town for the tests: what it is, what it has heard, and how it can be made to misbehave.

mod answers;
mod posts;

pub use answers::{no, session};

use crate::line::{Authority, bind, serve};
use crate::network::Network;
use answers::{care_routes, in_front, public_routes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use renraku_wire::*;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

pub const SLUG: &str = "minowa";
pub const PASSWORD: &str = "correct horse";

/// A file as the town has it.
pub struct Stored {
    pub new: NewMedia,
    pub bytes: Vec<u8>,
    pub state: MediaState,
}

/// What happened, and what shall happen.
#[derive(Default)]
pub struct Facts {
    pub posts: Vec<Post>,
    /// Every POST of a post, the repeated ones too.
    pub attempts: Vec<PostId>,
    /// What the first request for each said: the same id stands for the same post.
    pub said: HashMap<PostId, String>,
    pub files: HashMap<MediaId, Stored>,
    /// Bytes of chunks that arrived, whether they were kept or not.
    pub chunk_bytes: u64,
    pub receipts: HashMap<PostId, NewReceipt>,
    pub notices: HashMap<NoticeId, Notice>,
    pub keys: HashSet<Vec<u8>>,
    pub device: Option<DeviceId>,
    pub revoked: bool,
    /// Every request on the care host gets this problem.
    pub shut: Option<Code>,
    /// Every answer of the care host is this instead.
    pub nonsense: Option<Nonsense>,
    /// What it answers to what is sent is well-formed, and of something else.
    pub wrong: Option<Wrong>,
    /// Certificates issued by renewal, by their key.
    pub renewed: HashMap<Vec<u8>, CertificateIssued>,
    /// What the town asks of devices, if it changed.
    pub policy: Option<DevicePolicy>,
    /// When the certificates end that are issued from now on.
    pub not_after: Option<Timestamp>,
    /// Posts whose text contains this are refused so.
    pub refuse: Option<(String, Code)>,
    /// A file whose last chunk is refused.
    pub refuse_file: Option<MediaId>,
    /// What the end of a session is answered with, instead of being done.
    pub farewell: Option<Code>,
    pub farewells_refused: u32,
    pub thumbnails_served: u32,
    /// What every picture in small is, if not a few bytes.
    pub small_picture: Option<Vec<u8>>,
    pub posters: HashMap<MediaId, Vec<u8>>,
    /// Posts alone are answered so, and nothing is done.
    pub nonsense_to_posts: Option<Nonsense>,
    /// The answer to the next post is lost.
    pub lose_posts_answer: bool,
    /// The patient is not shown to this person any more.
    pub hidden: bool,
    /// Nobody has a first password any more.
    pub settled: bool,
    pub sign_ins: u32,
    /// Before the answer to a renewal leaves, two meet here twice.
    pub hold_renewal: Option<Arc<tokio::sync::Barrier>>,
    /// Renewals are refused so.
    pub no_renewal: Option<Code>,
    /// Requests for a renewal.
    pub renewals: u32,
    /// Certificates given for a No, by their key: the same asks again and gets the same.
    pub issued: HashMap<Vec<u8>, CertificateIssued>,
    /// Before the answer to an enrolment leaves, two meet here twice.
    pub hold_enrolment: Option<Arc<tokio::sync::Barrier>>,
    /// Before the answer to a sign-in leaves, two meet here twice.
    pub hold_sign_in: Option<Arc<tokio::sync::Barrier>>,
    /// Sessions that a device ended, by their tokens.
    pub signed_out: Vec<String>,
    /// The first two sign-ins are answered together.
    pub together: Option<Arc<tokio::sync::Barrier>>,
    /// The network goes before this sign-in is answered.
    pub down_at_sign_in: Option<u32>,
    /// This sign-in is refused so.
    pub refuse_sign_in: Option<(u32, Code)>,
    /// Requests that carried a chunk.
    pub chunks: u64,
    /// How many chunks had come before each of the attempts.
    pub chunks_before: Vec<u64>,
    /// Before the answer to the next chunk leaves, two meet here twice.
    pub hold_chunk: Option<Arc<tokio::sync::Barrier>>,
    /// Every request on the care host is asked to come back after so many seconds.
    pub busy: Option<u32>,
    /// The care host takes requests and answers none.
    pub hangs: bool,
    /// Sessions that are over, by their tokens: `the-token-1` is the first sign-in's.
    pub over: HashSet<String>,
}

/// What a broken server answers in the right form.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// To a post: another one.
    AnotherPost,
    /// To a post: the same, of another patient.
    AnotherPatient,
    /// To a chunk, of which it keeps nothing: that the file is whole.
    Offset,
    /// To a last chunk, which it keeps: that it is elsewhere, and then that the file is in a state nobody knows.
    State,
    /// The same to a last chunk, and then another post than was asked for.
    Verdict,
    /// To a file's announcement: another file's status.
    Announcement,
    /// To a patient, a timeline, a post: another one. To a picture: a web page.
    Page,
}

/// What a broken server, or a café's network in front of it, answers.
#[derive(Clone, Copy, Debug)]
pub enum Nonsense {
    /// 200, a web page.
    Page,
    /// 200, JSON that ends in the middle.
    Half,
    /// 200, the right JSON of something else.
    Other,
    /// 204, nothing.
    Empty,
    /// 500, a web page.
    Broken,
    /// 502, nothing.
    Gateway,
    /// 422, a problem document that is none.
    Problem,
    /// 302, to a sign-in page.
    Elsewhere,
    /// 404, a web page.
    Missing,
}

impl Nonsense {
    pub const ALL: [Self; 9] = [
        Self::Page,
        Self::Half,
        Self::Other,
        Self::Empty,
        Self::Broken,
        Self::Gateway,
        Self::Problem,
        Self::Elsewhere,
        Self::Missing,
    ];

    fn answer(self) -> Response {
        let (status, kind, body) = match self {
            Self::Page => (200, "text/html", "<html>Welcome to the café</html>"),
            Self::Half => (200, "application/json", r#"{"posts":[{"id":"0199"#),
            Self::Other => (200, "application/json", r#"{"hello":1}"#),
            Self::Empty => (204, "text/plain", ""),
            Self::Broken => (500, "text/html", "<h1>Internal error</h1>"),
            Self::Gateway => (502, "text/plain", ""),
            Self::Problem => (422, "application/problem+json", "[]"),
            Self::Missing => (404, "text/html", "<h1>Not here</h1>"),
            Self::Elsewhere => (302, "text/html", ""),
        };
        let headers = [(header::CONTENT_TYPE, kind), (header::LOCATION, "https://example.invalid/")];
        (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
    }
}

/// The true time, as the town's clock has it.
pub fn now() -> i64 {
    renraku_core::Clock::now(&renraku_core::SystemClock).0
}

pub struct Town {
    pub facts: Mutex<Facts>,
    pub network: Arc<Network>,
    pub web: Authority,
    pub devices: Authority,
    pub public_url: String,
    pub patient: PatientSummary,
    pub staff: Staff,
    /// The doctor, on the same tablet.
    pub doctor: Staff,
    founded: i64,
    info: MunicipalityInfo,
}

pub type Shared = State<Arc<Town>>;

impl Town {
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }
}

/// Founds a town and opens both its hosts.
pub async fn found() -> Arc<Town> {
    found_with(None).await
}

/// The same, whose certificates come from one authority and whose care host may trust another.
pub async fn found_with(trusted: Option<Authority>) -> Arc<Town> {
    found_as(SLUG, trusted).await
}

/// The same, of another name.
pub async fn found_as(slug: &str, trusted: Option<Authority>) -> Arc<Town> {
    let ((public, public_port), (care, care_port)) = (bind().await, bind().await);
    let (network, devices) = (Arc::new(Network::default()), Authority::new());
    let town = Arc::new(Town {
        facts: Mutex::default(),
        network: network.clone(),
        web: Authority::new(),
        devices,
        public_url: format!("https://localhost:{public_port}"),
        info: info(slug, care_port),
        patient: PatientSummary {
            id: PatientId::new(),
            name: "箕輪 花子".into(),
            kana: "ミノワ ハナコ".into(),
            gender: Gender::Female,
            birth_date: "1940-01-02".into(),
            age: 86,
            last_post_at: None,
            unread: 0,
        },
        staff: member("看護 恵", Profession::Nurse),
        doctor: member("医師 匡", Profession::Physician),
        founded: now() - 3_600_000,
    });
    serve(public, public_routes().with_state(town.clone()), &town.web, None, network.clone());
    let trusted = trusted.as_ref().unwrap_or(&town.devices);
    let care_routes = care_routes().layer(from_fn_with_state(town.clone(), in_front));
    serve(care, care_routes.with_state(town.clone()), &town.web, Some(trusted), network);
    town
}

fn member(name: &str, profession: Profession) -> Staff {
    Staff {
        id: StaffId::new(),
        facility_id: FacilityId::new(),
        facility_name: "訪問看護ステーション".into(),
        name: name.into(),
        profession,
        role: Role::Member,
    }
}

fn info(slug: &str, care_port: u16) -> MunicipalityInfo {
    let text = |s: &str| s.to_owned();
    MunicipalityInfo {
        id: MunicipalityId::new(),
        slug: text(slug),
        name: text("箕輪町"),
        care_url: format!("https://localhost:{care_port}"),
        words: Words {
            patient: text("患者"),
            facility: text("事業所"),
            staff: text("利用者"),
            post: text("投稿"),
            lead: text("担当者"),
        },
        contact: Contact {
            office: text("役場"),
            telephone: text("0265"),
            fax: text("0265"),
            mail: text("office@example.jp"),
            hours: text("平日"),
            section: String::new(),
            document: String::new(),
        },
        device_policy: DevicePolicy {
            post_chars_guidance: 100,
            video_seconds: 30,
            photo_bytes: 4_000_000,
            photo_quality: 81,
            video_bytes: 32_000_000,
            video_rate: 30,
            offline_lease_hours: 72,
            relock_seconds: 60,
            offline_days: 30,
            offline_patients: 50,
            urgent_flag: true,
            thumbs_ack: true,
        },
    }
}
