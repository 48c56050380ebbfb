//! What a crash left of a recording, cut to what can be played.
//!
//! In: its folder. Out: its files as they are after, and a manifest that says so. Never: a byte of a whole part removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::{Manifest, RecordedFile, State};
use crate::container::mp4;

/// A log's last line is looked for in so many bytes at a time.
const STEP: u64 = 64 * 1024;

/// Whether a file is one of those that recordings have; nothing else in their folders is ever read or given out.
pub(super) fn is_ours(name: &str) -> bool {
    let person = name.strip_prefix('p').and_then(|rest| rest.strip_suffix(".mp4"));
    let number = person.is_some_and(|number| (1..=10).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()));
    number || matches!(name, "mixed.mp4" | "events.jsonl")
}

/// Cuts each file to its last whole part, and writes into the manifest what there is.
///
/// # Errors
/// Where the folder cannot be read, or a file cannot be cut.
pub(super) fn recover(folder: &Path, manifest: &mut Manifest) -> io::Result<()> {
    let (mut files, mut reached) = (Vec::new(), Duration::ZERO);
    for name in names(folder)? {
        let path = folder.join(&name);
        let bytes = cut(&path, &name)?;
        if bytes == 0 {
            fs::remove_file(&path)?;
            continue;
        }
        let begins_ms = manifest.file(&name).map_or(0, |file| file.begins_ms);
        let duration = if name.ends_with(".mp4") { mp4::duration(File::open(&path)?).unwrap_or_default() } else { Duration::ZERO };
        // The mix's length is its own; everybody else's is reckoned from the recording's zero
        let before = if name == "mixed.mp4" { 0 } else { begins_ms };
        reached = reached.max(duration + Duration::from_millis(before));
        files.push(RecordedFile { name, bytes, begins_ms });
    }
    manifest.bytes = files.iter().map(|file| file.bytes).sum();
    manifest.duration_ms = reached.as_millis() as u64;
    (manifest.state, manifest.reason) = match files.is_empty() {
        false => (State::Recovered, Some("the server ended while it was recorded".into())),
        true => (State::Failed, Some("the server ended before anything of it was on the disk".into())),
    };
    manifest.files = files;
    Ok(())
}

/// The files of a recording; shorter names first, so that `p2` stands before `p10`.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if entry.file_type()?.is_file() && is_ours(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name.starts_with('p'), name.len(), name.clone()));
    Ok(names)
}

/// Its length once it is cut.
fn cut(path: &Path, name: &str) -> io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let whole = match name.ends_with(".mp4") {
        true => mp4::whole_parts(file.try_clone()?).map_err(io::Error::other)?,
        false => whole_lines(&mut file)?,
    };
    if whole < file.metadata()?.len() {
        file.set_len(whole)?;
        file.sync_all()?;
    }
    Ok(whole)
}

/// The length to the end of the last whole line, looked for from the end on.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut bytes = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(begin))?;
        bytes.clear();
        file.take(end - begin).read_to_end(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|b| *b == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
