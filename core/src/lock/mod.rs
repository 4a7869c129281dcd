//! A person's lock: how the key of their store is kept. Everything here blocks.
//!
//! Without a PIN the key itself rests in the vault, and the platform alone guards it. With one, the vault holds
//! only what [`Record`] shows: the key sealed under what argon2id makes of the PIN and a pepper. The PIN
//! without the vault lacks pepper and sealed key; the vault without the PIN lacks the PIN. The file of the
//! store is a third thing that both need. Biometrics are a second seal over the same key, opened by a secret
//! that the platform releases only to the person's finger or face; dropping the seal makes that secret
//! worthless, whether the platform still has it or not.
//!
//! The record changes by one `store` of the vault, which is whole or not at all. A try is counted *before* the
//! PIN is looked at, so that a kill does not give a try back. Not here: the store, and who has one (people).

use crate::store::StoreKey;
use crate::vault::{Vault, VaultError};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use zeroize::{Zeroize, Zeroizing};

/// Wrong PINs in a row after which the person's store is wiped (domain 4.3.4: 5–10).
pub const PIN_TRIES: u32 = 10;
/// Characters of a PIN: digits, or any others.
pub const PIN_CHARS: RangeInclusive<usize> = 6..=64;

/// What a PIN costs to try: memory in KiB and passes. Kept in each record, so it may rise.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Above this a record was tampered with: it shall not eat the phone's memory.
const MEMORY_KIB_MOST: u32 = 512 * 1024;

/// Why a lock did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LockError {
    /// There is a PIN, and nobody gave it.
    #[error("the store is locked")]
    Locked,
    /// Not the PIN.
    #[error("wrong PIN")]
    WrongPin {
        /// Wrong tries until the store is wiped.
        left: u32,
    },
    /// Not the PIN, and that was the last try: the store must be wiped.
    #[error("no tries left")]
    Spent,
    /// Too short, too long, or one that anybody tries first.
    #[error("not a PIN to choose")]
    Weak,
    /// The record cannot be read.
    #[error("the lock is damaged")]
    Damaged,
    /// The vault cannot look now.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// How a person's store is guarded, beyond the platform's vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonLock {
    /// True when a PIN was set.
    pub pin: bool,
    /// True when biometrics may open it instead of the PIN.
    pub biometrics: bool,
    /// Wrong PINs that are left until everything of the person is wiped from this device.
    pub tries_left: u32,
}

#[derive(Serialize, Deserialize)]
struct Record {
    version: u8,
    memory_kib: u32,
    passes: u32,
    salt: String,
    pepper: String,
    /// The key, sealed under PIN and pepper.
    pin: String,
    /// The key, sealed under the secret that biometrics release.
    biometrics: Option<String>,
    /// Tries since the PIN was last right, the one under way counted.
    tries: u32,
}

impl Drop for Record {
    fn drop(&mut self) {
        self.pepper.zeroize();
    }
}

/// The lock called `name` in this vault. `whose` is bound into the seals: a record put in another's place
/// does not open.
pub(crate) struct Lock<'a> {
    vault: &'a dyn Vault,
    name: String,
    whose: &'a [u8],
}

impl<'a> Lock<'a> {
    pub(crate) fn new(vault: &'a dyn Vault, name: String, whose: &'a [u8]) -> Self {
        Self { vault, name, whose }
    }

    fn load(&self) -> Result<Option<Record>, LockError> {
        let Some(bytes) = self.vault.load(&self.name)?.map(Zeroizing::new) else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| LockError::Damaged)
    }

    fn save(&self, record: &Record) -> Result<(), LockError> {
        let bytes = Zeroizing::new(serde_json::to_vec(record).map_err(|_| LockError::Damaged)?);
        Ok(self.vault.store(&self.name, &bytes)?)
    }

    /// How the store is guarded.
    pub(crate) fn state(&self) -> Result<PersonLock, LockError> {
        Ok(match self.load()? {
            None => PersonLock { pin: false, biometrics: false, tries_left: PIN_TRIES },
            Some(record) => PersonLock {
                pin: true,
                biometrics: record.biometrics.is_some(),
                tries_left: PIN_TRIES.saturating_sub(record.tries),
            },
        })
    }

    /// Seals the key under a new PIN. Instead of an older one; what biometrics open stays.
    pub(crate) fn set_pin(&self, key: &StoreKey, pin: &str) -> Result<(), LockError> {
        if is_weak(pin) {
            return Err(LockError::Weak);
        }
        let (salt, pepper): ([u8; 16], Zeroizing<[u8; 32]>) =
            (rand::random(), Zeroizing::new(rand::random()));
        let mut record = Record {
            version: 1,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: STANDARD.encode(salt),
            pepper: STANDARD.encode(pepper.as_slice()),
            pin: String::new(),
            biometrics: self.load()?.and_then(|mut old| old.biometrics.take()),
            tries: 0,
        };
        let kek = stretch(pin, &record)?;
        record.pin = self.seal(&kek, key)?;
        self.save(&record)
    }

    /// The key, for the right PIN.
    pub(crate) fn open_with_pin(&self, pin: &str) -> Result<StoreKey, LockError> {
        let mut record = self.load()?.ok_or(LockError::Damaged)?;
        if record.tries >= PIN_TRIES {
            return Err(LockError::Spent);
        }
        record.tries += 1;
        self.save(&record)?;
        match self.unseal(&stretch(pin, &record)?, &record.pin) {
            Some(key) => {
                record.tries = 0;
                self.save(&record)?;
                Ok(key)
            }
            None if record.tries >= PIN_TRIES => Err(LockError::Spent),
            None => Err(LockError::WrongPin { left: PIN_TRIES - record.tries }),
        }
    }

    /// Gives `guarded`, which releases what it keeps only to the person, a new secret to keep. It may ask the
    /// person meanwhile. Opens nothing before [`Lock::add_biometrics`].
    pub(crate) fn guard(&self, guarded: &dyn Vault) -> Result<Zeroizing<[u8; 32]>, LockError> {
        let kek = Zeroizing::new(rand::random::<[u8; 32]>());
        guarded.store(&self.name, kek.as_slice())?;
        Ok(kek)
    }

    /// Adds the seal that biometrics open, by the secret that `guarded` keeps.
    pub(crate) fn add_biometrics(&self, key: &StoreKey, kek: &Zeroizing<[u8; 32]>) -> Result<(), LockError> {
        let mut record = self.load()?.ok_or(LockError::Locked)?;
        record.biometrics = Some(self.seal(kek, key)?);
        self.save(&record)
    }

    /// What the platform keeps for biometrics, if it releases it; none when nothing would open by it. It asks the
    /// person meanwhile.
    pub(crate) fn released(&self, guarded: &dyn Vault) -> Result<Option<Zeroizing<[u8; 32]>>, LockError> {
        let Some(record) = self.load()? else { return Ok(None) };
        if record.biometrics.is_none() || record.tries >= PIN_TRIES {
            return Ok(None);
        }
        let Some(kek) = guarded.load(&self.name)?.map(Zeroizing::new) else { return Ok(None) };
        Ok(<[u8; 32]>::try_from(kek.as_slice()).map(Zeroizing::new).ok())
    }

    /// The key, for what the platform released.
    pub(crate) fn open_with_biometrics(
        &self,
        released: Option<&Zeroizing<[u8; 32]>>,
    ) -> Result<StoreKey, LockError> {
        let record = self.load()?.ok_or(LockError::Locked)?;
        if record.tries >= PIN_TRIES {
            return Err(LockError::Spent);
        }
        let sealed = record.biometrics.as_deref().ok_or(LockError::Locked)?;
        // Gone, or of a finger that was enrolled since: the PIN still opens.
        self.unseal(released.ok_or(LockError::Locked)?, sealed).ok_or(LockError::Locked)
    }

    /// Takes the seal of biometrics away. What the platform keeps opens nothing from now on.
    pub(crate) fn remove_biometrics(&self) -> Result<(), LockError> {
        let Some(mut record) = self.load()? else { return Ok(()) };
        record.biometrics = None;
        self.save(&record)
    }

    /// Forgets the lock: what it sealed is noise from now on.
    pub(crate) fn remove(&self) -> Result<(), VaultError> {
        self.vault.remove(&self.name)
    }

    fn seal(&self, kek: &Zeroizing<[u8; 32]>, key: &StoreKey) -> Result<String, LockError> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = key.to_vec();
        cipher(kek)
            .and_then(|cipher| {
                let place = (Nonce::assume_unique_for_key(nonce), Aad::from(self.whose));
                cipher.seal_in_place_append_tag(place.0, place.1, &mut sealed).ok()
            })
            .ok_or(LockError::Damaged)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn unseal(&self, kek: &Zeroizing<[u8; 32]>, sealed: &str) -> Option<StoreKey> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = cipher(kek)?.open_in_place(nonce, Aad::from(self.whose), &mut opened).ok()?;
        Some(Zeroizing::new(<[u8; 32]>::try_from(&*key).ok()?))
    }
}

fn cipher(kek: &Zeroizing<[u8; 32]>) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, kek.as_slice()).ok().map(LessSafeKey::new)
}

fn stretch(pin: &str, record: &Record) -> Result<Zeroizing<[u8; 32]>, LockError> {
    if record.version != 1 || record.memory_kib > MEMORY_KIB_MOST || record.passes > 100 {
        return Err(LockError::Damaged);
    }
    let decode = |text: &str| STANDARD.decode(text).map(Zeroizing::new).map_err(|_| LockError::Damaged);
    let (salt, pepper) = (decode(&record.salt)?, decode(&record.pepper)?);
    let params =
        Params::new(record.memory_kib, record.passes, 1, Some(32)).map_err(|_| LockError::Damaged)?;
    let mut kek = Zeroizing::new([0; 32]);
    Argon2::new_with_secret(&pepper, Algorithm::Argon2id, Version::V0x13, params)
        .and_then(|argon2| argon2.hash_password_into(pin.as_bytes(), &salt, kek.as_mut_slice()))
        .map_err(|_| LockError::Damaged)?;
    Ok(kek)
}

/// Too short or too long, one character over and over, or steps of one: 111111, 123456, 987654.
fn is_weak(pin: &str) -> bool {
    let characters: Vec<i64> = pin.chars().map(|c| i64::from(u32::from(c))).collect();
    let even = characters.windows(2).all(|w| w[1] - w[0] == characters[1] - characters[0]);
    !PIN_CHARS.contains(&characters.len()) || even
}

#[cfg(test)]
mod tests;
