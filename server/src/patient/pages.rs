//! The registration form.

use super::register::register;
use super::rules;
use crate::access::{Filled, Registrar, SignedIn};
use crate::db::sql::{from_word, word};
use crate::error::AppError;
use crate::portal::forms::{Choice, Trouble, choices, shown};
use crate::portal::upload::{FieldsAndFile, Given};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use crate::{media, staff};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{
    Code, ConsentId, NewConsent, NewPatient, NewTeamMember, PatientId, Problem, Role, Staff, StaffId, limits,
};
use std::collections::HashSet;

/// A registration as typed.
#[derive(Default)]
struct Typed {
    id: String,
    consent_id: String,
    name: String,
    kana: String,
    gender: String,
    birth_date: String,
    address: String,
    telephone: String,
    care_level: String,
    giver: String,
    giver_name: String,
    form: String,
    obtained_on: String,
    uploaded: String,
    uploaded_name: String,
    members: HashSet<String>,
    leads: HashSet<String>,
}

impl Typed {
    fn fresh(who: &Registrar) -> Self {
        let mut typed = Self {
            id: PatientId::new().to_string(),
            consent_id: ConsentId::new().to_string(),
            giver: "patient".to_owned(),
            form: "municipal".to_owned(),
            ..Self::default()
        };
        // Who cares for the patient most likely leads; a manager or the office enters it for others.
        if who.role() == Role::Member {
            typed.members.insert(who.staff_id().to_string());
            typed.leads.insert(who.staff_id().to_string());
        }
        typed
    }

    fn of(form: &FieldsAndFile) -> Self {
        let get = |name: &str| form.get(name).to_owned();
        Self {
            id: get("id"),
            consent_id: get("consent_id"),
            name: get("name"),
            kana: get("kana"),
            gender: get("gender"),
            birth_date: get("birth_date"),
            address: get("address"),
            telephone: get("telephone"),
            care_level: get("care_level"),
            giver: get("giver"),
            giver_name: get("giver_name"),
            form: get("form"),
            obtained_on: get("obtained_on"),
            uploaded: get("uploaded"),
            uploaded_name: get("uploaded_name"),
            members: form.all("member").map(str::to_owned).collect(),
            leads: form.all("lead").map(str::to_owned).collect(),
        }
    }

    fn request(&self) -> Result<NewPatient, AppError> {
        let offered = |of: &[(&str, &str)], word: &str| of.iter().any(|(value, _)| *value == word);
        if !offered(language::GENDERS, &self.gender) {
            return Err(AppError::field("gender"));
        }
        let leads_too = self.members.union(&self.leads);
        let team = leads_too
            .map(|id| {
                let staff_id: StaffId = id.parse().map_err(|_| AppError::from(Code::TeamInvalid))?;
                Ok(NewTeamMember { staff_id, lead: self.leads.contains(id) })
            })
            .collect::<Result<Vec<_>, AppError>>()?;
        Ok(NewPatient {
            id: self.id.parse().unwrap_or_else(|_| PatientId::new()),
            name: self.name.clone(),
            kana: self.kana.clone(),
            gender: from_word(&self.gender)?,
            birth_date: self.birth_date.clone(),
            address: self.address.clone(),
            telephone: self.telephone.clone(),
            care_level: Some(self.care_level.clone()).filter(|level| !level.is_empty()),
            consent: NewConsent {
                id: self.consent_id.parse().unwrap_or_else(|_| ConsentId::new()),
                document: self.uploaded.parse().map_err(|_| AppError::field("document"))?,
                giver: language::giver(&self.giver).ok_or_else(|| AppError::field("giver"))?,
                giver_name: Some(self.giver_name.clone()),
                form: language::form(&self.form).ok_or_else(|| AppError::field("form"))?,
                obtained_on: self.obtained_on.clone(),
            },
            team,
        })
    }
}

struct Facility {
    name: String,
    staff: Vec<Person>,
}

struct Person {
    id: String,
    name: String,
    profession: &'static str,
    member: bool,
    lead: bool,
}

#[derive(Template)]
#[template(path = "patient/new.html")]
struct NewPage {
    frame: Frame,
    trouble: Trouble,
    form: Typed,
    genders: Vec<Choice>,
    care_levels: Vec<Choice>,
    givers: Vec<Choice>,
    forms_of_consent: Vec<Choice>,
    facilities: Vec<Facility>,
}

impl NewPage {
    async fn new(app: &App, who: &Registrar, form: Typed) -> Result<Self, AppError> {
        let (frame, people) = app
            .db
            .read(async |c| Ok((who.frame(app, c).await?, staff::store::active(c, who).await?)))
            .await?;
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            genders: choices(language::GENDERS, &form.gender),
            care_levels: choices(language::CARE_LEVELS, &form.care_level),
            givers: offered(choices(language::GIVERS, &form.giver), &who.policy().consent.givers),
            forms_of_consent: offered(choices(language::FORMS, &form.form), &who.policy().consent.forms),
            facilities: grouped(people, &form),
            form,
        })
    }
}

/// The choices that this town takes.
fn offered<T: serde::Serialize>(all: Vec<Choice>, of: &[T]) -> Vec<Choice> {
    let words: HashSet<String> = of.iter().map(word).collect();
    all.into_iter().filter(|choice| words.contains(&choice.value)).collect()
}

/// People by facility; they come sorted by it.
fn grouped(people: Vec<Staff>, form: &Typed) -> Vec<Facility> {
    let mut facilities: Vec<(renraku_wire::FacilityId, Facility)> = Vec::new();
    for person in people {
        if facilities.last().is_none_or(|(id, _)| *id != person.facility_id) {
            facilities.push((person.facility_id, Facility { name: person.facility_name, staff: vec![] }));
        }
        let id = person.id.to_string();
        if let Some((_, facility)) = facilities.last_mut() {
            facility.staff.push(Person {
                member: form.members.contains(&id) || form.leads.contains(&id),
                lead: form.leads.contains(&id),
                id,
                name: person.name,
                profession: language::profession(person.profession),
            });
        }
    }
    facilities.into_iter().map(|(_, facility)| facility).collect()
}

fn may_record(who: &SignedIn) -> Result<(), Code> {
    rules::may_record(who.role(), who.profession(), &who.policy().consent)
}

/// `GET /patients/new`. Who may not record a consent here learns it before typing.
pub async fn form(State(app): State<App>, who: Registrar) -> Result<Response, AppError> {
    may_record(&who)?;
    let form = Typed::fresh(&who);
    portal::page(&NewPage::new(&app, &who, form).await?)
}

/// `POST /patients/new`: keeps the consent's file first, so that it need not be chosen again when
/// another field is refused.
pub async fn create(State(app): State<App>, Filled { who, mut form }: Filled) -> Result<Response, AppError> {
    let who = who.registrar()?;
    let mut typed = Typed::of(&form);
    let kept = match form.file.take() {
        Some(file) => keep(&app, &who, file, &mut typed).await,
        None => Ok(()),
    };
    let outcome = match (kept, typed.request()) {
        (Err(e), _) => Err((e, "document")),
        (Ok(()), Err(e)) => Err((e, "team")),
        (Ok(()), Ok(new)) => register(&app, &who, &new).await.map_err(|e| (e, "")),
    };
    match outcome {
        Ok(id) => Ok(local::see(&format!("/patients/{id}"))),
        Err((e, blame)) => {
            let (status, problem) = shown(e)?;
            if problem.code == Code::IdConflict {
                typed.id = PatientId::new().to_string();
                typed.consent_id = ConsentId::new().to_string();
            }
            if problem.code == Code::ConsentMissing {
                typed.uploaded.clear();
            }
            refused(&app, &who, typed, status, &problem, blame).await
        }
    }
}

async fn refused(
    app: &App,
    who: &Registrar,
    typed: Typed,
    status: StatusCode,
    problem: &Problem,
    blame: &str,
) -> Result<Response, AppError> {
    let blame = match problem.code {
        Code::TeamInvalid => "team",
        Code::ConsentMissing => "document",
        _ => blame,
    };
    let mut page = NewPage::new(app, who, typed).await?;
    page.trouble = match (blame, problem.code) {
        ("document", Code::MediaTooLarge) => {
            Trouble::own("document", "ファイルが大きすぎます。16MBより小さいファイルを選んでください。")
        }
        ("document", Code::MediaUnreadable) => Trouble::own(
            "document",
            "このファイルは読み取れません。PDF・JPEG・PNGのファイルを選んでください。",
        ),
        _ => Trouble::of(problem, &page.frame.words, blame),
    };
    portal::html(status, &page)
}

/// Takes the consent's file in, as a device would upload it.
async fn keep(app: &App, who: &Registrar, file: Given, typed: &mut Typed) -> Result<(), AppError> {
    let bytes = file.bytes.ok_or(Code::MediaTooLarge)?;
    let id = media::upload::keep_document(app, who, &bytes).await?;
    typed.uploaded = id.to_string();
    typed.uploaded_name = file.name.chars().take(limits::LINE_CHARS).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::MediaId;

    fn typed() -> Typed {
        Typed {
            gender: "female".into(),
            giver: "patient".into(),
            form: "municipal".into(),
            uploaded: MediaId::new().to_string(),
            ..Typed::default()
        }
    }

    #[test]
    fn a_lead_is_a_member_too() {
        let (nurse, doctor) = (StaffId::new().to_string(), StaffId::new().to_string());
        let mut form = typed();
        form.members.insert(nurse.clone());
        form.leads.insert(doctor.clone());
        let team = form.request().unwrap().team;
        assert_eq!(team.len(), 2);
        assert!(team.iter().all(|m| m.lead == (m.staff_id.to_string() == doctor)));
    }

    #[test]
    fn what_the_form_does_not_offer_is_refused_at_its_field() {
        let field = |form: Typed| match form.request() {
            Err(AppError::Refused(p)) => p.field.clone().unwrap_or_default(),
            _ => String::new(),
        };
        assert_eq!(field(Typed { gender: "x".into(), ..typed() }), "gender");
        assert_eq!(field(Typed { giver: "x".into(), ..typed() }), "giver");
        assert_eq!(field(Typed { form: String::new(), ..typed() }), "form");
        assert_eq!(field(Typed { uploaded: String::new(), ..typed() }), "document");
        assert_eq!(field(typed()), "");
    }
}
