//! The portal's 2-D code: scanned, it is all that a person needs beside a name for the device. Whatever else a
//! camera reads is refused with a sentence, and changes nothing.

use crate::phone::Phone;
use crate::town::{PASSWORD, SLUG, found};
use renraku_core::{CoreError, Diagnosed, NewDevice};
use renraku_wire::{Code, Platform, SetupCode};

fn scanned(text: &str) -> Result<NewDevice, CoreError> {
    NewDevice::scanned(text, "訪問用スマホ1".into(), Platform::Android)
}

fn code(portal: String) -> String {
    SetupCode { portal, number: "1234".into(), password: "ticket".into() }.to_uri().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_enrols() {
    let town = found().await;
    let phone = Phone::new(&town);
    let new = scanned(&code(format!("{}/{SLUG}", town.public_url))).unwrap();
    assert!(!format!("{new:?}").contains("ticket"));
    phone.device.enrol(new).await.unwrap();
    assert!(phone.device.sign_in("nurse", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_of_ours_says_what_to_do() {
    let good = code("https://renraku.example.jp/minowa".into());
    for (text, why) in [
        ("https://renraku.example.jp/minowa", Code::SetupCodeForeign),
        ("WIFI:S:cafe;T:WPA;P:secret;;", Code::SetupCodeForeign),
        ("", Code::SetupCodeForeign),
        (&good.replace("v=1", "v=2"), Code::SetupCodeNewer),
        (&good.replace("https", "http"), Code::SetupCodeMalformed),
        (&good.replace("renraku.example.jp", "evil.example%40renraku.example.jp"), Code::SetupCodeMalformed),
        (&good.replace("minowa", "..%2Fminowa"), Code::SetupCodeMalformed),
        (&good.replace("renraku.example.jp", "127.1"), Code::SetupCodeMalformed),
        (&good.replace("renraku.example.jp", "0x7f.0.0.1"), Code::SetupCodeMalformed),
        (&good.replace("renraku.example.jp", "renraku.3"), Code::SetupCodeMalformed),
        (&good[..good.len() - 8], Code::SetupCodeMalformed),
        (&format!("{good}&pw=other"), Code::SetupCodeMalformed),
        (&"renraku:enrol?".repeat(10_000), Code::SetupCodeMalformed),
    ] {
        let refused = scanned(text).map(drop).unwrap_err();
        assert_eq!(refused, CoreError::Invalid { code: why, field: Some("setup_code".into()) }, "{text:.80}");
        assert!(why.sentence().contains("2次元コード"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_leads_elsewhere_gets_no_certificate() {
    let town = found().await;
    let phone = Phone::new(&town);
    // A host that has no certificate that the phone trusts, and a town that is not there.
    let stranger = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = stranger.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let _ = stranger.accept().await;
        }
    });
    let new = scanned(&code(format!("https://localhost:{port}/{SLUG}"))).unwrap();
    assert!(matches!(phone.device.enrol(new).await, Err(CoreError::Offline { .. })));
    let new = scanned(&code(format!("{}/elsewhere", town.public_url))).unwrap();
    assert_eq!(phone.device.enrol(new).await.map(drop), Err(CoreError::NotFound));
    assert_eq!(phone.device.diagnose().await, Ok(Diagnosed::NotEnrolled));
}
