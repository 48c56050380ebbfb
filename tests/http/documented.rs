//! The document against itself: what it gives as an example is as it says.

use serde_json::{Value, json};

use crate::server::start;

/// A schema of the document with all that it refers to.
pub(crate) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"] });
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

#[tokio::test]
async fn the_document_is_kept_by_its_tag_and_its_examples_are_as_it_says() {
    let server = start().await;
    let told = server.get("/openapi.json").await;
    let known = format!("If-None-Match: {}\r\n", told.header("etag").unwrap());
    assert_eq!(server.ask("GET", "/openapi.json", &known, b"").await.status, 304);
    let document = told.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut examples = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let validator = validator(&document, &content["schema"]);
                let Some(example) = content.get("example") else { continue };
                assert!(validator.is_valid(example), "{method} {path}: {:?}", validator.iter_errors(example).next());
                examples += 1;
            }
        }
    }
    assert!(examples >= 5, "{examples}");
}
