//! Steps 1 to 4: the town, its facilities, their devices, their people.

use crate::handshake::{alert, of_another_authority};
use crate::world;
use renraku_mobile::{MobileError, RenrakuSession};
use renraku_tests::harness::{
    Applied, Browser, Created, Fakes, HarnessError, Phone, PhoneEnrolment, Pickup, ServerOptions,
    ServerProcess, Town, client_tls, create_municipality, mailed_ticket,
};
use renraku_wire::{
    Code, Diagnosis, Facility, FacilityId, FacilityKind, FacilityState, NewStaff, Platform, Profession,
    PushProvider, StaffId, Timestamp,
};
use rustls::AlertDescription;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The town's name in addresses.
pub const SLUG: &str = "kasou";
/// What everybody chooses once their first password is spent.
pub const PASSWORD: &str = "asa-no-sanpo-7ji";

/// A facility at work.
pub struct Place {
    pub id: FacilityId,
    pub manager: Browser,
}

/// Somebody of the team with their phone.
pub struct Person {
    pub id: StaffId,
    pub login_id: &'static str,
    pub push_token: &'static str,
    pub mails: &'static [&'static str],
    pub phone: Phone,
    pub session: Arc<RenrakuSession>,
}

/// The three who care for the patient.
pub struct Team {
    pub nurse: Person,
    pub doctor: Person,
    pub care_manager: Person,
}

/// Step 1.
pub async fn the_operator_creates_a_town(options: &ServerOptions) -> Created {
    let create = || create_municipality(options, SLUG, "架空町", None, "jimu", "事務 一郎");
    let created = create().await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(created.login_id, "jimu");
    assert!(!created.number.is_empty() && !created.password.is_empty() && !created.first_password.is_empty());
    assert!(matches!(create().await, Err(HarnessError::Command { .. })), "one town of that name");
    created
}

/// Step 1, its other half: the town's authority is there, and the office's first account works.
pub async fn the_office_signs_in(server: &ServerProcess, created: &Created) -> Town {
    let town = Town::open(server, SLUG, created, PASSWORD).await.expect("the office signs in");
    let [device, authority] = &town.office.chain[..] else { panic!("certificate and authority") };
    let (_, device) = X509Certificate::from_der(device).expect("a certificate");
    let (_, authority) = X509Certificate::from_der(authority).expect("a certificate");
    assert!(authority.is_ca() && !device.is_ca());
    authority.verify_signature(None).expect("the authority signed itself");
    device.verify_signature(Some(authority.public_key())).expect("and the device's certificate");
    town
}

/// Step 2, and a PC's part of step 3.
pub async fn facilities_apply_and_are_approved(town: &Town, fakes: &Fakes) -> [Place; 3] {
    let [nursing, clinic, care] = world::FACILITIES;
    [
        becomes_a_place(town, fakes, nursing, FacilityKind::HomeNursing, "k1@nursing.invalid").await,
        becomes_a_place(town, fakes, clinic, FacilityKind::Clinic, "k1@clinic.invalid").await,
        becomes_a_place(town, fakes, care, FacilityKind::CareManagement, "k1@care.invalid").await,
    ]
}

async fn becomes_a_place(town: &Town, fakes: &Fakes, name: &str, kind: FacilityKind, mail: &str) -> Place {
    let applied = town.apply(name, kind, world::MANAGER, mail).await.expect("it applies");
    assert_eq!(state_of(town, applied.id).await, FacilityState::Applied);
    let sent = |to: &str| fakes.smtp.received().iter().any(|m| m.to.iter().any(|t| t == to));
    assert!(!sent(mail), "no certificate before the approval");
    let account = town.approve(applied.id).await.expect("the office approves");
    assert_eq!(state_of(town, applied.id).await, FacilityState::Approved);
    let again = town.approve(applied.id).await.expect("the button was pressed twice");
    assert_eq!(again, account, "one approval");

    let (number, password) = mailed_ticket(fakes, mail).await.expect("a mail with No and password");
    let wrong = pick_up(town, &number, "wrong-password").await.expect_err("a wrong password");
    assert_eq!(wrong.code, Code::TicketInvalid);
    let manager = town.manager(&applied, &account, fakes, PASSWORD).await.expect("the manager's PC");
    let late = town.approve(applied.id).await.expect_err("the account is in use");
    assert_eq!(late.code, Code::StateConflict);
    let used = pick_up(town, &number, &password).await.expect_err("valid once");
    assert_eq!(used.code, Code::TicketUsed);
    valid_for_a_limited_time(town, &applied).await;
    Place { id: applied.id, manager }
}

async fn pick_up(town: &Town, number: &str, password: &str) -> Result<Browser, renraku_wire::Problem> {
    Browser::pick_up(Pickup {
        public_url: &town.public_url,
        root_pem: &town.root_pem,
        slug: SLUG,
        number,
        password,
        device_name: "もう1台",
    })
    .await
}

async fn state_of(town: &Town, id: FacilityId) -> FacilityState {
    let all: Vec<Facility> = town.office.get("/v1/facilities").await.expect("the office's list");
    all.iter().find(|f| f.id == id).expect("it is on it").state
}

async fn valid_for_a_limited_time(town: &Town, facility: &Applied) {
    // Here one more certificate is the office's to give.
    let ticket = town.ticket(&town.office, facility.id).await.expect("one more ticket");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let Timestamp(end) = ticket.expires_at;
    assert!((now..=now + 14 * 86_400_000 + 60_000).contains(&end), "{end} is not within two weeks");
}

/// Step 3: TLS 1.3 only, and no handshake without a certificate of this town's authority.
pub async fn only_this_towns_certificates_reach_the_care_host(town: &Town, places: &[Place; 3]) {
    let manager = &places[0].manager;
    let me: renraku_wire::Staff = manager.get("/v1/session").await.expect("with its certificate it is in");
    assert_eq!(me.name, world::MANAGER);
    let (care, root) = (&manager.care_url, &town.root_pem);
    let bare = client_tls(root, None, rustls::ALL_VERSIONS);
    assert_eq!(alert(care, bare).await, AlertDescription::CertificateRequired);
    let mut old = manager.tls_for(&[&rustls::version::TLS12]);
    assert_eq!(alert(care, old.clone()).await, AlertDescription::ProtocolVersion);
    old.alpn_protocols.clear();
    assert_eq!(alert(care, old).await, AlertDescription::ProtocolVersion);
    assert_eq!(alert(care, of_another_authority(root)).await, AlertDescription::UnknownCA);
    // The public host takes the bare client, and tells what is wrong with it.
    let url = format!("{}/v1/municipalities/{SLUG}/diagnosis", town.public_url);
    let told: Diagnosis = renraku_tests::harness::answer(renraku_tests::harness::stranger(root).get(url))
        .await
        .expect("a diagnosis");
    assert_eq!((told.ok, told.code), (false, Some(Code::CertificateMissing)));
}

/// Step 4, and a phone's part of step 3.
pub async fn managers_add_their_staff(town: &Town, places: &[Place; 3]) -> Team {
    let [nurse, doctor, care_manager] = world::TEAM;
    Team {
        nurse: joins(town, &places[0], nurse, "kango1", Profession::Nurse, Platform::Ios).await,
        doctor: joins(town, &places[1], doctor, "ishi1", Profession::Physician, Platform::Ios).await,
        care_manager: joins(
            town,
            &places[2],
            care_manager,
            "care1",
            Profession::CareManager,
            Platform::Android,
        )
        .await,
    }
}

async fn joins(
    town: &Town,
    place: &Place,
    name: &str,
    login_id: &'static str,
    profession: Profession,
    platform: Platform,
) -> Person {
    let (mails, provider, push_token): (&[&str], _, _) = match login_id {
        "kango1" => (&["s1@nursing.invalid"], PushProvider::Apns, "a1a1a1"),
        "ishi1" => (&["s1@clinic.invalid"], PushProvider::Apns, "b2b2b2"),
        _ => (&["s1@care.invalid", "s1@forwarded.invalid"], PushProvider::Fcm, "c3c3c3"),
    };
    let new = NewStaff {
        id: StaffId::new(),
        login_id: login_id.to_owned(),
        name: name.to_owned(),
        profession,
        mail: mails.first().map(|m| (*m).to_owned()),
        forwarding_mail: mails.get(1).map(|m| (*m).to_owned()),
    };
    let added = town.add(&place.manager, &new).await.expect("the manager adds an account");
    assert_eq!((added.id, added.login_id.as_str()), (new.id, login_id));

    let ticket = town.ticket(&town.office, place.id).await.expect("a ticket for a phone");
    let at = PhoneEnrolment {
        public_url: &town.public_url,
        root_pem: &town.root_pem,
        slug: SLUG,
        number: &ticket.number,
        password: &ticket.password,
        device_name: login_id,
        platform,
    };
    let phone = Phone::enrol(at).await.expect("the phone's own key gets a certificate");
    assert!(phone.device.certificate().is_hardware_backed());
    assert_eq!(phone.device.certificate().diagnose().await, Ok(renraku_mobile::Diagnosis::Ready));

    let first = added.first_password;
    let session = phone.device.sign_in(login_id.to_owned(), first.clone()).await.expect("first sign-in");
    assert!(session.must_change_password());
    let refused = session.patients().list().await.expect_err("nothing before the change");
    assert_eq!(refused, MobileError::SignedOut { code: Code::PasswordChangeRequired.as_str().to_owned() });
    session.change_password(first.clone(), PASSWORD.to_owned()).await.expect("changed");
    assert!(session.patients().list().await.expect("and now in").patients.is_empty());
    let spent = phone.device.sign_in(login_id.to_owned(), first).await.expect_err("the first is spent");
    assert_eq!(spent, MobileError::SignedOut { code: Code::SignInRefused.as_str().to_owned() });
    session.register_push(provider, push_token.to_owned()).await.expect("registered for pushes");
    Person { id: new.id, login_id, push_token, mails, phone, session }
}
