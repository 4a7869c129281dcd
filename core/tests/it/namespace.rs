//! Tests that need a network or a disk of their own: they run in a namespace, as root or, where the system lets
//! one, as anybody.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Starts this program's ignored tests of these names in namespaces of their own. `kinds`: `unshare`'s options;
/// `prepare`: a shell's lines that go on with `exec "$0" "$@"`. Gives what they said.
///
/// Where there can be no such thing the test fails, or is left out if somebody said so: then there is nothing.
pub fn run(kinds: &[&str], prepare: &str, tests: &[&str]) -> Option<String> {
    let program = std::env::current_exe().unwrap();
    let mut tried = String::new();
    for user in [&[][..], &["--map-root-user"]] {
        let mut command = Command::new("unshare");
        command.args(kinds).args(user).args(["--", "sh", "-c", prepare]).arg(&program);
        command.arg("--exact").args(tests).args(["--ignored", "--nocapture"]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()] as [PathBuf; 2]);
        command.env("PATH", std::env::join_paths(places).unwrap()).stdin(Stdio::null());
        match command.output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                match output.status.code() {
                    Some(0) => {
                        assert!(said.contains(&format!("{} passed", tests.len())), "{said}{why}");
                        return Some(said);
                    }
                    Some(101) => panic!("in the namespace: {said}{why}"),
                    code => tried += &format!(" [{code:?}] {}", why.trim()),
                }
            }
            Err(e) => tried += &format!(" unshare: {e}"),
        }
    }
    assert!(
        std::env::var_os("RENRAKU_NO_NAMESPACES").is_some(),
        "no namespace of its own here (RENRAKU_NO_NAMESPACES=1 leaves out what needs one):{tried}"
    );
    println!("SKIPPED: no namespace of its own here:{tried}");
    None
}
