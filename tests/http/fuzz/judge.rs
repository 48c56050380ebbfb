//! Holds answers against the document.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::requests::Request;
use crate::documented::validator;
use crate::server::Reply;

/// What was heard, and what of it contradicts the document.
pub(super) struct Judge {
    document: Value,
    validators: BTreeMap<(String, String, u16), Validator>,
    /// How often each operation answered so.
    heard: BTreeMap<(String, String, u16), usize>,
    contradictions: Vec<String>,
}

impl Judge {
    pub(super) fn new(document: &Value) -> Self {
        Self { document: document.clone(), validators: BTreeMap::new(), heard: BTreeMap::new(), contradictions: Vec::new() }
    }

    pub(super) fn hear(&mut self, request: &Request, reply: &Reply) {
        let key = (request.path.clone(), request.method.clone(), reply.status);
        *self.heard.entry(key.clone()).or_default() += 1;
        let operation = &self.document["paths"][&request.path][request.method.to_lowercase()];
        let described = operation["responses"][reply.status.to_string()].clone();
        if described.is_null() {
            return self.contradicts(request, reply, "a status that is not described");
        }
        if reply.status >= 500 && reply.status != 503 {
            return self.contradicts(request, reply, "a fault of the server");
        }
        let sent = reply.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
        let Some(content) = described["content"].as_object() else {
            if !reply.body.is_empty() && !operation["operationId"].is_null() && !sent.is_empty() {
                self.contradicts(request, reply, "a body where none is described");
            }
            return;
        };
        let Some(form) = content.get(&sent) else { return self.contradicts(request, reply, "a media type that is not described") };
        if sent == "application/json" || sent.ends_with("+json") {
            self.hear_json(key, &form["schema"].clone(), request, reply);
        }
    }

    fn hear_json(&mut self, key: (String, String, u16), schema: &Value, request: &Request, reply: &Reply) {
        let Ok(value) = serde_json::from_slice::<Value>(&reply.body) else { return self.contradicts(request, reply, "no JSON") };
        let validator = self.validators.entry(key).or_insert_with(|| validator(&self.document, schema));
        let wrong = validator.iter_errors(&value).next().map(|error| format!("{}: {error}", error.instance_path()));
        if let Some(wrong) = wrong {
            self.contradicts(request, reply, &wrong);
        }
    }

    fn contradicts(&mut self, request: &Request, reply: &Reply, why: &str) {
        let [sent, told] = [&request.body, &reply.body].map(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned());
        self.contradictions.push(format!("{why}\n  {} {}\n  {sent}\n  {} {told}", request.method, request.url, reply.status));
    }

    /// Each operation was heard, each that can succeed did, and nothing contradicted.
    pub(super) fn end(self) {
        for ((path, method, status), times) in &self.heard {
            println!("{times:5}  {status}  {method} {path}");
        }
        assert!(
            self.contradictions.is_empty(),
            "{}:\n{}",
            self.contradictions.len(),
            self.contradictions[..self.contradictions.len().min(12)].join("\n")
        );
        for (path, item) in self.document["paths"].as_object().expect("the document has paths") {
            for method in item.as_object().expect("a path has operations").keys().map(|method| method.to_uppercase()) {
                let well = |status: &u16| *status < 400;
                let heard = self.heard.keys().any(|(of, by, status)| of == path && *by == method && well(status));
                // What pages and playlists are made of stands under paths that only they know.
                let is_told_elsewhere = path.starts_with("/assets") || path == "/hls/{room}/{stream}/{file}";
                assert!(heard || is_told_elsewhere, "{method} {path} never went well");
            }
        }
    }
}
