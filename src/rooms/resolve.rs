//! From settings as JSON to settings that cannot be wrong: the rules that only the whole can tell.
//!
//! In: a [`RoomSpec`] and the library that its names are found in. Out: what a room's threads take, or the path of the field and
//! the rule. Never: a field that is checked nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::AdminError;
use super::library::Library;
use super::spec::{CanvasSpec, LogoSpec, LowerThirdSpec, OverlaySpec, Position, RenditionSpec, RoomSpec};
use crate::egress::Rendition;
use crate::layout::{HexColor, Layout, LayoutSpec};
use crate::media::{Canvas, Image, LowerThird, ShortName, ViewName, Within, unfit_to_show};
use crate::room::{AudioSettings, Logo, Overlays, RoomSettings, View};

/// Views beside `main` at most.
const MOST_VIEWS: usize = 8;
const MOST_RENDITIONS: usize = 8;
/// The longest lines of a lower third, in characters.
const TITLE: usize = 80;
const SUBTITLE: usize = 120;

impl RoomSpec {
    /// Checks every rule and finds every name.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] with the path of the first field that breaks a rule.
    pub fn resolve(&self, library: &Library) -> Result<RoomSettings, AdminError> {
        check_renditions(&self.renditions)?;
        let overlays = self.overlays.resolve(library)?;
        let audio = &self.audio;
        let audio =
            AudioSettings { max_talkers: audio.max_talkers.get() as usize, agc: audio.agc, noise_suppression: audio.noise_suppression };
        Ok(RoomSettings { views: self.resolve_views(library)?, overlays, audio, max_self_views: self.max_self_views.get() as usize })
    }

    fn resolve_views(&self, library: &Library) -> Result<BTreeMap<ViewName, View>, AdminError> {
        if self.views.len() > MOST_VIEWS {
            return Err(invalid("views", format!("there are {}; send at most {MOST_VIEWS} beside main", self.views.len())));
        }
        if self.views.contains_key(&ViewName::main()) {
            return Err(invalid("views.main", "the main view is set by canvas and layout of the room itself; give this one another name"));
        }
        let main = resolve_view("", &self.canvas, &self.layout, library)?;
        let mut views = BTreeMap::from([(ViewName::main(), main)]);
        for (name, view) in &self.views {
            views.insert(name.clone(), resolve_view(&format!("views.{name}."), &view.canvas, &view.layout, library)?);
        }
        Ok(views)
    }

    /// A view's canvas and layout as they are set; `None` where there is no such view.
    pub(super) fn view(&self, name: &ViewName) -> Option<(&CanvasSpec, &LayoutSpec)> {
        if *name == ViewName::main() {
            return Some((&self.canvas, &self.layout));
        }
        self.views.get(name).map(|view| (&view.canvas, &view.layout))
    }

    /// The place of a view's layout, and its path.
    pub(super) fn layout_mut(&mut self, name: &ViewName) -> Option<&mut LayoutSpec> {
        if *name == ViewName::main() {
            return Some(&mut self.layout);
        }
        self.views.get_mut(name).map(|view| &mut view.layout)
    }

    /// The templates that it names, in all views.
    pub fn templates(&self) -> impl Iterator<Item = &ShortName> {
        let layouts = std::iter::once(&self.layout).chain(self.views.values().map(|view| &view.layout));
        layouts.filter_map(|layout| layout.template.as_ref())
    }

    /// The images that it names.
    pub fn images(&self) -> impl Iterator<Item = &ShortName> {
        self.overlays.background_image.iter().chain(self.overlays.logo.iter().map(|logo| &logo.image))
    }

    /// The renditions as the encoders take them.
    pub(super) fn ladder(&self) -> Vec<Rendition> {
        let rung = |spec: &RenditionSpec| Rendition {
            height: spec.height.get(),
            fps: spec.fps.get(),
            max_bps: spec.max_bps.get(),
            min_bps: spec.min_bps.get(),
        };
        self.renditions.iter().map(rung).collect()
    }

    /// The same, with their names.
    pub(super) fn named_ladder(&self) -> Vec<(ShortName, Rendition)> {
        self.renditions.iter().map(|spec| spec.name.clone()).zip(self.ladder()).collect()
    }
}

impl CanvasSpec {
    /// The canvas, where its sides are even.
    ///
    /// # Errors
    /// With `path` and the field.
    pub(super) fn resolve(&self, path: &str) -> Result<Canvas, AdminError> {
        for (name, length) in [("width", self.width.get()), ("height", self.height.get())] {
            if !length.is_multiple_of(2) {
                return Err(invalid(format!("{path}canvas.{name}"), format!("{length} is odd; send {}", length + 1)));
            }
        }
        Ok(Canvas { width: self.width.get(), height: self.height.get(), fps: self.fps.get(), background: self.background.0 })
    }
}

impl From<Canvas> for CanvasSpec {
    /// # Panics
    /// Never: canvases are within the bounds of a specification.
    fn from(canvas: Canvas) -> Self {
        Self {
            width: Within::of(canvas.width),
            height: Within::of(canvas.height),
            fps: Within::of(canvas.fps),
            background: HexColor(canvas.background),
        }
    }
}

impl OverlaySpec {
    fn resolve(&self, library: &Library) -> Result<Overlays, AdminError> {
        let backdrop = self.background_image.as_ref().map(|name| image(library, "overlays.background_image", name)).transpose()?;
        Ok(Overlays {
            backdrop,
            logo: self.logo.as_ref().map(|logo| logo.resolve(library)).transpose()?,
            lower_third: self.lower_third.as_ref().map(LowerThirdSpec::resolve).transpose()?,
            mute_marks: self.mute_marks,
            speaking_marks: self.speaking_marks,
        })
    }
}

impl LogoSpec {
    fn resolve(&self, library: &Library) -> Result<Logo, AdminError> {
        let image = image(library, "overlays.logo.image", &self.image)?;
        if self.width.is_zero() {
            return Err(invalid("overlays.logo.width", "is 0; send a part of the canvas's width above 0, such as \"1/8\""));
        }
        if !(0.0..=1.0).contains(&self.opacity) {
            return Err(invalid("overlays.logo.opacity", format!("{} is out of range; send a number from 0 to 1", self.opacity)));
        }
        let (column, row) = self.position.place();
        Ok(Logo { image, column, row, width: self.width.of(1) as f32, opacity: self.opacity })
    }
}

impl Position {
    /// Column and row: 0, 1, 2 from the left and from the top.
    fn place(self) -> (u8, u8) {
        match self {
            Self::TopLeft => (0, 0),
            Self::Top => (1, 0),
            Self::TopRight => (2, 0),
            Self::Left => (0, 1),
            Self::Center => (1, 1),
            Self::Right => (2, 1),
            Self::BottomLeft => (0, 2),
            Self::Bottom => (1, 2),
            Self::BottomRight => (2, 2),
        }
    }
}

impl LowerThirdSpec {
    fn resolve(&self) -> Result<LowerThird, AdminError> {
        if self.title.trim().is_empty() {
            return Err(invalid("overlays.lower_third.title", "is empty; send 1 to 80 characters, or no lower_third"));
        }
        check_line("overlays.lower_third.title", &self.title, TITLE)?;
        check_line("overlays.lower_third.subtitle", &self.subtitle, SUBTITLE)?;
        let (title, subtitle) = (self.title.as_str().into(), self.subtitle.as_str().into());
        Ok(LowerThird { title, subtitle, color: self.color.0, opacity: 1.0 })
    }
}

/// A field that breaks a rule.
pub(super) fn invalid(field: impl Into<String>, rule: impl Into<String>) -> AdminError {
    AdminError::Invalid { field: field.into(), rule: rule.into() }
}

/// A layout's template found and its regions checked; errors begin with `path`.
///
/// # Errors
/// [`AdminError::Invalid`].
pub(super) fn resolve_layout(path: &str, layout: &LayoutSpec, library: &Library) -> Result<Arc<Layout>, AdminError> {
    let resolved = layout.clone().resolve(|name| library.template(name));
    resolved.map(Arc::new).map_err(|error| invalid(format!("{path}{}", error.field), error.rule))
}

fn resolve_view(path: &str, canvas: &CanvasSpec, layout: &LayoutSpec, library: &Library) -> Result<View, AdminError> {
    Ok(View { canvas: canvas.resolve(path)?, layout: resolve_layout(&format!("{path}layout."), layout, library)? })
}

fn image(library: &Library, field: &str, name: &ShortName) -> Result<Arc<Image>, AdminError> {
    let found = library.image(name).map(|stored| stored.image.clone());
    found.ok_or_else(|| invalid(field, format!("there is no image {:?}; upload it with PUT /v1/images/{name}", name.as_str())))
}

fn check_line(field: &str, text: &str, most: usize) -> Result<(), AdminError> {
    let length = text.chars().count();
    if length > most {
        return Err(invalid(field, format!("has {length} characters; send at most {most}")));
    }
    if text.chars().any(unfit_to_show) {
        return Err(invalid(field, "holds control characters; send letters, digits, spaces and signs on one line"));
    }
    Ok(())
}

fn check_renditions(renditions: &[RenditionSpec]) -> Result<(), AdminError> {
    if renditions.is_empty() || renditions.len() > MOST_RENDITIONS {
        return Err(invalid("renditions", format!("there are {}; send 1 to {MOST_RENDITIONS}", renditions.len())));
    }
    let mut names = BTreeSet::new();
    for (n, rendition) in renditions.iter().enumerate() {
        check_rendition(&format!("renditions[{n}]"), rendition)?;
        if !names.insert(&rendition.name) {
            return Err(invalid(
                format!("renditions[{n}].name"),
                format!("{} is the name of another one; give each its own", rendition.name),
            ));
        }
        if n > 0 && renditions[n - 1].height < rendition.height {
            return Err(invalid(format!("renditions[{n}].height"), "is more than the one before; send the highest first"));
        }
    }
    Ok(())
}

fn check_rendition(path: &str, rendition: &RenditionSpec) -> Result<(), AdminError> {
    let height = rendition.height.get();
    if !height.is_multiple_of(2) {
        return Err(invalid(format!("{path}.height"), format!("{height} is odd; send {}", height + 1)));
    }
    if rendition.min_bps.get() > rendition.max_bps.get() {
        return Err(invalid(format!("{path}.min_bps"), format!("is more than max_bps; send at most {}", rendition.max_bps.get())));
    }
    Ok(())
}
