//! A network that can be cut: between the device and the town, at a byte of one's choice.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// The switches. Shared by all connections.
#[derive(Debug)]
pub struct Network {
    down: AtomicBool,
    /// Bytes until the next cut; negative when none is planned.
    until_cut: AtomicI64,
    lose_answers: AtomicBool,
    /// Somebody on the way to the care host says that the certificate is revoked.
    pub forged: AtomicBool,
    pub cuts: AtomicU64,
    /// Bytes a second that pass, either way; 0 for all at once.
    rate: AtomicU64,
    /// When the next bytes may pass.
    free_at: Mutex<Option<Instant>>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            down: AtomicBool::new(false),
            until_cut: AtomicI64::new(-1),
            lose_answers: AtomicBool::new(false),
            forged: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            rate: AtomicU64::new(0),
            free_at: Mutex::default(),
        }
    }
}

impl Network {
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    /// Cuts the connection on which this many bytes from now have arrived.
    pub fn cut_after(&self, bytes: i64) {
        self.until_cut.store(bytes, Ordering::SeqCst);
    }

    /// From now on the town hears, but its answers are lost, until one was.
    pub fn lose_answer(&self) {
        self.lose_answers.store(true, Ordering::SeqCst);
    }

    /// True while a cut is planned that has not happened.
    pub fn is_to_be_cut(&self) -> bool {
        self.until_cut.load(Ordering::SeqCst) >= 0
    }

    /// From now on so many bytes pass in a second, all connections together; 0 for all at once.
    pub fn trickle(&self, bytes_a_second: u64) {
        self.rate.store(bytes_a_second, Ordering::SeqCst);
        *self.free_at.lock().unwrap() = None;
    }

    /// How long these bytes keep the line busy, and those that wait before them.
    fn busy_with(&self, bytes: usize) -> Option<Pin<Box<Sleep>>> {
        let rate = self.rate.load(Ordering::SeqCst);
        if rate == 0 || bytes == 0 {
            return None;
        }
        let mut free_at = self.free_at.lock().unwrap();
        let now = Instant::now();
        let free = free_at.unwrap_or(now).max(now) + Duration::from_secs_f64(bytes as f64 / rate as f64);
        *free_at = Some(free);
        Some(Box::pin(tokio::time::sleep_until(free)))
    }

    /// Bytes that may pass at once.
    fn most(&self) -> usize {
        if self.rate.load(Ordering::SeqCst) == 0 { usize::MAX } else { 4096 }
    }

    fn cut(&self) -> io::Error {
        self.cuts.fetch_add(1, Ordering::SeqCst);
        io::ErrorKind::ConnectionReset.into()
    }
}

/// One connection over it.
pub struct Line {
    stream: TcpStream,
    network: Arc<Network>,
    /// Until what passed has passed, upwards and downwards.
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Line {
    pub fn new(stream: TcpStream, network: Arc<Network>) -> Self {
        Self { stream, network, reading: None, writing: None }
    }
}

/// Waits until the line is free.
fn wait(busy: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(sleep) = busy {
        std::task::ready!(sleep.as_mut().poll(cx));
        *busy = None;
    }
    Poll::Ready(())
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.network.is_down() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        std::task::ready!(wait(&mut this.reading, cx));
        let mut room = vec![0; this.network.most().min(buf.remaining())];
        let mut part = ReadBuf::new(&mut room);
        let polled = Pin::new(&mut this.stream).poll_read(cx, &mut part);
        let read = part.filled().len();
        buf.put_slice(part.filled());
        let got = read as i64;
        this.reading = this.network.busy_with(read);
        let planned = this.network.until_cut.load(Ordering::SeqCst);
        if planned >= 0 && got > 0 {
            this.network.until_cut.store((planned - got).max(-1), Ordering::SeqCst);
            if planned <= got {
                this.network.until_cut.store(-1, Ordering::SeqCst);
                return Poll::Ready(Err(this.network.cut()));
            }
        }
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.network.is_down() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if this.network.lose_answers.swap(false, Ordering::SeqCst) {
            return Poll::Ready(Err(this.network.cut()));
        }
        std::task::ready!(wait(&mut this.writing, cx));
        let part = &buf[..buf.len().min(this.network.most())];
        let polled = Pin::new(&mut this.stream).poll_write(cx, part);
        if let Poll::Ready(Ok(written)) = polled {
            this.writing = this.network.busy_with(written);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
