//! What an account may look like. Pure.

use crate::error::AppError;

/// A user id: 3 to 32 small letters, digits, `.`, `-` or `_`; capitals are made small.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`] for `login_id`.
pub fn login_id(given: &str) -> Result<String, AppError> {
    let id = given.trim().to_lowercase();
    let ok = (3..=32).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if ok { Ok(id) } else { Err(AppError::field("login_id")) }
}

#[cfg(test)]
mod tests {
    use super::login_id;

    #[test]
    fn ids_are_small_and_plain() {
        assert_eq!(login_id(" Tanaka.H ").unwrap(), "tanaka.h");
        for bad in ["ab", "田中さん", "a b c", "x@y", &"a".repeat(33)] {
            assert!(login_id(bad).is_err(), "{bad}");
        }
    }
}
