//! The pages in a real Chromium: what people see and hear of each other, and what they are told when it fails.
//!
//! Each tab has a camera of its own colour and a microphone of its own tone (`browser/devices.js`); all else is the
//! pages' own code.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::{Handler, Page};
use common::Server;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// Somebody with a colour and a tone.
#[derive(Clone, Copy)]
struct Person {
    name: &'static str,
    rgb: [u8; 3],
    tone: u32,
}

const RED: Person = Person { name: "Ruby", rgb: [208, 32, 48], tone: 500 };
const BLUE: Person = Person { name: "Bleu", rgb: [40, 64, 200], tone: 1100 };
const GREEN: Person = Person { name: "Verde", rgb: [32, 150, 60], tone: 1900 };

/// One browser at a time: several at once would starve each other, and the server, of the processor.
static TURN: Mutex<()> = Mutex::const_new(());

/// A browser that ends with its test.
struct Chromium {
    browser: Browser,
    _turn: MutexGuard<'static, ()>,
    _profile: TempDir,
}

impl Chromium {
    async fn launch() -> Self {
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
    async fn tab(&self, server: &Server, path: &str, person: Person) -> Tab {
        self.tab_with(server, path, person, "").await
    }

    /// The same, with a script of the test's own before the page's.
    async fn tab_with(&self, server: &Server, path: &str, person: Person, script: &str) -> Tab {
        let page = self.browser.new_page("about:blank").await.unwrap();
        let devices = include_str!("browser/devices.js").trim_end();
        page.evaluate_on_new_document(format!("{devices}({:?}, {}); {script}", person.rgb, person.tone)).await.unwrap();
        page.goto(format!("http://{}{path}", server.addr)).await.unwrap();
        Tab { page, person }
    }

    async fn close(mut self) {
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

struct Tab {
    page: Page,
    person: Person,
}

impl Tab {
    /// What an expression, or the promise it gives, comes to.
    async fn eval<T: DeserializeOwned>(&self, expression: impl Into<String>) -> T {
        let expression = expression.into();
        let result = self.page.evaluate(format!("(async () => {expression})()")).await;
        let result = result.unwrap_or_else(|error| panic!("{}: {expression}: {error}", self.person.name));
        result.into_value().unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Runs statements to their end.
    async fn run(&self, statements: String) {
        assert!(self.eval::<bool>(format!("{{ {statements}; return true }}")).await);
    }

    /// Fills in the name and presses Join, as a person does.
    async fn join(&self) {
        let name = self.person.name;
        self.until("document.getElementById('camera').selectedOptions[0]?.label === 'Coloured camera'").await;
        self.until("document.getElementById('microphone').selectedOptions[0]?.label === 'Toned microphone'").await;
        self.run(format!("document.getElementById('name').value = '{name}'; document.getElementById('join').click()")).await;
    }

    async fn press(&self, id: &str) {
        self.run(format!("document.getElementById('{id}').click()")).await;
    }

    /// Waits, in the page, for a condition on it.
    async fn until(&self, condition: &str) {
        let wait = "let n = 0; while (!CONDITION) { if (n++ > 400) throw new Error(document.body.innerText); \
                    await new Promise((r) => setTimeout(r, 50)); }";
        self.run(wait.replace("CONDITION", &format!("({condition})"))).await;
    }

    async fn sees(&self, other: Person) {
        self.eval::<u32>(format!("judge.sees({:?})", other.rgb)).await;
        self.eval::<u32>(format!("judge.moves({:?})", other.rgb)).await;
    }

    async fn misses(&self, other: Person) {
        self.eval::<u32>(format!("judge.misses({:?})", other.rgb)).await;
    }

    async fn hears_but_not_itself(&self, other: Person) {
        let separation: f64 = self.eval(format!("judge.separation({}, {})", other.tone, self.person.tone)).await;
        assert!(separation >= 40.0, "{} hears itself {separation:.0} dB below {}", self.person.name, other.name);
    }

    /// Freezes so far.
    async fn freezes(&self) -> u32 {
        self.eval("(await judge.flow()).freezeCount").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_see_and_hear_each_other_and_a_third_who_comes_and_goes_freezes_nobody() {
    let (server, chromium) = tokio::join!(common::start(), Chromium::launch());
    let red = chromium.tab(&server, "/r/meeting", RED).await;
    red.join().await;
    let blue = chromium.tab(&server, "/r/meeting", BLUE).await;
    blue.join().await;
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    red.hears_but_not_itself(BLUE).await;
    blue.hears_but_not_itself(RED).await;

    let before = [red.freezes().await, blue.freezes().await];
    let green = chromium.tab(&server, "/r/meeting", GREEN).await;
    green.join().await;
    tokio::join!(red.sees(GREEN), blue.sees(GREEN), green.sees(RED));
    green.press("leave").await;
    tokio::join!(red.misses(GREEN), blue.misses(GREEN));
    tokio::join!(red.sees(BLUE), blue.sees(RED));
    assert_eq!([red.freezes().await, blue.freezes().await], before);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_of_an_empty_room_sees_whoever_comes_in_later() {
    let (server, chromium) = tokio::join!(common::start(), Chromium::launch());
    let viewer = chromium.tab(&server, "/watch/stage", BLUE).await;
    viewer.until("document.getElementById('mix').videoWidth === 1280").await;
    let red = chromium.tab(&server, "/r/stage", RED).await;
    red.join().await;
    viewer.sees(RED).await;
    viewer.hears_but_not_itself(RED).await;
    assert_eq!(viewer.eval::<Vec<String>>("judge.sends()").await, ["nothing", "nothing"]);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_camera_and_a_muted_microphone_send_nothing_to_the_room() {
    let (server, chromium) = tokio::join!(common::start(), Chromium::launch());
    let red = chromium.tab(&server, "/r/quiet", RED).await;
    red.join().await;
    red.sees(RED).await;
    red.press("stop-camera").await;
    red.misses(RED).await;
    assert_eq!(red.eval::<Vec<String>>("judge.sends()").await, ["audio", "nothing"]);
    red.press("stop-camera").await;
    red.sees(RED).await;
    red.press("mute").await;
    red.until("document.getElementById('mute').textContent === 'Unmute'").await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_is_opened_again_by_the_page_itself() {
    let (server, chromium) = tokio::join!(common::start(), Chromium::launch());
    let red = chromium.tab(&server, "/r/again", RED).await;
    red.join().await;
    red.sees(RED).await;
    let first: Vec<String> = red.eval("judge.states()").await;
    assert_eq!(first, ["connected"]);
    let session: String = red.eval("judge.session()").await;
    assert!(server.state.peers.close(&session).await);
    red.until("document.getElementById('status').textContent.includes('Trying again')").await;
    red.until("judge.states().at(-1) === 'connected' && judge.states().length === 2").await;
    red.sees(RED).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_said_in_words() {
    let (server, chromium) = tokio::join!(common::start(), Chromium::launch());
    let tab = chromium.tab(&server, "/r/no%20room", RED).await;
    tab.until("document.getElementById('warning').textContent.includes('no room name')").await;

    let refusal = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') };";
    let denied = chromium.tab_with(&server, "/r/denied", RED, refusal).await;
    denied
        .until("/camera is not allowed.*microphone|microphone is not allowed.*camera/.test(document.getElementById('warning').textContent)")
        .await;
    assert!(!denied.eval::<bool>("document.getElementById('join').disabled").await, "one may join to watch and listen");

    let deaf = "RTCRtpReceiver.getCapabilities = () => ({ codecs: [{ mimeType: 'video/VP8', clockRate: 90000 }] });";
    let no_h264 = chromium.tab_with(&server, "/r/old", RED, deaf).await;
    no_h264.until("document.getElementById('warning').textContent.includes('no H.264')").await;

    let insecure = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined }); \
                    Object.defineProperty(globalThis, 'isSecureContext', { value: false });";
    let plain = chromium.tab_with(&server, "/r/plain", RED, insecure).await;
    plain.until("document.getElementById('warning').textContent.includes('HTTPS')").await;

    let gone = chromium.tab(&server, "/watch/gone", RED).await;
    server.stop.send(()).unwrap();
    server.serving.await.unwrap();
    gone.press("stop").await;
    gone.until("document.getElementById('stop').textContent === 'Watch again'").await;
    gone.press("stop").await;
    gone.until("document.getElementById('status').textContent.includes('The server does not answer. Trying again')").await;
    chromium.close().await;
}
