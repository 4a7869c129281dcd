//! A fresh PostgreSQL database in the throw-away cluster that the tests run beside.

use super::HarnessError;
use std::str::FromStr;
use tokio_postgres::{Client, Config, NoTls};

/// Names the cluster: `postgres://superuser@host:port/postgres`.
const VARIABLE: &str = "RENRAKU_TEST_POSTGRES";

/// A database of one test's own.
pub struct Database {
    /// How the server reaches it.
    pub url: String,
    name: String,
}

impl Database {
    /// Creates one.
    ///
    /// # Errors
    /// [`HarnessError::NoPostgres`] when no cluster is named; [`HarnessError::Postgres`].
    pub async fn create() -> Result<Self, HarnessError> {
        let cluster = std::env::var(VARIABLE).map_err(|_| HarnessError::NoPostgres)?;
        let name = format!("renraku_{}", uuid::Uuid::now_v7().simple());
        administrator(&cluster).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let (head, options) = cluster.split_once('?').map_or((cluster.as_str(), None), |(h, o)| (h, Some(o)));
        let host = head.rfind('/').map_or(head, |slash| &head[..slash]);
        let options = options.map(|o| format!("?{o}")).unwrap_or_default();
        Ok(Self { url: format!("{host}/{name}{options}"), name })
    }

    /// Removes it, whoever still uses it.
    ///
    /// # Errors
    /// [`HarnessError::Postgres`].
    pub async fn drop(self) -> Result<(), HarnessError> {
        let cluster = std::env::var(VARIABLE).map_err(|_| HarnessError::NoPostgres)?;
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        Ok(administrator(&cluster).await?.batch_execute(&statement).await?)
    }
}

async fn administrator(cluster: &str) -> Result<Client, HarnessError> {
    let (client, connection) = Config::from_str(cluster)?.connect(NoTls).await?;
    tokio::spawn(async move {
        // It ends with the client; what it says then was told by the statement already.
        let _ = connection.await;
    });
    Ok(client)
}
