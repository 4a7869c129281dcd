//! Mails to people, by the town's own SMTP server.
//!
//! One plain-text mail to one address. Not here: what a mail says, whom it goes to, and how often a
//! failed one is tried again.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// For one command and its answer.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);
/// For the whole delivery, with dialling and signing in.
const WHOLE_LIMIT: Duration = Duration::from_secs(60);

/// The town's SMTP server.
#[derive(Clone)]
pub struct MailConfig {
    /// `smtps://user:password@host`, `smtp://…?tls=required` (STARTTLS) or plain `smtp://host:port`.
    pub smtp_url: String,
    /// Sender, an address with or without a name.
    pub from: String,
    /// Certificate trusted beside Mozilla's roots, PEM; without TLS nobody looks at it.
    pub extra_root_pem: Option<String>,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Why mail cannot be set up. Every case is a mistake in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailConfigError {
    /// Not an SMTP address of the forms above.
    #[error("the SMTP address cannot be read")]
    Url,
    /// Not a mail address.
    #[error("the sender is not a mail address")]
    From,
    /// Not a PEM certificate.
    #[error("the extra root is not a PEM certificate")]
    Root,
}

/// One mail to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address, without a name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same on every try, so that a mail delivered twice is shown once.
    pub id: Uuid,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What became of one mail. Reasons never hold an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// The town's server has taken it.
    Delivered,
    /// Not now: try the same again.
    Retry {
        /// What went wrong.
        reason: String,
    },
    /// Not this, however often it is tried.
    Refused {
        /// What went wrong.
        reason: String,
    },
}

/// Sends mails over a few kept connections. One for the process. Shared freely.
#[derive(Clone)]
pub struct Mailer {
    smtp: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

impl Mailer {
    /// Reads the configuration; dials nothing yet. Call it inside the tokio runtime.
    ///
    /// # Errors
    /// A mistake in the configuration, named.
    pub fn new(config: &MailConfig) -> Result<Self, MailConfigError> {
        let from: Mailbox = config.from.parse().map_err(|_| MailConfigError::From)?;
        let url: http::Uri = config.smtp_url.parse().map_err(|_| MailConfigError::Url)?;
        let mut smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url)
            .map_err(|_| MailConfigError::Url)?;
        let host = url.host().ok_or(MailConfigError::Url)?;
        let wants = TlsWanted::of(&url);
        if let Some(pem) = &config.extra_root_pem {
            smtp = smtp.tls(wants.trusting(host, pem)?);
            tracing::warn!(host, "mail trusts an extra root certificate: meant for tests only");
        }
        let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if !here && matches!(wants, TlsWanted::No | TlsWanted::IfOffered) {
            tracing::warn!(
                host,
                "mail leaves this machine without certain encryption: add ?tls=required or use smtps"
            );
        }
        let pool = PoolConfig::new().max_size(4).idle_timeout(Duration::from_secs(60));
        Ok(Self { smtp: smtp.timeout(Some(COMMAND_LIMIT)).pool_config(pool).build(), from })
    }

    /// Sends one mail and says what became of it, within about a minute.
    pub async fn send(&self, mail: &Mail) -> MailOutcome {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(reason) => return MailOutcome::Refused { reason: reason.into() },
        };
        match tokio::time::timeout(WHOLE_LIMIT, self.smtp.send(message)).await {
            Ok(Ok(_)) => MailOutcome::Delivered,
            Ok(Err(error)) => failed(&error),
            Err(_) => MailOutcome::Retry { reason: format!("smtp: not done within {WHOLE_LIMIT:?}") },
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, &'static str> {
        let to: Address = mail.to.parse().map_err(|_| "not a mail address")?;
        if mail.subject.chars().any(char::is_control) {
            return Err("the subject is more than one line");
        }
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|_| "the mail cannot be written")
    }
}

/// What the address asks for, read as lettre reads it; lettre takes no extra root with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsWanted {
    No,
    IfOffered,
    Required,
    FromTheStart,
}

impl TlsWanted {
    fn of(url: &http::Uri) -> Self {
        let asked = url.query().and_then(|q| q.split('&').find_map(|pair| pair.strip_prefix("tls=")));
        match (url.scheme_str(), asked) {
            (Some("smtps"), _) => Self::FromTheStart,
            (_, Some("required")) => Self::Required,
            (_, Some("opportunistic")) => Self::IfOffered,
            _ => Self::No,
        }
    }

    fn trusting(self, host: &str, root_pem: &str) -> Result<Tls, MailConfigError> {
        let bad = || MailConfigError::Root;
        let mut trust = TlsParameters::builder(host.to_owned());
        let mut roots = 0;
        for root in CertificateDer::pem_slice_iter(root_pem.as_bytes()) {
            let der = root.map_err(|_| bad())?.to_vec();
            trust = trust.add_root_certificate(Certificate::from_der(der).map_err(|_| bad())?);
            roots += 1;
        }
        if roots == 0 {
            return Err(bad());
        }
        let trust = trust.build().map_err(|_| bad())?;
        match self {
            Self::No => Ok(Tls::None),
            Self::IfOffered => Ok(Tls::Opportunistic(trust)),
            Self::Required => Ok(Tls::Required(trust)),
            Self::FromTheStart => Ok(Tls::Wrapper(trust)),
        }
    }
}

/// Servers like to repeat the address in their text: only the number is kept.
fn failed(error: &SmtpError) -> MailOutcome {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let reason = format!("smtp {code}");
        // 53x speaks of our own sign-in, not of this mail.
        let ours = (530..=538).contains(&code);
        return if error.is_permanent() && !ours {
            MailOutcome::Refused { reason }
        } else {
            MailOutcome::Retry { reason }
        };
    }
    let what = match () {
        () if error.is_timeout() => "no answer in time",
        () if error.is_tls() => "TLS failed",
        () if error.is_response() => "an answer that cannot be read",
        () if error.is_client() => {
            return MailOutcome::Refused { reason: "smtp: the server cannot take this mail".into() };
        }
        () => "no connection",
    };
    MailOutcome::Retry { reason: format!("smtp: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> MailConfig {
        MailConfig {
            smtp_url: url.into(), from: "連絡 <renraku@town.example>".into(), extra_root_pem: None
        }
    }

    fn mail(to: &str, subject: &str) -> Mail {
        Mail { to: to.into(), subject: subject.into(), body: "本文です。\n".into(), id: Uuid::nil() }
    }

    #[tokio::test]
    async fn a_mail_is_plain_and_keeps_its_id() {
        let mailer = Mailer::new(&config("smtp://localhost:25")).unwrap();
        let message = mailer.message(&mail("a@b.example", "お知らせ")).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(
            text.contains("Message-ID: <00000000-0000-0000-0000-000000000000@town.example>\r\n"),
            "{text}"
        );
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{text}");
        assert!(text.contains("To: a@b.example\r\n"), "{text}");
        assert!(text.is_ascii(), "{text}");
    }

    #[tokio::test]
    async fn a_mail_that_would_smuggle_a_header_is_refused() {
        let mailer = Mailer::new(&config("smtp://localhost:25")).unwrap();
        for bad in [
            mail("a@b.example\r\nBcc: c@d.example", "x"),
            mail("a@b.example", "x\r\nBcc: c@d.example"),
            mail("nobody", "x"),
        ] {
            let MailOutcome::Refused { reason } = mailer.send(&bad).await else { panic!("{:?}", bad.to) };
            assert!(!reason.contains('@'));
        }
    }

    #[tokio::test]
    async fn mistakes_in_the_configuration_are_named() {
        let made = |url: &str, from: &str, root: Option<&str>| {
            let config =
                MailConfig { smtp_url: url.into(), from: from.into(), extra_root_pem: root.map(Into::into) };
            Mailer::new(&config).err()
        };
        assert_eq!(made("smtps://u:p@h.example", "a@b.example", None), None);
        assert_eq!(made("smtp://h.example?tls=required", "a@b.example", None), None);
        assert_eq!(made("http://h.example", "a@b.example", None), Some(MailConfigError::Url));
        assert_eq!(made("smtp://h.example?tls=perhaps", "a@b.example", None), Some(MailConfigError::Url));
        assert_eq!(made("smtp://h.example", "nobody", None), Some(MailConfigError::From));
        assert_eq!(made("smtps://h.example", "a@b.example", Some("x")), Some(MailConfigError::Root));
        let root = rcgen::generate_simple_self_signed(["h.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(made("smtps://h.example", "a@b.example", Some(&root)), None);
        assert_eq!(made("smtp://h.example", "a@b.example", Some(&root)), None);
    }

    #[test]
    fn tls_is_read_as_lettre_reads_it() {
        let of = |url: &str| TlsWanted::of(&url.parse().unwrap());
        assert_eq!(of("smtp://h"), TlsWanted::No);
        assert_eq!(of("smtp://h?tls=required"), TlsWanted::Required);
        assert_eq!(of("smtp://h:587?x=1&tls=opportunistic"), TlsWanted::IfOffered);
        assert_eq!(of("smtps://u:p@h"), TlsWanted::FromTheStart);
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert!(!format!("{:?}", config("smtp://u:SECRET@h")).contains("SECRET"));
        assert!(!format!("{:?}", mail("SECRET@b.example", "SECRET")).contains("SECRET"));
    }
}
