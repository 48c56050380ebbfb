//! What is kept, read when the server starts.
//!
//! In: the shelves. Out: the directory. Never: a start refused for one bad file; it is reported, set aside and skipped.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::AdminError;
use super::directory::{Directory, Entry, Prepared};
use super::library::{Library, StoredImage};
use super::spec::RoomSpec;
use crate::layout::Template;
use crate::media::{RoomName, ShortName};
use crate::store::{Kept, Shelf, Store, StoreError};

/// Why there are no rooms.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be used.
    #[error("data directory: {0}")]
    Store(#[from] StoreError),
    /// What rooms start as breaks a rule.
    #[error("the configuration's section [room]: {0}")]
    Room(AdminError),
}

/// The directory as it was kept.
pub(super) fn read(store: &Store, defaults: RoomSpec) -> Result<Directory, OpenError> {
    let library = read_library(store)?;
    let defaults = Prepared::of(defaults, &library).map_err(OpenError::Room)?;
    let mut directory = Directory::new(library, defaults);
    for kept in store.load(Shelf::Rooms)? {
        match room(&kept, &directory.library) {
            Ok((name, prepared)) => drop(directory.entries.insert(name, Entry::new(prepared, true))),
            Err(reason) => store.set_aside(Shelf::Rooms, &kept.name, &reason),
        }
    }
    Ok(directory)
}

fn read_library(store: &Store) -> Result<Library, OpenError> {
    let mut library = Library::default();
    for kept in store.load(Shelf::Images)? {
        match image(&kept, &library) {
            Ok(with) => library = with,
            Err(reason) => store.set_aside(Shelf::Images, &kept.name, &reason),
        }
    }
    for kept in store.load(Shelf::Layouts)? {
        match template(&kept, &library) {
            Ok(with) => library = with,
            Err(reason) => store.set_aside(Shelf::Layouts, &kept.name, &reason),
        }
    }
    Ok(library)
}

fn room(kept: &Kept, library: &Library) -> Result<(RoomName, Prepared), String> {
    let name: RoomName = kept.name.parse().map_err(text)?;
    Ok((name, Prepared::of(json(&kept.bytes)?, library).map_err(text)?))
}

fn template(kept: &Kept, library: &Library) -> Result<Library, String> {
    let name: ShortName = kept.name.parse().map_err(text)?;
    library.with_template(&name, json::<Template>(&kept.bytes)?).map_err(text)
}

fn image(kept: &Kept, library: &Library) -> Result<Library, String> {
    let name: ShortName = kept.name.parse().map_err(text)?;
    let image = StoredImage::decode(kept.bytes.clone().into()).map_err(text)?;
    library.with_image(&name, Arc::new(image)).map_err(text)
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(bytes)).map_err(text)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
