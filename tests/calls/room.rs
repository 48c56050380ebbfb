//! A server of its own for each test, and one call at a time.

use std::time::Duration;

use medley::bots::{self, BotsOptions, Report};
use medley::compositor::Choice;
use medley::config::Config;
use medley::server::Server;
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// A server in development mode on free ports, while nobody else calls.
pub(crate) struct Call {
    pub(crate) server: Server,
    _turn: MutexGuard<'static, ()>,
}

impl Call {
    pub(crate) async fn start(compositor: Choice) -> Self {
        let turn = TURN.lock().await;
        let free = "127.0.0.1:0".parse().unwrap();
        let config = Config { dev: true, http: free, udp: Some(free), compositor, ..Config::default() };
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
