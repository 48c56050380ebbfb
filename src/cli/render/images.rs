//! Images that a recording's room shows: from files, as an admin would upload them.
//!
//! In: names and files; settings. Out: a library that has them; settings without what there is no image for. Never: more of a file than
//! an upload may have, or the same thing told twice.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;

use crate::compositor::stills::MAX_BYTES;
use crate::media::ShortName;
use crate::render::Templates;
use crate::rooms::spec::RoomSpec;
use crate::rooms::{Library, StoredImage};

/// The images of a call.
#[derive(Debug, Default)]
pub(super) struct Images {
    library: Library,
    given: BTreeSet<ShortName>,
    /// By settings that were looked at.
    named: BTreeSet<ShortName>,
}

impl Images {
    /// Reads and decodes them.
    ///
    /// # Errors
    /// Where one is no PNG or JPEG, or too large, or there are too many, or two of a name.
    pub(super) fn read(files: &[(ShortName, PathBuf)]) -> anyhow::Result<Self> {
        let mut images = Self::default();
        for (name, path) in files {
            ensure!(images.given.insert(name.clone()), "--image {name}: there are two of that name; give one");
            let here = || format!("--image {name}: {}", path.display());
            let image = StoredImage::decode(read(path).with_context(here)?).with_context(here)?;
            images.library = images.library.with_image(name, Arc::new(image)).with_context(here)?;
        }
        Ok(images)
    }

    /// Takes out of a room what there is no image for; gives the names of it that were not named before.
    pub(super) fn leave_out_missing(&mut self, spec: &mut RoomSpec) -> Vec<ShortName> {
        let named: Vec<_> = spec.images().cloned().collect();
        let overlays = &mut spec.overlays;
        overlays.background_image = overlays.background_image.take().filter(|name| self.given.contains(name));
        overlays.logo = overlays.logo.take().filter(|logo| self.given.contains(&logo.image));
        let is_news = |name: &ShortName| self.named.insert(name.clone()) && !self.given.contains(name);
        named.into_iter().filter(is_news).collect()
    }

    /// Those that no settings named.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &ShortName> {
        self.given.difference(&self.named)
    }

    /// What settings are resolved with.
    pub(super) fn library(&self, templates: &Templates) -> Library {
        self.library.with_recorded(templates)
    }
}

fn read(path: &Path) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() <= MAX_BYTES, "the file is longer than 8 MiB; save the image smaller");
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::stills::encode_png;
    use crate::media::Frame;

    fn name(name: &str) -> ShortName {
        name.parse().unwrap()
    }

    fn showing(backdrop: &str, logo: &str) -> RoomSpec {
        let overlays = serde_json::json!({"background_image": backdrop, "logo": {"image": logo}});
        serde_json::from_value(serde_json::json!({ "overlays": overlays })).unwrap()
    }

    #[test]
    fn what_there_is_no_image_for_is_left_out_and_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let [wall, spare] = ["wall", "spare"].map(|of| (name(of), folder.path().join(of)));
        [&wall, &spare].into_iter().for_each(|(_, path)| std::fs::write(path, encode_png(&Frame::black(4, 4))).unwrap());
        let mut images = Images::read(&[wall, spare]).unwrap();
        let mut spec = showing("wall", "acme");
        assert_eq!(images.leave_out_missing(&mut spec), [name("acme")]);
        assert_eq!((spec.overlays.background_image.clone(), spec.overlays.logo.is_none()), (Some(name("wall")), true));
        assert!(spec.resolve(&images.library(&Templates::new())).unwrap().overlays.backdrop.is_some());
        assert_eq!(images.leave_out_missing(&mut showing("acme", "other")), [name("other")]);
        assert_eq!(images.unnamed().collect::<Vec<_>>(), [&name("spare")]);
    }

    #[test]
    fn what_is_no_image_is_refused_by_its_name_and_with_the_rule() {
        let folder = tempfile::tempdir().unwrap();
        let file = |of: &str, bytes: &[u8]| {
            let path = folder.path().join(of);
            std::fs::write(&path, bytes).unwrap();
            (name("logo"), path)
        };
        let refusal = |files: &[(ShortName, PathBuf)]| format!("{:#}", Images::read(files).unwrap_err());
        let small = file("small.png", &encode_png(&Frame::black(4, 4)));
        assert!(refusal(&[small.clone(), small]).contains("--image logo: there are two"));
        assert!(refusal(&[file("logo.svg", b"<svg/>")]).ends_with("logo.svg: the file is neither a PNG nor a JPEG: send one of these"));
        assert!(refusal(&[file("long.png", &vec![0; MAX_BYTES + 1])]).contains("longer than 8 MiB"));
        assert!(refusal(&[file("wide.png", &encode_png(&Frame::black(4098, 2)))]).contains("4098x2: send at most 4096"));
        assert!(refusal(&[(name("logo"), folder.path().join("none.png"))]).contains("none.png: No such file"));
    }
}
