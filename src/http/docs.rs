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
mod tests;
