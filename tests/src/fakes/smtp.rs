//! A mail carrier that keeps what it is given: enough of RFC 5321 for a real client to deliver.
//! No TLS and no sign-in: what is tested is the mail, not the carrier.

use super::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Longest mail that is taken.
const LONGEST: u64 = 1024 * 1024;

/// One mail as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When its last byte was read.
    pub at: Instant,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// All headers, unfolded, encoded words decoded.
    pub headers: Vec<(String, String)>,
    /// The text, decoded.
    pub body: String,
    /// All of it, as it came.
    pub raw: String,
}

impl Received {
    /// The first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// A running fake. Recipients that begin with `reject-` get 550, with `later-` 451; all others are
/// taken. Gone with its connections when dropped.
pub struct Smtp {
    /// Its address, `smtp://…`.
    pub url: String,
    record: Arc<Record<Received>>,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Smtp {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// Without a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("bound"));
        let (record, connections) = (Arc::new(Record::default()), Arc::new(AtomicUsize::new(0)));
        let (kept, counted) = (record.clone(), connections.clone());
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                counted.fetch_add(1, Ordering::SeqCst);
                let kept = kept.clone();
                open.spawn(async move {
                    // A client that hangs up in the middle is its own affair.
                    let _ = converse(tcp, &kept).await;
                });
            }
        });
        Self { url, record, connections, accepting }
    }

    /// Every mail taken, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.record.all()
    }

    /// The mails taken, once there are `n` or the time is over.
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Vec<Received> {
        self.record.wait_for(n, timeout, |_| true).await
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(tcp: TcpStream, record: &Record<Received>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut tcp = BufReader::new(tcp);
    let (mut from, mut to) = (None::<String>, Vec::<String>::new());
    say(&mut tcp, "220 fake ESMTP").await?;
    while let Some(line) = line(&mut tcp).await? {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("EHLO ") {
            say(&mut tcp, "250-fake\r\n250-8BITMIME\r\n250 SIZE 1048576").await?;
        } else if upper.starts_with("HELO ") || upper == "NOOP" {
            say(&mut tcp, "250 OK").await?;
        } else if upper == "RSET" {
            (from, to) = (None, Vec::new());
            say(&mut tcp, "250 OK").await?;
        } else if upper.starts_with("MAIL FROM:") {
            (from, to) = (address(&line), Vec::new());
            say(&mut tcp, if from.is_some() { "250 OK" } else { "501 5.1.7 no address" }).await?;
        } else if upper.starts_with("RCPT TO:") {
            let answer = match address(&line) {
                _ if from.is_none() => "503 5.5.1 MAIL first".to_owned(),
                None => "501 5.1.3 no address".into(),
                Some(a) if a.starts_with("reject-") => format!("550 5.1.1 <{a}>: no such person"),
                Some(a) if a.starts_with("later-") => format!("451 4.3.0 <{a}>: try again later"),
                Some(a) => {
                    to.push(a);
                    "250 OK".into()
                }
            };
            say(&mut tcp, &answer).await?;
        } else if upper == "DATA" {
            let Some(sender) = from.take().filter(|_| !to.is_empty()) else {
                say(&mut tcp, "503 5.5.1 RCPT first").await?;
                continue;
            };
            say(&mut tcp, "354 end with a dot").await?;
            let Some(raw) = data(&mut tcp).await? else { return Ok(()) };
            let (headers, body) = parsed(&raw);
            record.add(Received {
                at: Instant::now(),
                from: sender,
                to: std::mem::take(&mut to),
                headers,
                body,
                raw,
            });
            say(&mut tcp, "250 OK").await?;
        } else if upper == "QUIT" {
            return say(&mut tcp, "221 bye").await;
        } else {
            say(&mut tcp, "502 5.5.2 not known").await?;
        }
    }
    Ok(())
}

async fn say(tcp: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    tcp.write_all(format!("{text}\r\n").as_bytes()).await
}

/// One line without its end; none when the client has hung up or the line has no end in sight.
async fn line(tcp: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    tcp.take(LONGEST).read_until(b'\n', &mut bytes).await?;
    let Some(text) = bytes.strip_suffix(b"\n") else { return Ok(None) };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok(Some(String::from_utf8_lossy(text).into_owned()))
}

/// The mail up to its lone dot, doubled dots undone.
async fn data(tcp: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut raw = String::new();
    while let Some(line) = line(tcp).await? {
        if line == "." {
            return Ok(Some(raw));
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
        raw.push_str("\r\n");
        if raw.len() as u64 > LONGEST {
            return Ok(None);
        }
    }
    Ok(None)
}

fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    let (address, _) = rest.split_once('>')?;
    address.contains('@').then(|| address.to_owned())
}

/// Headers and text, both decoded.
fn parsed(raw: &str) -> (Vec<(String, String)>, String) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers: Vec<_> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), words(value.trim())))
        .collect();
    let encoding = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-transfer-encoding"))
        .map_or("7bit", |(_, value)| value.as_str());
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = body.split_ascii_whitespace().collect();
            STANDARD.decode(packed).unwrap_or_default()
        }
        "quoted-printable" => quoted(&body.replace("=\r\n", "")),
        _ => body.as_bytes().to_vec(),
    };
    (headers, String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
}

/// Undoes `=E6=97=A5`; what is no such triple stays.
fn quoted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'=').then(|| tail.get(..2)).flatten();
        match hex.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    bytes
}

/// Undoes `=?utf-8?b?…?=` and `=?utf-8?q?…?=`, wherever they stand.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("=?") {
        let mut parts = tail.splitn(4, '?');
        let decoded = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(set), Some(kind), Some(word), Some(after)) if set.eq_ignore_ascii_case("utf-8") => {
                let bytes = match kind.to_ascii_lowercase().as_str() {
                    "b" => STANDARD.decode(word).ok(),
                    "q" => Some(quoted(&word.replace('_', " "))),
                    _ => None,
                };
                bytes.zip(after.strip_prefix('='))
            }
            _ => None,
        };
        let Some((bytes, after)) = decoded else { break };
        // White space between two encoded words belongs to neither.
        if out.is_empty() || !before.trim().is_empty() {
            out.push_str(before);
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_mails_are_read() {
        let raw = "Subject: =?utf-8?b?44GK55+l?=\r\n =?utf-8?b?44KJ44Gb?= x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E6=9C=\r\n=AC=3D\r\n";
        let (headers, body) = parsed(raw);
        assert_eq!(headers[0], ("Subject".to_owned(), "お知らせ x".to_owned()));
        assert_eq!(body, "本=\n");
        let (_, body) = parsed("Content-Transfer-Encoding: base64\r\n\r\n5pys\r\n5paH\r\n");
        assert_eq!(body, "本文");
        assert_eq!(words("plain =?x"), "plain =?x");
    }
}
