//! The network between a phone and the server, as TCP sees it: it can be cut and slowed down, and counts
//! what phones sent. What crosses it is TLS, and is not looked into.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The switches, shared by every connection over it.
pub struct Network {
    down: watch::Sender<bool>,
    /// Bytes that a connection carries towards the server in a second; 0 for as many as it can.
    pace: AtomicU64,
    sent: AtomicU64,
}

impl Network {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { down: watch::Sender::new(false), pace: AtomicU64::new(0), sent: AtomicU64::new(0) })
    }

    /// Breaks every connection, and every new one until it is mended.
    pub fn cut(&self) {
        self.down.send_replace(true);
    }

    pub fn mend(&self) {
        self.down.send_replace(false);
    }

    pub fn pace(&self, bytes_a_second: u64) {
        self.pace.store(bytes_a_second, Ordering::SeqCst);
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
                if got == 0 || to_server.write_all(&buffer[..got]).await.is_err() {
                    break;
                }
                self.sent.fetch_add(got as u64, Ordering::SeqCst);
                if let Some(time) = (got as u64 * 1000).checked_div(self.pace.load(Ordering::SeqCst)) {
                    tokio::time::sleep(Duration::from_millis(time)).await;
                }
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
