//! Files that survive a crash: one for each thing an admin made, on three shelves below the data directory.
//!
//! In: names and bytes. Out: the same bytes after a restart. A write is on the disk when it returns: a temporary file beside the old
//! one, its bytes synced, renamed over it, the folder synced. So a crash at any point leaves the old file or the new one, whole.
//! Never: a name that leaves its folder, or a file removed that nobody asked to remove (an unreadable one is set aside).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What temporary files end with; names have no dots, so no file of ours is called so.
const TEMPORARY: &str = "tmp";
/// What files end with that could not be read.
const BROKEN: &str = "broken";

/// A folder of alike things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Settings of rooms, as JSON.
    Rooms,
    /// Templates, as JSON.
    Layouts,
    /// Uploaded images, as they came.
    Images,
}

impl Shelf {
    const ALL: [Self; 3] = [Self::Rooms, Self::Layouts, Self::Images];

    /// The folder's name, and what its files end with.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Rooms => ("rooms", "json"),
            Self::Layouts => ("layouts", "json"),
            Self::Images => ("images", "image"),
        }
    }
}

/// The data directory, or none: then nothing survives, and nothing is written.
#[derive(Clone, Debug)]
pub struct Store(Option<PathBuf>);

/// Something on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// What was kept.
    pub bytes: Vec<u8>,
}

/// What the disk did not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Not a name: it would be another file.
    #[error("{0:?} is no name for a file: use 1 to 64 of A-Z, a-z, 0-9, '_' and '-'")]
    Name(String),
}

impl Store {
    /// Makes the folders and removes what a crash left half written. Without a folder nothing is kept.
    ///
    /// # Errors
    /// Where the folders cannot be made or read.
    pub fn open(folder: Option<PathBuf>) -> Result<Self, StoreError> {
        let store = Self(folder);
        for shelf in Shelf::ALL {
            let Some(folder) = store.folder(shelf) else { continue };
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            for path in entries(&folder)?.into_iter().filter(|path| ends_with(path, TEMPORARY)) {
                let removed = fs::remove_file(&path);
                tracing::warn!(path = %path.display(), ?removed, "a write was broken off; what it left is removed");
            }
        }
        Ok(store)
    }

    /// All that is on a shelf, by name. A file that cannot be read is reported and set aside.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn load(&self, shelf: Shelf) -> Result<Vec<Kept>, StoreError> {
        let Some(folder) = self.folder(shelf) else { return Ok(Vec::new()) };
        let mut kept = Vec::new();
        for path in entries(&folder)?.into_iter().filter(|path| ends_with(path, shelf.parts().1)) {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            match read(&path, &name) {
                Ok(bytes) => kept.push(Kept { name, bytes }),
                Err(reason) => set_aside(&path, &reason),
            }
        }
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(kept)
    }

    /// Reports something that was loaded and is no such thing, and keeps its file under another name.
    pub fn set_aside(&self, shelf: Shelf, name: &str, reason: &str) {
        if let Ok(Some(path)) = self.path(shelf, name) {
            set_aside(&path, reason);
        }
    }

    /// Keeps bytes under a name, in place of those that were; they are on the disk when this returns.
    ///
    /// # Errors
    /// Where the disk does not take them; what was kept before is still there.
    pub fn keep(&self, shelf: Shelf, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(path) = self.path(shelf, name)? else { return Ok(()) };
        replace(&path, bytes)
    }

    /// Forgets a name; one that is not there is forgotten already.
    ///
    /// # Errors
    /// Where the disk does not do it.
    pub fn forget(&self, shelf: Shelf, name: &str) -> Result<(), StoreError> {
        let Some(path) = self.path(shelf, name)? else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::File { path, error }),
            _ => sync_folder_of(&path),
        }
    }

    fn folder(&self, shelf: Shelf) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(shelf.parts().0))
    }

    fn path(&self, shelf: Shelf, name: &str) -> Result<Option<PathBuf>, StoreError> {
        if !is_name(name) {
            return Err(StoreError::Name(name.chars().take(80).collect()));
        }
        Ok(self.folder(shelf).map(|folder| folder.join(format!("{name}.{}", shelf.parts().1))))
    }
}

/// Writes a file in place of the one that was: a crash at any point leaves one of the two, whole. On the disk when it returns.
///
/// # Errors
/// Where the disk does not take it; what was there before still is.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension(TEMPORARY);
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Where this fails as well, the next start removes it.
        let _ = fs::remove_file(&temporary);
        return Err(StoreError::File { path: path.to_owned(), error });
    }
    sync_folder_of(path)
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    listed.map_err(at(folder))
}

fn ends_with(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, String> {
    if !is_name(name) {
        return Err("its name is none that is written here".into());
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn set_aside(path: &Path, reason: &str) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".");
    aside.push(BROKEN);
    let aside = PathBuf::from(aside);
    tracing::error!(path = %path.display(), reason, aside = %aside.display(), "a kept file is skipped and set aside");
    if let Err(error) = fs::rename(path, &aside) {
        tracing::error!(path = %path.display(), %error, "it could not be set aside");
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A rename or a removal is on the disk once its folder is (fsync(2)).
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::File { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().into())).unwrap();
        (folder, store)
    }

    fn reopened(folder: &tempfile::TempDir) -> Vec<(String, Vec<u8>)> {
        let store = Store::open(Some(folder.path().into())).unwrap();
        store.load(Shelf::Rooms).unwrap().into_iter().map(|kept| (kept.name, kept.bytes)).collect()
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            entries(folder).unwrap().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_kept_last_is_there_after_a_restart() {
        let (folder, store) = store();
        store.keep(Shelf::Rooms, "b", b"1").unwrap();
        store.keep(Shelf::Rooms, "a", b"2").unwrap();
        store.keep(Shelf::Rooms, "b", b"3").unwrap();
        store.keep(Shelf::Images, "b", b"4").unwrap();
        assert_eq!(reopened(&folder), [("a".into(), b"2".to_vec()), ("b".into(), b"3".to_vec())]);
        store.forget(Shelf::Rooms, "b").unwrap();
        store.forget(Shelf::Rooms, "b").unwrap();
        assert_eq!(reopened(&folder), [("a".into(), b"2".to_vec())]);
        assert_eq!(store.load(Shelf::Images).unwrap(), [Kept { name: "b".into(), bytes: b"4".to_vec() }]);
    }

    #[test]
    fn a_crash_before_the_rename_loses_nothing_older_and_leaves_nothing_behind() {
        let (folder, store) = store();
        store.keep(Shelf::Rooms, "a", b"old").unwrap();
        for half_written in [&b""[..], b"ne", b"new"] {
            fs::write(folder.path().join("rooms/a.tmp"), half_written).unwrap();
            fs::write(folder.path().join("rooms/fresh.tmp"), half_written).unwrap();
            assert_eq!(reopened(&folder), [("a".into(), b"old".to_vec())]);
            assert_eq!(files(&folder.path().join("rooms")), ["a.json"]);
        }
    }

    #[test]
    fn a_write_that_the_disk_refuses_leaves_the_old_one() {
        let (folder, store) = store();
        store.keep(Shelf::Rooms, "a", b"old").unwrap();
        fs::create_dir(folder.path().join("rooms/a.tmp")).unwrap();
        let refused = store.keep(Shelf::Rooms, "a", b"new").unwrap_err().to_string();
        assert!(refused.contains("rooms/a.json"), "{refused}");
        assert_eq!(store.load(Shelf::Rooms).unwrap()[0].bytes, b"old");
    }

    #[test]
    fn no_name_leaves_its_folder() {
        let (folder, store) = store();
        let outside = folder.path().join("stays.json");
        fs::write(&outside, b"mine").unwrap();
        for name in ["", ".", "..", "../stays", "a/b", "a\\b", "a.b", "a\0", "ä", &"x".repeat(65)] {
            assert!(store.keep(Shelf::Rooms, name, b"x").is_err(), "{name:?}");
            assert!(store.forget(Shelf::Rooms, name).is_err(), "{name:?}");
            store.set_aside(Shelf::Rooms, name, "no name");
        }
        assert_eq!(files(&folder.path().join("rooms")), Vec::<String>::new());
        assert_eq!(fs::read(outside).unwrap(), b"mine");
    }

    #[test]
    fn a_file_that_is_no_such_thing_is_kept_under_another_name() {
        let (folder, store) = store();
        store.keep(Shelf::Rooms, "a", b"{").unwrap();
        store.set_aside(Shelf::Rooms, "a", "it ends too early");
        fs::write(folder.path().join("rooms/not a name.json"), b"{}").unwrap();
        assert_eq!(reopened(&folder), []);
        assert_eq!(files(&folder.path().join("rooms")), ["a.json.broken", "not a name.json.broken"]);
        assert_eq!(fs::read(folder.path().join("rooms/a.json.broken")).unwrap(), b"{");
    }

    #[test]
    fn writes_of_different_names_do_not_meet() {
        let (folder, store) = store();
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let store = store.clone();
                scope.spawn(move || (0..20u8).for_each(|n| store.keep(Shelf::Rooms, &format!("room{writer}"), &[writer, n]).unwrap()));
            }
        });
        let wanted: Vec<_> = (0..8u8).map(|writer| (format!("room{writer}"), vec![writer, 19])).collect();
        assert_eq!(reopened(&folder), wanted);
    }

    #[test]
    fn without_a_folder_nothing_is_written_and_nothing_is_there() {
        let store = Store::open(None).unwrap();
        store.keep(Shelf::Rooms, "a", b"x").unwrap();
        store.forget(Shelf::Rooms, "a").unwrap();
        assert_eq!(store.load(Shelf::Rooms).unwrap(), []);
    }
}
