//! Requests made from the document: mostly right ones, some with one thing wrong.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value};

use super::values::Values;
use crate::server::{Reply, offer};

/// Tags and sessions that are remembered.
const REMEMBERED: usize = 8;
/// Players that are remembered: the older ones have ended.
const REMEMBERED_PLAYERS: usize = 2;

/// One request, and the operation that it is of.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

/// Makes requests.
pub(super) struct Requests {
    operations: Vec<(String, String, Value)>,
    values: Values,
    tags: Vec<String>,
    sessions: Vec<String>,
    recordings: Vec<String>,
    players: Vec<String>,
}

impl Requests {
    pub(super) fn new(document: &Value, rng: StdRng) -> Self {
        let paths = document["paths"].as_object().expect("the document has paths");
        let methods = |(path, item): (&String, &Value)| {
            let operations = item.as_object().cloned().unwrap_or_default();
            operations.into_iter().map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
        };
        let operations = paths.iter().flat_map(methods).collect();
        let values = Values::new(document, rng);
        Self { operations, values, tags: Vec::new(), sessions: Vec::new(), recordings: Vec::new(), players: Vec::new() }
    }

    /// Notes what later requests can name.
    pub(super) fn learn(&mut self, reply: &Reply) {
        if let Some(tag) = reply.header("etag") {
            self.tags.push(tag.to_owned());
        }
        if let Some(session) = reply.header("location").and_then(|path| path.strip_prefix("/v1/sessions/")) {
            self.sessions.push(session.to_owned());
        }
        if let Some(recording) = reply.header("location").and_then(|path| path.strip_prefix("/v1/recordings/")) {
            self.recordings.push(recording.to_owned());
        }
        if let Some((_, player)) = reply.header("location").and_then(|path| path.rsplit_once("/players/")) {
            self.players.push(player.to_owned());
        }
        let most = [(&mut self.tags, REMEMBERED), (&mut self.recordings, REMEMBERED), (&mut self.players, REMEMBERED_PLAYERS)];
        for (remembered, most) in most {
            let surplus = remembered.len().saturating_sub(most);
            remembered.drain(..surplus);
        }
    }

    pub(super) fn next(&mut self) -> Request {
        let (path, method, operation) = self.operations.choose(&mut self.values.rng).cloned().expect("there are operations");
        // A playlist takes four seconds of a room's life
        if path == "/hls/{room}/index.m3u8" && self.values.chance(0.7) {
            return self.next();
        }
        let (mut url, mut query, mut headers) = (path.clone(), Vec::new(), String::new());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a parameter has a name");
            let text = self.parameter(&path, name, &parameter["schema"]);
            match parameter["in"].as_str() {
                Some("path") => url = url.replace(&format!("{{{name}}}"), &encoded(if text.is_empty() { "_" } else { &text })),
                Some("query") if self.values.chance(0.4) => query.push(format!("{name}={}", encoded(&text))),
                Some("header") if self.values.chance(0.3) => headers += &format!("{name}: {}\r\n", self.tag()),
                _ => (),
            }
        }
        if !query.is_empty() {
            url = format!("{url}?{}", query.join("&"));
        }
        let body = operation["requestBody"]["content"].as_object().map(|content| self.body(content, &mut headers)).unwrap_or_default();
        Request { path, method: method.to_uppercase(), url, headers, body }
    }

    fn parameter(&mut self, path: &str, name: &str, schema: &Value) -> String {
        if self.values.chance(0.05) {
            return plain(&self.values.junk());
        }
        match name {
            "session" => self.sessions.choose(&mut self.values.rng).cloned().unwrap_or_else(|| "none".into()),
            "id" | "cursor" if path.starts_with("/v1/recordings") => {
                self.recordings.choose(&mut self.values.rng).cloned().unwrap_or_else(|| plain(&self.values.of(schema, 0)))
            }
            "file" if self.values.chance(0.6) => "mixed.mp4".into(),
            "id" if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("player")) && self.values.chance(0.9) => {
                self.players.choose(&mut self.values.rng).cloned().unwrap_or_else(|| "player1".into())
            }
            "id" if self.values.chance(0.8) => format!("p{}", self.values.rng.random_range(1..4)),
            _ => plain(&self.values.of(schema, 0)),
        }
    }

    fn tag(&mut self) -> String {
        let known = self.tags.choose(&mut self.values.rng).cloned().unwrap_or_else(|| "*".into());
        ["*".to_owned(), "junk".to_owned(), known.clone(), known].choose(&mut self.values.rng).cloned().expect("there are tags")
    }

    /// A body in one of the media types that are taken, and its header.
    fn body(&mut self, content: &Map<String, Value>, headers: &mut String) -> Vec<u8> {
        let types: Vec<&String> = content.keys().collect();
        let media_type = types.choose(&mut self.values.rng).expect("a body has a media type").to_string();
        let told = if self.values.chance(0.03) { "text/plain" } else { &media_type };
        *headers += &format!("Content-Type: {told}\r\n");
        if !media_type.ends_with("json") {
            return self.foreign(&media_type);
        }
        let described = &content[&media_type];
        let example = described.get("example").filter(|_| self.values.chance(0.4)).cloned();
        let value = example.unwrap_or_else(|| self.values.of(&described["schema"], 0));
        let value = if self.values.chance(0.4) { self.values.spoilt(value) } else { value };
        let mut text = value.to_string().into_bytes();
        if self.values.chance(0.03) {
            text.truncate(text.len() / 2);
        }
        text
    }

    /// A body that is no JSON: one that is right, or bytes.
    fn foreign(&mut self, media_type: &str) -> Vec<u8> {
        if self.values.chance(0.4) {
            return (0..self.values.rng.random_range(0..200)).map(|_| self.values.rng.random()).collect();
        }
        match media_type {
            "application/sdp" => offer(["sendrecv", "sendonly", "recvonly"].choose(&mut self.values.rng).expect("there are some")).into(),
            "image/jpeg" => crate::images::file(16, 8, image::ImageFormat::Jpeg),
            "audio/wav" => crate::players::wav(100),
            "image/png" => crate::images::file(8, 16, image::ImageFormat::Png),
            _ => b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\n".into(),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
