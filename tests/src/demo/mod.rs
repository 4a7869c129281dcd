//! The demo: a synthetic town on the real server, with fake Apple, Google and mail behind it and a gateway in
//! front of every PC. `make run` starts it; the tests of the portal start a small one.
//!
//! Everything lies in one folder and survives a restart. Nobody in it exists. Not here: what the terminal
//! says (the `demo` program), and how a browser's request finds its certificate (`gateway`).

mod consent;
mod error;
mod pages;
mod pc;
pub mod people;
mod seed;
mod sent;
mod story;
mod town;
mod week;
mod write;

pub use consent::pdf as consent_pdf;
pub use error::DemoError;
pub use pages::{Door, Index};
pub use sent::Sent;
pub use story::Story;
pub use town::{Device, SignIn, Town};

use crate::gateway::Gateway;
use crate::harness::{Created, Fakes, ServerOptions, ServerProcess, client_tls};
use error::{Step, failed};
use pages::Site;
use pc::Pc;
use seed::Seeding;
use sent::SentLog;
use std::fs::{self, File, TryLockError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The file that marks a folder as a demo's, and is locked by the one that runs.
const LOCK: &str = "demo.lock";
/// The server's log.
const LOG: &str = "server.log";
/// The address of the demo's own pages.
const INDEX_PORT: u16 = 8480;
/// The public host through a gateway without a certificate.
const PUBLIC_PORT: u16 = 8485;
/// Where the server listens by default.
const SERVER_PORTS: (u16, u16) = (8443, 8444);

/// What to start.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where everything lies.
    pub folder: PathBuf,
    /// What happens in the town, when it is new.
    pub story: Story,
    /// True for the ports that the texts name (a free one where one is taken), false for free ones.
    pub usual_ports: bool,
}

/// A running demo. Everything ends when it is dropped; [`Demo::stop`] lets requests end first.
pub struct Demo {
    /// Address of the demo's own pages.
    pub url: String,
    /// True when the town was made by this start.
    pub fresh: bool,
    site: Arc<Site>,
    server: ServerProcess,
    _gateways: Vec<Gateway>,
    serving: JoinHandle<()>,
    _lock: File,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Demo {
    /// Starts the demo; makes the town when the folder has none that is finished. `say` is told of every step.
    ///
    /// # Errors
    /// [`DemoError::Running`], or the step that failed.
    pub async fn start(options: &DemoOptions, say: &dyn Fn(&str)) -> Result<Self, DemoError> {
        let folder = &options.folder;
        let lock = lock(folder)?;
        let fakes = Arc::new(Fakes::start().await.step("starting the fake push services")?);
        let mut ports = Ports { usual: options.usual_ports, say };
        let server = ServerOptions {
            public_listen: (Ipv4Addr::LOCALHOST, ports.port(SERVER_PORTS.0)).into(),
            care_listen: (Ipv4Addr::LOCALHOST, ports.port(SERVER_PORTS.1)).into(),
            fakes: Some(fakes.settings.clone()),
            log: Some(folder.join(LOG)),
            ..ServerOptions::new(folder.join("server"))
        };
        let known = Town::load(folder)?;
        let fresh = known.is_none();
        let created = if fresh {
            clear(folder, say)?;
            say("町をつくっています。一分ほどかかります (making the town; about a minute) …");
            Some(seed::found(&server).await?)
        } else {
            None
        };
        let server = ServerProcess::start(server).await.step("starting the server")?;
        let town = match (known, created) {
            (Some(town), _) => town,
            (None, Some(created)) => make(options, &server, &fakes, &created, say).await?,
            (None, None) => return Err(failed("reading the demo's record", "it went away")),
        };
        let own = ports.listener(INDEX_PORT).await?;
        let url = format!("http://localhost:{}", own.local_addr().step("listening")?.port());
        let step = "starting a gateway";
        // Without a certificate there is no way to the care host: its links lead to the choice of a PC.
        let links = [(server.care_url.as_str(), url.as_str())];
        let public = ports.listener(PUBLIC_PORT).await?;
        let public = Gateway::start(public, &server.public_url, bare(&server), &links).step(step)?;
        let links = [(server.public_url.as_str(), public.url.as_str())];
        let (mut gateways, mut doors) = (Vec::new(), Vec::new());
        for device in &town.devices {
            let file = fs::read(folder.join(&device.file)).step("reading a PC's certificate")?;
            let tls = Pc::open(&file, &device.password, &server.root_pem)?.tls();
            let listener = ports.listener(device.port).await?;
            let gateway = Gateway::start(listener, &server.care_url, tls, &links).step(step)?;
            doors.push(Door { key: device.key.clone(), name: device.name.clone(), url: gateway.url.clone() });
            gateways.push(gateway);
        }
        let index = Index {
            public: format!("{}/{}", public.url, town.slug),
            town,
            doors,
            public_host: server.public_url.clone(),
            care_host: server.care_url.clone(),
        };
        gateways.push(public);
        let site = Arc::new(Site { index, fakes, log: Mutex::new(SentLog::open(folder)) });
        let router = pages::router(site.clone());
        let serving = tokio::spawn(async move {
            let _ = axum::serve(own, router).await;
        });
        Ok(Self { url, fresh, site, server, _gateways: gateways, serving, _lock: lock })
    }

    /// Where everything is.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.site.index
    }

    /// What the town sent, newest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.site.sent()
    }

    /// One more PC: a gateway with the certificate that somebody picked up. Gone when dropped.
    ///
    /// # Errors
    /// The file or the password is not right, or there is no free port.
    pub async fn open_door(&self, file: &[u8], password: &str) -> Result<Gateway, DemoError> {
        let step = "starting a gateway";
        let tls = Pc::open(file, password, &self.server.root_pem)?.tls();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.step(step)?;
        Gateway::start(listener, &self.server.care_url, tls, &[]).step(step)
    }

    /// The server's process.
    #[must_use]
    pub fn server_process(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Waits until the server ends by itself, which it should not.
    pub async fn server_ended(&mut self) {
        self.server.ended().await;
    }

    /// Lets the server end, then everything else.
    pub async fn stop(self) {
        self.serving.abort();
        // One that does not end in time is killed; its data survives that.
        let _ = self.server.stop().await;
        // What was sent at the last moment is kept too.
        let _ = self.site.sent();
    }
}

/// Tells the whole story in a town that was just created.
async fn make(
    options: &DemoOptions,
    server: &ServerProcess,
    fakes: &Fakes,
    created: &Created,
    say: &dyn Fn(&str),
) -> Result<Town, DemoError> {
    let mut seeding = Seeding::new(&options.folder, server, fakes);
    seeding.people(created, say).await?;
    seeding.tell(&options.story, say).await?;
    seeding.town.save(&options.folder)?;
    Ok(seeding.town)
}

/// TLS without a client certificate.
fn bare(server: &ServerProcess) -> rustls::ClientConfig {
    let mut tls = client_tls(&server.root_pem, None, &[&rustls::version::TLS13]);
    tls.alpn_protocols.clear();
    tls
}

/// Takes the folder, which must be new, empty or an earlier demo's: it will be cleared.
fn lock(folder: &Path) -> Result<File, DemoError> {
    let step = "taking the demo's folder";
    fs::create_dir_all(folder).step(step)?;
    let path = folder.join(LOCK);
    if !path.exists() && fs::read_dir(folder).step(step)?.next().is_some() {
        return Err(failed(step, format!("{} holds something that is no demo", folder.display())));
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).step(step)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DemoError::Running),
        Err(TryLockError::Error(e)) => Err(e).step(step),
    }
}

/// Removes what an interrupted start left.
fn clear(folder: &Path, say: &dyn Fn(&str)) -> Result<(), DemoError> {
    let step = "clearing what an interrupted start left";
    let mut said = false;
    for entry in fs::read_dir(folder).step(step)? {
        let entry = entry.step(step)?;
        if entry.file_name() == LOCK {
            continue;
        }
        if !said {
            say(
                "前回は途中で終わったため、最初からつくり直します (the last start was interrupted; starting over).",
            );
            said = true;
        }
        let path = entry.path();
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.step(step)?;
    }
    Ok(())
}

struct Ports<'a> {
    usual: bool,
    say: &'a dyn Fn(&str),
}

impl Ports<'_> {
    /// The port itself where it is free, else 0: any.
    fn port(&mut self, wanted: u16) -> u16 {
        if !self.usual {
            return 0;
        }
        if std::net::TcpListener::bind(("127.0.0.1", wanted)).is_ok() {
            return wanted;
        }
        (self.say)(&format!("ポート{wanted}は使用中のため、別のポートを使います (port {wanted} is taken)."));
        0
    }

    /// A listener on loopback.
    async fn listener(&mut self, wanted: u16) -> Result<TcpListener, DemoError> {
        let port = self.port(wanted);
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => Ok(listener),
            // Taken between asking and binding.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                TcpListener::bind(("127.0.0.1", 0)).await.step("listening on loopback")
            }
        }
    }
}
