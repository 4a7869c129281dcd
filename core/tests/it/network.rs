//! A network that can be cut: between the device and the town, at a byte of one's choice.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

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
}

impl Default for Network {
    fn default() -> Self {
        Self {
            down: AtomicBool::new(false),
            until_cut: AtomicI64::new(-1),
            lose_answers: AtomicBool::new(false),
            forged: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
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

    fn cut(&self) -> io::Error {
        self.cuts.fetch_add(1, Ordering::SeqCst);
        io::ErrorKind::ConnectionReset.into()
    }
}

/// One connection over it.
pub struct Line {
    pub stream: TcpStream,
    pub network: Arc<Network>,
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.network.is_down() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        let got = (buf.filled().len() - before) as i64;
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
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
