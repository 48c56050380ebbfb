//! Images for overlays: told, stored, forgotten.

use std::sync::Arc;

use bytes::Bytes;

use super::{AdminError, ETag, Outcome};
use crate::media::ShortName;
use crate::rooms::library::StoredImage;
use crate::rooms::resolve::invalid;
use crate::rooms::spec::RoomSpec;
use crate::rooms::{ImageReport, Rooms};
use crate::store::Shelf;

impl Rooms {
    /// All uploaded images.
    pub fn images(&self) -> Vec<ImageReport> {
        self.directory.lock().library.image_reports()
    }

    /// An uploaded image's file, and its media type.
    ///
    /// # Errors
    /// Where there is none.
    pub fn image(&self, name: &ShortName) -> Result<(Bytes, ImageReport, ETag), AdminError> {
        let stored = self.directory.lock().library.image(name).cloned().ok_or_else(|| no_image(name))?;
        Ok((stored.file.clone(), stored.report(name), stored.tag()))
    }

    /// Stores an image; its size is read and bounded before any pixel is decoded. Rooms that show it show the new one.
    ///
    /// # Errors
    /// `Invalid` where it is no PNG or JPEG, or too large.
    pub async fn put_image(&self, name: &ShortName, file: Bytes) -> Result<(Outcome, ImageReport, ETag), AdminError> {
        let name = name.clone();
        self.write(move |rooms| {
            let stored = Arc::new(StoredImage::decode(file).map_err(|error| invalid("body", error.to_string()))?);
            let (library, was_there) = {
                let directory = rooms.directory.lock();
                (directory.library.with_image(&name, stored.clone())?, directory.library.image(&name).is_some())
            };
            rooms.store.keep(Shelf::Images, name.as_str(), &stored.file)?;
            rooms.directory.lock().take_library(library, |spec| uses(spec, &name))?;
            Ok((Outcome::of(was_there), stored.report(&name), stored.tag()))
        })
        .await
    }

    /// Forgets an image.
    ///
    /// # Errors
    /// `Conflict` while a room uses it.
    pub async fn delete_image(&self, name: &ShortName) -> Result<(), AdminError> {
        let name = name.clone();
        self.write(move |rooms| {
            let (library, user) = {
                let directory = rooms.directory.lock();
                directory.library.image(&name).ok_or_else(|| no_image(&name))?;
                (directory.library.without_image(&name), directory.user(|spec| uses(spec, &name)))
            };
            if let Some(user) = user {
                return Err(AdminError::Conflict(format!("{user} shows the image {name}; take it out of its overlays first")));
            }
            rooms.store.forget(Shelf::Images, name.as_str())?;
            rooms.directory.lock().take_library(library, |_| false)
        })
        .await
    }
}

fn uses(spec: &RoomSpec, name: &ShortName) -> bool {
    spec.images().any(|used| used == name)
}

fn no_image(name: &ShortName) -> AdminError {
    AdminError::NotFound(format!("image {name}"))
}
