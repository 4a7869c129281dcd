//! Step 9, and what is left behind.

use crate::opening::{PASSWORD, SLUG, Team};
use crate::world;
use renraku_mobile::{Diagnosis, MobileError};
use renraku_tests::harness::{ServerOptions, Town};
use renraku_wire::{Code, Device, Revocation};
use reqwest::Method;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Step 9.
pub async fn the_office_revokes_the_nurses_phone(town: &Town, team: &Team) {
    let devices: Vec<Device> = town.office.get("/v1/devices").await.expect("the inventory");
    let phone = devices.iter().find(|d| d.name == team.nurse.login_id).expect("the nurse's phone");
    assert!(phone.revoked_at.is_none());
    let refusal = MobileError::Certificate { code: Code::CertificateRevoked.as_str().to_owned() };
    let nurse = &team.nurse;

    nurse.session.patients().list().await.expect("until now she is in");
    let open = connections(&town.office.care_url);
    let revocation = Revocation { reason: "紛失".to_owned(), ..Revocation::default() };
    let path = format!("/v1/devices/{}/revocation", phone.id);
    town.office.send(Method::POST, &path, &revocation).await.expect("revoked");
    assert_eq!(nurse.session.patients().list().await.expect_err("her very next request"), refusal);
    assert!(connections(&town.office.care_url).is_subset(&open), "it went over the connection that was open");

    let again = nurse.phone.device.sign_in(nurse.login_id.to_owned(), PASSWORD.to_owned()).await;
    assert_eq!(again.expect_err("no way back in"), refusal);
    let diagnosed = nurse.phone.device.certificate().diagnose().await;
    assert_eq!(diagnosed, Ok(Diagnosis::Refused { code: Code::CertificateRevoked }));
    let others = team.doctor.session.patients().list().await.expect("nobody else is touched");
    assert_eq!(others.patients.len(), 1);
}

/// The clients' ports of all TCP connections to the host at `url`, in whatever state.
fn connections(url: &str) -> HashSet<u16> {
    let port = url.rsplit(':').next().and_then(|p| p.parse::<u16>().ok()).expect("a port");
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells its connections");
    let port_of = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let ends = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((port_of(words.next()?)?, port_of(words.next()?)?))
    });
    let clients = ends.filter_map(|(local, remote)| match (local == port, remote == port) {
        (true, false) if remote != 0 => Some(remote),
        (false, true) => Some(local),
        _ => None,
    });
    let clients: HashSet<_> = clients.collect();
    assert!(!clients.is_empty(), "the nurse's connection is there to be seen");
    clients
}

/// Database, media and log hold no name and no word of the post in the clear.
pub fn nothing_is_readable_at_rest(options: &ServerOptions, log: &str) {
    assert!(log.contains("listening") && !log.contains("ERROR"), "{log}");
    world::reveals_nothing(log);
    let files = files_in(&options.data);
    assert!(files.len() > 3, "secret, certificates and media at least");
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        world::reveals_nothing(&String::from_utf8_lossy(&bytes));
        assert!(!bytes.starts_with(&[0xFF, 0xD8]) && bytes.get(4..8) != Some(b"ftyp"), "{}", file.display());
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// The operator's check of the audit chain.
pub fn every_step_is_in_the_audit_chain(verdict: &str) {
    let entries = verdict
        .lines()
        .find_map(|line| line.strip_prefix(SLUG)?.strip_prefix(": ")?.strip_suffix(" entries, unbroken"))
        .and_then(|number| number.parse::<u32>().ok());
    // The town; thrice applied, approved, enrolled; three accounts and phones; patient, post, reading …
    assert!(entries.is_some_and(|n| n > 25), "{verdict}");
}
