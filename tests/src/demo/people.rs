//! Who works in the demo town. Everybody is made up, and their names say so: 見本 is "sample".

use renraku_wire::{FacilityKind, Profession, PushProvider};

/// What everybody signs in with, once the first password is changed.
pub const PASSWORD: &str = "hikari-no-machi-8";
/// The town's name in addresses.
pub const SLUG: &str = "hikari";
/// The town's name on screens.
pub const TOWN: &str = "ひかり町（デモ）";
/// User id of the office's first account.
pub const OFFICE_LOGIN: &str = "jimukyoku";
/// Name of that person.
pub const OFFICE_NAME: &str = "見本 司";

/// A facility that applies.
#[derive(Debug)]
pub struct NewFacility {
    /// How the demo calls it, in file names.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: FacilityKind,
    /// Its address.
    pub address: &'static str,
    /// Its telephone.
    pub telephone: &'static str,
    /// Its manager.
    pub manager: &'static str,
    /// What its PC is called.
    pub device: &'static str,
    /// The port on which that PC's gateway is tried first.
    pub port: u16,
}

/// A member of staff.
#[derive(Debug)]
pub struct NewPerson {
    /// User id.
    pub login: &'static str,
    /// Name.
    pub name: &'static str,
    /// Profession.
    pub profession: Profession,
    /// The facility's key.
    pub facility: &'static str,
    /// The push service of the own phone, for those who have one.
    pub phone: Option<PushProvider>,
}

/// The facilities, in the order of their gateways.
pub const FACILITIES: [NewFacility; 3] = [
    NewFacility {
        key: "nursing",
        name: "ひなた訪問看護ステーション",
        kind: FacilityKind::HomeNursing,
        address: "ひかり町朝日一丁目1番",
        telephone: "0000-00-1001",
        manager: "見本 陽子",
        device: "ひなた 事務所PC",
        port: 8482,
    },
    NewFacility {
        key: "clinic",
        name: "みどり診療所",
        kind: FacilityKind::Clinic,
        address: "ひかり町緑二丁目2番",
        telephone: "0000-00-1002",
        manager: "見本 緑",
        device: "みどり診療所 診察室PC",
        port: 8483,
    },
    NewFacility {
        key: "care",
        name: "こだま居宅介護支援事業所",
        kind: FacilityKind::CareManagement,
        address: "ひかり町川辺三丁目3番",
        telephone: "0000-00-1003",
        manager: "見本 響",
        device: "こだま 事務所PC",
        port: 8484,
    },
];

/// The staff.
pub const STAFF: [NewPerson; 6] = [
    NewPerson {
        login: "kango1",
        name: "見本 花子",
        profession: Profession::Nurse,
        facility: "nursing",
        phone: Some(PushProvider::Apns),
    },
    NewPerson {
        login: "kango2",
        name: "見本 夏美",
        profession: Profession::Nurse,
        facility: "nursing",
        phone: None,
    },
    NewPerson {
        login: "riha1",
        name: "見本 歩",
        profession: Profession::Therapist,
        facility: "nursing",
        phone: None,
    },
    NewPerson {
        login: "isha1",
        name: "見本 太郎",
        profession: Profession::Physician,
        facility: "clinic",
        phone: Some(PushProvider::Fcm),
    },
    NewPerson {
        login: "cm1",
        name: "見本 恵",
        profession: Profession::CareManager,
        facility: "care",
        phone: Some(PushProvider::Apns),
    },
    NewPerson {
        login: "helper1",
        name: "見本 進",
        profession: Profession::Helper,
        facility: "care",
        phone: None,
    },
];

/// A profession as the demo's own pages name it.
#[must_use]
pub const fn profession(profession: Profession) -> &'static str {
    match profession {
        Profession::Physician => "医師",
        Profession::Dentist => "歯科医師",
        Profession::Pharmacist => "薬剤師",
        Profession::Nurse => "看護師",
        Profession::PublicHealthNurse => "保健師",
        Profession::CareManager => "介護支援専門員",
        Profession::Helper => "ヘルパー",
        Profession::Therapist => "理学療法士",
        Profession::Dietitian => "管理栄養士",
        Profession::SocialWorker => "相談員",
        Profession::Clerk => "事務",
        Profession::Other => "その他",
    }
}
