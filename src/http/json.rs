//! JSON bodies, read strictly.
//!
//! In: a request. Out: a value of the type that was asked for, or a 422 that names the path of the field and the rule. A key given
//! twice is refused, nesting is bounded (by `serde_json`, at 128). Never: a lenient reading that does something else than was meant.

use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Path;

use super::{Problem, body};

/// RFC 8259.
pub(super) const JSON: &str = "application/json";
/// RFC 7396.
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";
/// The longest rule that is told: a client's own text may be in it.
const LONGEST_RULE: usize = 400;

/// The body as a `T`; an empty one is `{}`.
pub(super) async fn read_or_empty<T: DeserializeOwned + Serialize>(
    headers: &HeaderMap,
    body: Body,
    patience: Duration,
) -> Result<T, Problem> {
    let bytes = collect(body, patience).await?;
    if bytes.is_empty() {
        return typed(Value::Object(Map::new()));
    }
    body::require_media_type(headers, &[JSON])?;
    typed(value_of(&bytes)?)
}

/// The body as a value, where its media type is one of `wanted`.
pub(super) async fn value(headers: &HeaderMap, body: Body, wanted: &[&str], patience: Duration) -> Result<Value, Problem> {
    body::require_media_type(headers, wanted)?;
    value_of(&collect(body, patience).await?)
}

/// The body as an object, where its media type is one of `wanted`.
pub(super) async fn object(headers: &HeaderMap, body: Body, wanted: &[&str], patience: Duration) -> Result<Map<String, Value>, Problem> {
    match value(headers, body, wanted, patience).await? {
        Value::Object(object) => Ok(object),
        other => Err(Problem::unprocessable(format!("the body is {}; send an object: {{…}}", kind(&other)))),
    }
}

/// A value as a `T`, or the path of the field that is wrong.
pub(super) fn typed<T: DeserializeOwned + Serialize>(value: Value) -> Result<T, Problem> {
    let read: T = serde_path_to_error::deserialize(&value).map_err(|error| refusal(error.path(), error.inner()))?;
    let written = serde_json::to_value(&read).map_err(|error| Problem::unprocessable(format!("the body: {error}")))?;
    match list_for_object(&value, &written, String::new()) {
        Some(path) => Err(Problem::unprocessable(format!("{path}: is an array; send an object: {{…}}"))),
        None => Ok(read),
    }
}

/// The path of an array that was read as an object: serde takes the fields of a struct in their order, too, which is no contract.
fn list_for_object(given: &Value, read: &Value, path: String) -> Option<String> {
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => Some(if path.is_empty() { "the body".to_owned() } else { path }),
        (Value::Array(given), Value::Array(read)) => {
            given.iter().zip(read).enumerate().find_map(|(n, (given, read))| list_for_object(given, read, format!("{path}[{n}]")))
        }
        (Value::Object(given), Value::Object(read)) => given.iter().find_map(|(key, given)| {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            list_for_object(given, read.get(key)?, inner)
        }),
        _ => None,
    }
}

async fn collect(body: Body, patience: Duration) -> Result<bytes::Bytes, Problem> {
    body::bytes(body, body::MAX_BYTES, "leave out what is as it is by default", patience).await
}

fn value_of(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize::<_, Strict>(&mut reader);
    let Strict(value) = read.map_err(|error| refusal(error.path(), error.inner()))?;
    reader.end().map_err(|error| Problem::unprocessable(format!("the body goes on after its JSON: {error}")))?;
    Ok(value)
}

fn refusal(path: &Path, rule: &serde_json::Error) -> Problem {
    let (path, rule) = (path.to_string(), rule.to_string());
    // What broke off in the middle has a path that ends nowhere.
    let field = if path == "." || path == "?" { "the body" } else { &path };
    let cut = |text: &str| text.chars().take(LONGEST_RULE).collect::<String>();
    Problem::unprocessable(format!("{}: {}", cut(field), cut(&rule)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Any JSON in which no object has a key twice (RFC 8259 §4: what readers make of that differs).
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is none: send a finite one"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = from.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            let Strict(value) = from.next_value()?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {:?} is given twice; give it once", super::problem::shown(&key))));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};
    use serde_json::json;

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        regions: Vec<Inner>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        width: u8,
    }

    fn refused(text: &str) -> String {
        let read = value_of(text.as_bytes()).and_then(typed::<Outer>);
        let problem = read.unwrap_err();
        assert_eq!(problem.status(), 422);
        problem.detail().to_owned()
    }

    #[test]
    fn a_refusal_names_the_path_and_the_rule() {
        for (text, path, rule) in [
            (r#"{"regions":[{"width":1},{"width":256}]}"#, "regions[1].width: ", "expected u8"),
            (r#"{"regions":[{"width":1e999}]}"#, "regions[0].width: ", "number out of range"),
            (r#"{"regions":[{"width":NaN}]}"#, "regions[0].width: ", "expected value"),
            (r#"{"regions":[{"widht":1}]}"#, "regions[0].widht: ", "unknown field `widht`, expected `width`"),
            (r#"{"regions":[{}]}"#, "regions[0]: ", "missing field `width`"),
            (r#"{"regions":[{"width":1,"width":2}]}"#, "regions[0]", "\"width\" is given twice"),
            ("[[]]", "the body: ", "is an array; send an object"),
            (r#"{"regions":[{"width":1},[2]]}"#, "regions[1]: ", "is an array; send an object"),
            ("3", "the body: ", "expected struct Outer"),
            ("", "the body: ", "EOF"),
            ("{", "the body: ", "EOF"),
            ("{} {}", "the body goes on", "trailing characters"),
        ] {
            let detail = refused(text);
            assert!(detail.starts_with(path) && detail.contains(rule), "{text}: {detail}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_and_a_long_name_is_not_repeated_whole() {
        assert!(refused(&"[".repeat(60_000)).contains("recursion limit"));
        assert!(refused(&format!(r#"{{"{}":1}}"#, "x".repeat(60_000))).len() < 1000);
    }

    #[tokio::test]
    async fn an_empty_body_is_an_empty_object_of_any_type() {
        let (headers, patience) = (HeaderMap::new(), Duration::from_secs(5));
        let read: Value = read_or_empty(&headers, Body::empty(), patience).await.unwrap();
        assert_eq!(read, json!({}));
        let refused = read_or_empty::<Value>(&headers, Body::from("{}"), patience).await.unwrap_err();
        assert_eq!(refused.status(), 415);
    }

    #[tokio::test]
    async fn a_merge_patch_is_an_object() {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(MERGE_PATCH))]);
        for (text, kind) in [("[]", "an array"), ("null", "null"), ("3", "a number")] {
            let refused = object(&headers, Body::from(text), &[MERGE_PATCH, JSON], Duration::from_secs(5)).await.unwrap_err();
            assert!(refused.detail().contains(kind), "{text}");
        }
    }
}
