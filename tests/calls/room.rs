//! A server of its own for each test, and one call at a time.

use std::path::PathBuf;
use std::time::Duration;

use medley::bots::{self, BotsOptions, Report};
use medley::compositor::Choice;
use medley::config::Config;
use medley::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// A server in development mode on free ports, while nobody else calls.
pub(crate) struct Call {
    pub(crate) server: Server,
    _turn: MutexGuard<'static, ()>,
}

impl Call {
    pub(crate) async fn start(compositor: Choice) -> Self {
        Self::start_with(compositor, None).await
    }

    /// The same with a folder for what it keeps.
    pub(crate) async fn start_with(compositor: Choice, data_dir: Option<PathBuf>) -> Self {
        let turn = TURN.lock().await;
        let free = "127.0.0.1:0".parse().unwrap();
        let config = Config { dev: true, http: free, udp: Some(free), compositor, data_dir, ..Config::default() };
        Self { server: Server::start(config).await.unwrap(), _turn: turn }
    }

    /// What bots of this call start from.
    pub(crate) fn options(&self) -> BotsOptions {
        BotsOptions { url: self.server.url(), room: "call".into(), ..BotsOptions::default() }
    }

    /// Bots that measure for some seconds and leave.
    pub(crate) async fn bots(&self, options: BotsOptions) -> Report {
        bots::run(options, std::future::pending()).await.unwrap()
    }

    /// The sum of a metric's lines whose name and labels begin so.
    pub(crate) fn metric(&self, beginning: &str) -> f64 {
        let text = self.server.metrics().text();
        let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
        text.lines().filter(|line| line.starts_with(beginning)).filter_map(value).sum()
    }
}

/// Waits until something is so; panics with what it was to be when it is not in time.
pub(crate) async fn within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let mut glances = tokio::time::interval(Duration::from_millis(20));
    let watch = async {
        while !is_so() {
            glances.tick().await;
        }
    };
    assert!(tokio::time::timeout(patience, watch).await.is_ok(), "not within {patience:?}: {what}");
}

/// Status and body of whatever comes back.
pub(crate) async fn exchange(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before all of it is written.
    let _ = stream.write_all(request).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    let reply = String::from_utf8_lossy(&reply).into_owned();
    (reply.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0), reply)
}
