//! A real Chromium without a screen, driven through chromedriver. Its profile and downloads lie in a folder
//! that goes with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest screenshot, in bytes.
const PICTURE_BYTES: usize = 300_000;

/// Width, height and name of the screens that pages are seen on.
const SCREENS: [(u32, u32, &str); 2] = [(390, 844, "phone"), (1440, 900, "pc")];

/// The browser.
pub struct Chromium {
    client: Client,
    /// Address of chromedriver's session, for what WebDriver has no word for.
    session: String,
    devtools: reqwest::Client,
    folder: TempDir,
    pictures: PathBuf,
    driver: Child,
}

impl Chromium {
    /// Starts one. Screenshots go to `docs/screenshots` with RENRAKU_SCREENSHOTS=1, else nowhere that stays.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (profile, downloads) = (folder.path().join("profile"), folder.path().join("downloads"));
        std::fs::create_dir_all(&downloads).expect("a folder");
        let pictures = if std::env::var_os("RENRAKU_SCREENSHOTS").is_some_and(|v| v == "1") {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots")
        } else {
            folder.path().join("screenshots")
        };
        std::fs::create_dir_all(&pictures).expect("a folder");
        let (driver, port) = driver().await;
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--lang=ja", "--hide-scrollbars", "--window-size=1440,1000",
                format!("--user-data-dir={}", profile.display()),
            ],
            "prefs": {
                "download.default_directory": downloads,
                "download.prompt_for_download": false,
                "profile.default_content_settings.popups": 0,
                "safebrowsing.enabled": false,
            },
        });
        let capabilities = serde_json::Map::from_iter([
            ("goog:chromeOptions".to_owned(), options),
            ("browserName".into(), "chrome".into()),
        ]);
        let address = format!("http://127.0.0.1:{port}");
        let client =
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&address).await;
        let client = client.expect("chromium starts");
        let id = client.session_id().await.expect("an answer").expect("a session");
        Self {
            client,
            session: format!("{address}/session/{id}"),
            devtools: plain(),
            folder,
            pictures,
            driver,
        }
    }

    /// Ends the browser, then its driver.
    pub async fn stop(mut self) {
        let _ = self.client.close().await;
        let _ = self.driver.kill().await;
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// Where it is.
    pub async fn address(&self) -> String {
        self.client.current_url().await.expect("an address").to_string()
    }

    /// All that can be read on the page.
    pub async fn text(&self) -> String {
        self.text_of("body").await
    }

    /// The text of the first element that fits a CSS selector, once there is one.
    pub async fn text_of(&self, css: &str) -> String {
        self.wait(css).await.text().await.expect("a text")
    }

    /// An attribute of the first element that fits a CSS selector.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.wait(css).await.attr(name).await.expect("an element")
    }

    /// Waits for an element that fits a CSS selector, or an XPath that begins with `/`.
    pub async fn wait(&self, search: &str) -> fantoccini::elements::Element {
        match self.client.wait().at_most(PATIENCE).for_element(locator(search)).await {
            Ok(element) => element,
            Err(e) => {
                let (address, text) = (self.address().await, self.text_or_nothing().await);
                panic!("{search} is not at {address}: {e}\n{text}");
            }
        }
    }

    async fn text_or_nothing(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// How many elements fit a CSS selector now.
    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.expect("an answer").len()
    }

    /// Presses a button or link.
    pub async fn press(&self, search: &str) {
        let element = self.wait(search).await;
        // The driver scrolls too, but does not wait for a page that scrolls smoothly.
        let script = "arguments[0].scrollIntoView({ behavior: 'instant', block: 'center' })";
        let argument = serde_json::to_value(&element).expect("an element");
        self.client.execute(script, vec![argument]).await.expect("an answer");
        element.click().await.unwrap_or_else(|e| panic!("{search} cannot be pressed: {e}"));
    }

    /// Ticks a box that may be ticked already.
    pub async fn tick(&self, search: &str) {
        if !self.wait(search).await.is_selected().await.expect("a box") {
            self.press(search).await;
        }
    }

    /// Writes into a field, or names a file to a file field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.wait(css).await;
        field.send_keys(text).await.unwrap_or_else(|e| panic!("{css} cannot be filled: {e}"));
    }

    /// Sets a field whose keyboard depends on the language: a day.
    pub async fn set(&self, css: &str, value: &str) {
        self.wait(css).await;
        let script = "document.querySelector(arguments[0]).value = arguments[1]";
        self.client.execute(script, vec![json!(css), json!(value)]).await.expect("a field");
    }

    /// Chooses from a list, by value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.wait(css).await.select_by_value(value).await.unwrap_or_else(|e| panic!("{css} {value}: {e}"));
    }

    /// Waits until every picture on the page is there, and says how many have pixels.
    pub async fn pictures_shown(&self) -> usize {
        let script =
            "return [...document.querySelectorAll('article img')].map(i => [i.complete, i.naturalWidth])";
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.client.execute(script, vec![]).await.expect("an answer");
            let found = found.as_array().cloned().unwrap_or_default();
            if found.iter().all(|picture| picture[0] == true) || Instant::now() > end {
                return found.iter().filter(|picture| picture[1].as_u64() > Some(0)).count();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The one file with that ending that was downloaded, once it is whole.
    pub async fn download(&self, ending: &str) -> Vec<u8> {
        let folder = self.folder.path().join("downloads");
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let files = std::fs::read_dir(&folder).expect("a folder").flatten().map(|f| f.path());
            if let Some(path) = files.into_iter().find(|p| p.extension().is_some_and(|e| e == ending)) {
                return std::fs::read(path).expect("a file");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no .{ending} was downloaded; at {}:\n{}", self.address().await, self.text().await);
    }

    /// Takes the page as a phone and as a PC show it. Each must fit its width, and a file stays small.
    pub async fn picture(&self, name: &str) {
        for (width, height, kind) in SCREENS {
            self.fits(name, width, height).await;
            let path = self.pictures.join(format!("{name}-{kind}.png"));
            let png = self.small_picture(width, height).await;
            std::fs::write(path, png).expect("a screenshot");
        }
        // Where one presses is counted in the real window.
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).await;
    }

    /// Opens a page and sees that it has a heading, is no refusal and fits a phone and a PC.
    pub async fn look(&self, address: &str) {
        self.open(address).await;
        self.wait("h1").await;
        assert_eq!(self.count("#problem-sentence").await, 0, "{address}: {}", self.text().await);
        for (width, height, _) in SCREENS {
            self.fits(address, width, height).await;
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).await;
    }

    async fn fits(&self, name: &str, width: u32, height: u32) {
        self.screen(width, height).await;
        let script = "scrollTo({ top: 0, behavior: 'instant' }); return document.documentElement.scrollWidth";
        let wide = self.client.execute(script, vec![]).await.expect("an answer").as_u64();
        assert!(wide <= Some(u64::from(width)), "{name} is {wide:?} pixels wide on a screen of {width}");
    }

    async fn screen(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// The page from its top; less of it when photos make the file too big.
    async fn small_picture(&self, width: u32, mut height: u32) -> Vec<u8> {
        loop {
            let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
            let taken =
                self.devtools("Page.captureScreenshot", &json!({ "format": "png", "clip": clip })).await;
            let png = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
            if png.len() <= PICTURE_BYTES {
                return png;
            }
            assert!(height > 300, "a screenshot of {} bytes", png.len());
            height = height * 4 / 5;
        }
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        let url = format!("{}/goog/cdp/execute", self.session);
        let answer = self.devtools.post(url).json(&body).send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")["value"].clone()
    }
}

fn locator(search: &str) -> Locator<'_> {
    if search.starts_with('/') { Locator::XPath(search) } else { Locator::Css(search) }
}

/// A client for plain HTTP on loopback; it asks for TLS settings all the same, so it trusts nobody.
fn plain() -> reqwest::Client {
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("default versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().expect("a client")
}

/// chromedriver on a port of its own choice.
async fn driver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        // The browser's own words, how it shows a day among them.
        .env("LANGUAGE", "ja")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed (scripts/setup test)");
    let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
    while let Some(line) = lines.next_line().await.expect("a line") {
        let port = line.rsplit_once("on port ").and_then(|(_, rest)| rest.trim_end_matches('.').parse().ok());
        if let Some(port) = port.filter(|_| line.contains("started successfully")) {
            // What it says later must find an open pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, port);
        }
    }
    panic!("chromedriver did not start");
}
