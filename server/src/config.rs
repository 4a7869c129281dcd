//! What the operator sets: by flag or environment, with defaults that run on one machine.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the data is and the secret that opens it.
#[derive(Args, Clone, Debug)]
pub struct DataConfig {
    /// Folder of everything the server keeps.
    #[arg(long, env = "RENRAKU_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; an encrypted SQLite file in the data folder when absent.
    #[arg(long, env = "RENRAKU_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// File with the operator's secret (an age identity); `DATA/operator.secret` when absent.
    /// Keep it, and a copy of it, away from the data and the backups: it opens both.
    #[arg(long, env = "RENRAKU_SECRET_FILE")]
    pub secret_file: Option<PathBuf>,
}

impl DataConfig {
    /// The database's URL.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite:{}", self.data.join("renraku.db").display()))
    }

    /// For a command that mends what is there: a SQLite file that is not there is not made.
    ///
    /// # Errors
    /// There is no such file, or it is empty.
    pub fn must_exist(&self) -> Result<(), crate::error::AppError> {
        let url = self.database_url();
        let Some(path) = url.strip_prefix("sqlite:") else { return Ok(()) };
        let path = path.trim_start_matches("//");
        if std::fs::metadata(path).is_ok_and(|m| m.len() > 0) {
            return Ok(());
        }
        Err(crate::error::AppError::internal(format!(
            "there is no database in {path}; nothing was changed. Put it back from a backup; where there is none, \
             create the town with the copy: `renraku-server municipality create --authority COPY …`"
        )))
    }

    /// Takes the data folder: together with other servers, or, to change the secret, alone. It is held as
    /// long as the file that comes back.
    ///
    /// # Errors
    /// Somebody else holds it, or the folder is not there or not writable.
    pub fn lock(&self, alone: bool) -> Result<std::fs::File, crate::error::AppError> {
        let path = self.data.join("lock");
        let failed = |e: &dyn std::fmt::Display| {
            crate::error::AppError::internal(format!(
                "{} cannot be used: {e}; nothing was changed. Check that the folder is there, writable and \
                 not on a full disk",
                path.display()
            ))
        };
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| failed(&e))?;
        let taken = if alone { file.try_lock() } else { file.try_lock_shared() };
        match taken {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(crate::error::AppError::internal(if alone {
                "a server is running on this data; nothing was changed. Stop it and run the command again"
            } else {
                "the operator's secret is being changed; nothing was changed. Start the server, or run the command \
                 again, when that is done"
            })),
            Err(std::fs::TryLockError::Error(e)) => Err(failed(&e)),
        }
    }

    /// The file of the operator's secret.
    #[must_use]
    pub fn secret_path(&self) -> PathBuf {
        self.secret_file.clone().unwrap_or_else(|| self.data.join("operator.secret"))
    }
}

/// What one address may send to the public host's forms in a minute, where the operator says nothing else: a
/// town's offices, or a facility's devices, often share one.
pub const PUBLIC_FORMS_PER_MINUTE: u32 = 60;

/// What a hash costs whoever makes one, and whoever tries passwords against a stolen one.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    /// KiB that it is worked out in.
    pub memory_kib: u32,
    /// Passes over them.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// The second recommended choice of RFC 9106, section 4, as the phone takes it for its PIN: 64 MiB, three
    /// passes. A password may have eight characters only, for the device's certificate comes first.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

impl PasswordCost {
    /// A fifth of it: for tests, which make hashes by the thousand.
    pub const LEAST: Self = Self { memory_kib: 19 * 1024, passes: 2 };
}

/// What `serve` needs.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Data and secret.
    #[command(flatten)]
    pub data: DataConfig,
    /// Address of the public host: forms, certificate pick-up, login diagnosis.
    #[arg(long, env = "RENRAKU_PUBLIC_LISTEN", default_value = "127.0.0.1:8443")]
    pub public_listen: SocketAddr,
    /// Address of the care host: client certificates only.
    #[arg(long, env = "RENRAKU_CARE_LISTEN", default_value = "127.0.0.1:8444")]
    pub care_listen: SocketAddr,
    /// How devices reach the public host; from the listening address when absent.
    #[arg(long, env = "RENRAKU_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// How devices reach the care host; from the listening address when absent.
    #[arg(long, env = "RENRAKU_CARE_URL")]
    pub care_url: Option<String>,
    /// What one address may send to the public host's forms in a minute; 0 for no limit. A town takes ten times
    /// as many applications and reports. Behind a proxy every request has the proxy's address: let the proxy count there, and raise this.
    #[arg(long, env = "RENRAKU_PUBLIC_FORMS_PER_MINUTE", default_value_t = PUBLIC_FORMS_PER_MINUTE)]
    pub public_forms_per_minute: u32,
    /// What hashing a password costs; not an operator's to lower.
    #[arg(skip)]
    pub password_cost: PasswordCost,
    /// The hosts' TLS certificate chain, PEM. Without it the server makes its own under `DATA/host`.
    #[arg(long, env = "RENRAKU_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The key of that certificate, PEM.
    #[arg(long, env = "RENRAKU_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Apple's and Google's push services.
    #[command(flatten)]
    pub push: PushArgs,
    /// The mail carrier.
    #[command(flatten)]
    pub mail: MailArgs,
}

/// Push services; each is off until its credentials are given.
#[derive(Args, Clone, Debug, Default)]
pub struct PushArgs {
    /// APNs provider key (.p8).
    #[arg(long, env = "RENRAKU_APNS_KEY")]
    pub apns_key: Option<PathBuf>,
    /// Its key id.
    #[arg(long, env = "RENRAKU_APNS_KEY_ID", default_value = "")]
    pub apns_key_id: String,
    /// The team id.
    #[arg(long, env = "RENRAKU_APNS_TEAM_ID", default_value = "")]
    pub apns_team_id: String,
    /// The app's bundle id.
    #[arg(long, env = "RENRAKU_APNS_TOPIC", default_value = "jp.renraku.app")]
    pub apns_topic: String,
    /// Another endpoint than Apple's: for tests and the demo.
    #[arg(long, env = "RENRAKU_APNS_ENDPOINT")]
    pub apns_endpoint: Option<String>,
    /// FCM service account (JSON).
    #[arg(long, env = "RENRAKU_FCM_ACCOUNT")]
    pub fcm_account: Option<PathBuf>,
    /// Another endpoint than Google's: for tests and the demo.
    #[arg(long, env = "RENRAKU_FCM_ENDPOINT")]
    pub fcm_endpoint: Option<String>,
    /// One more root certificate to trust for pushes and mail (PEM): for tests and the demo.
    #[arg(long, env = "RENRAKU_EXTRA_ROOT")]
    pub extra_root: Option<PathBuf>,
}

/// The mail carrier; off until its URL is given.
#[derive(Args, Clone, Debug, Default)]
pub struct MailArgs {
    /// `smtp://host:port`, `smtps://user:password@host`.
    #[arg(long, env = "RENRAKU_SMTP", hide_env_values = true)]
    pub smtp: Option<String>,
    /// Sender of every mail.
    #[arg(long, env = "RENRAKU_MAIL_FROM", default_value = "連絡 <renraku@localhost.invalid>")]
    pub mail_from: String,
}
