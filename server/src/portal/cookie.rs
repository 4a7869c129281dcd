//! The session cookie's two lines.

/// Sets the session cookie: this host only, TLS only, unseen by scripts, not sent from other sites,
/// forgotten when the browser closes.
#[must_use]
pub fn set(name: &str, token: &str) -> String {
    format!("{name}={token}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Takes the session cookie back.
#[must_use]
pub fn clear(name: &str) -> String {
    format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cookie_has_what_its_prefix_asks_for() {
        for line in [set("__Host-x", "abc"), clear("__Host-x")] {
            assert!(line.starts_with("__Host-x="));
            for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                assert!(line.contains(part), "{line}");
            }
            assert!(!line.contains("Domain"));
        }
        assert!(set("a", "b").starts_with("a=b;"));
        assert!(clear("a").starts_with("a=;") && clear("a").contains("Max-Age=0"));
    }
}
