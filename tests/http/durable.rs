//! The real server is killed in the middle of many writes and started again; and what it logs of writes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};

use image::ImageFormat;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::JSON;
use crate::images::file;

/// Writes in all, and how many are acknowledged when the server is killed.
const WRITES: usize = 200;
const KILLED_AFTER: usize = 100;

/// A server of its own process; killed when dropped.
struct Process {
    child: Child,
    addr: SocketAddr,
    /// What it logs once it serves.
    log: Receiver<Value>,
}

impl Process {
    /// Started on free ports; its log says which.
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_medley"))
            .args(["serve", "--dev", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--compositor", "cpu", "--log-format", "json"])
            .args(["--log", "medley=info", "--data-dir"])
            .arg(data)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let addr = said.filter_map(|line| line["http"].as_str()?.parse().ok()).next().expect("the server says where it serves");
        // Whoever writes to a pipe that nobody reads stands still.
        let (to, log) = mpsc::channel();
        let line = |line: std::io::Result<String>| serde_json::from_str::<Value>(&line.unwrap()).unwrap();
        std::thread::spawn(move || lines.map(line).for_each(|line| drop(to.send(line))));
        Self { child, addr, log }
    }

    /// The next line of the log that says so.
    fn logged(&self, message: &str) -> Value {
        self.log.iter().find(|line| line["message"].as_str().is_some_and(|said| said.contains(message))).unwrap()
    }

    /// One request; `None` where the server is gone before it has answered.
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(self.addr).await.ok()?;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.ok()?;
        let end = reply.windows(4).position(|four| four == b"\r\n\r\n")?;
        Some((std::str::from_utf8(&reply[9..12]).ok()?.parse().ok()?, reply.split_off(end + 4)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `n`th write: a room, a template or an image, each of them written several times over.
fn write(n: usize) -> (String, &'static str, Vec<u8>) {
    let name = n / 3 % 20;
    match n % 3 {
        0 => (format!("/v1/rooms/room{name}"), JSON, json!({ "max_participants": n + 1 }).to_string().into()),
        1 => {
            let region = json!({ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1 });
            (format!("/v1/layouts/own{name}"), JSON, json!({ "title": n.to_string(), "regions": [region] }).to_string().into())
        }
        _ => (format!("/v1/images/image{name}"), "Content-Type: image/png\r\n", file(8 + n as u32, 8, ImageFormat::Png)),
    }
}

/// Which write a stored thing is of.
fn written(path: &str, body: &[u8]) -> usize {
    if path.starts_with("/v1/images") {
        return image::load_from_memory(body).unwrap().width() as usize - 8;
    }
    let told: Value = serde_json::from_slice(body).unwrap();
    match told["title"].as_str() {
        Some(title) => title.parse().unwrap(),
        None => told["settings"]["max_participants"].as_u64().unwrap() as usize - 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_is_there_after_a_kill_in_the_middle() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path());
    let (acknowledged, count) = (Mutex::new(BTreeMap::<String, usize>::new()), AtomicUsize::new(0));
    // Four writers, each with things of its own, so that the last write to a thing is known.
    let writer = |lane: usize| {
        let (server, acknowledged, count) = (&server, &acknowledged, &count);
        async move {
            for n in (0..WRITES).filter(|n| n / 3 % 4 == lane) {
                let (path, headers, body) = write(n);
                let Some((status, _)) = server.ask("PUT", &path, headers, &body).await else { return };
                assert!(status == 201 || status == 200, "{path}: {status}");
                acknowledged.lock().unwrap().insert(path, n);
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let pid = server.child.id().to_string();
    let killer = async {
        let mut glances = tokio::time::interval(std::time::Duration::from_millis(1));
        while count.load(Ordering::SeqCst) < KILLED_AFTER {
            glances.tick().await;
        }
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    };
    tokio::join!(writer(0), writer(1), writer(2), writer(3), killer);
    server.child.wait().unwrap();
    let acknowledged = acknowledged.into_inner().unwrap();
    let made = count.into_inner();
    assert!((KILLED_AFTER..WRITES).contains(&made), "{made} writes were acknowledged");

    let again = Process::start(data.path());
    for (path, n) in &acknowledged {
        let (status, body) = again.ask("GET", path, "", b"").await.unwrap();
        assert_eq!(status, 200, "{path}");
        // A later write may have reached the disk without its acknowledgement reaching us; an older one never stands in its place.
        assert!(written(path, &body) >= *n, "{path} is of write {}, not {n}", written(path, &body));
    }
    println!("{made} writes acknowledged before the kill, {} things there after it", acknowledged.len());
}

#[tokio::test]
async fn an_operator_reads_who_changed_what_and_what_the_disk_did_not_take() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    assert_eq!(server.ask("PUT", "/v1/rooms/a", JSON, b"{}").await.unwrap().0, 201);
    let line = server.logged("admin");
    let told = |field: &str| line[field].clone();
    assert_eq!((told("level"), told("who"), told("method")), (json!("INFO"), json!("anybody"), json!("PUT")));
    assert_eq!((told("path"), told("room"), told("status")), (json!("/v1/rooms/a"), json!("a"), json!(201)));

    // A folder that is none any more takes no file, whoever asks.
    std::fs::rename(data.path().join("rooms"), data.path().join("away")).unwrap();
    std::fs::write(data.path().join("rooms"), b"").unwrap();
    let (status, refusal) = server.ask("PUT", "/v1/rooms/a", JSON, br#"{"locked":true}"#).await.unwrap();
    let detail = serde_json::from_slice::<Value>(&refusal).unwrap()["detail"].as_str().unwrap().to_owned();
    assert!(status == 503 && detail.contains("nothing was changed"), "{status} {detail}");
    assert!(!detail.contains(data.path().to_str().unwrap()), "where on the disk is not a stranger's: {detail}");
    let error = server.logged("the data directory");
    assert!(error["level"] == "ERROR" && error["error"].as_str().unwrap().contains("rooms"), "{error}");
    let (status, room) = server.ask("GET", "/v1/rooms/a", "", b"").await.unwrap();
    assert_eq!((status, serde_json::from_slice::<Value>(&room).unwrap()["locked"].clone()), (200, json!(false)));

    std::fs::remove_file(data.path().join("rooms")).unwrap();
    std::fs::rename(data.path().join("away"), data.path().join("rooms")).unwrap();
    assert_eq!(server.ask("PUT", "/v1/rooms/a", JSON, br#"{"locked":true}"#).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_is_there_after_a_kill_and_can_be_played_to_its_end() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path());
    let canvas = json!({ "canvas": { "width": 320, "height": 180, "fps": 10 } }).to_string();
    server.ask("PUT", "/v1/rooms/a", JSON, canvas.as_bytes()).await.unwrap();
    let (status, started) = server.ask("POST", "/v1/rooms/a/recordings", "", b"").await.unwrap();
    assert_eq!(status, 201);
    let path = format!("/v1/recordings/{}", serde_json::from_slice::<Value>(&started).unwrap()["id"].as_str().unwrap());
    let told = async |server: &Process| serde_json::from_slice::<Value>(&server.ask("GET", &path, "", b"").await.unwrap().1).unwrap();
    let reached = |told: &Value| told["duration_ms"].as_u64().unwrap();
    let mut glances = tokio::time::interval(std::time::Duration::from_millis(20));
    while reached(&told(&server).await) < 3000 {
        glances.tick().await;
    }
    let before = told(&server).await;
    assert!(Command::new("kill").args(["-9", &server.child.id().to_string()]).status().unwrap().success());
    server.child.wait().unwrap();

    let again = Process::start(data.path());
    let after = told(&again).await;
    assert_eq!((&after["state"], &after["start"]), (&json!("recovered"), &before["start"]), "{after}");
    // A part more may have been written than was told, and none less
    assert!(reached(&after) + 200 >= reached(&before), "{after} after {before}");
    let (status, file) = again.ask("GET", &format!("{path}/mixed.mp4"), "", b"").await.unwrap();
    assert_eq!((status, file.len() as u64), (200, after["bytes"].as_u64().unwrap()));
    let copy = data.path().join("copy.mp4");
    std::fs::write(&copy, &file).unwrap();
    let mut pictures = medley::container::Media::open(&copy).unwrap().pictures.unwrap();
    let all: Vec<_> = std::iter::from_fn(|| pictures.next().unwrap()).collect();
    let last = all.last().unwrap().at.as_millis() as u64;
    assert!(all.len() >= 25 && last + 2000 >= reached(&before), "{} pictures to {last} ms", all.len());
}
