//! Several towns on one device.

use crate::phone::{Phone, settings};
use crate::town::{PASSWORD, Town, found, found_as};
use renraku_core::{CoreError, Device, DeviceSettings, NewDevice, towns};
use renraku_wire::Platform;

fn open(phone: &Phone, town: &Town, slug: &str) -> Device {
    let settings = settings(town, phone.folder.path(), &phone.key, &phone.spare, &phone.clock);
    let own = DeviceSettings { town: Some(slug.into()), key: None, spare_key: None, ..settings };
    Device::open(own).unwrap()
}

async fn enrol(device: &Device, town: &Town, slug: &str) -> Result<(), CoreError> {
    let new = NewDevice {
        public_url: town.public_url.clone(),
        slug: slug.into(),
        number: "1234".into(),
        password: "ticket".into(),
        device_name: "訪問用スマホ1".into(),
        platform: Platform::Ios,
    };
    device.enrol(new).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_town_has_its_own_certificate_people_and_end() {
    let (minowa, ina) = (found().await, found_as("ina", None).await);
    let phone = Phone::new(&minowa);
    let folder = phone.file("app");
    assert!(towns(&folder).unwrap().is_empty());
    let (here, there) = (open(&phone, &minowa, "minowa"), open(&phone, &ina, "ina"));
    assert!(matches!(enrol(&here, &ina, "ina").await, Err(CoreError::Invalid { .. })));
    enrol(&here, &minowa, "minowa").await.unwrap();
    assert!(there.enrolment().is_none());
    enrol(&there, &ina, "ina").await.unwrap();
    let session = here.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(there.people().await.unwrap().is_empty());
    there.sign_in("nurse", PASSWORD).await.unwrap().patients().await.unwrap();
    assert_eq!(towns(&folder).unwrap(), ["ina", "minowa"]);
    ina.facts().revoked = true;
    assert!(there.sign_in("nurse", PASSWORD).await.is_err());
    assert!(there.enrolment().is_none(), "wiped");
    assert!(!session.patients().await.unwrap().stale, "the other town knows nothing of it");
    let staff = session.staff().id;
    drop((session, here));
    let here = open(&phone, &minowa, "minowa");
    assert!(here.resume(staff).await.is_ok());
}
