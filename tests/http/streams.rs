//! The room as MJPEG and as Ogg, as clients read it.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::server::{Server, start, until};

/// A stream that is being read, without the chunks that carry it (RFC 9112 §7.1).
struct Reading {
    stream: TcpStream,
    head: String,
    waiting: Vec<u8>,
    /// What the chunks have brought, beyond what was read.
    body: Vec<u8>,
    ended: bool,
}

/// A picture as it came.
struct Shown {
    jpeg: Vec<u8>,
    /// Milliseconds since 1970.
    taken: u64,
}

impl Reading {
    /// Of a client whose system takes little that is not read.
    async fn open(server: &Server, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut stream = socket.connect(server.addr).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut reading = Self { stream, head: String::new(), waiting: vec![], body: vec![], ended: false };
        let head = reading.line_end(b"\r\n\r\n").await;
        reading.head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(reading.head.starts_with("http/1.1 200") && reading.head.contains("cache-control: no-store"), "{}", reading.head);
        reading
    }

    async fn more(&mut self) {
        let read = timeout(Duration::from_secs(20), self.stream.read_buf(&mut self.waiting)).await.expect("something within 20 s");
        assert!(read.unwrap() > 0, "the connection ended before the stream did");
    }

    /// All before `mark`, which is taken as well.
    async fn line_end(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.waiting.windows(mark.len()).position(|part| part == mark) {
                let before = self.waiting.drain(..at + mark.len()).take(at).collect();
                return before;
            }
            self.more().await;
        }
    }

    async fn chunk(&mut self) {
        let length = self.line_end(b"\r\n").await;
        let length = usize::from_str_radix(std::str::from_utf8(&length).unwrap(), 16).unwrap();
        while self.waiting.len() < length + 2 {
            self.more().await;
        }
        self.body.extend(self.waiting.drain(..length));
        assert_eq!(self.waiting.drain(..2).collect::<Vec<_>>(), b"\r\n");
        self.ended |= length == 0;
    }

    /// The first bytes, or fewer where the stream ends.
    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.body.len() < length {
            if self.ended {
                return None;
            }
            self.chunk().await;
        }
        Some(self.body.drain(..length).collect())
    }

    async fn part_line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.take(1).await?);
        }
        Some(String::from_utf8(line).unwrap().trim_end().to_lowercase())
    }

    /// The next part's picture (RFC 2046 §5.1.1); `None` at the end.
    async fn picture(&mut self) -> Option<Shown> {
        let boundary = self.head.split_once("boundary=").unwrap().1.lines().next().unwrap().to_owned();
        while self.part_line().await? != format!("--{boundary}") {}
        let mut header = std::collections::BTreeMap::new();
        while let Some((name, value)) = self.part_line().await?.split_once(": ") {
            header.insert(name.to_owned(), value.to_owned());
        }
        assert_eq!(header["content-type"], "image/jpeg");
        let jpeg = self.take(header["content-length"].parse().unwrap()).await?;
        Some(Shown { jpeg, taken: header["x-timestamp"].replace('.', "").parse().unwrap() })
    }
}

fn size(jpeg: &[u8]) -> (u32, u32) {
    let image = image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap();
    (image.width(), image.height())
}

async fn with_room() -> Server {
    let server = start().await;
    let canvas = json!({ "canvas": { "width": 640, "height": 360, "fps": 30 }, "views": { "tall": { "canvas": { "width": 360, "height": 640, "fps": 30 } } } });
    assert_eq!(server.send("PUT", "/v1/rooms/a", &canvas).await.status, 201);
    server
}

#[tokio::test]
async fn pictures_come_at_the_height_and_rate_and_of_the_view_that_were_asked_for() {
    let server = with_room().await;
    for (query, wanted) in [("", (640, 360)), ("?height=180&fps=30", (320, 180)), ("?height=2160&fps=30&view=tall", (360, 640))] {
        let mut reading = Reading::open(&server, &format!("/v1/rooms/a/mix.mjpeg{query}")).await;
        assert!(reading.head.contains("content-type: multipart/x-mixed-replace; boundary="), "{}", reading.head);
        let mut before = 0;
        for _ in 0..3 {
            let shown = reading.picture().await.unwrap();
            assert!(size(&shown.jpeg) == wanted && shown.taken > before, "{query}: {:?} at {}", size(&shown.jpeg), shown.taken);
            before = shown.taken;
        }
    }
    let mut slow = Reading::open(&server, "/v1/rooms/a/mix.mjpeg?height=128&fps=4").await;
    let (first, second) = (slow.picture().await.unwrap().taken, slow.picture().await.unwrap().taken);
    assert!(second - first >= 225, "{first} {second}");
}

#[tokio::test]
async fn a_client_that_stops_reading_finds_the_newest_picture_when_it_goes_on() {
    let server = with_room().await;
    let path = "/v1/rooms/a/mix.mjpeg?height=360&fps=30";
    let (mut slow, mut fast) = (Reading::open(&server, path).await, Reading::open(&server, path).await);
    let stopped = slow.picture().await.unwrap();
    let mut seen = 0;
    while seen < 90 {
        fast.picture().await.unwrap();
        seen += 1;
    }
    let newest = fast.picture().await.unwrap().taken;
    let (mut old, mut bytes) = (0, 0);
    loop {
        let shown = slow.picture().await.unwrap();
        if shown.taken >= newest {
            break;
        }
        (old, bytes) = (old + 1, bytes + shown.jpeg.len());
    }
    println!("{old} pictures of {} bytes were on their way", stopped.jpeg.len());
    assert!(bytes < 400_000, "{old} pictures, {bytes} bytes");
    let behind = server.state.metrics.text();
    let counted =
        behind.lines().find(|line| line.contains("mjpeg_client_behind")).map(|line| line.rsplit(' ').next().unwrap().parse::<usize>());
    assert!(old + counted.unwrap().unwrap() >= 85, "{old}, {behind}");
}

#[tokio::test]
async fn sound_begins_with_headers_and_zero_for_each_client() {
    let server = with_room().await;
    let mut serials = Vec::new();
    for _ in 0..2 {
        let mut reading = Reading::open(&server, "/v1/rooms/a/mix.ogg").await;
        assert!(reading.head.contains("content-type: audio/ogg"), "{}", reading.head);
        let mut positions = Vec::new();
        for number in 0..12u32 {
            let head = reading.take(27).await.unwrap();
            assert_eq!((&head[..5], &head[18..22]), (&b"OggS\0"[..], &number.to_le_bytes()[..]));
            let lengths = reading.take(usize::from(head[26])).await.unwrap();
            let packet = reading.take(lengths.iter().map(|length| usize::from(*length)).sum()).await.unwrap();
            assert!(number > 1 || packet.starts_with([b"OpusHead", b"OpusTags"][number as usize]));
            positions.push(u64::from_le_bytes(head[6..14].try_into().unwrap()));
            serials.push(head[14..18].to_vec());
        }
        assert_eq!(positions[..4], [0, 0, 1920, 3840]);
        assert!(positions[2..].windows(2).all(|two| two[1] - two[0] == 1920), "{positions:?}");
    }
    serials.dedup();
    assert_eq!(serials.len(), 2);
}

#[tokio::test]
async fn streams_end_with_the_room_and_with_the_server() {
    let server = with_room().await;
    server.ask("PUT", "/v1/rooms/b", "", b"").await;
    let mut of_a = Vec::new();
    for kind in ["mjpeg", "ogg"] {
        let mut reading = Reading::open(&server, &format!("/v1/rooms/a/mix.{kind}")).await;
        reading.take(100).await.unwrap();
        of_a.push(reading);
    }
    let mut of_b = [Reading::open(&server, "/v1/rooms/b/mix.mjpeg").await, Reading::open(&server, "/v1/rooms/b/mix.ogg").await];
    assert_eq!(server.ask("DELETE", "/v1/rooms/a", "", b"").await.status, 204);
    for reading in &mut of_a {
        while reading.take(1).await.is_some() {}
    }
    for reading in &mut of_b {
        reading.take(100).await.unwrap();
    }
    server.stop.send(()).unwrap();
    for reading in &mut of_b {
        while reading.take(1).await.is_some() {}
    }
    timeout(Duration::from_secs(2), server.serving).await.expect("the streams ended by themselves").unwrap();
}

#[tokio::test]
async fn a_client_that_goes_ends_what_was_made_for_it() {
    let server = with_room().await;
    let mut open = [Reading::open(&server, "/v1/rooms/a/mix.mjpeg?fps=30").await, Reading::open(&server, "/v1/rooms/a/mix.ogg").await];
    for reading in &mut open {
        reading.take(100).await.unwrap();
    }
    let broadcast = server.state.broadcast.clone();
    assert_eq!((broadcast.pictures.watched().len(), broadcast.sounds.heard().len()), (1, 1));
    drop(open);
    until("nothing is made for nobody", async || broadcast.pictures.watched().is_empty() && broadcast.sounds.heard().is_empty()).await;
    until("the room has no threads", async || server.state.metrics.rooms.get() == 0).await;
}

#[tokio::test]
async fn a_head_has_no_body_and_makes_nothing() {
    let server = with_room().await;
    for (path, content_type) in [("mix.mjpeg?height=360", "multipart/x-mixed-replace; boundary="), ("mix.ogg", "audio/ogg")] {
        let reply = server.ask("HEAD", &format!("/v1/rooms/a/{path}"), "", b"").await;
        assert!(reply.status == 200 && reply.body.is_empty() && reply.header("content-length").is_none(), "{}", reply.head);
        assert!(reply.header("content-type").unwrap().starts_with(content_type));
    }
    assert!(server.state.broadcast.pictures.watched().is_empty());
}

#[tokio::test]
async fn a_head_tells_what_a_get_would() {
    let server = with_room().await;
    assert_eq!(server.send("PUT", "/v1/rooms/closed", &json!({ "locked": true })).await.status, 201);
    let of_streams = [("closed/mix.mjpeg", 200), ("closed/mix.ogg", 200), ("none/mix.mjpeg", 404), ("none/mix.ogg", 404)];
    for (path, status) in of_streams.into_iter().chain([("a/mix.mjpeg?view=none", 422)]) {
        for method in ["HEAD", "GET"] {
            assert_eq!(server.ask(method, &format!("/v1/rooms/{path}"), "", b"").await.status, status, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_told() {
    let server = with_room().await;
    for (path, status, said) in [
        ("/v1/rooms/none/mix.mjpeg", 404, "no room none"),
        ("/v1/rooms/none/mix.ogg", 404, "no room none"),
        ("/v1/rooms/a/mix.mjpeg?height=127", 422, "128 to 2160"),
        ("/v1/rooms/a/mix.mjpeg?height=2161", 422, "128 to 2160"),
        ("/v1/rooms/a/mix.mjpeg?fps=0", 422, "1 to 30"),
        ("/v1/rooms/a/mix.mjpeg?fps=31", 422, "1 to 30"),
        ("/v1/rooms/a/mix.mjpeg?quality=9", 422, "quality"),
        ("/v1/rooms/a/mix.mjpeg?view=none", 422, "no view none"),
        ("/v1/rooms/a/mix.ogg?fps=3", 422, "fps"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(said), "{path}: {}", reply.json());
    }
}

#[tokio::test]
async fn an_encoder_too_many_is_refused_until_one_is_free() {
    let server = with_room().await;
    let mut open = Vec::new();
    for fps in 1..=8 {
        open.push(Reading::open(&server, &format!("/v1/rooms/a/mix.mjpeg?fps={fps}")).await);
    }
    let refused = server.get("/v1/rooms/a/mix.mjpeg?fps=9").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("10")));
    open.truncate(1);
    until("a place is free", async || server.get("/v1/rooms/a/mix.mjpeg?fps=9").await.status == 200).await;
}

#[tokio::test]
async fn a_snapshot_is_a_jpeg_in_the_canvass_size() {
    let server = with_room().await;
    let reply = server.get("/v1/rooms/a/snapshot.jpg").await;
    assert_eq!((reply.status, size(&reply.body)), (200, (640, 360)));
}
