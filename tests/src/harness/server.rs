//! The server as it ships: started, asked and stopped as an operator does.

use super::HarnessError;
use serde::Deserialize;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A debug build on a busy machine makes its tables and certificates in this time.
const START: Duration = Duration::from_secs(60);
/// The server gives running requests ten seconds.
const STOP: Duration = Duration::from_secs(20);

/// The server's executable: `RENRAKU_SERVER_BIN`, else `renraku-server` beside what is running.
#[must_use]
pub fn server_binary() -> PathBuf {
    if let Some(given) = std::env::var_os("RENRAKU_SERVER_BIN") {
        return given.into();
    }
    let here = std::env::current_exe().unwrap_or_default();
    let folder = here.parent().unwrap_or(Path::new("."));
    let folder = match folder.file_name() {
        Some(name) if name == "deps" || name == "examples" => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    folder.join(format!("renraku-server{}", std::env::consts::EXE_SUFFIX))
}

/// Where pushes and mails go instead of to Apple, Google and a carrier.
#[derive(Clone, Debug)]
pub struct FakeSettings {
    /// File with the provider key.
    pub apns_key: PathBuf,
    /// Its id.
    pub apns_key_id: String,
    /// The team.
    pub apns_team_id: String,
    /// The app.
    pub apns_topic: String,
    /// Address.
    pub apns_endpoint: String,
    /// File with the service account.
    pub fcm_account: PathBuf,
    /// Address.
    pub fcm_endpoint: String,
    /// File with the root to trust for both.
    pub extra_root: PathBuf,
    /// Address of the mail carrier, `smtp://…`.
    pub smtp: String,
}

/// What an operator decides.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Folder of everything the server keeps.
    pub data: PathBuf,
    /// `postgres://…`; SQLite in the data folder when absent.
    pub database: Option<String>,
    /// Where the public host listens; port 0 for any.
    pub public_listen: SocketAddr,
    /// Where the care host listens; port 0 for any.
    pub care_listen: SocketAddr,
    /// How devices reach the public host, when not by its listening address.
    pub public_url: Option<String>,
    /// How devices reach the care host, when not by its listening address.
    pub care_url: Option<String>,
    /// The world around; none to send nothing.
    pub fakes: Option<FakeSettings>,
    /// File for the log; `server.log` in the data folder when absent.
    pub log: Option<PathBuf>,
}

impl ServerOptions {
    /// SQLite in this folder, any ports, nothing sent.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            data: data.into(),
            database: None,
            public_listen: any,
            care_listen: any,
            public_url: None,
            care_url: None,
            fakes: None,
            log: None,
        }
    }

    /// The file of the log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.log.clone().unwrap_or_else(|| self.data.join("server.log"))
    }

    /// A command of the server on this data, without what the caller's environment says of another.
    fn command<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Result<Command, HarnessError> {
        let binary = server_binary();
        if !binary.is_file() {
            return Err(HarnessError::NoServer(binary));
        }
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let settings = name.to_str().is_some_and(|n| n.starts_with("RENRAKU_") && n != "RENRAKU_LOG");
            if settings {
                command.env_remove(name);
            }
        }
        command.args(words).arg("--data").arg(&self.data).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(database) = &self.database {
            // Not as an argument: it may hold a password, and arguments are public on a machine.
            command.env("RENRAKU_DATABASE", database);
        }
        Ok(command)
    }

    async fn run(&self, words: &[&str]) -> Result<String, HarnessError> {
        let output = self.command(words)?.output().await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(HarnessError::Command {
            command: words.iter().take(2).copied().collect::<Vec<_>>().join(" "),
            output: String::from_utf8_lossy(&said).into_owned(),
        })
    }

    /// Makes data folder and secret when there is none yet.
    async fn init(&self) -> Result<(), HarnessError> {
        if !self.data.join("operator.secret").exists() {
            self.run(&["init"]).await?;
        }
        Ok(())
    }
}

/// What the operator's command printed for the new office.
#[derive(Clone, Deserialize)]
pub struct Created {
    /// The town's id.
    pub municipality_id: String,
    /// 証明書取得用No.
    pub number: String,
    /// Its password.
    pub password: String,
    /// User id of the office's first account.
    pub login_id: String,
    /// Its first password.
    pub first_password: String,
}

/// Creates a town with the operator's command. Works beside a running server.
///
/// # Errors
/// The command failed, for example because the slug is taken.
pub async fn create_municipality(
    options: &ServerOptions,
    slug: &str,
    name: &str,
    preset: Option<&str>,
    login_id: &str,
    staff_name: &str,
) -> Result<Created, HarnessError> {
    options.init().await?;
    let mut words = vec!["municipality", "create", "--json", "--slug", slug, "--name", name];
    words.extend(["--login-id", login_id, "--staff-name", staff_name]);
    // Fictional, and to nobody: what is sent here must reach no one.
    words.extend(["--telephone", "0000-00-0000", "--fax", "0000-00-0001", "--mail", "office@town.invalid"]);
    words.extend(["--hours", "月曜日から金曜日（祝日を除く）8:30〜17:15"]);
    words.extend(preset.iter().flat_map(|preset| ["--preset", preset]));
    let printed = options.run(&words).await?;
    serde_json::from_str(printed.trim())
        .map_err(|e| HarnessError::Command { command: "municipality create".into(), output: e.to_string() })
}

/// Checks every town's audit chain with the operator's command, and gives what it printed.
///
/// # Errors
/// The command failed: a chain is broken.
pub async fn verify_audit(options: &ServerOptions) -> Result<String, HarnessError> {
    options.run(&["verify-audit"]).await
}

/// A running server. Killed when dropped.
pub struct ServerProcess {
    /// How devices reach the public host.
    pub public_url: String,
    /// How devices reach the care host.
    pub care_url: String,
    /// PEM of the root that the hosts' certificate hangs on.
    pub root_pem: String,
    /// What it was started with.
    pub options: ServerOptions,
    child: Child,
    // Kept open: a server that prints into a closed pipe dies of it.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl ServerProcess {
    /// Starts it, after `init` when there is no secret yet, and waits until both hosts listen.
    ///
    /// # Errors
    /// There is no server, or it did not start.
    pub async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        options.init().await?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(options.log_path())?;
        let mut command = options.command(["serve"])?;
        command.args(["--public-listen", &options.public_listen.to_string()]);
        command.args(["--care-listen", &options.care_listen.to_string()]);
        for (flag, url) in [("--public-url", &options.public_url), ("--care-url", &options.care_url)] {
            command.args(url.iter().flat_map(|url| [flag, url]));
        }
        if let Some(fakes) = &options.fakes {
            fakes.pass(&mut command);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no pipe to the server"))?;
        let mut lines = BufReader::new(stdout).lines();
        let mut address = async |word: &str| {
            let line = lines.next_line().await.ok().flatten()?;
            line.strip_prefix(word)?.strip_prefix(' ').map(str::to_owned)
        };
        let listening = async { Some((address("public").await?, address("care").await?)) };
        let Ok(Some((public_url, care_url))) = tokio::time::timeout(START, listening).await else {
            return Err(HarnessError::NotStarted { log: tail(&options.log_path()) });
        };
        let root_pem = std::fs::read_to_string(options.data.join("host/authority.pem"))?;
        Ok(Self { public_url, care_url, root_pem, options, child, _stdout: lines })
    }

    /// Its process id, as long as it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its resident memory in KiB, as the kernel counts it (`VmRSS`); none where there is no `/proc`.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.options.log_path()).unwrap_or_default()
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }

    /// Asks it to end (SIGTERM) and waits until it has. Gives back what it was started with.
    ///
    /// # Errors
    /// It did not end in time or ended with an error; it is gone all the same.
    pub async fn stop(mut self) -> Result<ServerOptions, HarnessError> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .map_err(std::io::Error::from)?;
        }
        match tokio::time::timeout(STOP, self.child.wait()).await {
            Ok(Ok(ended)) if ended.success() => Ok(self.options.clone()),
            _ => {
                Err(HarnessError::Command { command: "serve".into(), output: tail(&self.options.log_path()) })
            }
        }
    }
}

impl FakeSettings {
    fn pass(&self, command: &mut Command) {
        command.arg("--apns-key").arg(&self.apns_key);
        command.args(["--apns-key-id", &self.apns_key_id, "--apns-team-id", &self.apns_team_id]);
        command.args(["--apns-topic", &self.apns_topic, "--apns-endpoint", &self.apns_endpoint]);
        command.arg("--fcm-account").arg(&self.fcm_account);
        command.args(["--fcm-endpoint", &self.fcm_endpoint]);
        command.arg("--extra-root").arg(&self.extra_root);
        command.args(["--smtp", &self.smtp]);
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
