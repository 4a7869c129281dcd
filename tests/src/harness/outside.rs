//! The world around the server: fake Apple, Google and mail carrier, and the files that tell the server
//! of them.

use super::{FakeSettings, HarnessError};
use crate::fakes::{Apns, Google, Pki, Smtp};
use tempfile::TempDir;

/// All three, running. Gone when dropped.
pub struct Fakes {
    /// Apple's push service.
    pub apns: Apns,
    /// Google's push service.
    pub google: Google,
    /// The mail carrier.
    pub smtp: Smtp,
    /// What the server is told of them.
    pub settings: FakeSettings,
    _files: TempDir,
}

impl Fakes {
    /// Starts them on free ports and writes the server's files into a temporary folder.
    ///
    /// # Errors
    /// The files cannot be written.
    pub async fn start() -> Result<Self, HarnessError> {
        let pki = Pki::new();
        let (apns, google, smtp) = (Apns::start(&pki).await, Google::start(&pki).await, Smtp::start().await);
        let files = tempfile::tempdir()?;
        let written = |name: &str, text: &str| {
            let path = files.path().join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let settings = FakeSettings {
            apns_key: written("apns.p8", &apns.key_p8_pem)?,
            apns_key_id: apns.key_id.clone(),
            apns_team_id: apns.team_id.clone(),
            apns_topic: apns.topic.clone(),
            apns_endpoint: apns.url.clone(),
            fcm_account: written("service-account.json", &google.service_account_json)?,
            fcm_endpoint: google.url.clone(),
            extra_root: written("root.pem", &pki.root_pem())?,
            smtp: smtp.url.clone(),
        };
        Ok(Self { apns, google, smtp, settings, _files: files })
    }
}
