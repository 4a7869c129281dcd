//! Where a form leads afterwards: own local addresses only.

use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};

/// The given address when it is a path of this host, else `/`. An address such as `//host`, `/\host`
/// or one with a scheme would lead elsewhere; signing out and signing in again are no destinations.
#[must_use]
pub fn next(given: &str) -> String {
    let plain = given.len() <= 512
        && given.starts_with('/')
        && !given.starts_with("//")
        && given.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"' && b != b'<' && b != b'>');
    let path = given.split(['?', '#']).next().unwrap_or_default();
    let onward = !matches!(path, "/sign-in" | "/sign-out" | "/password")
        && !path.starts_with("/v1/")
        && !path.split('/').any(|part| matches!(part, "." | ".."));
    if plain && onward && given.parse::<Uri>().is_ok_and(|u| u.authority().is_none()) {
        given.to_owned()
    } else {
        "/".to_owned()
    }
}

/// `path?next=…`, without the parameter when it would lead home.
#[must_use]
pub fn with_next(path: &str, given: &str) -> String {
    let next = next(given);
    if next == "/" {
        return path.to_owned();
    }
    let escaped: String = next
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("{path}?next={escaped}")
}

/// 303: the browser asks for `to` with GET.
#[must_use]
pub fn see(to: &str) -> Response {
    Redirect::to(to).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_local_paths_are_followed() {
        for good in
            ["/", "/staff", "/notices/0191d6a0-0000-7000-8000-000000000000", "/patients/x?before=1.y#post-3"]
        {
            assert_eq!(next(good), good);
        }
        for bad in [
            "",
            "staff",
            "https://evil.invalid/",
            "//evil.invalid",
            "/\\evil.invalid",
            "\\\\evil",
            "/a\nb",
            "/ä",
            "/a b",
            "javascript:alert(1)",
            "/sign-out",
            "/sign-in?next=/x",
            "/v1/session",
            "/../x",
            "/./sign-out",
            "/<script>",
            &format!("/{}", "a".repeat(600)),
        ] {
            assert_eq!(next(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn the_next_parameter_is_escaped() {
        assert_eq!(
            with_next("/sign-in", "/patients/a?before=1#p"),
            "/sign-in?next=/patients/a%3Fbefore%3D1%23p"
        );
        assert_eq!(with_next("/sign-in", "//evil.invalid"), "/sign-in");
        assert_eq!(with_next("/sign-in", "/"), "/sign-in");
    }
}
