//! Kotlin: the compiler, the class path, JUnit. All of it is installed by `scripts/setup test`. The Android app's
//! models, which name nothing of Android, are compiled and tested along.

use crate::built;
use crate::stage::Stage;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Where the compiler and the classes are.
struct Jars {
    compiler: PathBuf,
    java: PathBuf,
}

impl Jars {
    fn find() -> Self {
        let named = |variable: &str, usual: PathBuf| std::env::var_os(variable).map_or(usual, PathBuf::from);
        let jars = Self {
            compiler: named("RENRAKU_KOTLINC", built::kept("kotlinc").join("package")),
            java: named("RENRAKU_JARS", "/usr/share/java".into()),
        };
        for jar in jars.all() {
            assert!(jar.is_file(), "{} is missing: scripts/setup test says how to get it", jar.display());
        }
        jars
    }

    fn all(&self) -> Vec<PathBuf> {
        let from = |folder: &Path, names: &[&str]| names.iter().map(|n| folder.join(n)).collect::<Vec<_>>();
        let kotlin =
            from(&self.compiler.join("lib"), &["kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"]);
        [kotlin, from(&self.java, &["jna.jar", "junit4.jar", "hamcrest.jar"])].concat()
    }

    fn class_path(&self, own: &Path) -> OsString {
        std::env::join_paths(std::iter::once(own.to_owned()).chain(self.all())).unwrap()
    }
}

/// Every class of tests: whose file is called so.
fn tests() -> Vec<String> {
    let files = built::files(&built::root().join("mobile-bindings/tests/kotlin"), "kt");
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str());
    names.filter(|name| name.ends_with("Test")).map(|name| format!("jp.renraku.core.test.{name}")).collect()
}

/// Bindings and tests as one jar, compiled again when one of them is another than last time.
fn compiled(jars: &Jars) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let bindings = built::bindings("kotlin");
    let own = ["mobile-bindings/tests/kotlin", "android/app/src/main/kotlin/jp/renraku/app/model"];
    let folders = [bindings, built::root().join(own[0]), built::root().join(own[1])];
    let sources: Vec<PathBuf> = folders.iter().flat_map(|folder| built::files(folder, "kt")).collect();
    let jar = built::kept("kotlin").join(format!("{}.jar", &built::digest(sources)[..16]));
    if !jar.is_file() {
        for old in built::files(&built::kept("kotlin"), "jar") {
            let _ = std::fs::remove_file(old);
        }
        let fresh = jar.with_extension(format!("{}.jar", std::process::id()));
        let mut kotlinc = Command::new("bash");
        kotlinc
            .arg(jars.compiler.join("bin/kotlinc"))
            .args(["-Werror", "-jvm-target", "17", "-d"])
            .arg(&fresh);
        kotlinc.arg("-cp").arg(std::env::join_paths(jars.all()).unwrap()).args(&folders);
        built::run(&mut kotlinc, "the Kotlin compiler");
        std::fs::rename(fresh, &jar).unwrap();
    }
    jar
}

/// Runs every test on this stage.
pub async fn play(stage: Stage) {
    let output = tokio::task::spawn_blocking({
        let (port, phones) = (stage.port.to_string(), stage.folder.path().join("phones"));
        move || {
            let jars = Jars::find();
            let mut java = Command::new("java");
            java.arg("-cp").arg(jars.class_path(&compiled(&jars)));
            let library = built::library();
            java.arg(format!("-Djna.library.path={}", library.parent().unwrap().display()));
            java.args(["-ea", "org.junit.runner.JUnitCore"]).args(tests());
            java.env("RENRAKU_STAGE", port).env("RENRAKU_PHONES", phones).stdin(Stdio::null());
            java.output().expect("java is installed by scripts/setup test")
        }
    });
    let output = output.await.unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("{}", said[0]);
    let passed = output.status.success() && said[0].contains("\nOK (");
    assert!(passed, "Kotlin's tests failed:\n{}\n{}\nthe server said:\n{}", said[0], said[1], stage.log());
}
