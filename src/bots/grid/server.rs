//! A server in a process of its own, on free ports.
//!
//! In: the `medley` command. Out: its URL, its figures. Never: a server that outlives whoever started it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use hyper::StatusCode;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::super::http::{HttpError, Server};
use super::TrialError;
use super::metrics::Metrics;

/// How long a server may take until it serves, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(20);
const ARGUMENTS: [&str; 12] = [
    "serve",
    "--dev",
    "--http",
    "127.0.0.1:0",
    "--udp",
    "127.0.0.1:0",
    "--compositor",
    "cpu",
    "--log-format",
    "json",
    "--log",
    "medley=info",
];

/// A running server; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    url: String,
    server: Server,
}

impl Process {
    /// Starts it and waits until it serves.
    pub(super) async fn start(medley: &Path) -> Result<Self, TrialError> {
        let command = medley.display().to_string();
        let failed = |reason: String| TrialError::Server { command: command.clone(), reason };
        let started = Command::new(medley).args(ARGUMENTS).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = started.map_err(|error| failed(error.to_string()))?;
        let stderr = child.stderr.take().expect("the child's standard error is piped");
        let mut lines = BufReader::new(stderr).lines();
        let address = tokio::time::timeout(PATIENCE, address(&mut lines)).await;
        let address = address.map_err(|_| failed(format!("not within {PATIENCE:?}")))?.map_err(failed)?;
        // Whoever writes to a pipe that nobody reads stands still.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let url = format!("http://{address}");
        Ok(Self { child, server: Server::new(&url)?, url })
    }

    /// Where it serves.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What it counts.
    pub(super) async fn metrics(&self) -> Result<Metrics, TrialError> {
        Ok(Metrics::read(&self.server.get("/metrics").await?))
    }

    /// Who its API says is in a room: their ids by their names.
    pub(super) async fn participants(&self, room: &str) -> Result<Vec<(String, String)>, TrialError> {
        let told = match self.server.get(&format!("/v1/rooms/{room}")).await {
            // A room ends with the last one who leaves.
            Err(HttpError::Refused { status: StatusCode::NOT_FOUND, .. }) => return Ok(Vec::new()),
            told => told?,
        };
        let room: serde_json::Value = serde_json::from_str(&told).unwrap_or_default();
        let text = |person: &serde_json::Value, key: &str| Some(person.get(key)?.as_str()?.to_owned());
        let people = room["participants"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(people.iter().filter_map(|person| Some((text(person, "name")?, text(person, "id")?))).collect())
    }

    /// Ends it, in order where it can.
    pub(super) async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            // A process that has gone already needs no signal.
            let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).stderr(Stdio::null()).status().await;
        }
        // What does not end by then is killed as it is dropped.
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }
}

/// Where the server says that it serves HTTP.
async fn address(lines: &mut Lines<BufReader<ChildStderr>>) -> Result<String, String> {
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
        let said: Option<serde_json::Value> = serde_json::from_str(&line).ok();
        if let Some(address) = said.as_ref().and_then(|said| said.get("http")?.as_str()) {
            return Ok(address.to_owned());
        }
        last = line;
    }
    Err(if last.is_empty() { "it ended without a word".into() } else { last })
}
