//! What the build left beside the tests: the library and what writes its bindings.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Cargo's folder of this profile, `target/debug`.
pub fn profile() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().and_then(Path::parent).unwrap().to_owned()
}

/// A folder for what is made here, kept from run to run.
pub fn kept(name: &str) -> PathBuf {
    let folder = profile().parent().unwrap().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The library that the shells load: the one that RENRAKU_LIBRARY names, or that of this build.
pub fn library() -> PathBuf {
    if let Some(named) = std::env::var_os("RENRAKU_LIBRARY") {
        let library = root().join(named);
        assert!(library.is_file(), "{} is missing", library.display());
        return library;
    }
    let name = format!("{}renraku_mobile{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    // Cargo puts it beside the tests; a copy further up may be older.
    let library = profile().join("deps").join(name);
    assert!(library.is_file(), "{} is missing: build the whole workspace", library.display());
    library
}

/// Writes the bindings for a language, if the library is another than last time; gives their folder.
pub fn bindings(language: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let library = library();
    let folder = kept(language).join("bindings");
    let stamp = kept(language).join("bindings.of");
    let made_of = digest([library.clone()]);
    if std::fs::read_to_string(&stamp).is_ok_and(|of| of == made_of) {
        return folder;
    }
    let generator = profile().join(format!("renraku-bindgen{}", std::env::consts::EXE_SUFFIX));
    assert!(generator.is_file(), "{} is missing: build the whole workspace", generator.display());
    let _ = std::fs::remove_dir_all(&folder);
    let mut command = Command::new(generator);
    command.arg("generate").arg(&library).args(["-l", language, "-n", "-o"]).arg(&folder);
    run(command.current_dir(root()), "the bindings");
    std::fs::write(stamp, made_of).unwrap();
    folder
}

/// Every file of these kinds in a folder, in order.
pub fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, kind));
        } else if path.extension().is_some_and(|e| e == kind) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// One digest of all that these files hold.
pub fn digest(files: impl IntoIterator<Item = PathBuf>) -> String {
    let mut digest = Sha256::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        digest.update(Sha256::digest(&bytes));
    }
    hex::encode(digest.finalize())
}

/// Runs a command to its end, which must be good; its words are told otherwise.
#[track_caller]
pub fn run(command: &mut Command, what: &str) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{what}: {command:?}: {e}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what} failed:\n{}\n{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}
