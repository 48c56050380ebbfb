//! The API's document, OpenAPI 3.1: made of the routes themselves, so that the two cannot differ.
//!
//! In: what each route says of itself. Out: the same with what is true of many (keys, refusals), made once and kept as bytes.

mod schemas;

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};

use self::schemas::{join_parts, no_null, patch_of};
use super::{Access, AppState, etag, problem};
use crate::rooms::RoomEvent;
use crate::rooms::talk::{FromClient, ToClient};

type Object = Map<String, Value>;

struct Document {
    bytes: Bytes,
    etag: HeaderValue,
}

/// Of a server that wants keys.
static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::of(&document(super::guarded().into_openapi(), super::open().into_openapi())));

/// Of a server in development mode, which asks nobody for a key.
static UNLOCKED: LazyLock<Document> = LazyLock::new(|| {
    let mut document = document(super::guarded().into_openapi(), super::open().into_openapi());
    for_each_operation(&mut document, |_, operation| {
        operation.remove("security");
        object(operation.get_mut("responses").expect("each operation answers something")).remove("401");
    });
    Document::of(&document)
});

impl Document {
    fn of(document: &Value) -> Self {
        let bytes = Bytes::from(serde_json::to_vec(document).expect("a document of strings and numbers is JSON"));
        Self { etag: etag::of(&bytes), bytes }
    }
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "Operations",
    responses(
        (status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object),
        (status = 304, description = "It is what If-None-Match says"),
    )
)]
pub(super) async fn openapi(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let document = if matches!(state.access, Access::Open) { &UNLOCKED } else { &DOCUMENT };
    let kept = [(header::ETAG, document.etag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if etag::is_known(&headers, &document.etag) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (kept, content_type, document.bytes.clone()).into_response()
}

/// The routes' descriptions as one document.
fn document(guarded: OpenApi, open: OpenApi) -> Value {
    let [mut guarded, mut open] = [guarded, open].map(|api| serde_json::to_value(api).expect("a description is JSON"));
    for_each_operation(&mut guarded, |method, operation| {
        operation.insert("security".into(), json!([{ "bearer": [] }]));
        refuses(operation, 401, "No API key, or one that is not this server's");
        // People are not kept, everything else is.
        if ["put", "patch", "delete"].contains(&method) && operation["tags"][0] != "People" {
            refuses(operation, 503, "It could not be kept; nothing was changed");
        }
    });
    let [guarded_parts, open_parts] = [&mut guarded, &mut open].map(parts);
    let mut document = preamble();
    for (paths, schemas) in [guarded_parts, open_parts] {
        object(&mut document["paths"]).extend(paths);
        object(&mut document["components"]["schemas"]).extend(schemas);
    }
    for (name, schema) in [("Problem", problem::Document::schema()), ("RoomEvent", RoomEvent::schema())] {
        let schema = serde_json::to_value(schema).expect("a schema is JSON");
        object(&mut document["components"]["schemas"]).insert(name.into(), schema);
    }
    tell_data_channel(&mut document);
    for_each_operation(&mut document, |_, operation| {
        tell_parameters(operation);
        tell_refusals(operation);
    });
    let schemas = object(&mut document["components"]["schemas"]);
    join_parts(schemas);
    for (schema, side) in [("CanvasSpec", "width"), ("CanvasSpec", "height"), ("RenditionSpec", "height")] {
        schemas[schema]["properties"][side]["multipleOf"] = json!(2);
    }
    let mut patch = patch_of(&schemas["RoomSpec"], schemas);
    patch["type"] = json!("object");
    patch["description"] = schemas["RoomPatch"]["description"].take();
    schemas.insert("RoomPatch".into(), patch);
    document
}

/// What no operation tells of: the messages of the data channel.
fn tell_data_channel(document: &mut Value) {
    let mut known = vec![("ToClient".to_owned(), ToClient::schema()), ("FromClient".to_owned(), FromClient::schema())];
    ToClient::schemas(&mut known);
    FromClient::schemas(&mut known);
    let schemas = object(&mut document["components"]["schemas"]);
    for (name, schema) in known {
        schemas.entry(name).or_insert_with(|| serde_json::to_value(schema).expect("a schema is JSON"));
    }
    document["x-data-channel"] = json!({
        "label": "medley",
        "description": "A client of any of the three ways to join may offer a data channel with its first offer (m=application, \
            webrtc-datachannel) and open one that is called medley: ordered, reliable. What goes over it is text, one JSON object a \
            message. Types and fields that a client does not know are to be ignored. A client that reads too slowly gets the newest of \
            what changes; one that sends too much loses the channel.",
        "toClient": { "$ref": "#/components/schemas/ToClient" },
        "fromClient": { "$ref": "#/components/schemas/FromClient" },
    });
}

fn preamble() -> Value {
    let tag = |name: &str, description: &str| json!({ "name": name, "description": description });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Medley",
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": "Apache 2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            tag("Joining", "Send and receive: an SDP offer in, the answer out."),
            tag("Rooms", "Set rooms up, look at them, follow what happens in them."),
            tag("Layouts", "Templates, and how a room's views are arranged."),
            tag("People", "Who is in a room, and what an admin does about them."),
            tag("Images", "Logos and backgrounds."),
            tag("Recordings", "Keep what a room shows and sounds like, and what each participant sent."),
            tag("Files", "Announcements, music, films: uploaded, and played into rooms."),
            tag("Broadcast", "The mix for many, and for devices without WebRTC."),
            tag("Operations", "Health, figures, version."),
            tag("Pages", "For people."),
        ],
        "paths": {},
        "components": {
            "schemas": {},
            "securitySchemes": { "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key; none is needed in development mode (--dev). What players and links read, which send no \
                    headers, takes it as ?token= too: HLS playlists, mix.mjpeg, mix.ogg, snapshots, files of recordings.",
            } },
        },
    })
}

/// A description's paths and schemas.
fn parts(api: &mut Value) -> (Object, Object) {
    let take = |value: &mut Value| value.as_object_mut().map(std::mem::take).unwrap_or_default();
    (take(&mut api["paths"]), take(&mut api["components"]["schemas"]))
}

fn object(value: &mut Value) -> &mut Object {
    value.as_object_mut().expect("the preamble has objects here")
}

fn for_each_operation(document: &mut Value, mut change: impl FnMut(&str, &mut Object)) {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for (method, operation) in paths.filter_map(Value::as_object_mut).flatten() {
        if let Some(operation) = operation.as_object_mut().filter(|operation| operation.contains_key("responses")) {
            change(method, operation);
        }
    }
}

/// Adds a refusal that the route itself does not tell of.
fn refuses(operation: &mut Object, status: u16, description: &str) {
    let responses = object(operation.get_mut("responses").expect("each operation answers something"));
    responses.entry(status.to_string()).or_insert_with(|| json!({ "description": description }));
}

/// Of what is made in these parts of the API, the answer has the entity tag.
const WITH_ETAG: [&str; 4] = ["Joining", "Rooms", "Layouts", "Images"];

/// One entity tag or several (RFC 9110 §8.8.3), or whatever is there.
const TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$"#;

/// What the descriptions of parameters and bodies leave open: one that is not there is no null, tags are quoted, sides are even.
fn tell_parameters(operation: &mut Object) {
    if let Some(body) = operation.get_mut("requestBody").filter(|body| body["required"] != json!(true)) {
        body["content"].as_object_mut().into_iter().flat_map(Map::values_mut).for_each(|content| no_null(&mut content["schema"]));
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        no_null(&mut parameter["schema"]);
        let rule = match parameter["name"].as_str() {
            Some("If-Match") => {
                parameter["example"] = json!("*");
                ("pattern", json!(TAGS))
            }
            Some("If-None-Match") => ("pattern", json!("^\\*$")),
            Some("width" | "height") => ("multipleOf", json!(2)),
            _ => continue,
        };
        parameter["schema"][rule.0] = rule.1;
    }
}

/// What is true of every operation that takes a body or parameters, and what every refusal looks like.
fn tell_refusals(operation: &mut Object) {
    if operation.contains_key("requestBody") {
        refuses(operation, 408, "The body does not come");
        refuses(operation, 413, "The body is too long");
        refuses(operation, 415, "The body has another media type");
        refuses(operation, 422, "A parameter or the body breaks a rule: detail says which and where");
    }
    if operation.contains_key("parameters") {
        refuses(operation, 422, "A parameter breaks a rule: detail says which");
    }
    let part = operation["tags"][0].clone();
    let responses = object(operation.get_mut("responses").expect("each operation answers something"));
    for (_, refusal) in responses.iter_mut().filter(|(status, _)| status.as_str() >= "400") {
        let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        object(refusal).entry("content").or_insert(problem);
    }
    let has_etag = WITH_ETAG.iter().any(|with| part == *with);
    for (status, header, description, is_sent) in [
        ("201", "Location", "Where it is", true),
        ("201", "ETag", "Of what is there now", has_etag),
        ("503", "Retry-After", "Seconds after which to try again", part != "Operations"),
    ] {
        let Some(response) = responses.get_mut(status).filter(|_| is_sent).and_then(Value::as_object_mut) else { continue };
        let headers = object(response.entry("headers").or_insert_with(|| json!({})));
        headers.insert(header.into(), json!({ "description": description, "schema": { "type": "string" } }));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::schemas::referred;
    use super::*;

    fn whole() -> Value {
        serde_json::from_slice(&DOCUMENT.bytes).unwrap()
    }

    /// Every object in a value.
    fn objects<'a>(value: &'a Value, found: &mut Vec<&'a Object>) {
        match value {
            Value::Object(object) => {
                found.push(object);
                object.values().for_each(|inner| objects(inner, found));
            }
            Value::Array(array) => array.iter().for_each(|inner| objects(inner, found)),
            _ => (),
        }
    }

    #[test]
    fn whatever_the_document_refers_to_is_in_it() {
        let document = whole();
        let mut found = Vec::new();
        objects(&document, &mut found);
        let references: BTreeSet<&str> = found.iter().filter_map(|object| object.get("$ref")?.as_str()).collect();
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_message_of_the_data_channel_is_described() {
        let schemas = whole()["components"]["schemas"].clone();
        let types = |name: &str| -> BTreeSet<String> {
            let mut found = Vec::new();
            objects(&schemas[name], &mut found);
            let named = found.iter().filter_map(|object| object.get("properties")?["type"]["enum"][0].as_str());
            named.map(ToOwned::to_owned).collect()
        };
        let all = ["chat", "error", "hello", "quality", "roster", "send", "speaker", "tiles"];
        assert_eq!(types("ToClient").into_iter().collect::<Vec<_>>(), all);
        assert_eq!(types("FromClient").into_iter().collect::<Vec<_>>(), ["chat"]);
        assert!(schemas["Tile"]["properties"]["participant"].is_object() && schemas["Quality"]["properties"]["why"].is_object());
    }

    #[test]
    fn every_route_of_the_contract_is_described() {
        let document = whole();
        for (path, methods) in [
            ("/v1/rooms/{room}/join", "post"),
            ("/whip/{room}", "post"),
            ("/whep/{room}", "post"),
            ("/v1/sessions/{session}", "get patch delete"),
            ("/v1/rooms", "get"),
            ("/v1/rooms/{room}", "get put patch delete"),
            ("/v1/rooms/{room}/events", "get"),
            ("/v1/rooms/{room}/snapshot.png", "get"),
            ("/v1/rooms/{room}/snapshot.jpg", "get"),
            ("/v1/rooms/{room}/mix.mjpeg", "get"),
            ("/v1/rooms/{room}/mix.ogg", "get"),
            ("/hls/{room}/index.m3u8", "get"),
            ("/v1/rooms/{room}/recordings", "post"),
            ("/v1/recordings", "get"),
            ("/v1/recordings/{id}", "get delete"),
            ("/v1/recordings/{id}/stop", "post"),
            ("/v1/recordings/{id}/{file}", "get"),
            ("/v1/rooms/{room}/layout", "get put"),
            ("/v1/layouts", "get"),
            ("/v1/layouts/{name}", "get put delete"),
            ("/v1/layouts/{name}/preview.png", "get"),
            ("/v1/layouts/preview.png", "post"),
            ("/v1/rooms/{room}/participants", "get"),
            ("/v1/rooms/{room}/participants/{id}", "get patch delete"),
            ("/v1/images", "get"),
            ("/v1/images/{name}", "get put delete"),
            ("/v1/files", "get"),
            ("/v1/files/{name}", "get put delete"),
            ("/v1/rooms/{room}/players", "get post"),
            ("/v1/rooms/{room}/players/{id}", "get delete"),
            ("/healthz", "get"),
            ("/readyz", "get"),
            ("/metrics", "get"),
            ("/version", "get"),
            ("/openapi.json", "get"),
            ("/docs", "get"),
            ("/", "get"),
            ("/admin", "get"),
            ("/r/{room}", "get"),
            ("/watch/{room}", "get"),
            ("/stats/{room}", "get"),
        ] {
            for method in methods.split(' ') {
                assert!(document["paths"][path][method]["operationId"].is_string(), "{method} {path}");
            }
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_every_refusal_a_problem() {
        let mut document = whole();
        let mut names = BTreeSet::new();
        for_each_operation(&mut document, |method, operation| {
            assert!(names.insert(operation["operationId"].to_string()), "{method} {}", operation["operationId"]);
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{operation:?}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let described = answer["content"]["application/problem+json"].is_object() || answer["content"]["text/html"].is_object();
                assert!(status.as_str() < "400" || described, "{} {status}", operation["operationId"]);
            }
        });
        assert!(names.len() > 35, "{}", names.len());
    }

    #[test]
    fn headers_are_told_where_they_are_sent() {
        let document = whole();
        let headers = |path: &str, method: &str, status: &str| document["paths"][path][method]["responses"][status]["headers"].clone();
        for (path, method) in [("/v1/rooms/{room}/join", "post"), ("/v1/rooms/{room}", "put"), ("/v1/images/{name}", "put")] {
            assert!(headers(path, method, "201")["ETag"].is_object(), "{path}");
        }
        for (path, method) in [("/v1/rooms/{room}/recordings", "post"), ("/v1/rooms/{room}/players", "post"), ("/v1/files/{name}", "put")] {
            let told = headers(path, method, "201");
            assert!(told["Location"].is_object() && told["ETag"].is_null(), "{path}");
        }
        assert!(headers("/v1/rooms/{room}/recordings", "post", "503")["Retry-After"].is_object());
        assert!(headers("/readyz", "get", "503")["Retry-After"].is_null());
    }

    #[test]
    fn only_what_needs_a_key_says_so() {
        let document = whole();
        assert!(document["paths"]["/v1/images"]["get"]["security"].is_array());
        assert!(document["paths"]["/v1/images"]["get"]["responses"]["401"].is_object());
        assert!(document["paths"]["/healthz"]["get"]["security"].is_null());
    }

    #[test]
    fn a_server_in_development_mode_asks_for_no_key_and_says_so() {
        let mut document: Value = serde_json::from_slice(&UNLOCKED.bytes).unwrap();
        for_each_operation(&mut document, |_, operation| {
            assert!(operation.get("security").is_none() && operation["responses"]["401"].is_null(), "{}", operation["operationId"]);
        });
    }

    #[test]
    fn a_parameter_that_is_left_out_is_no_null_and_sides_are_even() {
        let mut document = whole();
        let mut tags = 0;
        for_each_operation(&mut document, |_, operation| {
            for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                assert!(!parameter["schema"].to_string().contains("null"), "{parameter}");
                tags += usize::from(parameter["schema"]["pattern"] == TAGS);
            }
        });
        assert!(tags >= 5, "{tags}");
        let put = &document["paths"]["/v1/rooms/{room}"]["put"]["requestBody"];
        assert_eq!(
            (&put["required"], &put["content"]["application/json"]["schema"]["$ref"]),
            (&json!(null), &json!("#/components/schemas/RoomSpec"))
        );
        assert_eq!(document["components"]["schemas"]["CanvasSpec"]["properties"]["width"]["multipleOf"], 2);
    }

    #[test]
    fn ranges_are_kept_apart_and_a_report_is_one_object() {
        let schemas = whole()["components"]["schemas"].clone();
        let canvas = &schemas["CanvasSpec"];
        let range = |field: &str| referred(&canvas["properties"][field], schemas.as_object().unwrap()).clone();
        assert_eq!((range("width")["maximum"].as_u64(), range("fps")["maximum"].as_u64()), (Some(3840), Some(60)));
        let fps = &schemas["RoomPatch"]["properties"]["canvas"]["properties"]["fps"];
        assert_eq!((&fps["anyOf"][0]["$ref"], &fps["anyOf"][1]["type"]), (&json!("#/components/schemas/From5To60"), &json!("null")));
        let report = &schemas["TemplateReport"];
        assert!(report["allOf"].is_null() && report["properties"]["arrangements"].is_object() && report["properties"]["stock"].is_object());
    }
}
