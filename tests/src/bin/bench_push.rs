//! How long from the accepted post to Apple holding the push, and how much memory the server takes:
//! the real server on SQLite, a fake Apple, a steady stream of posts over one HTTP/2 connection.
//! Prints figures and judges none. Clients and fakes share the machine with the server.

use clap::Parser;
use renraku_media::fixture;
use renraku_tests::harness::{
    Browser, Fakes, HarnessError, ServerOptions, ServerProcess, Town, create_municipality,
};
use renraku_wire::{
    ConsentForm, ConsentGiver, ConsentId, FacilityKind, Gender, MediaId, NewConsent, NewPatient, NewPost,
    NewStaff, NewTeamMember, Notice, NoticeKind, PatientId, PatientRegistered, Post, PostId, Problem,
    Profession, PushProvider, PushRegistration, StaffId, Timestamp,
};
use reqwest::Method;
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Parser)]
#[command(about = "Measures post to push, and the server's memory")]
struct Arguments {
    /// Posts a second.
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 15)]
    seconds: u32,
    /// How many are told of each post.
    #[arg(long, default_value_t = 8)]
    recipients: u32,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Harness(#[from] HarnessError),
    #[error("the server refused: {0:?}")]
    Refused(Problem),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

const SLUG: &str = "bench";
const PASSWORD: &str = "asa-no-sanpo-7ji";
const REST: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Trouble> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let fakes = Fakes::start().await?;
    let options = ServerOptions {
        fakes: Some(fakes.settings.clone()),
        ..ServerOptions::new(folder.path().join("data"))
    };
    let created = create_municipality(&options, SLUG, "計測町", None, "jimu", "事務 一郎").await?;
    let server = ServerProcess::start(options).await?;
    tokio::time::sleep(REST).await;
    memory("server at rest", &server);

    let town = Town::open(&server, SLUG, &created, PASSWORD).await?;
    let (author, members) = team(&town, &fakes, arguments.recipients).await?;
    let patient = patient(&author, &members).await?;
    let recipients = members.len() - 1;
    // The connection to Apple is there, and the first push is not among those that are measured.
    fakes.apns.wait_for(recipients, Duration::from_secs(30)).await;

    let answered = posts(&author, patient, &arguments).await?;
    let wanted = recipients + answered.len() * recipients;
    fakes.apns.wait_for(wanted, Duration::from_secs(30)).await;
    memory("server after the run", &server);

    let mut answers: Vec<f64> = answered.values().map(|(asked, at)| millis(*asked, *at)).collect();
    let [mut pushes, mut whole] = pushed(&fakes, &members, &answered).await?;
    println!("posts                  {} at {}/s to {recipients} recipients", answered.len(), arguments.rate);
    println!("POST to its answer     {}", summary(&mut answers));
    println!(
        "accepted POST to push  {}  ({} of {} arrived)",
        summary(&mut pushes),
        pushes.len(),
        wanted - recipients
    );
    println!("POST sent to push      {}", summary(&mut whole));
    tokio::time::sleep(REST).await;
    memory("server at rest again", &server);
    server.stop().await?;
    Ok(())
}

fn memory(when: &str, server: &ServerProcess) {
    match server.resident_kib() {
        Some(kib) => println!("{when:<22} {:.1} MB resident", kib as f64 * 1024.0 / 1e6),
        None => println!("{when:<22} unknown on this system"),
    }
}

/// Milliseconds from one to the other; negative when the other came first.
fn millis(from: Instant, to: Instant) -> f64 {
    let ahead = to.saturating_duration_since(from).as_secs_f64();
    (ahead - from.saturating_duration_since(to).as_secs_f64()) * 1e3
}

fn summary(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len() as f64 - 1.0) * share).round() as usize);
    match (at(0.5), at(0.95), values.last()) {
        (Some(median), Some(most), Some(worst)) => {
            format!("median {median:.1} ms, p95 {most:.1} ms, worst {worst:.1} ms")
        }
        _ => "nothing to measure".to_owned(),
    }
}

/// One who writes, and all who are in the team with them; the first of these is the author again.
async fn team(
    town: &Town,
    fakes: &Fakes,
    recipients: u32,
) -> Result<(Browser, Vec<(StaffId, Browser)>), Trouble> {
    let applied =
        town.apply("計測ステーション", FacilityKind::HomeNursing, "管理 者", "k@bench.invalid").await?;
    let account = town.approve(applied.id).await?;
    let manager = town.manager(&applied, &account, fakes, PASSWORD).await?;
    let mut members = Vec::new();
    for number in 0..=recipients {
        let new = NewStaff {
            id: StaffId::new(),
            login_id: format!("bench{number}"),
            name: format!("計測 {number}"),
            profession: Profession::Nurse,
            mail: None,
            forwarding_mail: None,
        };
        let added = town.add(&manager, &new).await?;
        let mut member = manager.clone();
        member.token = None;
        member.first_sign_in(&added.login_id, &added.first_password, PASSWORD).await?;
        if number > 0 {
            let push = PushRegistration { provider: PushProvider::Apns, token: token(new.id) };
            member.send(Method::PUT, "/v1/session/push", &push).await?;
        }
        members.push((new.id, member));
    }
    // A connection of its own, as a phone has.
    let author = members[0].1.reconnected();
    Ok((author, members))
}

fn token(id: StaffId) -> String {
    format!("bench-{id}")
}

async fn patient(author: &Browser, members: &[(StaffId, Browser)]) -> Result<PatientId, Trouble> {
    let scan = fixture::jpeg(&[250; 64 * 64 * 3], 64, 64, 80);
    let document: MediaId = author.upload_document(&scan, "").await?;
    let member = |(number, (staff_id, _)): (usize, &(StaffId, Browser))| NewTeamMember {
        staff_id: *staff_id,
        lead: number == 0,
    };
    let new = NewPatient {
        id: PatientId::new(),
        name: "計測 対象".to_owned(),
        kana: "ケイソク タイショウ".to_owned(),
        gender: Gender::Other,
        birth_date: "1940-01-01".to_owned(),
        address: "計測町1".to_owned(),
        telephone: String::new(),
        care_level: None,
        consent: NewConsent {
            id: ConsentId::new(),
            document,
            giver: ConsentGiver::Patient,
            giver_name: None,
            form: ConsentForm::Municipal,
            obtained_on: "2026-01-05".to_owned(),
        },
        team: members.iter().enumerate().map(member).collect(),
    };
    let registered: PatientRegistered = author.post("/v1/patients", &new).await?;
    Ok(registered.id)
}

/// Posts at a steady pace. Gives when each was sent off and when its answer was there.
async fn posts(
    author: &Browser,
    patient: PatientId,
    arguments: &Arguments,
) -> Result<HashMap<PostId, (Instant, Instant)>, Trouble> {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / arguments.rate.max(1));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..arguments.rate * arguments.seconds {
        pace.tick().await;
        let author = author.clone();
        running.spawn(async move {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let new = NewPost {
                id: PostId::new(),
                body: format!("{number}回目の訪問。変わりありません。"),
                urgent: false,
                body_site: None,
                written_at: Timestamp(i64::try_from(now).unwrap_or(i64::MAX)),
                media: Vec::new(),
            };
            let asked = Instant::now();
            let post: Post = author.post(&format!("/v1/patients/{patient}/posts"), &new).await?;
            Ok::<_, Problem>((post.id, (asked, Instant::now())))
        });
    }
    let mut answered = HashMap::new();
    while let Some(done) = running.join_next().await {
        let (id, times) = done.map_err(std::io::Error::other)??;
        answered.insert(id, times);
    }
    Ok(answered)
}

/// For each push its milliseconds from the answer to the post that it tells of, which each recipient asks for,
/// and from the moment the post was sent.
async fn pushed(
    fakes: &Fakes,
    members: &[(StaffId, Browser)],
    answered: &HashMap<PostId, (Instant, Instant)>,
) -> Result<[Vec<f64>; 2], Trouble> {
    let mut by_token: HashMap<String, &Browser> = HashMap::new();
    by_token.extend(members.iter().map(|(id, member)| (token(*id), member)));
    let [mut since_answer, mut since_asked] = [Vec::new(), Vec::new()];
    for push in fakes.apns.received() {
        let part = &push.payload["renraku"];
        let kind = serde_json::from_value(part["kind"].clone()).unwrap_or(NoticeKind::Unknown);
        let (Some(recipient), NoticeKind::PostPublished) = (by_token.get(&push.token), kind) else {
            continue;
        };
        let path = format!("/v1/notices/{}", part["id"].as_str().unwrap_or_default());
        let notice: Notice = recipient.get(&path).await?;
        let Some((asked, answer)) = notice.post_id.and_then(|id| answered.get(&id)) else { continue };
        since_answer.push(millis(*answer, push.at));
        since_asked.push(millis(*asked, push.at));
    }
    Ok([since_answer, since_asked])
}
