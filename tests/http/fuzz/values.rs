//! Values that a schema allows, and ones that it may not.

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

/// Names that come again and again, so that requests are about the same things.
const NAMES: [&str; 6] = ["a", "a", "a", "grid", "main", "b"];
const DEEPEST: usize = 8;

/// Makes values for the schemas of a document.
pub(super) struct Values {
    components: Value,
    runner: TestRunner,
    pub(super) rng: StdRng,
}

impl Values {
    pub(super) fn new(document: &Value, rng: StdRng) -> Self {
        let own = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        Self { components: document["components"].clone(), runner: TestRunner::new_with_rng(Config::default(), own), rng }
    }

    pub(super) fn chance(&mut self, of: f64) -> bool {
        self.rng.random_bool(of)
    }

    /// A value that the schema allows.
    pub(super) fn of(&mut self, schema: &Value, depth: usize) -> Value {
        if let Some(path) = schema["$ref"].as_str() {
            let schema = self.components.pointer(path.trim_start_matches("#/components")).cloned().unwrap_or_default();
            return self.of(&schema, depth + 1);
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.choose(&mut self.rng).cloned().unwrap_or_default();
        }
        if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            let choice = choices.choose(&mut self.rng).cloned().unwrap_or_default();
            return self.of(&choice, depth + 1);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.choose(&mut self.rng).cloned().unwrap_or_default(),
            kind => kind.clone(),
        };
        match kind.as_str() {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("string") => self.string(schema).into(),
            Some("integer") => self.integer(schema),
            Some("number") => self.number(schema),
            Some("boolean") => self.rng.random_bool(0.5).into(),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut made = Map::new();
        for (name, field) in schema["properties"].as_object().cloned().unwrap_or_default() {
            let wanted = required.contains(&json!(name)) || depth < DEEPEST && self.chance(0.3);
            if wanted {
                made.insert(name, self.of(&field, depth + 1));
            }
        }
        if schema["additionalProperties"].is_object() && self.chance(0.5) {
            let name = *NAMES.choose(&mut self.rng).expect("there are names");
            made.insert(name.into(), self.of(&schema["additionalProperties"], depth + 1));
        }
        Value::Object(made)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX).min(least + 3);
        let length = self.rng.random_range(least..=most);
        (0..length).map(|_| self.of(&schema["items"], depth + 1)).collect()
    }

    pub(super) fn string(&mut self, schema: &Value) -> String {
        let Some(pattern) = schema["pattern"].as_str() else {
            return ["Ann", "Zoë M.", "x", ""].choose(&mut self.rng).expect("there are texts").to_string();
        };
        if pattern.contains("A-Za-z0-9_-") && !pattern.contains('|') && self.chance(0.7) {
            return NAMES.choose(&mut self.rng).expect("there are names").to_string();
        }
        let inner = pattern.trim_start_matches('^').trim_end_matches('$');
        let strategy = string_regex(inner).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        strategy.new_tree(&mut self.runner).expect("the pattern allows something").current()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(least + 100_000);
        let small = (least + 600).min(most);
        let random = self.rng.random_range(least..=small);
        (*[least, most, random, random / 2 * 2, random / 2 * 2].choose(&mut self.rng).expect("there are numbers")).max(least).into()
    }

    fn number(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_f64().unwrap_or(0.0);
        let most = schema["maximum"].as_f64().unwrap_or(least + 1.0);
        let random = self.rng.random_range(least..=most);
        (*[least, most, random].choose(&mut self.rng).expect("there are numbers")).into()
    }

    /// Something that hardly any schema allows.
    pub(super) fn junk(&mut self) -> Value {
        let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
        let all = [
            json!(null),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(0.5),
            json!(""),
            json!("x".repeat(2000)),
            json!("a\u{0}\u{202e}b"),
            json!("../../etc/passwd"),
            json!([]),
            json!({}),
            json!({ "__proto__": {} }),
            json!(true),
            deep,
        ];
        all.choose(&mut self.rng).cloned().expect("there is junk")
    }

    /// The value with one part of it made wrong: replaced, left out, or added.
    pub(super) fn spoilt(&mut self, value: Value) -> Value {
        match value {
            Value::Object(mut object) if !object.is_empty() && self.chance(0.8) => {
                let keys: Vec<String> = object.keys().cloned().collect();
                let key = keys.choose(&mut self.rng).expect("it is not empty").clone();
                let part = object.remove(&key).expect("a key of it");
                match self.rng.random_range(0..10) {
                    0 => drop(part),
                    1 => drop(object.insert(format!("{key}_"), part)),
                    _ => drop(object.insert(key, self.spoilt(part))),
                }
                Value::Object(object)
            }
            Value::Array(mut array) if !array.is_empty() && self.chance(0.8) => {
                let at = self.rng.random_range(0..array.len());
                array[at] = self.spoilt(array[at].clone());
                Value::Array(array)
            }
            Value::Object(mut object) if self.chance(0.3) => {
                object.insert("surprise".into(), self.junk());
                Value::Object(object)
            }
            _ => self.junk(),
        }
    }
}
