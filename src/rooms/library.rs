//! The templates and images that rooms may name.
//!
//! In: what admins stored, beside what comes with the server. Out: the same, found by name. Never: a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{AdminError, ETag, ImageReport, TemplateReport};
use crate::compositor::stills::{self, StillKind};
use crate::layout::{self, Template};
use crate::media::{Image, ShortName};

const MOST_TEMPLATES: usize = 1000;
const MOST_IMAGES: usize = 1000;
/// What all images together may take in memory, their files and their pixels: 1 GiB.
const MOST_BYTES: usize = 1 << 30;

/// Templates and images by name. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Those beside the stock ones.
    templates: BTreeMap<ShortName, Arc<Template>>,
    images: BTreeMap<ShortName, Arc<StoredImage>>,
}

/// An image: its file and its pixels.
#[derive(Debug)]
pub struct StoredImage {
    pub(super) file: Bytes,
    pub(super) kind: StillKind,
    pub(super) image: Arc<Image>,
}

impl StoredImage {
    /// Decodes a file. Takes milliseconds: not for an async thread.
    ///
    /// # Errors
    /// Where it is no image, or too large.
    pub fn decode(file: Bytes) -> Result<Self, stills::StillError> {
        let (image, kind) = stills::decode(&file)?;
        Ok(Self { file, kind, image: Arc::new(image) })
    }

    pub(super) fn report(&self, name: &ShortName) -> ImageReport {
        let (width, height) = (self.image.frame.width(), self.image.frame.height());
        ImageReport { name: name.clone(), width, height, content_type: self.kind.content_type(), bytes: self.file.len() }
    }

    pub(super) fn tag(&self) -> ETag {
        ETag::of(&self.file)
    }

    fn weight(&self) -> usize {
        let planes: usize = self.image.frame.planes().iter().map(|plane| plane.len()).sum();
        self.file.len() + planes + self.image.alpha.as_ref().map_or(0, |alpha| alpha.len())
    }
}

impl Library {
    /// A template by its name. Of those that admins store none is called as a stock one; a recording's may be, if that has come since.
    pub(super) fn template(&self, name: &ShortName) -> Option<Arc<Template>> {
        self.templates.get(name).or_else(|| layout::stock().get(name)).cloned()
    }

    /// The library with a recording's templates in place of those that it has.
    pub fn with_recorded(&self, templates: &BTreeMap<ShortName, Arc<Template>>) -> Self {
        Self { templates: templates.clone(), ..self.clone() }
    }

    pub(super) fn template_report(&self, name: &ShortName) -> Option<TemplateReport> {
        self.template(name).map(|template| report(name, &template))
    }

    /// Stock and stored ones, by name.
    pub(super) fn template_reports(&self) -> Vec<TemplateReport> {
        let all: BTreeMap<_, _> = self.templates.iter().chain(layout::stock()).collect();
        all.into_iter().map(|(name, template)| report(name, template)).collect()
    }

    /// The library with this template in it.
    ///
    /// # Errors
    /// Where it breaks a rule, is a stock one, or there are too many.
    pub(super) fn with_template(&self, name: &ShortName, template: Template) -> Result<Self, AdminError> {
        if is_stock(name) {
            return Err(AdminError::Conflict(format!(
                "{name} comes with the server and cannot be changed; store yours under another name"
            )));
        }
        check(&template)?;
        if self.templates.len() >= MOST_TEMPLATES && !self.templates.contains_key(name) {
            return Err(AdminError::Full(format!("there are {MOST_TEMPLATES} stored templates; delete one first")));
        }
        let mut library = self.clone();
        library.templates.insert(name.clone(), Arc::new(template));
        Ok(library)
    }

    pub(super) fn without_template(&self, name: &ShortName) -> Self {
        let mut library = self.clone();
        library.templates.remove(name);
        library
    }

    /// An image by its name.
    pub fn image(&self, name: &ShortName) -> Option<&Arc<StoredImage>> {
        self.images.get(name)
    }

    pub(super) fn image_reports(&self) -> Vec<ImageReport> {
        self.images.iter().map(|(name, image)| image.report(name)).collect()
    }

    /// The library with this image in it.
    ///
    /// # Errors
    /// Where there are too many, or they take too much memory.
    pub fn with_image(&self, name: &ShortName, image: Arc<StoredImage>) -> Result<Self, AdminError> {
        let mut library = self.clone();
        library.images.insert(name.clone(), image);
        if library.images.len() > MOST_IMAGES {
            return Err(AdminError::Full(format!("there are {MOST_IMAGES} images; delete one first")));
        }
        let weight: usize = library.images.values().map(|image| image.weight()).sum();
        if weight > MOST_BYTES {
            let detail = "the images together would take more than 1 GiB of memory; delete some first, or send a smaller one";
            return Err(AdminError::Full(detail.into()));
        }
        Ok(library)
    }

    pub(super) fn without_image(&self, name: &ShortName) -> Self {
        let mut library = self.clone();
        library.images.remove(name);
        library
    }
}

/// Whether a template comes with the server.
pub(super) fn is_stock(name: &ShortName) -> bool {
    layout::stock().contains_key(name)
}

fn report(name: &ShortName, template: &Arc<Template>) -> TemplateReport {
    TemplateReport { name: name.clone(), stock: is_stock(name), capacity: template.capacity(), template: Template::clone(template) }
}

fn check(template: &Template) -> Result<(), AdminError> {
    template.check().map_err(|error| AdminError::Invalid { field: error.field, rule: error.rule })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Frame;

    fn name(n: usize) -> ShortName {
        format!("n{n}").parse().unwrap()
    }

    fn template() -> Template {
        let all = serde_json::json!({ "id": "all", "left": 0, "top": 0, "width": 1, "height": 1 });
        serde_json::from_value(serde_json::json!({ "arrangements": [{ "regions": [all] }] })).unwrap()
    }

    fn image(width: u32, height: u32) -> Arc<StoredImage> {
        let image = Image { frame: Arc::new(Frame::black(width, height)), alpha: None };
        Arc::new(StoredImage { file: Bytes::new(), kind: StillKind::Png, image: Arc::new(image) })
    }

    #[test]
    fn a_full_library_takes_no_new_template_and_still_replaces_one() {
        let templates = (0..MOST_TEMPLATES).map(|n| (name(n), Arc::new(template()))).collect();
        let library = Library { templates, ..Library::default() };
        assert!(matches!(library.with_template(&name(MOST_TEMPLATES), template()), Err(AdminError::Full(_))));
        assert!(library.with_template(&name(0), template()).is_ok());
    }

    #[test]
    fn a_library_takes_so_many_images_and_so_much_memory() {
        let (mut library, small) = (Library::default(), image(2, 2));
        library.images = (0..MOST_IMAGES).map(|n| (name(n), small.clone())).collect();
        assert!(matches!(library.with_image(&name(MOST_IMAGES), small.clone()), Err(AdminError::Full(_))));
        assert!(library.with_image(&name(0), small).is_ok());
        // 4096 × 4096 in I420 take 24 MiB
        let large = image(4096, 4096);
        library.images = (0..42).map(|n| (name(n), large.clone())).collect();
        assert!(matches!(library.with_image(&name(42), large.clone()), Err(AdminError::Full(_))));
        assert!(library.with_image(&name(41), large).is_ok());
    }

    #[test]
    fn stock_templates_are_told_as_such_and_cannot_be_replaced() {
        let library = Library::default();
        let grid = "grid".parse().unwrap();
        assert!(library.template_report(&grid).unwrap().stock);
        assert!(matches!(library.with_template(&grid, template()), Err(AdminError::Conflict(_))));
        let with = library.with_template(&name(1), template()).unwrap();
        assert_eq!(with.template_reports().len(), library.template_reports().len() + 1);
        assert!(with.template_reports().is_sorted_by_key(|report| report.name.clone()));
    }
}
