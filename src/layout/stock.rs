//! The templates that come with the server: the files of `assets/layouts/`.
//!
//! In: nothing. Out: every file, read once. Never: anything that an admin could not have written.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::Template;
use crate::media::ShortName;

/// The files' texts, under their names without the `.json`.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../assets/layouts/", $name, ".json")))),+]
    };
}

const FILES: [(&str, &str); 11] = files![
    "grid",
    "one-plus-five",
    "one-plus-seven",
    "pip",
    "presentation",
    "side-by-side",
    "speaker",
    "spotlight",
    "stacked",
    "strip",
    "two-plus-eight",
];

/// All stock templates, read once per process.
pub fn stock() -> &'static BTreeMap<ShortName, Arc<Template>> {
    static STOCK: LazyLock<BTreeMap<ShortName, Arc<Template>>> = LazyLock::new(|| FILES.into_iter().map(read).collect());
    &STOCK
}

fn read((name, text): (&str, &str)) -> (ShortName, Arc<Template>) {
    let name = name.parse().expect("a stock template's name is a name, as a test shows");
    let template = serde_json::from_str(text).expect("a stock template can be read, as a test shows");
    (name, Arc::new(template))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stock_template_keeps_the_rules_and_says_what_it_is() {
        for (name, template) in stock() {
            assert_eq!(template.check(), Ok(()), "{name}");
            assert!(!template.title.is_empty() && !template.description.is_empty(), "{name}");
        }
    }

    #[test]
    fn the_folder_and_the_list_agree() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/layouts");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let listed = FILES.iter().map(|(name, _)| format!("{name}.json"));
        assert_eq!(files.collect::<BTreeSet<_>>(), listed.collect());
    }
}
