//! Schemas made of those that types give of themselves: one object of several, a merge patch, a value that is no null.
//!
//! In: JSON schemas, and those that they refer to. Out: others that say the same and more. Never: what only one operation has.

use serde_json::{Value, json};

use super::Object;

/// The same schema without null.
pub(super) fn no_null(schema: &mut Value) {
    if let Some([Value::String(kind), _]) = schema["type"].as_array().map(Vec::as_slice) {
        schema["type"] = json!(kind);
    }
    let choices = schema["oneOf"].as_array().into_iter().flatten().filter(|one| one["type"] != "null").cloned().collect::<Vec<_>>();
    if let [only] = choices.as_slice() {
        *schema = only.clone();
    }
}

/// Where a report holds another type's fields among its own (`allOf`), says so in one schema: the other type alone allows no further ones.
pub(super) fn join_parts(schemas: &mut Object) {
    let known = schemas.clone();
    for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
        let Some(Value::Array(parts)) = schema.remove("allOf") else { continue };
        let (mut properties, mut required) = (Object::new(), Vec::new());
        for part in &parts {
            let part = referred(part, &known);
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        schema.extend([("type".into(), "object".into()), ("properties".into(), properties.into()), ("required".into(), required.into())]);
    }
}

/// The schema of a merge patch (RFC 7396): nothing must be there, and null is the default again.
pub(super) fn patch_of(schema: &Value, known: &Object) -> Value {
    let choices = schema["oneOf"].as_array().map(|choices| choices.iter().filter(|one| one["type"] != "null").collect::<Vec<_>>());
    if let Some([only]) = choices.as_deref() {
        return patch_of(only, known);
    }
    let whole = referred(schema, known);
    let Some(properties) = whole["properties"].as_object() else { return or_null(schema, known) };
    let properties: Object = properties.iter().map(|(name, field)| (name.clone(), patch_of(field, known))).collect();
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

/// What is no object with fields of its own: as it is, or null. So are the values of a map.
fn or_null(schema: &Value, known: &Object) -> Value {
    let mut changed = schema.clone();
    if schema["additionalProperties"].is_object() {
        changed["additionalProperties"] = patch_of(&schema["additionalProperties"], known);
    }
    json!({ "anyOf": [changed, { "type": "null" }] })
}

pub(super) fn referred<'a>(part: &'a Value, known: &'a Object) -> &'a Value {
    let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.and_then(|name| known.get(name)).unwrap_or(part)
}
