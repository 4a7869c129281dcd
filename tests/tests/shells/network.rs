//! The network between a phone and the server, as TCP sees it: it can be cut and made to stall, and counts
//! what phones sent. What crosses it is TLS, and is not looked into.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The switches, shared by every connection over it.
pub struct Network {
    down: watch::Sender<bool>,
    /// Bytes that it still carries towards the server before it stalls; none for as many as come.
    left: watch::Sender<Option<u64>>,
    sent: AtomicU64,
}

impl Network {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            down: watch::Sender::new(false),
            left: watch::Sender::new(None),
            sent: AtomicU64::new(0),
        })
    }

    /// Breaks every connection, and every new one until it is mended.
    pub fn cut(&self) {
        self.down.send_replace(true);
    }

    pub fn mend(&self) {
        self.down.send_replace(false);
    }

    /// From now on so many bytes pass towards the server, and no more until it flows again.
    pub fn stall_after(&self, bytes: u64) {
        self.left.send_replace(Some(bytes));
    }

    pub fn flow(&self) {
        self.left.send_replace(None);
    }

    /// Waits until so many more may pass.
    async fn pass(&self, bytes: u64) {
        let mut left = self.left.subscribe();
        loop {
            let passed = self.left.send_if_modified(|left| match left {
                Some(left) if *left < bytes => false,
                Some(left) => {
                    *left -= bytes;
                    true
                }
                None => true,
            });
            if passed || left.changed().await.is_err() {
                return;
            }
        }
    }

    /// Bytes that went towards the server so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Leads connections from a port of its own to `upstream`; gives the port.
    pub async fn lead(self: &Arc<Self>, upstream: SocketAddr) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let network = self.clone();
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let network = network.clone();
                tokio::spawn(async move { network.carry(phone, upstream).await });
            }
        });
        port
    }

    async fn carry(&self, mut phone: TcpStream, upstream: SocketAddr) {
        let mut down = self.down.subscribe();
        if *down.borrow() {
            return;
        }
        let Ok(mut server) = TcpStream::connect(upstream).await else { return };
        let (_, _) = (phone.set_nodelay(true), server.set_nodelay(true));
        let (mut from_phone, mut to_phone) = phone.split();
        let (mut from_server, mut to_server) = server.split();
        let up = async {
            let mut buffer = vec![0; 8 * 1024];
            while let Ok(got) = from_phone.read(&mut buffer).await {
                self.pass(got as u64).await;
                if got == 0 || to_server.write_all(&buffer[..got]).await.is_err() {
                    break;
                }
                self.sent.fetch_add(got as u64, Ordering::SeqCst);
            }
        };
        let back = tokio::io::copy(&mut from_server, &mut to_phone);
        tokio::select! {
            () = up => {}
            _ = back => {}
            _ = down.wait_for(|down| *down) => {}
        }
    }
}
