//! Where media lie: sealed objects in a folder (or, through the same interface, in S3).

use crate::error::AppError;
use crate::secret::OperatorSecret;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A store of sealed objects.
#[derive(Clone)]
pub struct Storage {
    objects: Arc<dyn ObjectStore>,
    secret: OperatorSecret,
}

impl Storage {
    /// A store in a local folder, which is made when it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn folder(folder: &std::path::Path, secret: OperatorSecret) -> Result<Self, AppError> {
        let failed = |e: String| {
            AppError::internal(format!("the media folder {} cannot be used: {e}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| failed(e.to_string()))?
            .with_automatic_cleanup(true);
        Ok(Self { objects: Arc::new(objects), secret })
    }

    /// Seals `plain` and stores it under `name`.
    ///
    /// # Errors
    /// The store is full or out of reach.
    pub async fn put(&self, name: &str, plain: &[u8]) -> Result<(), AppError> {
        let sealed = self.secret.seal(plain)?;
        self.objects.put(&Path::from(name), sealed.into()).await.map_err(failed)?;
        Ok(())
    }

    /// The same, unless something lies under `name` already: then false.
    ///
    /// # Errors
    /// The store is full or out of reach.
    pub async fn put_new(&self, name: &str, plain: &[u8]) -> Result<bool, AppError> {
        let sealed = self.secret.seal(plain)?;
        match self.objects.put_opts(&Path::from(name), sealed.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(e) => Err(failed(e)),
        }
    }

    /// Reads and opens what lies under `name`.
    ///
    /// # Errors
    /// Nothing there, or the store is out of reach.
    pub async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.find(name).await?.ok_or_else(|| AppError::internal("the media store lacks an object"))
    }

    /// The same where there may be nothing.
    ///
    /// # Errors
    /// The store is out of reach.
    pub async fn find(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, AppError> {
        let sealed = match self.objects.get(&Path::from(name)).await {
            Ok(sealed) => sealed.bytes().await.map_err(failed)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        self.secret.open(&sealed).map(Some)
    }

    /// Seals again, one by one, what lies under an older identity of the secret. Interrupted, it goes on
    /// where it was. Returns how many objects it sealed.
    ///
    /// # Errors
    /// The store is full or out of reach; what was not sealed again is as it was.
    pub async fn seal_again(&self) -> Result<usize, AppError> {
        let all = self.objects.list(None).map_ok(|found| found.location);
        let all: Vec<Path> = all.try_collect().await.map_err(failed)?;
        let mut done = 0;
        for path in all {
            let sealed = self.objects.get(&path).await.map_err(failed)?;
            let sealed = sealed.bytes().await.map_err(failed)?;
            if !self.secret.is_newest(&sealed) {
                let fresh = self.secret.seal(&self.secret.open(&sealed)?)?;
                self.objects.put(&path, fresh.into()).await.map_err(failed)?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Removes what lies under `name`; nothing there is fine.
    pub async fn remove(&self, name: &str) {
        match self.objects.delete(&Path::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(e) => tracing::warn!(error = %e, "an object could not be removed"),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(e: object_store::Error) -> AppError {
    AppError::internal(format!("the media store failed: {e}"))
}
