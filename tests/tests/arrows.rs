//! The house's arrows point down: between the crates, by cargo's own metadata, and inside the server, by
//! the imports of its files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn crates_import_only_what_lies_below() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("renraku-wire", &[] as &[&str]),
        ("renraku-media", &[]),
        ("renraku-core", &["renraku-wire", "renraku-media"]),
        ("renraku-mobile", &["renraku-core", "renraku-wire"]),
        ("renraku-bindgen", &["renraku-mobile"]),
        ("renraku-server", &["renraku-wire", "renraku-media"]),
    ]);
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|p| p.name.to_string()).collect();
    assert!(ours.len() >= 7, "{ours:?}");
    for package in &metadata.packages {
        if package.name.as_str() == "renraku-tests" {
            continue;
        }
        let may = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} has no place in the house: give it one here", package.name));
        for dependency in package.dependencies.iter().filter(|d| ours.contains(&d.name)) {
            let same = dependency.name == package.name.as_str();
            assert!(
                same || may.contains(&dependency.name.as_str()),
                "{} must not import {}",
                package.name,
                dependency.name
            );
        }
    }
}

/// Floors of the server, from the ground up. A file imports its own floor's ground, never what lies above.
const FLOORS: &[&[&str]] = &[
    &["clock", "error"],
    &["config", "db", "secret"],
    &["storage", "tls"],
    &["policy", "push", "mail", "seen", "sent", "throttle", "hashing", "handover"],
    &["state", "input", "unread"],
    &["audit", "portal"],
    &["notice"],
    &["access"],
    &[
        "municipality",
        "facility",
        "staff",
        "session",
        "device",
        "patient",
        "post",
        "media",
        "inbox",
        "training",
        "review",
        "incident",
    ],
    &["worklist", "chores"],
    &["router", "setup"],
    &["serve"],
    &["main", "lib"],
];

const ROOMS: usize = 8;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn words_after<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let word = |s: &'a str| {
        let end = s.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(s.len());
        &s[..end]
    };
    text.match_indices(start)
        .flat_map(|(at, _)| {
            let rest = &text[at + start.len()..];
            match rest.strip_prefix('{') {
                None => vec![word(rest)],
                Some(list) => {
                    // The first word of each item at the list's own depth.
                    let (mut depth, mut fresh, mut words) = (0, true, Vec::new());
                    for (i, c) in list.char_indices() {
                        match c {
                            '{' => depth += 1,
                            '}' if depth == 0 => break,
                            '}' => depth -= 1,
                            ',' if depth == 0 => fresh = true,
                            c if fresh && depth == 0 && (c.is_alphabetic()) => {
                                words.push(word(&list[i..]));
                                fresh = false;
                            }
                            _ => {}
                        }
                    }
                    words
                }
            }
        })
        .collect()
}

/// From each room to the rooms it names.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join("server/src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in all {
        let place = file.strip_prefix(&source).unwrap();
        let room = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests at the bottom of a file may look anywhere.
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code: String =
            code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let named = edges.entry(room.clone()).or_default();
        named.extend(words_after(&code, "crate::").into_iter().map(str::to_owned));
        named.remove(&room);
    }
    edges
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|f| f.contains(&room))
        .unwrap_or_else(|| panic!("{room} has no floor in the house: give it one here"))
}

#[test]
fn the_server_imports_only_what_lies_below() {
    let edges = imports();
    assert!(edges.len() > 20, "{edges:?}");
    for (room, named) in &edges {
        for other in named.iter().filter(|o| edges.contains_key(*o)) {
            let (from, to) = (floor(room), floor(other));
            assert!(
                to < from || (to == from && from == ROOMS) || (from <= 1 && to <= 1),
                "{room} (floor {from}) must not import {other} (floor {to})"
            );
        }
    }
}

#[test]
fn rooms_never_import_each_other_in_a_circle() {
    let edges = imports();
    let rooms: BTreeSet<&str> = FLOORS[ROOMS].iter().copied().collect();
    for start in &rooms {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(room) = next.pop() {
            for other in edges.get(room).into_iter().flatten().map(String::as_str) {
                if rooms.contains(other) {
                    assert_ne!(other, *start, "{start} imports itself by way of {room}");
                    if seen.insert(other) {
                        next.push(other);
                    }
                }
            }
        }
    }
}

#[test]
fn a_room_names_no_other_rooms_pages_or_api() {
    let source = root().join("server/src");
    let mut all = Vec::new();
    files(&source, &mut all);
    for file in all {
        let place = file.strip_prefix(&source).unwrap();
        let room = place.iter().next().unwrap().to_str().unwrap();
        if !FLOORS[ROOMS].contains(&room) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for other in FLOORS[ROOMS].iter().filter(|o| **o != room) {
            for part in ["api", "pages"] {
                let name = format!("{other}::{part}");
                assert!(!text.contains(&format!("crate::{name}")), "{} names {name}", place.display());
            }
        }
    }
}
