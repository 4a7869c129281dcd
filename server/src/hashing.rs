//! Hashing passwords with argon2id, a few at a time.

use crate::config::PasswordCost;
use crate::error::AppError;
use argon2::password_hash::{self, Output, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use renraku_wire::Code;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// What a hash is worked out in: 64 MiB.
type Memory = Vec<Block>;

/// How long memory is kept that no hash has asked for.
const KEPT: Duration = Duration::from_secs(2);

/// Places for hashing passwords and a short bench before them: a hash takes 64 MiB and a tenth
/// of a second of a processor, and a flood of sign-ins must not queue up without end.
#[derive(Debug)]
pub struct Hashing {
    cost: PasswordCost,
    places: Arc<Semaphore>,
    bench: Arc<Mutex<Bench>>,
    /// What a password is held against where there is no account, so that both take as long.
    nobody: Arc<OnceLock<String>>,
}

#[derive(Debug, Default)]
struct Bench {
    /// How many are hashed or wait.
    taken: usize,
    /// Handed on from one hash to the next: memory new from the system costs a tenth of the hash.
    spare: Vec<Memory>,
    /// Hashes so far, and whether somebody waits to give the spare memory back.
    done: u64,
    is_watched: bool,
}

#[derive(Debug)]
struct Seat(Arc<Mutex<Bench>>);

impl Seat {
    fn bench(&self) -> MutexGuard<'_, Bench> {
        lock(&self.0)
    }

    /// Keeps the memory of a hash for the next one. Must be called on the runtime.
    fn hand_on(&self, memory: Memory) {
        let mut bench = self.bench();
        bench.spare.push(memory);
        bench.done += 1;
        if !std::mem::replace(&mut bench.is_watched, true) {
            tokio::spawn(give_back(self.0.clone()));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.bench().taken -= 1;
    }
}

/// Gives the memory back once no hash has ended for a while: a server at rest is small.
async fn give_back(bench: Arc<Mutex<Bench>>) {
    loop {
        let seen = lock(&bench).done;
        tokio::time::sleep(KEPT).await;
        let mut bench = lock(&bench);
        if bench.done == seen {
            bench.is_watched = false;
            bench.spare = Vec::new();
            return;
        }
    }
}

fn lock(bench: &Mutex<Bench>) -> MutexGuard<'_, Bench> {
    // Nothing that a panic could leave half done.
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A turn at hashing; it ends when dropped. The work takes it along, for it goes on when nobody waits for its
/// outcome any more.
#[derive(Debug)]
pub struct Turn {
    seat: Seat,
    place: OwnedSemaphorePermit,
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new(PasswordCost::default())
    }
}

impl Hashing {
    /// Hashes at this cost.
    #[must_use]
    pub fn new(cost: PasswordCost) -> Self {
        let places = Arc::new(Semaphore::new(Self::PLACES));
        Self { cost, places, bench: Arc::default(), nobody: Arc::default() }
    }

    /// Passwords hashed at once.
    pub const PLACES: usize = 2;
    /// Passwords hashed or waiting at once; further ones are refused.
    pub const BENCH: usize = 64;

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Code::Unavailable`] at once when too many wait.
    pub async fn turn(&self) -> Result<Turn, Code> {
        let seat = self.seat().ok_or(Code::Unavailable)?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| Code::Unavailable)?;
        Ok(Turn { seat, place })
    }

    /// How many wait for a turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let hashed = Self::PLACES - self.places.available_permits();
        lock(&self.bench).taken.saturating_sub(hashed)
    }

    fn seat(&self) -> Option<Seat> {
        let mut bench = lock(&self.bench);
        if bench.taken == Self::BENCH {
            return None;
        }
        bench.taken += 1;
        Some(Seat(self.bench.clone()))
    }

    /// Hashes a password on a thread of its own.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: too many wait, or the server is stopping.
    pub async fn hash(&self, password: &str) -> Result<String, AppError> {
        let password = Zeroizing::new(password.to_owned());
        let cost = self.cost;
        self.turn().await?.run(move |memory| hash(&password, cost, memory)).await?
    }

    /// True when the password is the hash's. Without a hash it is false, after the same work. On a thread of
    /// its own.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: too many wait, or the server is stopping.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, AppError> {
        let password = Zeroizing::new(password.to_owned());
        let known = hash.map(str::to_owned);
        let (cost, nobody) = (self.cost, self.nobody.clone());
        let turn = self.turn().await?;
        turn.run(move |memory| match &known {
            Some(hash) => fits(&password, hash, memory),
            None => {
                fits(&password, nobody.get_or_init(|| nobodys(cost)), memory);
                false
            }
        })
        .await
    }
}

impl Turn {
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let Self { seat, place } = self;
        let work = move || {
            let _place = place;
            let mut memory = seat.bench().spare.pop().unwrap_or_default();
            let done = work(&mut memory);
            seat.hand_on(memory);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Code::Unavailable.into())
    }
}

/// The hash of a password that nobody knows.
fn nobodys(cost: PasswordCost) -> String {
    hash(&hex::encode(rand::random::<[u8; 16]>()), cost, &mut Memory::new()).unwrap_or_default()
}

fn hash(password: &str, cost: PasswordCost, memory: &mut Memory) -> Result<String, AppError> {
    let failed = |e: password_hash::Error| AppError::internal(format!("hashing failed: {e}"));
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|e| failed(e.into()))?;
    let hash = work_out(password, salt.as_salt(), Algorithm::default(), Version::default(), &params, memory)
        .map_err(failed)?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: (&params).try_into().map_err(failed)?,
        salt: Some(salt.as_salt()),
        hash: Some(hash),
    };
    Ok(hash.to_string())
}

fn fits(password: &str, hash: &str, memory: &mut Memory) -> bool {
    let mut fits = || {
        let known = PasswordHash::new(hash)?;
        let version = known.version.map_or(Ok(Version::default()), Version::try_from)?;
        let salt = known.salt.ok_or(password_hash::Error::Password)?;
        let params = Params::try_from(&known)?;
        let found = work_out(password, salt, known.algorithm.try_into()?, version, &params, memory)?;
        // Compares in constant time.
        Ok::<_, password_hash::Error>(known.hash == Some(found))
    };
    fits().unwrap_or(false)
}

fn work_out(
    password: &str,
    salt: Salt<'_>,
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    memory: &mut Memory,
) -> password_hash::Result<Output> {
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes)?;
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    Output::init_with(length, |out| {
        Ok(Argon2::new(algorithm, version, params.clone()).hash_password_into_with_memory(
            password.as_bytes(),
            salt,
            out,
            memory,
        )?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]
    use super::*;
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    #[test]
    fn a_hash_fits_its_password_only() {
        let mut memory = Memory::new();
        let hash = hash("kumo-to-yama-39", PasswordCost::default(), &mut memory).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
        // In memory that another hash has left.
        assert!(fits("kumo-to-yama-39", &hash, &mut memory));
        assert!(!fits("kumo-to-yama-38", &hash, &mut memory));
        assert!(!fits("kumo-to-yama-39", "nonsense", &mut memory));
    }

    #[test]
    fn hashes_are_those_of_the_library() {
        let mut memory = Memory::new();
        let ours = hash("kumo-to-yama-39", PasswordCost::LEAST, &mut memory).unwrap();
        let parsed = PasswordHash::new(&ours).unwrap();
        Argon2::default().verify_password(b"kumo-to-yama-39", &parsed).unwrap();
        let salt = SaltString::encode_b64(b"sixteen bytes ok").unwrap();
        let theirs = Argon2::default().hash_password(b"kumo-to-yama-39", &salt).unwrap().to_string();
        assert!(fits("kumo-to-yama-39", &theirs, &mut memory));
        assert!(!fits("kumo-to-yama-38", &theirs, &mut memory));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_handed_on_and_given_back_at_rest() {
        let hashing = Hashing::default();
        let spare = || lock(&hashing.bench).spare.len();
        let first = hashing.turn().await.unwrap();
        first.run(|memory| memory.resize(1, Block::default())).await.unwrap();
        for _ in 0..3 {
            tokio::time::sleep(KEPT * 3 / 4).await;
            let next = hashing.turn().await.unwrap();
            assert_eq!(next.run(|memory| memory.len()).await.unwrap(), 1);
            assert_eq!(spare(), 1);
        }
        tokio::time::sleep(KEPT * 2).await;
        assert_eq!(spare(), 0);
        let next = hashing.turn().await.unwrap();
        assert_eq!(next.run(|memory| memory.len()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_waits_and_goes_leaves_nothing() {
        let hashing = Hashing::default();
        let (first, second) = (hashing.turn().await.unwrap(), hashing.turn().await.unwrap());
        let mut third = Box::pin(hashing.turn());
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        first.run(|_| ()).await.unwrap();
        drop(second);
        drop(third);
        assert_eq!(lock(&hashing.bench).taken, 0);
    }

    #[tokio::test]
    async fn a_hash_that_nobody_waits_for_keeps_its_place_to_its_end() {
        let hashing = Hashing::default();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let mut left = Box::pin(hashing.turn().await.unwrap().run(move |_| wait.recv().unwrap()));
        assert!(futures_util::poll!(left.as_mut()).is_pending());
        drop(left);
        assert_eq!(hashing.places.available_permits(), Hashing::PLACES - 1);
        go.send(()).unwrap();
        while hashing.places.available_permits() < Hashing::PLACES {
            tokio::task::yield_now().await;
        }
    }
}
