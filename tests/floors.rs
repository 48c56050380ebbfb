//! The architecture as a test: imports only point down the floors, and each foreign stack is named in one place only.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is not as it should be")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of one floor do not import each other; a higher floor may import any lower one.
const FLOORS: [&[&str]; 7] = [
    &["media", "flow", "metrics"],
    &["codec", "layout", "compositor", "store"],
    &["ingest", "room", "egress", "bots", "container"],
    &["rooms", "render"],
    &["peer", "record", "broadcast", "players"],
    &["http"],
    &["config", "server", "cli"],
];

/// Crates that only some places may name.
const PLACES: [(&[&str], &[&str]); 6] = [
    (&["webrtc", "rtc"], &["src/peer/"]),
    (&["str0m"], &["src/bots/"]),
    (&["wgpu"], &["src/compositor/gpu"]),
    (&["mp4_atom", "ogg", "symphonia"], &["src/container/"]),
    (&["object_store"], &["src/record/upload/"]),
    (&["openh264", "openh264_sys2", "opus", "opusic_sys", "turbojpeg"], &["src/codec/"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs")).chain(below).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path below the root and text, without comments, of every source file.
fn files() -> Vec<(String, String)> {
    let strip = |text: String| text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let named =
        |path: PathBuf| (path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), strip(fs::read_to_string(&path).unwrap()));
    sources(&root().join("src")).into_iter().map(named).collect()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap()
}

/// The top modules that a text names by `crate::…`, also in braces.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let group = rest.strip_prefix('{').and_then(|inner| inner.split("};").next());
        for item in group.map_or(vec![rest], |inner| inner.split(',').collect()) {
            found.push(item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn every_module_stands_on_a_floor() {
    for (path, _) in files() {
        let module = module_of(&path);
        assert!(["lib", "main"].contains(&module) || floor(module).is_some(), "{path} stands on no floor");
    }
}

#[test]
fn imports_only_point_down() {
    for (path, text) in files() {
        let Some(here) = floor(module_of(&path)) else { continue };
        for import in imports(&text) {
            let Some(there) = floor(&import) else { continue };
            let own = import == module_of(&path);
            let top = here == FLOORS.len() - 1 || here == 0;
            assert!(own || there < here || (top && there == here), "{path} (floor {here}) imports {import} (floor {there})");
        }
    }
}

/// Whether a text names a crate: in a `use`, or by a path, unless a module of ours of that name was (or may be) imported.
fn names(text: &str, name: &str) -> bool {
    let ours = |line: &&str| line.trim_start().starts_with("use ") && !line.contains(&format!("use {name}"));
    let imported = text.lines().filter(ours).any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name));
    let imported = imported || text.contains("use super::*");
    let path = |before: char| text.contains(&format!("{before}{name}::"));
    text.contains(&format!("use {name}::")) || (!imported && [' ', '(', '<', '&'].into_iter().any(path))
}

#[test]
fn each_foreign_stack_is_named_in_one_place() {
    for (path, text) in files() {
        for (crates, places) in PLACES {
            let named = crates.iter().any(|name| names(&text, name));
            assert!(!named || places.iter().any(|place| path.starts_with(place)), "{path} names one of {crates:?}");
        }
    }
}

#[test]
fn a_module_of_ours_is_not_taken_for_the_crate_of_its_name() {
    assert!(names("use opus::Decoder;", "opus") && names("let d = opus::Decoder::new();", "opus"));
    assert!(!names("use crate::codec::{h264, opus};\nlet n = opus::samples(p);", "opus"));
}

#[test]
fn the_reader_of_imports_sees_groups_and_paths() {
    assert_eq!(
        imports("use crate::media::Frame; use crate::{flow, room::Room}; let x = crate::http::y();"),
        ["media", "flow", "room", "http"]
    );
}
