//! What the documents say is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn each_covered_feature_has_its_test() {
    let table = read("docs/coverage.md");
    let mut rows = 0;
    for line in table.lines().filter(|l| l.starts_with("| F")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number: u32 = cells[1][1..].parse().unwrap();
        assert!((1..=68).contains(&number), "{line}");
        let mut names = cells[3].split('`').filter(|s| !s.trim().is_empty());
        let (file, test) = (names.next().unwrap(), names.next().unwrap());
        let source = read(file);
        assert!(source.contains(&format!("fn {test}(")), "{line}: no such test");
        let runs =
            source.contains("#[test]") || source.contains("#[tokio::test") || source.contains("both!(");
        assert!(runs, "{line}: nothing runs there");
        rows += 1;
    }
    assert!(rows > 10, "the table is not read");
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
