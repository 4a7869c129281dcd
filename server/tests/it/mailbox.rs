//! A mail carrier that keeps what it is given, and refuses every address that starts with `refused`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One mail as it came.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    pub body: String,
}

impl Mail {
    /// What follows this word on its line.
    #[track_caller]
    pub fn after(&self, word: &str) -> String {
        let start = self.body.split(word).nth(1).unwrap_or_else(|| panic!("no {word} in {}", self.body));
        start.lines().next().unwrap().trim().to_owned()
    }
}

/// Its letter box.
#[derive(Clone)]
pub struct Mailbox {
    pub url: String,
    kept: Arc<Mutex<Vec<Mail>>>,
}

impl Mailbox {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Vec::new()));
        let into = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let into = into.clone();
                tokio::spawn(async move { talk(stream, &into).await });
            }
        });
        Self { url, kept }
    }

    /// Every mail to this address so far.
    pub fn to(&self, address: &str) -> Vec<Mail> {
        self.kept.lock().unwrap().iter().filter(|m| m.to == address).cloned().collect()
    }

    /// The `n`th mail to this address, once it is here.
    pub async fn nth(&self, address: &str, n: usize) -> Mail {
        for _ in 0..200 {
            if let Some(mail) = self.to(address).into_iter().nth(n) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("mail {n} to {address} did not come: {:?}", self.to(address));
    }
}

async fn talk(stream: TcpStream, kept: &Mutex<Vec<Mail>>) {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut to = String::new();
    let _ = writing.write_all(b"220 test\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let command = line.to_ascii_uppercase();
        let answer: &[u8] = if command.starts_with("EHLO") {
            b"250 8BITMIME\r\n"
        } else if command.starts_with("RCPT TO:") {
            to = line[8..].trim().trim_start_matches('<').split('>').next().unwrap().to_owned();
            if to.starts_with("refused") { b"550 5.1.1 no such user\r\n" } else { b"250 ok\r\n" }
        } else if command == "DATA" {
            let _ = writing.write_all(b"354 go on\r\n").await;
            let mut text = String::new();
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "." {
                    break;
                }
                text.push_str(&line);
                text.push('\n');
            }
            kept.lock().unwrap().push(Mail { to: to.clone(), body: plain(&text) });
            b"250 kept\r\n"
        } else {
            b"250 ok\r\n"
        };
        if writing.write_all(answer).await.is_err() || command == "QUIT" {
            return;
        }
    }
}

fn plain(mail: &str) -> String {
    let (head, body) = mail.split_once("\n\n").unwrap();
    if head.to_ascii_lowercase().contains("content-transfer-encoding: base64") {
        let joined: String = body.split_whitespace().collect();
        return String::from_utf8(STANDARD.decode(joined).unwrap()).unwrap();
    }
    body.to_owned()
}
