//! What the 2-D code for a phone's first set-up says: where the town's portal is, No and password, in
//! one URI. The format stands in this crate's README.

use std::fmt;

/// Longest code that is read, in bytes.
const MOST: usize = 512;
const START: &str = "renraku:enrol?";
const VERSION: &str = "1";

/// The content of a set-up code. It opens one certificate, once: show it to its reader alone.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupCode {
    /// The town's portal on the public host: `https://host[:port]/slug`.
    pub portal: String,
    /// 証明書取得用No.
    pub number: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetupCode").field("portal", &self.portal).finish_non_exhaustive()
    }
}

/// Why a text is no set-up code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupCodeError {
    /// Another kind of code altogether.
    Foreign,
    /// A set-up code of a version that this app does not know.
    Newer,
    /// A set-up code that is damaged or forged.
    Malformed,
}

impl fmt::Display for SetupCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not a set-up code",
            Self::Newer => "a set-up code of a newer version",
            Self::Malformed => "a damaged set-up code",
        })
    }
}

impl std::error::Error for SetupCodeError {}

impl SetupCode {
    /// The code as a URI.
    ///
    /// # Errors
    /// [`SetupCodeError::Malformed`] when a part is not one that [`Self::parse`] would read back.
    pub fn to_uri(&self) -> Result<String, SetupCodeError> {
        let uri = format!(
            "{START}v={VERSION}&portal={}&no={}&pw={}",
            escaped(&self.portal),
            escaped(&self.number),
            escaped(&self.password)
        );
        if Self::parse(&uri)? == *self { Ok(uri) } else { Err(SetupCodeError::Malformed) }
    }

    /// Reads a code. Whatever a camera may see: each field once, no others, each of its own shape.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SetupCodeError> {
        let fields = text.strip_prefix(START).ok_or(SetupCodeError::Foreign)?;
        if text.len() > MOST {
            return Err(SetupCodeError::Malformed);
        }
        let (mut version, mut portal, mut number, mut password) = (None, None, None, None);
        for field in fields.split('&') {
            let (name, value) = field.split_once('=').ok_or(SetupCodeError::Malformed)?;
            let place = match name {
                "v" => &mut version,
                "portal" => &mut portal,
                "no" => &mut number,
                "pw" => &mut password,
                // A later version may carry more; its number says so.
                _ => continue,
            };
            if place.replace(unescaped(value).ok_or(SetupCodeError::Malformed)?).is_some() {
                return Err(SetupCodeError::Malformed);
            }
        }
        let version = version.ok_or(SetupCodeError::Malformed)?;
        if version != VERSION {
            let plain = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if plain { SetupCodeError::Newer } else { SetupCodeError::Malformed });
        }
        if fields.split('&').count() != 4 {
            return Err(SetupCodeError::Malformed);
        }
        match (portal, number, password) {
            (Some(portal), Some(number), Some(password))
                if is_portal(&portal) && is_number(&number) && is_password(&password) =>
            {
                Ok(Self { portal, number, password })
            }
            _ => Err(SetupCodeError::Malformed),
        }
    }

    /// The public host: the portal's address without the town.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.portal.rsplit_once('/').map_or("", |(host, _)| host)
    }

    /// The town's name in addresses.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.portal.rsplit_once('/').map_or("", |(_, slug)| slug)
    }
}

/// `https`, a host without user or password, perhaps a port, and the town; nothing behind.
fn is_portal(text: &str) -> bool {
    let Some((host, slug)) = text.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let slug_ok = (2..=32).contains(&slug.len())
        && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_ok = port.is_none_or(|p| {
        p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|number| number > 0)
    });
    let name_ok = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            (1..=253).contains(&name.len())
                && name.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                })
        }
    };
    slug_ok && port_ok && name_ok
}

fn is_number(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn is_password(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(b),
            _ => return None,
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> SetupCode {
        SetupCode {
            portal: "https://renraku.example.jp:8443/minowa".into(),
            number: "0123-4567-8901".into(),
            password: "aB3%&=+?/~xyz".into(),
        }
    }

    #[test]
    fn a_code_comes_back_as_it_was() {
        let uri = code().to_uri().unwrap();
        assert_eq!(
            uri,
            "renraku:enrol?v=1&portal=https%3A%2F%2Frenraku.example.jp%3A8443%2Fminowa&no=0123-4567-8901&\
             pw=aB3%25%26%3D%2B%3F%2F~xyz"
        );
        let read = SetupCode::parse(&uri).unwrap();
        assert_eq!(read, code());
        assert_eq!((read.public_url(), read.slug()), ("https://renraku.example.jp:8443", "minowa"));
        for portal in ["https://localhost:8443/one", "https://[::1]:8443/one", "https://a.b/one"] {
            let code = SetupCode { portal: portal.into(), ..code() };
            assert_eq!(SetupCode::parse(&code.to_uri().unwrap()).unwrap(), code);
        }
        assert!(!format!("{read:?}").contains("aB3"));
    }

    #[test]
    fn what_would_not_come_back_is_not_made() {
        for bad in [
            SetupCode { portal: "http://a.b/one".into(), ..code() },
            SetupCode { number: "no".into(), ..code() },
            SetupCode { password: "ひみつ".into(), ..code() },
            SetupCode { password: String::new(), ..code() },
        ] {
            assert_eq!(bad.to_uri(), Err(SetupCodeError::Malformed), "{}", bad.portal);
        }
    }

    #[test]
    fn hostile_codes_are_refused() {
        use SetupCodeError::{Foreign, Malformed, Newer};
        let with = |portal: &str| format!("renraku:enrol?v=1&portal={}&no=1&pw=x", escaped(portal));
        for portal in [
            "https://good.example@evil.example/one",
            "https://evil.example/one/two",
            "https://evil.example/one?x=1",
            "https://evil.example/one#x",
            "https://evil.example/ONE",
            "https://evil.example/../one",
            "https://evil.example\\@good.example/one",
            "https://evil.example:0/one",
            "https://evil.example:99999/one",
            "https://evil.example:+80/one",
            "https://evil..example/one",
            "https://-evil.example/one",
            "https://пример.example/one",
            "https:///one",
            "https://evil.example/o",
            "javascript://evil.example/one",
            "https://[::g]/one",
        ] {
            assert_eq!(SetupCode::parse(&with(portal)), Err(Malformed), "{portal}");
        }
        let good = code().to_uri().unwrap();
        for (text, why) in [
            (String::new(), Foreign),
            ("https://evil.example/".into(), Foreign),
            ("RENRAKU:ENROL?v=1".into(), Foreign),
            ("renraku:enrol?".into(), Malformed),
            (good.replace("v=1", "v=2"), Newer),
            (good.replace("v=1", "v=one"), Malformed),
            (good.replace("v=1&", ""), Malformed),
            (format!("{good}&pw=other"), Malformed),
            (format!("{good}&x=1"), Malformed),
            (format!("{good}%"), Malformed),
            (format!("{good}%4"), Malformed),
            (format!("{good}%zz"), Malformed),
            (format!("{good}%00"), Malformed),
            (format!("{good}%ff"), Malformed),
            (format!("{good} "), Malformed),
            (format!("{good}\n"), Malformed),
            (format!("{good}{}", "a".repeat(600)), Malformed),
            ("renraku:enrol?v=2&token=abc".into(), Newer),
        ] {
            assert_eq!(SetupCode::parse(&text), Err(why), "{text}");
        }
        // Cut anywhere, it is never read as something else.
        for end in 0..good.len() {
            let whole_but_shorter_password = good[..end].contains("&pw=a");
            assert!(SetupCode::parse(&good[..end]).is_err() || whole_but_shorter_password, "{end}");
        }
    }
}
