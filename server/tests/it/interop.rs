//! With parts that nobody here wrote: curl and OpenSSL with what the authority issues, sslyze against both
//! hosts.

use crate::both;
use crate::town::*;
use renraku_wire::*;
use std::path::{Path, PathBuf};
use tokio::process::Command;

both!(
    curl_opens_the_care_host_with_the_issued_file,
    openssl_verifies_certificates_and_revocations,
    sslyze_finds_tls_13_only_and_client_authentication,
    chromium_signs_in_with_the_installed_file_until_it_is_revoked,
);

async fn run(program: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(args)
        .output()
        .await
        .unwrap_or_else(|e| panic!("{program}: {e}; scripts/setup test installs it"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn curl_opens_the_care_host_with_the_issued_file(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let request = Pkcs12Request { number, password: password.clone(), device_name: "事務局PC".into() };
    let file = town.public().post(&town.path("/certificates/pkcs12"), &request).await.done();
    let dir = tempfile::tempdir().unwrap();
    let p12 = dir.path().join("device.p12");
    std::fs::write(&p12, &file.body).unwrap();
    let root = host.folder().join("host/authority.pem");
    let url = format!("{}/v1/session", host.server.app.care_url);
    let url = url.as_str();
    let trusting = ["--silent", "--show-error", "--max-time", "20", "--cacert", text(&root)];
    let with = [&trusting[..], &["--cert-type", "P12", "--cert", text(&p12), "--pass", &password]].concat();
    // The certificate alone opens nothing, but the host answers.
    let (ok, said) = run("curl", &[&with[..], &[url]].concat()).await;
    assert!(ok && said.contains("session_invalid"), "{said}");
    let body = serde_json::to_string(&SignIn {
        id: None,
        login_id: "jimukyoku".into(),
        password: town.office_password.clone(),
    })
    .unwrap();
    let post = ["-H", "content-type: application/json", "--data", &body, url];
    let (ok, said) = run("curl", &[&with[..], &post[..]].concat()).await;
    assert!(ok, "{said}");
    let opened: SessionOpened = serde_json::from_str(&said).unwrap();
    let bearer = format!("authorization: Bearer {}", opened.token);
    let (ok, said) = run("curl", &[&with[..], &["-H", &bearer, url]].concat()).await;
    assert!(ok && said.contains("password_change_required"), "the person is known: {said}");
    // Without the certificate there is no handshake, whatever is known besides.
    let (ok, said) = run("curl", &[&trusting[..], &["-H", &bearer, url]].concat()).await;
    assert!(!ok && said.starts_with("curl: "), "{said}");
    let old = ["--tls-max", "1.2"];
    let (ok, _) = run("curl", &[&with[..], &old, &[url]].concat()).await;
    assert!(!ok, "TLS 1.2 is not spoken");
}

async fn openssl_verifies_certificates_and_revocations(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (good, lost) = (office.identity.clone().unwrap(), town.device(&office, nursing.id).await);
    let revocation = Revocation { reason: "紛失".into(), kind: RevocationKind::Lost };
    let path = format!("/v1/devices/{}/revocation", lost.device_id.unwrap());
    office.post(&path, &revocation).await.done();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let pem = async |kind: &str, der: &[u8], name: &str| {
        std::fs::write(at("der"), der).unwrap();
        let out = at(name);
        let (ok, said) =
            run("openssl", &[kind, "-inform", "der", "-in", text(&at("der")), "-out", text(&out)]).await;
        assert!(ok, "{said}");
        out
    };
    let authority = pem("x509", &good.chain[1], "authority.pem").await;
    let good = pem("x509", &good.chain[0], "good.pem").await;
    let lost = pem("x509", &lost.chain[0], "lost.pem").await;
    let list = town.public().get("/one/crl").await.done();
    let list = pem("crl", &list.body, "list.pem").await;
    let ca = ["-CAfile", text(&authority)];
    for certificate in [&good, &lost] {
        let verify =
            [&["verify", "-x509_strict", "-purpose", "sslclient"][..], &ca[..], &[text(certificate)]];
        let (ok, said) = run("openssl", &verify.concat()).await;
        assert!(ok, "{said}");
    }
    let (ok, said) =
        run("openssl", &[&["crl", "-in", text(&list), "-noout", "-text"][..], &ca[..]].concat()).await;
    assert!(ok && said.contains("verify OK"), "{said}");
    for part in ["Version 2", "X509v3 CRL Number", "X509v3 Authority Key Identifier", "Key Compromise"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let check = ["-crl_check", "-CRLfile", text(&list)];
    let (ok, said) = run("openssl", &[&["verify"][..], &check[..], &ca[..], &[text(&good)]].concat()).await;
    assert!(ok, "{said}");
    let (ok, said) = run("openssl", &[&["verify"][..], &check[..], &ca[..], &[text(&lost)]].concat()).await;
    assert!(!ok && said.contains("certificate revoked"), "{said}");
    let (_, said) = run("openssl", &["x509", "-in", text(&good), "-noout", "-text"]).await;
    assert!(said.contains("CRL Distribution Points") && said.contains("/one/crl/"), "{said}");
    assert!(said.contains("CA:FALSE") && said.contains("TLS Web Client Authentication"), "{said}");
}

/// The scanner, in an environment of its own under the build's folder.
fn sslyze() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let found = [target.join("sslyze/bin/sslyze"), root.join("target/sslyze/bin/sslyze")];
    found.into_iter().find(|p| p.exists()).expect("sslyze is missing: scripts/setup test installs it")
}

async fn sslyze_finds_tls_13_only_and_client_authentication(host: Host) {
    let dir = tempfile::tempdir().unwrap();
    for (at, required) in [(host.server.care, "REQUIRED"), (host.server.public, "OPTIONAL")] {
        let out = dir.path().join(format!("{}.json", at.port()));
        let json = format!("--json_out={}", text(&out));
        let target = format!("localhost:{}", at.port());
        let scans = [
            "--sslv2",
            "--sslv3",
            "--tlsv1",
            "--tlsv1_1",
            "--tlsv1_2",
            "--tlsv1_3",
            "--elliptic_curves",
            "--resum",
            "--early_data",
            "--heartbleed",
            "--compression",
        ];
        let all = [&scans[..], &["--mozilla_config=disable", &json, &target]].concat();
        let (ok, said) = run(text(&sslyze()), &all).await;
        let scan: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&out).unwrap_or_else(|e| panic!("{ok} {e}: {said}")))
                .unwrap();
        let server = &scan["server_scan_results"][0];
        let link = &server["connectivity_result"];
        assert_eq!(server["connectivity_status"], "COMPLETED", "{said}");
        assert_eq!(link["highest_tls_version_supported"], "TLS_1_3", "{said}");
        assert_eq!(link["client_auth_requirement"], required, "{said}");
        let result = |name: &str| &server["scan_result"][name]["result"];
        for old in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2"] {
            let accepted = result(&format!("{old}_cipher_suites"))["accepted_cipher_suites"].as_array();
            assert!(accepted.unwrap_or_else(|| panic!("{old} was not tried: {said}")).is_empty(), "{old}");
        }
        let suites = result("tls_1_3_cipher_suites")["accepted_cipher_suites"].as_array().unwrap();
        let names: Vec<&str> = suites.iter().map(|s| s["cipher_suite"]["name"].as_str().unwrap()).collect();
        assert!(!names.is_empty(), "{said}");
        let strong = ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"];
        assert!(names.iter().all(|n| strong.contains(n)), "{names:?}");
        assert_eq!(result("heartbleed")["is_vulnerable_to_heartbleed"], false);
        assert_eq!(result("tls_compression")["supports_compression"], false);
        // The scanner can try early data only where it gets in without a certificate.
        if required == "OPTIONAL" {
            assert_eq!(result("tls_1_3_early_data")["supports_early_data"], false);
        }
    }
}

/// A home with the town's host authority trusted, and perhaps a PKCS#12 file installed, as a person does it.
async fn home(host: &Host, file: Option<(&[u8], &str)>) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", text(&store));
    let root = host.folder().join("host/authority.pem");
    let (ok, said) = run("certutil", &["-d", &store, "-N", "--empty-password"]).await;
    assert!(ok, "{said}");
    let trust = ["-d", &store, "-A", "-t", "C,,", "-n", "host", "-i", text(&root)];
    let (ok, said) = run("certutil", &trust).await;
    assert!(ok, "{said}");
    if let Some((bytes, password)) = file {
        let p12 = home.path().join("device.p12");
        std::fs::write(&p12, bytes).unwrap();
        let (ok, said) = run("pk12util", &["-d", &store, "-i", text(&p12), "-W", password]).await;
        assert!(ok, "{said}");
    }
    // What a person answers who ticks the one certificate in the browser's question.
    let answer = serde_json::json!({"profile": {"content_settings": {"exceptions": {
        "auto_select_certificate":
            {format!("{},*", host.server.app.care_url): {"setting": {"filters": [{}]}}}
    }}}});
    let profile = home.path().join("profile/Default");
    std::fs::create_dir_all(&profile).unwrap();
    std::fs::write(profile.join("Preferences"), answer.to_string()).unwrap();
    home
}

/// A page of the care host as Chromium in this home sees it.
async fn chromium(home: &tempfile::TempDir, url: &str) -> String {
    let profile = format!("--user-data-dir={}", text(&home.path().join("profile")));
    let output = Command::new("timeout")
        .args(["60", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-dev-shm-usage", "--disable-background-networking", &profile, "--dump-dom", url])
        .env("HOME", home.path())
        .output()
        .await
        .expect("chromium is missing: scripts/setup test installs it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn chromium_signs_in_with_the_installed_file_until_it_is_revoked(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let ticket: EnrolmentTicket = office.post("/v1/devices/tickets", &NewTicket::another()).await.ok();
    let request = Pkcs12Request {
        number: ticket.number,
        password: ticket.password.clone(),
        device_name: "事務局PC".into(),
    };
    let file = town.public().post(&town.path("/certificates/pkcs12"), &request).await.done();
    let url = format!("{}/sign-in", host.server.app.care_url);
    let with = home(&host, Some((&file.body, &ticket.password))).await;
    let shown = chromium(&with, &url).await;
    assert!(shown.contains("id=\"login_id\"") && shown.contains("試験町"), "{shown}");
    let without = home(&host, None).await;
    let shown = chromium(&without, &url).await;
    assert!(!shown.contains("login_id"), "{shown}");
    // The public host's diagnosis is open to it all the same.
    let shown = chromium(&without, &format!("{}/one/diagnosis", host.server.app.public_url)).await;
    assert!(shown.contains("R-101"), "{shown}");
    let devices: Vec<Device> = office.get("/v1/devices").await.ok();
    let device = devices.iter().find(|d| d.platform == Platform::Browser).unwrap();
    let revocation = Revocation { reason: "紛失".into(), kind: RevocationKind::Lost };
    office.post(&format!("/v1/devices/{}/revocation", device.id), &revocation).await.done();
    let shown = chromium(&with, &url).await;
    assert!(shown.contains("certificate_revoked") && !shown.contains("id=\"login_id\""), "{shown}");
}
