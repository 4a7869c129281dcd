//! Telling the story: patients are registered, posts are written at their hour, read and acknowledged; the
//! last one goes through a phone's own outbox, with a picture and a film.

use super::consent;
use super::error::{DemoError, Step, failed};
use super::seed::{Actor, Seeding};
use super::story::{Patient, Post, Story};
use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};
use jiff::{Timestamp as Instant, ToSpan as _};
use renraku_core::api::Care;
use renraku_core::{Attachment, Cancel, Draft, Text};
use renraku_media::{fixture, photo};
use renraku_wire::{
    BodySite, ConsentForm, ConsentId, MediaId, MediaKind, NewConsent, NewMedia, NewPatient, NewPost,
    NewReceipt, NewTeamMember, PatientId, PostId, Timestamp, limits,
};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Milliseconds from a post to the first who reads it.
const READ_AFTER: i64 = 25 * 60_000;

impl Seeding<'_> {
    /// Registers the patients and tells the posts.
    pub(crate) async fn tell(&self, story: &Story, say: &dyn Fn(&str)) -> Result<(), DemoError> {
        let mut patients = HashMap::new();
        for patient in &story.patients {
            patients.insert(patient.key, self.register(patient).await?);
        }
        say(&format!("  支援対象者{}人を登録 (patients registered)", patients.len()));
        let today = Instant::now().to_zoned(TimeZone::fixed(offset(9))).date();
        for (number, post) in story.posts.iter().enumerate() {
            let patient = patients.get(post.patient).copied();
            let patient =
                patient.ok_or_else(|| failed("looking for a patient of the story", post.patient))?;
            self.post(patient, post, instant(today, post)?).await?;
            if (number + 1) % 5 == 0 || number + 1 == story.posts.len() {
                say(&format!("  投稿 {}/{} (posts)", number + 1, story.posts.len()));
            }
        }
        if let (true, Some(patient)) = (story.film, patients.get("ume")) {
            say("  スマホから写真と動画 (a picture and a film from the phone) …");
            self.write_on_the_phone(*patient).await?;
        }
        Ok(())
    }

    async fn register(&self, patient: &Patient) -> Result<PatientId, DemoError> {
        let team = patient.team.iter().enumerate().map(|(place, login)| {
            Ok(NewTeamMember { staff_id: self.actor(login)?.staff_id, lead: place == 0 })
        });
        let team = team.collect::<Result<Vec<_>, DemoError>>()?;
        let lead = self.actor(patient.team.first().copied().unwrap_or_default())?;
        let bytes = consent::pdf();
        let document = announced(MediaKind::Document, &bytes, "同意書（見本）");
        lead.care.announce(&document).await.step("announcing a consent")?;
        upload(&lead.care, document.id, bytes).await?;
        let new = NewPatient {
            id: PatientId::new(),
            name: patient.name.into(),
            kana: patient.kana.into(),
            gender: patient.gender,
            birth_date: patient.birth_date.into(),
            address: "ひかり町（架空）".into(),
            telephone: String::new(),
            care_level: Some(patient.care_level.into()),
            consent: NewConsent {
                id: ConsentId::new(),
                document: document.id,
                giver: patient.consent.0,
                giver_name: patient.consent.1.map(str::to_owned),
                form: ConsentForm::Municipal,
                obtained_on: "2026-04-01".into(),
            },
            team,
        };
        Ok(lead.care.register_patient(&new).await.step("registering a patient")?.id)
    }

    async fn post(&self, patient: PatientId, post: &Post, at: Timestamp) -> Result<(), DemoError> {
        let author = self.actor(post.author)?;
        let picture = match post.picture {
            Some(seed) => Some(picture(seed).await?),
            None => None,
        };
        let site = post.site.map_or("", BodySite::label);
        let media =
            picture.as_ref().map(|bytes| announced(MediaKind::Photo, bytes, &format!("{site}の写真")));
        let new = NewPost {
            id: PostId::new(),
            body: post.body.into(),
            urgent: post.urgent,
            body_site: post.site,
            written_at: at,
            media: media.iter().cloned().collect(),
        };
        author.care.post(patient, &new).await.step("sending a post")?;
        if let (Some(media), Some(bytes)) = (media, picture) {
            upload(&author.care, media.id, bytes).await?;
        }
        let readers = post.read_by.iter().map(|login| (login, None));
        let readers = readers.chain(post.thumbs.iter().map(|login| (login, Some(true))));
        for (place, (login, acknowledged)) in (1..).zip(readers) {
            let receipt = NewReceipt { read_at: Timestamp(at.0 + place * READ_AFTER), acknowledged };
            self.actor(login)?.care.put_receipt(new.id, &receipt).await.step("sending a receipt")?;
        }
        Ok(())
    }

    /// The nurse's post of just now: what the apps do, from the camera's files to the server.
    async fn write_on_the_phone(&self, patient: PatientId) -> Result<(), DemoError> {
        let (phone, session) = self
            .actor("kango1")?
            .phone
            .as_ref()
            .ok_or_else(|| failed("looking for the nurse's phone", "she has none"))?;
        let (photo, film) = (phone.file("IMG_0001.JPG"), phone.file("IMG_0002.MOV"));
        let made = (photo.clone(), film.clone());
        blocking("making a picture and a film", move || {
            fs::write(&made.0, fixture::phone_photo(16))?;
            fixture::phone_film(&made.1, 6.0)
        })
        .await?;
        let draft = Draft {
            id: None,
            patient_id: patient,
            text: Text {
                body: "左踵 2.0×1.5cm。処置の様子を動画に撮りました。\n滲出液はほとんどありません。".into(),
                urgent: false,
                body_site: Some(BodySite::LeftHeel),
            },
            attachments: vec![
                attachment(MediaKind::Photo, &photo, "左踵の写真"),
                attachment(MediaKind::Video, &film, "処置の動画"),
            ],
            keep_as_draft: false,
        };
        let id = session.compose(draft).await.step("composing on the phone")?;
        session.prepare(Cancel::default(), None).await.step("making the files small on the phone")?;
        let report = session.flush(true).await.step("sending from the phone")?;
        if report.remaining + report.failed > 0 || report.offline {
            return Err(failed("sending from the phone", "not everything was sent"));
        }
        for login in ["isha1", "cm1"] {
            if let Some((_, session)) = &self.actor(login)?.phone {
                session.acknowledge(id, true).await.step("acknowledging on a phone")?;
            }
        }
        Ok(())
    }
}

fn attachment(kind: MediaKind, path: &Path, description: &str) -> Attachment {
    Attachment::new(kind, path.to_owned(), description.to_owned())
}

fn announced(kind: MediaKind, bytes: &[u8], description: &str) -> NewMedia {
    NewMedia {
        id: MediaId::new(),
        kind,
        length: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(bytes)),
        description: description.to_owned(),
    }
}

/// What a phone's camera writes, made small as the apps make it.
async fn picture(seed: u64) -> Result<Vec<u8>, DemoError> {
    let plan = photo::Plan { max_bytes: 700_000, ..photo::Plan::default() };
    let made = blocking("making a picture", move || {
        photo::compress(&fixture::phone_photo(seed), &plan, &Cancel::default()).map_err(std::io::Error::other)
    });
    Ok(made.await?.photo)
}

async fn blocking<R: Send + 'static>(
    step: &'static str,
    work: impl FnOnce() -> std::io::Result<R> + Send + 'static,
) -> Result<R, DemoError> {
    tokio::task::spawn_blocking(work).await.step(step)?.step(step)
}

async fn upload(care: &Care, id: MediaId, bytes: Vec<u8>) -> Result<(), DemoError> {
    let bytes = Bytes::from(bytes);
    let mut offset = 0;
    while offset < bytes.len() {
        let end = (offset + limits::DEVICE_CHUNK_BYTES).min(bytes.len());
        care.upload_chunk(id, offset as u64, bytes.slice(offset..end)).await.step("uploading a file")?;
        offset = end;
    }
    Ok(())
}

/// The instant of a post, from the days and the hour in Japan.
fn instant(today: Date, post: &Post) -> Result<Timestamp, DemoError> {
    let day = today.checked_sub(post.days_ago.days()).step("counting days")?;
    let (hour, minute) = post.at;
    let at = day.at(hour, minute, 0, 0).to_zoned(TimeZone::fixed(offset(9))).step("counting hours")?;
    Ok(Timestamp(at.timestamp().as_millisecond()))
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor").field("staff", &self.staff_id).finish_non_exhaustive()
    }
}
