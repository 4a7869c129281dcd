//! Swift: SwiftPM and XCTest, on a Mac as they are, on Debian in a system of its own (`scripts/trixie`).

use crate::built;
use crate::stage::Stage;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MAC: bool = cfg!(target_os = "macos");

/// Puts the package together: links to what is there, so that nothing is compiled twice.
fn package() -> PathBuf {
    let (bindings, own) = (built::bindings("swift"), built::root().join("mobile-bindings/tests/swift"));
    let app = built::root().join("ios");
    let package = built::kept("swift").join("package");
    for folder in ["Sources", "Tests"] {
        let _ = std::fs::remove_dir_all(package.join(folder));
    }
    let put = |from: &Path, to: &str| {
        let to = package.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&to);
        std::os::unix::fs::symlink(from, to).unwrap();
    };
    put(&own.join("Package.swift"), "Package.swift");
    put(&bindings.join("RenrakuCore.swift"), "Sources/RenrakuCore/RenrakuCore.swift");
    put(&bindings.join("RenrakuCoreFFI.h"), "Sources/RenrakuCoreFFI/RenrakuCoreFFI.h");
    put(&bindings.join("RenrakuCoreFFI.modulemap"), "Sources/RenrakuCoreFFI/module.modulemap");
    for kind in ["Sources", "Tests"] {
        for file in built::files(&own.join(kind), "swift") {
            put(&file, file.strip_prefix(&own).unwrap().to_str().unwrap());
        }
    }
    for (folder, target) in [("App/Model", "Sources/Renraku"), ("Tests", "Tests/ModelTests")] {
        for file in built::files(&app.join(folder), "swift") {
            let name = file.file_name().unwrap().to_str().unwrap();
            // What only gives SwiftUI's names back.
            if name != "Names.swift" {
                put(&file, &format!("{target}/{name}"));
            }
        }
    }
    package
}

/// The library, and on Debian what it needs of this system: the other one has other versions.
fn libraries() -> PathBuf {
    let folder = built::kept("swift").join("lib");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let library = built::library();
    let put = |from: &Path, to: &Path| {
        std::os::unix::fs::symlink(from, folder.join(to.file_name().unwrap())).unwrap();
    };
    put(&library, &library);
    if !MAC {
        let needed = built::run(Command::new("ldd").arg(&library), "ldd");
        let own =
            ["ld-linux", "libc.", "libm.", "libdl.", "librt.", "libpthread.", "libgcc_s.", "libstdc++."];
        for path in needed.lines().filter_map(|l| l.split_once("=> ")?.1.split(' ').next()) {
            let (path, name) = (Path::new(path), path.rsplit('/').next().unwrap());
            if path.is_absolute() && !own.iter().any(|o| name.starts_with(o)) {
                let real = path.canonicalize().unwrap();
                put(&Path::new("/outside").join(real.strip_prefix("/").unwrap()), path);
            }
        }
    }
    folder
}

/// A command where Swift is.
fn swift(words: &[&str]) -> Command {
    let mut command = if MAC {
        Command::new("env")
    } else {
        let mut command = Command::new(built::root().join("scripts/trixie"));
        command.args(["swift", "env"]);
        command
    };
    command.args(words).stdin(Stdio::null());
    command
}

/// Whether there is a compiler; says why not.
pub fn is_here() -> bool {
    let asked = swift(&["swift", "--version"]).output().expect("a shell");
    let said = String::from_utf8_lossy(&asked.stderr);
    let skipped = said.lines().find(|l| l.starts_with("SKIPPED"));
    assert!(asked.status.success() || skipped.is_some(), "{said}");
    if let Some(why) = skipped {
        eprintln!("Swift's tests did NOT run. {why}");
    }
    skipped.is_none()
}

/// Runs every test of the Swift package on this stage.
pub async fn play(stage: Stage) {
    let played = tokio::task::spawn_blocking({
        let (port, phones) = (stage.port.to_string(), stage.folder.path().join("phones"));
        move || {
            let (package, libraries) = (package(), libraries());
            let text = |path: &Path| path.to_str().unwrap().to_owned();
            let (at, lib) = (text(&package), text(&libraries));
            let search = format!("-L{lib}");
            let build = ["--disable-sandbox", "--package-path", &at, "-Xlinker", &search];
            let home = format!("HOME={}", text(&built::kept("swift")));
            // The rest of FFmpeg's libraries is found when it runs.
            let open: &[&str] = if MAC {
                &["-Xlinker", "-rpath", "-Xlinker", &lib]
            } else {
                &["-Xlinker", "--allow-shlib-undefined"]
            };
            let building = [&[home.as_str(), "swift", "build", "--build-tests"], &build[..], open].concat();
            built::run(&mut swift(&building), "the Swift compiler");
            let (port, phones) =
                (format!("RENRAKU_STAGE={port}"), format!("RENRAKU_PHONES={}", phones.display()));
            let mut testing = vec![home.as_str(), &port, &phones];
            let found = format!("LD_LIBRARY_PATH={lib}");
            let tests = format!("{at}/.build/debug/RenrakuShellPackageTests.xctest");
            if MAC {
                testing.extend(["swift", "test", "--skip-build"]);
                testing.extend(build.iter().chain(open));
            } else {
                testing.extend([found.as_str(), &tests]);
            }
            swift(&testing).output().expect("Swift's tests start")
        }
    });
    let output = played.await.unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    println!("{said}");
    let passed = output.status.success() && said.contains(" tests, with 0 failures");
    assert!(passed, "Swift's tests failed:\n{said}\nthe server said:\n{}", stage.log());
}
