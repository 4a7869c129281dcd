//! What an operator does with a town's authority.

use super::open;
use clap::{Args, Subcommand};
use renraku_server::config::DataConfig;
use renraku_server::db::Db;
use renraku_server::error::AppError;
use renraku_server::secret::OperatorSecret;
use renraku_server::setup::ceremony;
use renraku_server::setup::restore::{self, Restored};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum Authority {
    /// List the town's authorities and how many good certificates each signed.
    Status(OfTown),
    /// Write a copy of the present authority, sealed to the operator's secret, and check it.
    Export {
        #[command(flatten)]
        of: OfTown,
        /// The file to make; it must not be there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check that a copy could be put back: it opens, it is whole, and it is of this data.
    Check {
        #[command(flatten)]
        data: DataConfig,
        /// The copy.
        #[arg(long)]
        file: PathBuf,
    },
    /// Put a copy back where the authority's record is lost or damaged. A whole one is never overwritten.
    Import {
        #[command(flatten)]
        of: OfTown,
        /// The copy.
        #[arg(long)]
        file: PathBuf,
        /// The secret that the copy was sealed to, where it was changed since.
        #[arg(long)]
        copy_secret: Option<PathBuf>,
    },
    /// Make a new authority. The old one stays trusted until every device has renewed and it is retired.
    Roll(OfTown),
    /// Trust the old authority no more and destroy its key.
    Retire(OfTown),
}

#[derive(Args)]
pub struct OfTown {
    #[command(flatten)]
    data: DataConfig,
    /// The town's name in addresses.
    #[arg(long)]
    slug: String,
}

pub async fn run(command: Authority) -> Result<(), AppError> {
    match command {
        Authority::Status(of) => {
            let on = open(&of.data).await?;
            for one in ceremony::standing(&on.db, &of.slug).await? {
                let state = match (one.present, one.retired_at) {
                    (true, _) => "signs",
                    (false, None) => "trusted until retired",
                    (false, Some(_)) => "retired",
                };
                println!("{} {state}, {} good certificates", one.id, one.certificates);
            }
        }
        Authority::Export { of, out } => {
            let on = open(&of.data).await?;
            let sealed = ceremony::export(&on.db, &on.secret, &of.slug).await?;
            let (slug, id) = ceremony::check_copy(&on.db, &on.secret, &sealed).await?;
            write_new(&out, &sealed)?;
            println!("{}: authority {id} of {slug}, sealed to the operator's secret", out.display());
        }
        Authority::Check { data, file } => {
            let on = open(&data).await?;
            let sealed = read_copy(&file)?;
            let (slug, id) = ceremony::check_copy(&on.db, &on.secret, &sealed).await?;
            println!("{}: whole; authority {id} of {slug}", file.display());
        }
        Authority::Import { of, file, copy_secret } => {
            let lock = of.data.lock(false)?;
            let secret = OperatorSecret::read(&of.data.secret_path())?;
            let kept = copy_of(&file, copy_secret.as_deref(), &secret)?;
            of.data.must_exist()?;
            // Not `open`, which stops at an authority that is damaged.
            let db = Db::open_any(&of.data.database_url(), &secret.database_keys()).await?;
            let id = kept.authority.id();
            match restore::import(&db, &secret, &of.slug, &kept).await? {
                Restored::Stood => println!("authority {id} of {} stands; nothing was changed", of.slug),
                Restored::Present => println!("authority {id} of {} is back, and signs", of.slug),
                Restored::Older => println!("the older authority {id} of {} is back", of.slug),
            }
            drop(lock);
        }
        Authority::Roll(of) => {
            let on = open(&of.data).await?;
            let (old, new) = ceremony::roll(&on.db, &on.secret, &of.slug).await?;
            println!("{new} signs from now on; {old} stays trusted until it is retired");
            println!("keep a copy of the new one: renraku-server authority export");
        }
        Authority::Retire(of) => {
            let on = open(&of.data).await?;
            println!("{} is retired", ceremony::retire(&on.db, &of.slug).await?);
        }
    }
    Ok(())
}

fn read_copy(file: &Path) -> Result<Vec<u8>, AppError> {
    std::fs::read(file).map_err(|e| {
        AppError::internal(format!(
            "{} cannot be read: {e}; nothing was changed. Name the copy",
            file.display()
        ))
    })
}

/// Opens a copy, with the secret that it was sealed to.
pub fn copy_of(
    file: &Path,
    copy_secret: Option<&Path>,
    secret: &OperatorSecret,
) -> Result<ceremony::Kept, AppError> {
    let sealed = read_copy(file)?;
    match copy_secret {
        Some(path) => ceremony::open_copy(&OperatorSecret::read(path)?, &sealed),
        None => ceremony::open_copy(secret, &sealed),
    }
}

/// Writes a file that was not there, whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |e: std::io::Error| AppError::internal(format!("{} cannot be made: {e}", path.display()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| {
        let _ = std::fs::remove_file(path);
        failed(e)
    })
}
