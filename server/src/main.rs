//! The command line: what an operator does.

use clap::{Parser, Subcommand};
use renraku_server::config::{DataConfig, ServeConfig};
use renraku_server::db::Db;
use renraku_server::error::AppError;
use renraku_server::secret::OperatorSecret;
use renraku_server::serve::Server;
use renraku_server::{audit, municipality, policy, router, setup};
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
        /// Print the answer as JSON.
        #[arg(long)]
        json: bool,
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

/// Each password is hashed in 19 MiB. By default the C library would keep such blocks for good once a few
/// were freed, four times the server's size; above this limit a block goes back to the system at once.
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
            json,
        }) => {
            let policy = match preset {
                None => policy::MunicipalityPolicy::default(),
                Some(name) => policy::preset(&name).ok_or_else(|| {
                    AppError::internal("there is no such preset: use minowa, takahagi or izumo")
                })?,
            };
            let new = setup::NewMunicipality {
                slug: &slug,
                name: &name,
                policy: &policy,
                login_id: &login_id,
                staff_name: &staff_name,
            };
            let (db, secret) = open(&data).await?;
            report(&setup::create(&db, &secret, &new).await?, &login_id, json);
            Ok(())
        }
        Command::Serve(config) => serve(&config).await,
        Command::VerifyAudit { data } => {
            let (db, _) = open(&data).await?;
            for town in db.read(async |c| municipality::store::all(c).await).await? {
                let entries = audit::verify(&db, town.id).await?;
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

async fn open(data: &DataConfig) -> Result<(Db, OperatorSecret), AppError> {
    let secret = OperatorSecret::read(&data.secret_path())?;
    let db = Db::open(&data.database_url(), &secret.database_key()).await?;
    Ok((db, secret))
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
        println!("証明書取得用No   {}", created.ticket.number);
        println!("パスワード       {}", created.ticket.password);
        println!("ユーザーID       {login_id}");
        println!("初回パスワード   {}", created.first_password);
    }
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
