//! The operator's commands with the real binary: what stops the server says what to do and changes nothing;
//! the authority's ceremony; the change of the secret, interrupted anywhere.

use crate::town::fresh_schema;
use renraku_server::secret::OperatorSecret;
use renraku_server::storage::Storage;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_renraku-server");

/// A data folder and its database, in the hands of an operator.
pub struct Operator {
    folder: tempfile::TempDir,
    pub database: Option<String>,
}

impl Operator {
    pub async fn each() -> [Self; 2] {
        let new = |database| Self { folder: tempfile::tempdir().unwrap(), database };
        [new(None), new(Some(fresh_schema().await))]
    }

    /// With a secret and a town.
    pub fn with_town(self) -> Self {
        self.good(&["init"]);
        self.good(&[
            "municipality",
            "create",
            "--slug",
            "one",
            "--name",
            "試験町",
            "--login-id",
            "jimukyoku",
            "--staff-name",
            "事務 一郎",
        ]);
        self
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).arg("--data").arg(self.data()).stdin(Stdio::null());
        if words.starts_with(&["municipality", "create"])
            && !words.contains(&"--hours")
            && !words.contains(&"--mail")
        {
            command.args(["--telephone", "0000-98-7654", "--mail", "madoguchi@example.invalid"]);
            command.args(["--hours", "平日 9時から17時"]);
        }
        if let Some(url) = &self.database {
            command.args(["--database", url]);
        }
        if words[0] == "serve" {
            command.args(["--public-listen", "127.0.0.1:0", "--care-listen", "127.0.0.1:0"]);
        }
        command
    }

    #[track_caller]
    pub fn good(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Refused with every one of these words, and not one file in the folder is another.
    #[track_caller]
    pub fn refused(&self, words: &[&str], sentence: &[&str]) {
        let before = self.files();
        let output = ended(self.command(words));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        for part in sentence {
            assert!(said.contains(part), "{part} is missing in: {said}");
        }
        assert!(!said.contains("panicked") && !said.contains("AGE-SECRET"), "{said}");
        assert_eq!(self.files(), before, "something was changed");
    }

    /// Every file with its content; but for SQLite's scratch files and the empty lock.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut folders = vec![self.data().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name != "lock" && !name.ends_with("-shm") && !name.ends_with("-wal") {
                    all.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        all
    }

    /// A running server; killed when dropped.
    pub fn serving(&self) -> Serving {
        use std::io::BufRead as _;
        let mut child =
            self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(name).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        Serving { public: next("public "), care: next("care "), child }
    }
}

pub struct Serving {
    pub public: String,
    pub care: String,
    child: std::process::Child,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command that must end by itself said. One that goes on serving is killed, and fails the check.
pub fn ended(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_stops_the_server_and_changes_nothing() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let other = tempfile::tempdir().unwrap();
        let wrong = other.path().join("secret");
        OperatorSecret::create(&wrong).unwrap();
        let serve = ["serve", "--secret-file", wrong.to_str().unwrap()];
        operator.refused(&serve, &["operator's secret", "nothing was changed", "--secret-file"]);
        let none = other.path().join("none");
        let serve = ["serve", "--secret-file", none.to_str().unwrap()];
        operator.refused(&serve, &["cannot be read", "--secret-file"]);
        std::fs::write(&wrong, "AGE-SECRET-KEY-1QQQ\n").unwrap();
        let serve = ["serve", "--secret-file", wrong.to_str().unwrap()];
        operator.refused(&serve, &["does not hold an age identity", "copy"]);
        drop(operator.serving());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_secret_no_command_changes_anything() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        operator.good(&["authority", "roll", "--slug", "one"]);
        let before = operator.good(&["authority", "status", "--slug", "one"]);
        let right = std::fs::read(operator.path("operator.secret")).unwrap();
        let other = tempfile::tempdir().unwrap();
        let wrong = other.path().join("secret");
        OperatorSecret::create(&wrong).unwrap();
        let create = ["municipality", "create", "--slug", "two", "--name", "第二町", "--login-id"];
        let create = [&create[..], &["jimukyoku", "--staff-name", "事務 次郎"]].concat();
        let retire = ["authority", "retire", "--slug", "one"];
        for command in [&create[..], &["authority", "roll", "--slug", "one"], &retire, &["verify-audit"]] {
            let with = [command, &["--secret-file", wrong.to_str().unwrap()]].concat();
            operator.refused(&with, &["nothing was changed", "--secret-file"]);
        }
        assert_eq!(std::fs::read(operator.path("operator.secret")).unwrap(), right);
        operator.refused(&["authority", "status", "--slug", "two"], &["no town two"]);
        assert_eq!(operator.good(&["authority", "status", "--slug", "one"]), before);
        // While the secret is being changed no command begins.
        let lock = std::fs::File::open(operator.path("lock")).unwrap();
        lock.lock().unwrap();
        for command in [&create[..], &retire] {
            operator.refused(command, &["is being changed", "nothing was changed", "run the command again"]);
        }
        lock.unlock().unwrap();
        operator.good(&create);
        operator.good(&retire);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_written_host_folder_stops_the_server_and_changes_nothing() {
    for operator in Operator::each().await {
        operator.good(&["init"]);
        // Before anything else was made: not even the database is.
        std::fs::create_dir(operator.path("host")).unwrap();
        operator.refused(&["serve"], &["half written", "certificate.pem, key.pem, authority.pem", "backup"]);
        assert!(!operator.path("renraku.db").exists());
        std::fs::remove_dir(operator.path("host")).unwrap();
        let operator = Operator { ..operator };
        drop(operator.serving());
        for name in ["certificate.pem", "key.pem", "authority.pem"] {
            let path = operator.path("host").join(name);
            let whole = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            operator.refused(&["serve"], &["half written", name, "backup"]);
            if name != "authority.pem" {
                std::fs::write(&path, &whole[..whole.len() / 3]).unwrap();
                operator.refused(&["serve"], &["half written", "backup"]);
            }
            std::fs::write(&path, &whole).unwrap();
        }
        drop(operator.serving());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_authority_stops_the_server() {
    use renraku_server::db::Db;
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::municipality;
    use renraku_server::run;
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let secret = OperatorSecret::read(&operator.path("operator.secret")).unwrap();
        let file = format!("sqlite:{}", operator.path("renraku.db").display());
        let db =
            Db::open(operator.database.as_deref().unwrap_or(&file), &secret.database_key()).await.unwrap();
        db.write(async |c| {
            let sealed: Vec<u8> =
                run!(c, get_result, municipality::table.select(municipality::authority_key_sealed))?;
            let cut = &sealed[..sealed.len() - 10];
            let this = diesel::update(municipality::table);
            run!(c, execute, this.set(municipality::authority_key_sealed.eq(cut)))?;
            Ok(())
        })
        .await
        .unwrap();
        drop(db);
        operator.refused(&["serve"], &["the authority of one cannot be opened", "backup"]);
        operator.refused(&["authority", "export", "--slug", "one", "--out", "/nonexistent/x"], &["backup"]);
    }
}

/// A command where no file can grow.
pub fn limited(operator: &Operator, words: &[&str]) -> Output {
    let inner = operator.command(words);
    let mut command = Command::new("bash");
    // Ignored, the signal of the limit leaves the plain error of a full disk.
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "bash"]).arg(inner.get_program());
    command.args(inner.get_args()).stdin(Stdio::null());
    ended(command)
}

/// On a tiny full disk where one can be mounted, and under a limit of the system everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_server_and_changes_nothing() {
    for operator in Operator::each().await {
        let output = limited(&operator, &["init"]);
        assert!(said(&output).contains("Free space"), "{}", said(&output));
        assert!(operator.files().is_empty(), "no half of a secret is left");
        operator.good(&["init"]);
        for again in 0..2 {
            let before = operator.files();
            let output = limited(&operator, &["serve"]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("ree space") && said.contains("nothing was changed"), "{said}");
            let after: Vec<_> = operator.files().into_iter().filter(|(_, v)| !v.is_empty()).collect();
            assert_eq!(
                after,
                before.into_iter().filter(|(_, v)| !v.is_empty()).collect::<Vec<_>>(),
                "{again}"
            );
        }
        drop(operator.serving());
    }
    full_disk();
}

/// A disk of 96 KiB, full; where this test may mount one.
fn full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=96k", "none"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !mounted {
        return;
    }
    let serve = || {
        let mut command = Command::new(BINARY);
        command.arg("serve").arg("--data").arg(folder.path()).stdin(Stdio::null());
        command.args(["--public-listen", "127.0.0.1:0", "--care-listen", "127.0.0.1:0"]);
        ended(command)
    };
    let outcome = std::panic::catch_unwind(|| {
        OperatorSecret::create(&folder.path().join("operator.secret")).unwrap();
        let output = serve();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("ree space"), "{said}");
        assert!(!folder.path().join("host").exists(), "no half of a host folder is left");
    });
    let _ = Command::new("umount").arg(folder.path()).status();
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ceremony_of_the_authority() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let of = |command: &str| operator.good(&["authority", command, "--slug", "one"]);
        assert!(of("status").contains("signs, 0 good certificates"));
        let copy = operator.path("copy.age");
        let copy = copy.to_str().unwrap();
        operator.good(&["authority", "export", "--slug", "one", "--out", copy]);
        assert!(operator.good(&["authority", "check", "--file", copy]).contains("whole; authority"));
        let sealed = std::fs::read(copy).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1"), "the standard tool opens it");
        operator.refused(&["authority", "export", "--slug", "one", "--out", copy], &["cannot be made"]);
        operator.refused(&["authority", "export", "--slug", "two", "--out", "/tmp/none"], &["no town two"]);
        std::fs::write(copy, &sealed[..sealed.len() - 1]).unwrap();
        operator.refused(&["authority", "check", "--file", copy], &["does not open", "make a new one"]);
        std::fs::write(copy, &sealed).unwrap();
        operator.refused(&["authority", "retire", "--slug", "one"], &["no older authority"]);
        assert!(of("roll").contains("signs from now on"));
        operator.refused(&["authority", "roll", "--slug", "one"], &["Retire it first"]);
        let standing = of("status");
        assert!(standing.contains("trusted until retired, 0 good"), "{standing}");
        assert!(operator.good(&["authority", "check", "--file", copy]).contains("whole"), "still trusted");
        assert!(of("retire").contains("is retired"));
        assert!(of("status").contains("retired, 0"));
        drop(operator.serving());
        operator.good(&["verify-audit"]);
    }
}

async fn with_media(operator: &Operator) -> Vec<(String, Vec<u8>)> {
    let secret = OperatorSecret::read(&operator.path("operator.secret")).unwrap();
    let storage = Storage::folder(&operator.path("media"), secret).unwrap();
    let files: Vec<_> = (0_u8..12).map(|n| (format!("t/{n}"), vec![n; 40_000])).collect();
    for (name, plain) in &files {
        storage.put(name, plain).await.unwrap();
    }
    files
}

async fn all_open(operator: &Operator, files: &[(String, Vec<u8>)]) {
    let secret = OperatorSecret::read(&operator.path("operator.secret")).unwrap();
    let storage = Storage::folder(&operator.path("media"), secret).unwrap();
    for (name, plain) in files {
        assert_eq!(storage.get(name).await.unwrap().as_slice(), plain, "{name}");
    }
    let copy = operator.path("whole.age");
    let _ = std::fs::remove_file(&copy);
    operator.good(&["authority", "export", "--slug", "one", "--out", copy.to_str().unwrap()]);
    operator.good(&["verify-audit"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_changed_while_nobody_serves() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let files = with_media(&operator).await;
        let serving = operator.serving();
        operator.refused(&["secret", "change"], &["a server is running", "Stop it"]);
        drop(serving);
        let before = std::fs::read(operator.path("operator.secret")).unwrap();
        let told = operator.good(&["secret", "change"]);
        assert!(told.contains("1 records, 12 files") && !told.contains("AGE-SECRET"), "{told}");
        let after = std::fs::read(operator.path("operator.secret")).unwrap();
        assert_ne!(before, after);
        assert_eq!(String::from_utf8(after).unwrap().matches("AGE-SECRET-KEY").count(), 1);
        all_open(&operator, &files).await;
        drop(operator.serving());
        let old = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(old.path(), before).unwrap();
        let serve = ["serve", "--secret-file", old.path().to_str().unwrap()];
        operator.refused(&serve, &["operator's secret"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_secret_killed_anywhere_leaves_what_opens() {
    for operator in Operator::each().await {
        let operator = operator.with_town();
        let files = with_media(&operator).await;
        let mut interrupted = 0;
        for millis in [1, 20, 40, 60, 80, 110, 150, 200, 300] {
            let mut child = operator
                .command(&["secret", "change"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(millis));
            child.kill().unwrap();
            interrupted += i32::from(!child.wait().unwrap().success());
            all_open(&operator, &files).await;
        }
        assert!(interrupted > 0);
        operator.good(&["secret", "change"]);
        let secret = std::fs::read_to_string(operator.path("operator.secret")).unwrap();
        assert_eq!(secret.matches("AGE-SECRET-KEY").count(), 1);
        all_open(&operator, &files).await;
        drop(operator.serving());
    }
}
