//! Both languages are written from the built library, and every object and call of the reviewed surface is in
//! each of them. That the bindings compile and work is shown in `tests/tests/shells`, which this builds the
//! generator for.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn library() -> PathBuf {
    let name = format!("{}renraku_mobile{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::env::current_exe().unwrap().with_file_name(name)
}

fn written(language: &str, file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_renraku-bindgen"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("generate")
        .arg(library())
        .args(["-l", language, "-n", "-o"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read_to_string(folder.path().join(file)).unwrap()
}

/// `outbox_changed` is `outboxChanged` in both.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
}

/// The names of all calls in the surface.
fn calls() -> Vec<String> {
    let surface = Path::new(env!("CARGO_MANIFEST_DIR")).join("../surface.txt");
    let surface = std::fs::read_to_string(surface).unwrap();
    let names = surface.lines().filter_map(|line| line.split_once("fn ")?.1.split_once('(').map(|(n, _)| n));
    let names: Vec<_> = names.filter(|n| *n != "new").map(camel).collect();
    assert!(names.len() > 40, "the surface is not read: {names:?}");
    names
}

#[test]
fn kotlin() {
    let text = written("kotlin", "jp/renraku/core/renraku_mobile.kt");
    for name in calls() {
        assert!(text.contains(&format!("fun `{name}`(")), "{name}");
    }
}

#[test]
fn swift() {
    let text = written("swift", "RenrakuCore.swift");
    for name in calls() {
        assert!(
            text.contains(&format!("func {name}(")) || text.contains(&format!("func `{name}`(")),
            "{name}"
        );
    }
}
