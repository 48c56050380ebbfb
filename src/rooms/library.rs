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
pub(super) struct Library {
    /// Those that admins stored.
    templates: BTreeMap<ShortName, Arc<Template>>,
    images: BTreeMap<ShortName, Arc<StoredImage>>,
}

/// An uploaded image: its file and its pixels.
#[derive(Debug)]
pub(super) struct StoredImage {
    pub(super) file: Bytes,
    pub(super) kind: StillKind,
    pub(super) image: Arc<Image>,
}

impl StoredImage {
    /// Decodes a file. Takes milliseconds: not for an async thread.
    ///
    /// # Errors
    /// Where it is no image, or too large.
    pub(super) fn decode(file: Bytes) -> Result<Self, stills::StillError> {
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
    /// A template by its name; stock ones cannot be hidden by stored ones.
    pub(super) fn template(&self, name: &ShortName) -> Option<Arc<Template>> {
        layout::stock().get(name).or_else(|| self.templates.get(name)).cloned()
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

    pub(super) fn image(&self, name: &ShortName) -> Option<&Arc<StoredImage>> {
        self.images.get(name)
    }

    pub(super) fn image_reports(&self) -> Vec<ImageReport> {
        self.images.iter().map(|(name, image)| image.report(name)).collect()
    }

    /// The library with this image in it.
    ///
    /// # Errors
    /// Where there are too many, or they take too much memory.
    pub(super) fn with_image(&self, name: &ShortName, image: Arc<StoredImage>) -> Result<Self, AdminError> {
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
