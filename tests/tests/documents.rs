//! What the documents say is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The features of people, places and devices: each has a row.
fn needed() -> impl Iterator<Item = u32> {
    [1..=17, 20..=22, 55..=58, 60..=60, 62..=62, 64..=68].into_iter().flatten()
}

/// Why a named test does not run, or not as the table says; none when it does.
fn wrong(file: &str, source: &str, module: Option<&str>, test: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let named = |line: &&str| {
        let head = line.strip_prefix("pub ").unwrap_or(line);
        head.strip_prefix("async ").unwrap_or(head).starts_with(&format!("fn {test}("))
    };
    let Some(at) = lines.iter().position(named) else { return Some("no such test".to_owned()) };
    // A file beside main.rs is compiled because main.rs says so, and for nothing less than always.
    if let Some(main) = module {
        let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
        let all: Vec<&str> = main.lines().map(str::trim).collect();
        let Some(at) = all.iter().position(|l| *l == format!("mod {name};")) else {
            return Some(format!("its main.rs has no `mod {name};`"));
        };
        if at > 0 && all[at - 1].starts_with("#[") {
            return Some(format!("its module is not always compiled: {}", all[at - 1]));
        }
    }
    let attributes: Vec<&str> = lines[..at]
        .iter()
        .rev()
        .copied()
        .take_while(|l| l.starts_with("#[") || l.starts_with("///"))
        .collect();
    if let Some(bar) = attributes.iter().find(|a| a.starts_with("#[ignore") || a.starts_with("#[cfg")) {
        return Some(format!("it does not always run: {bar}"));
    }
    let both = source
        .split("\nboth!(")
        .skip(1)
        .any(|rest| rest.split(");").next().unwrap().split(',').any(|name| name.trim() == test));
    let plain = attributes.iter().any(|a| a.starts_with("#[test]") || a.starts_with("#[tokio::test"));
    match (file.starts_with("server/"), both, plain) {
        (true, true, _) | (false, _, true) => None,
        (true, false, true) => Some("it is not in a both!( ): it must run on both databases".to_owned()),
        _ => Some("nothing runs it".to_owned()),
    }
}

#[test]
fn each_covered_feature_has_its_test() {
    let table = read("docs/coverage.md");
    let mut covered = BTreeSet::new();
    let mut rows = 0;
    for line in table.lines().filter(|l| l.starts_with("| F")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number: u32 = cells[1][1..].parse().unwrap();
        assert!((1..=68).contains(&number), "{line}");
        let mut names = cells[3].split('`').filter(|s| !s.trim().is_empty());
        let (file, test) = (names.next().unwrap(), names.next().unwrap());
        let main = Path::new(file).with_file_name("main.rs");
        let main = (!file.ends_with("/main.rs")
            && Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(&main).exists())
        .then(|| read(main.to_str().unwrap()));
        if let Some(why) = wrong(file, &read(file), main.as_deref(), test) {
            panic!("{line}: {why}");
        }
        covered.insert(number);
        rows += 1;
    }
    assert!(rows > 60, "the table is not read");
    let missing: Vec<String> =
        needed().filter(|n| !covered.contains(n)).map(|n| format!("F{n:02}")).collect();
    assert!(missing.is_empty(), "features without a row: {missing:?}");
}

#[test]
fn a_test_that_does_not_run_is_told() {
    let main = "mod portal;\n#[cfg(feature = \"slow\")]\nmod slow;\nmod town;\n";
    let server =
        |body: &str| wrong("server/tests/it/portal.rs", body, Some(main), "it_works").unwrap_or_default();
    let listed = "\nboth!(other, it_works);\n\nasync fn it_works(host: Host) {}\n";
    assert_eq!(server(listed), "");
    assert!(server("// fn it_works( ) was here").contains("no such test"));
    assert!(server("\nboth!(other);\nasync fn it_works(host: Host) {}\n").contains("nothing runs it"));
    assert!(server("#[tokio::test]\nasync fn it_works() {}\n").contains("both databases"));
    for bar in ["#[ignore]", "#[ignore = \"slow\"]", "#[cfg(feature = \"slow\")]"] {
        let barred = format!("\nboth!(it_works);\n{bar}\nasync fn it_works(host: Host) {{}}\n");
        assert!(server(&barred).contains("does not always run"), "{bar}");
    }
    for (file, why) in
        [("server/tests/it/gone.rs", "no `mod gone;`"), ("server/tests/it/slow.rs", "not always compiled")]
    {
        assert!(wrong(file, listed, Some(main), "it_works").unwrap().contains(why), "{file}");
    }
    let core = |body: &str| wrong("core/tests/it/portal.rs", body, Some(main), "it_works");
    assert_eq!(core("#[tokio::test]\nasync fn it_works() {}\n"), None);
    assert_eq!(core("/// Works.\n#[test]\nfn it_works() {}\n"), None);
    assert!(core("fn it_works() {}\n").is_some() && core("#[test]\n#[ignore]\nfn it_works() {}\n").is_some());
}

#[test]
fn the_readme_names_what_there_is() {
    let readme = read("README.md");
    let commands = [
        "make run",
        "make test",
        "make test-swift",
        "make check-mobile-targets",
        "make bench",
        "make bindings",
    ];
    for command in commands {
        assert!(readme.contains(command), "{command}");
        let target = command.trim_start_matches("make ");
        assert!(read("Makefile").lines().any(|l| l.starts_with(&format!("{target}:"))), "{command}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (_, path) in readme.match_indices("](").map(|(i, _)| (i, &readme[i + 2..])) {
        let path = &path[..path.find(')').unwrap()];
        if !path.starts_with("http") {
            assert!(root.join(path).exists(), "{path} is linked from the README and not there");
        }
    }
    for shot in std::fs::read_dir(root.join("docs/screenshots")).into_iter().flatten() {
        let shot = shot.unwrap();
        assert!(shot.metadata().unwrap().len() < 300_000, "{:?} is over 300 kB", shot.path());
    }
}
