//! A Chromium, its tabs, and what a test can ask of them.

use std::path::PathBuf;
use std::time::Duration;

use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::{Handler, Page};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::Person;

/// One browser at a time: several at once would starve each other, and the server, of the processor.
static TURN: Mutex<()> = Mutex::const_new(());

/// A browser that ends with its test.
pub(crate) struct Chromium {
    browser: Browser,
    _turn: MutexGuard<'static, ()>,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) async fn launch() -> Self {
        let turn = TURN.lock().await;
        let profile = tempfile::tempdir().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(executable())
            .new_headless_mode()
            .no_sandbox()
            .viewport(None)
            .user_data_dir(profile.path())
            .request_timeout(Duration::from_secs(60))
            .args([
                "allow-loopback-in-peer-connection",
                "autoplay-policy=no-user-gesture-required",
                "disable-background-networking",
                "disable-backgrounding-occluded-windows",
                "disable-gpu",
                "disable-renderer-backgrounding",
            ])
            .build()
            .unwrap();
        let (browser, handler) = Browser::launch(config).await.unwrap();
        tokio::spawn(drive(handler));
        Self { browser, _turn: turn, _profile: profile }
    }

    /// A tab at `path` whose devices are `person`'s.
    pub(crate) async fn tab(&self, origin: &str, path: &str, person: Person) -> Tab {
        self.tab_with(origin, path, person, "").await
    }

    /// The same, with a script of the test's own before the page's.
    pub(crate) async fn tab_with(&self, origin: &str, path: &str, person: Person, script: &str) -> Tab {
        let page = self.browser.new_page("about:blank").await.unwrap();
        let devices = include_str!("devices.js").trim_end();
        page.evaluate_on_new_document(format!("{devices}({:?}, {}); {script}", person.rgb, person.tone)).await.unwrap();
        page.goto(format!("{origin}{path}")).await.unwrap();
        Tab { page, person }
    }

    pub(crate) async fn close(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
    }
}

async fn drive(mut handler: Handler) {
    while handler.next().await.is_some() {}
}

/// `MEDLEY_CHROMIUM`, or a Chromium in `PATH`.
fn executable() -> PathBuf {
    if let Some(named) = std::env::var_os("MEDLEY_CHROMIUM") {
        return named.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name)))
        .find(|path| path.is_file());
    found.expect("no Chromium in PATH and MEDLEY_CHROMIUM not set: `make test` installs it")
}

pub(crate) struct Tab {
    pub(crate) page: Page,
    person: Person,
}

impl Tab {
    /// What an expression, or the promise it gives, comes to.
    pub(crate) async fn eval<T: DeserializeOwned>(&self, expression: impl Into<String>) -> T {
        let expression = expression.into();
        let result = self.page.evaluate(format!("(async () => {expression})()")).await;
        let result = result.unwrap_or_else(|error| panic!("{}: {expression}: {error}", self.person.name));
        result.into_value().unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Runs statements to their end.
    pub(crate) async fn run(&self, statements: impl AsRef<str>) {
        assert!(self.eval::<bool>(format!("{{ {}; return true }}", statements.as_ref())).await);
    }

    /// Runs a script of the test's own in the page, whatever the page's policy says of scripts.
    pub(crate) async fn inject(&self, script: String) {
        self.page.evaluate_expression(script).await.unwrap();
    }

    /// Fills in the name and presses Join, as a person does.
    pub(crate) async fn join(&self) {
        let name = self.person.name;
        self.until("document.getElementById('camera').selectedOptions[0]?.label === 'Coloured camera'").await;
        self.until("document.getElementById('microphone').selectedOptions[0]?.label === 'Toned microphone'").await;
        self.run(format!("document.getElementById('name').value = '{name}'; document.getElementById('join').click()")).await;
    }

    pub(crate) async fn press(&self, id: &str) {
        self.run(format!("document.getElementById('{id}').click()")).await;
    }

    /// Waits, in the page, for a condition on it.
    pub(crate) async fn until(&self, condition: &str) {
        let wait = "let n = 0; while (!CONDITION) { if (n++ > 400) throw new Error(document.body.innerText); \
                    await new Promise((r) => setTimeout(r, 50)); }";
        self.run(wait.replace("CONDITION", &format!("({condition})"))).await;
    }

    pub(crate) async fn sees(&self, other: Person) {
        self.eval::<u32>(format!("judge.sees({:?})", other.rgb)).await;
        self.eval::<u32>(format!("judge.moves({:?})", other.rgb)).await;
    }

    pub(crate) async fn misses(&self, other: Person) {
        self.eval::<u32>(format!("judge.misses({:?})", other.rgb)).await;
    }

    pub(crate) async fn hears_but_not_itself(&self, other: Person) {
        let separation: f64 = self.eval(format!("judge.separation({}, {})", other.tone, self.person.tone)).await;
        assert!(separation >= 40.0, "{} hears itself {separation:.0} dB below {}", self.person.name, other.name);
    }

    pub(crate) async fn hears_nothing_of(&self, other: Person) {
        self.eval::<f64>(format!("judge.silence({})", other.tone)).await;
    }

    /// Freezes so far.
    pub(crate) async fn freezes(&self) -> u32 {
        self.eval("(await judge.flow()).freezeCount").await
    }
}
