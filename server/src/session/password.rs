//! Passwords: argon2id, random ones, and which are too easy (R-AUTH3).

use crate::error::AppError;
use crate::state::App;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use renraku_wire::{Code, limits};
use std::sync::LazyLock;

/// Letters and digits that nobody mixes up on paper or on the telephone.
const CLEAR: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A random password of twelve clear characters, 59 bits.
#[must_use]
pub fn random() -> String {
    random_text(12)
}

/// A random text of `length` clear characters.
#[must_use]
pub fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(CLEAR[rand::random_range(0..CLEAR.len())])).collect()
}

/// Hashes a password; takes tens of milliseconds, so not on the runtime's threads.
///
/// # Errors
/// None in practice; the hash failed.
pub fn hash_blocking(password: &str) -> Result<String, AppError> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())
        .map_err(|e| AppError::internal(format!("no salt: {e}")))?;
    Ok(Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|e| AppError::internal(format!("hashing failed: {e}")))?
        .to_string())
}

fn verify_blocking(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Hashes a password on a thread of its own.
///
/// # Errors
/// The server is stopping.
pub async fn hash(app: &App, password: &str) -> Result<String, AppError> {
    let _turn = app.hashing.acquire().await.map_err(|_| AppError::from(Code::Unavailable))?;
    let password = zeroize::Zeroizing::new(password.to_owned());
    tokio::task::spawn_blocking(move || hash_blocking(&password))
        .await
        .map_err(|_| AppError::from(Code::Unavailable))?
}

/// The hash that a password is held against where there is no account, so that both take as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_blocking(&random()).unwrap_or_default());

/// True when the password is the hash's. Without a hash it is false, after the same work.
///
/// # Errors
/// The server is stopping.
pub async fn verify(app: &App, password: &str, hash: Option<&str>) -> Result<bool, AppError> {
    let _turn = app.hashing.acquire().await.map_err(|_| AppError::from(Code::Unavailable))?;
    let password = zeroize::Zeroizing::new(password.to_owned());
    let known = hash.is_some();
    let hash = hash.map(str::to_owned);
    let fits = tokio::task::spawn_blocking(move || {
        verify_blocking(&password, hash.as_deref().unwrap_or(NOBODY.as_str()))
    })
    .await
    .map_err(|_| AppError::from(Code::Unavailable))?;
    Ok(fits && known)
}

/// Refuses a password that is too short, too long, has too few different characters, or holds the id
/// or the name of its owner.
///
/// # Errors
/// [`Code::PasswordWeak`].
pub fn check(password: &str, login_id: &str, name: &str) -> Result<(), Code> {
    let length = password.chars().count();
    let distinct = password.chars().collect::<std::collections::HashSet<_>>().len();
    let lower = password.to_lowercase();
    let holds = |part: &str| part.chars().count() >= 2 && lower.contains(&part.to_lowercase());
    let run = lower.as_bytes().windows(2).filter(|w| w[1] == w[0].wrapping_add(1) || w[1] == w[0]).count();
    let easy = distinct < 5
        || COMMON.iter().any(|word| lower.contains(word))
        || run * 2 > lower.len()
        || holds(login_id)
        || name.split_whitespace().any(holds);
    if easy || !(limits::PASSWORD_CHARS..=limits::PASSWORD_CHARS_MAX).contains(&length) {
        Err(Code::PasswordWeak)
    } else {
        Ok(())
    }
}

const COMMON: &[&str] =
    &["password", "passw0rd", "qwerty", "renraku", "letmein", "welcome", "admin", "1q2w3e"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for bad in [
            "short1!",
            "aaaaaaaaaa",
            "12345678",
            "abcdefgh1",
            "Password2026",
            "nurse01-xx",
            "花子と太郎の家",
            &"x7!kQ".repeat(30),
        ] {
            assert_eq!(check(bad, "nurse01", "田中 花子"), Err(Code::PasswordWeak), "{bad}");
        }
        for good in ["kumo-to-yama-39", "7hV!pz2Q", "あさひ山の赤い橋"] {
            assert_eq!(check(good, "nurse01", "田中 花子"), Ok(()), "{good}");
        }
        for _ in 0..200 {
            assert_eq!(random().len(), 12);
        }
    }

    #[test]
    fn a_hash_fits_its_password_only() {
        let hash = hash_blocking("kumo-to-yama-39").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_blocking("kumo-to-yama-39", &hash));
        assert!(!verify_blocking("kumo-to-yama-38", &hash));
        assert!(!verify_blocking("kumo-to-yama-39", "nonsense"));
    }
}
