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
