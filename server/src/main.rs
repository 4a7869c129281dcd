//! The command line: what an operator does.

#[path = "main/authority.rs"]
mod authority;

use clap::{Args, Parser, Subcommand};
use renraku_server::config::{DataConfig, ServeConfig};
use renraku_server::db::Db;
use renraku_server::error::AppError;
use renraku_server::hashing::Hashing;
use renraku_server::secret::OperatorSecret;
use renraku_server::serve::Server;
use renraku_server::setup::{ceremony, way_in};
use renraku_server::{audit, municipality, policy, router, setup};
use std::path::PathBuf;
use std::process::ExitCode;
use utoipa::OpenApi as _;

#[derive(Parser)]
#[command(name = "renraku-server", version, about = "Renraku (連絡): a care-team network for a town")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the data folder and the operator's secret.
    Init {
        #[command(flatten)]
        data: DataConfig,
    },
    /// Towns.
    #[command(subcommand)]
    Municipality(Municipality),
    /// A town's certificate authority: look at it, keep a copy, roll it.
    #[command(subcommand)]
    Authority(authority::Authority),
    /// The operator's secret.
    #[command(subcommand)]
    Secret(Secret),
    /// Run both hosts.
    Serve(Box<ServeConfig>),
    /// Check every town's audit chain.
    VerifyAudit {
        #[command(flatten)]
        data: DataConfig,
    },
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Subcommand)]
enum Municipality {
    /// Create a town, its certificate authority, its office and the office's first account.
    Create {
        #[command(flatten)]
        data: DataConfig,
        /// Name in addresses: small letters, digits, hyphens.
        #[arg(long)]
        slug: String,
        /// Name on screens.
        #[arg(long)]
        name: String,
        /// How it works to begin with: minowa, takahagi or izumo; common defaults when absent.
        #[arg(long)]
        preset: Option<String>,
        /// User id of the office's first account.
        #[arg(long)]
        login_id: String,
        /// Name of that person.
        #[arg(long)]
        staff_name: String,
        #[command(flatten)]
        contact: Box<OfficeContact>,
        /// A copy of this town's authority, to go on with it after the whole database was lost.
        #[arg(long, value_name = "COPY")]
        authority: Option<PathBuf>,
        /// The secret that the copy was sealed to, where it was changed since.
        #[arg(long, requires = "authority")]
        copy_secret: Option<PathBuf>,
        /// Print the answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let the office in again that has lost its only device or password: a certificate No for a device of the
    /// office, and a new first password for the account named.
    LetOfficeIn {
        #[command(flatten)]
        data: DataConfig,
        /// The town's name in addresses.
        #[arg(long)]
        slug: String,
        /// User id: an account of the office, or with `--staff-name` a new one.
        #[arg(long)]
        login_id: Option<String>,
        /// Name of the person, for a new account.
        #[arg(long, requires = "login_id")]
        staff_name: Option<String>,
    },
}

/// Whom people ask, on every page and in every mail. The office can change it later under 設定.
#[derive(Args)]
struct OfficeContact {
    /// Telephone of the office, as it is printed.
    #[arg(long)]
    telephone: String,
    /// Mail address of the office: its own mails go there.
    #[arg(long)]
    mail: String,
    /// Days and hours, as they are printed.
    #[arg(long)]
    hours: String,
    /// FAX, as it is printed.
    #[arg(long, default_value = "")]
    fax: String,
    /// Name of the office.
    #[arg(long, default_value = "事務局")]
    office: String,
    /// The section of the town that it belongs to.
    #[arg(long, default_value = "")]
    section: String,
}

impl OfficeContact {
    /// In the policy, in place of the fictional one that presets have.
    fn into_policy(self, policy: policy::MunicipalityPolicy) -> Result<policy::MunicipalityPolicy, AppError> {
        let Self { telephone, mail, hours, fax, office, section } = self;
        let contact =
            renraku_wire::Contact { office, section, telephone, fax, mail, hours, document: String::new() };
        let policy = policy::MunicipalityPolicy { contact, ..policy };
        municipality::settings::rules::check(&policy).map_err(|e| match e {
            AppError::Refused(problem) => {
                let field = problem.field.unwrap_or_default();
                let option = field.trim_start_matches("contact.");
                AppError::internal(format!(
                    "--{option} cannot be used as it is; nothing was changed. Give it as it shall be printed"
                ))
            }
            other => other,
        })
    }
}

#[derive(Subcommand)]
enum Secret {
    /// Make a new secret and seal everything to it. Stop the server first. Interrupted, run it again.
    Change {
        #[command(flatten)]
        data: DataConfig,
    },
}

fn main() -> ExitCode {
    give_memory_back();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("RENRAKU_LOG").unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("the runtime cannot start: {e}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(AppError::Refused(problem)) => {
            eprintln!("refused ({}): {}", problem.field.unwrap_or_default(), problem.detail);
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Each password is hashed in 64 MiB. By default the C library would keep such blocks for good once a few
/// were freed, many times the server's size; above this limit a block goes back to the system at once.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library's only way to say so")]
fn give_memory_back() {
    // SAFETY: called first thing in main, before any other thread; it only sets a number.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20) };
}

#[cfg(not(target_env = "gnu"))]
fn give_memory_back() {}

async fn run(command: Command) -> Result<(), AppError> {
    match command {
        Command::Init { data } => init(&data),
        Command::Municipality(Municipality::Create {
            data,
            slug,
            name,
            preset,
            login_id,
            staff_name,
            contact,
            authority,
            copy_secret,
            json,
        }) => {
            let policy = match preset {
                None => policy::MunicipalityPolicy::default(),
                Some(name) => policy::preset(&name).ok_or_else(|| {
                    AppError::internal("there is no such preset: use minowa, takahagi or izumo")
                })?,
            };
            let policy = contact.into_policy(policy)?;
            let new = setup::NewMunicipality {
                slug: &slug,
                name: &name,
                policy: &policy,
                login_id: &login_id,
                staff_name: &staff_name,
            };
            let on = open(&data).await?;
            let kept = authority
                .map(|file| authority::copy_of(&file, copy_secret.as_deref(), &on.secret))
                .transpose()?;
            report(
                &setup::create_with(&on.db, &on.secret, &Hashing::default(), &new, kept).await?,
                &login_id,
                json,
            );
            Ok(())
        }
        Command::Municipality(Municipality::LetOfficeIn { data, slug, login_id, staff_name }) => {
            let on = open(&data).await?;
            let person =
                login_id.as_deref().map(|login_id| way_in::Person { login_id, name: staff_name.as_deref() });
            let way_in = way_in::open(&on.db, &Hashing::default(), &slug, person.as_ref()).await?;
            print_ticket(&way_in.ticket);
            if let Some((login_id, first_password)) = &way_in.account {
                print_account(login_id, first_password);
            }
            Ok(())
        }
        Command::Authority(command) => authority::run(command).await,
        Command::Secret(Secret::Change { data }) => {
            let (records, files) = setup::reseal::change(&data).await?;
            println!("sealed again: {records} records, {files} files");
            println!("{} is new; keep a copy of it away from this machine", data.secret_path().display());
            Ok(())
        }
        Command::Serve(config) => serve(&config).await,
        Command::VerifyAudit { data } => {
            let on = open(&data).await?;
            for town in on.db.read(async |c| municipality::store::all(c).await).await? {
                let entries = audit::verify(&on.db, town.id).await?;
                println!("{}: {entries} entries, unbroken", town.slug);
            }
            Ok(())
        }
        Command::Openapi => {
            let text = router::ApiDocument::openapi()
                .to_pretty_json()
                .map_err(|e| AppError::internal(e.to_string()))?;
            println!("{text}");
            Ok(())
        }
    }
}

fn init(data: &DataConfig) -> Result<(), AppError> {
    std::fs::create_dir_all(&data.data)
        .map_err(|e| AppError::internal(format!("{} cannot be made: {e}", data.data.display())))?;
    let path = data.secret_path();
    OperatorSecret::create(&path)?;
    println!("made {}; keep a copy of it away from this machine", path.display());
    Ok(())
}

/// What a command works on.
struct Opened {
    db: Db,
    secret: OperatorSecret,
    _lock: std::fs::File,
}

/// Opens the data for a command; not with another secret than the data's, and not while that is being changed.
async fn open(data: &DataConfig) -> Result<Opened, AppError> {
    let lock = data.lock(false)?;
    let secret = OperatorSecret::read(&data.secret_path())?;
    let db = Db::open_any(&data.database_url(), &secret.database_keys()).await?;
    ceremony::check_authorities(&db, &secret).await?;
    Ok(Opened { db, secret, _lock: lock })
}

fn report(created: &setup::Created, login_id: &str, json: bool) {
    if json {
        let answer = serde_json::json!({
            "municipality_id": created.id.to_string(),
            "number": created.ticket.number,
            "password": created.ticket.password,
            "login_id": login_id,
            "first_password": created.first_password,
        });
        println!("{answer}");
    } else {
        print_ticket(&created.ticket);
        print_account(login_id, &created.first_password);
    }
}

fn print_ticket(ticket: &renraku_wire::EnrolmentTicket) {
    println!("証明書取得用No   {}", ticket.number);
    println!("パスワード       {}", ticket.password);
}

fn print_account(login_id: &str, first_password: &str) {
    println!("ユーザーID       {login_id}");
    println!("初回パスワード   {first_password}");
}

async fn serve(config: &ServeConfig) -> Result<(), AppError> {
    let server = Server::start(config).await?;
    tracing::info!(public = %server.public, care = %server.care, "listening");
    println!("public {}\ncare {}", server.app.public_url, server.app.care_url);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| AppError::internal(e.to_string()))?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}
