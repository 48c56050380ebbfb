//! A layout as an admin asks for it, and as it is once its template is found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Place, Region, RegionFit, Template};
use crate::media::{Rect, ShortName, Within};

/// What an admin asks for: a template by name, or regions of their own; and how people stand in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayoutSpec {
    /// A template's name; `grid` where there are no `regions` either. Never with `regions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<ShortName>,
    /// Regions for any number of people, 1 to 64; never with `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<Region>>,
    /// How pictures fill their places, where a region does not say; default `cover`.
    pub fit: RegionFit,
    /// Pixels between tiles and round the outside; default 8 with a template, 0 with regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Within<0, 64>>,
    /// The tiles' aspect in grids; default 16:9.
    pub aspect: Aspect,
    /// Whether names stand on tiles; default true.
    pub names: bool,
    /// How long people glide to their new places; default 300, 0 is at once.
    pub transition_ms: Within<0, 10_000>,
    /// Tiles at most; default 25.
    pub max_tiles: Within<1, 100>,
    /// What becomes of people whom an admin has hidden; default `left_out`.
    pub hidden: Absent,
    /// What becomes of people who send no picture; default `placeholder`.
    pub no_video: Absent,
    /// Whether people see themselves; default `shown`.
    pub self_view: SelfView,
}

/// What stands for somebody without a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// A tile with their name.
    Placeholder,
    /// Nothing.
    LeftOut,
}

/// Whether people see themselves in what they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelfView {
    /// Everybody gets the same picture.
    #[default]
    Shown,
    /// Each person gets a picture without themself.
    Hidden,
}

/// A tile's aspect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Aspect {
    /// Wide.
    #[default]
    #[serde(rename = "16:9")]
    Wide,
    /// Classic.
    #[serde(rename = "4:3")]
    Classic,
    /// Square.
    #[serde(rename = "1:1")]
    Square,
    /// Classic, upright.
    #[serde(rename = "3:4")]
    ClassicUpright,
    /// Wide, upright.
    #[serde(rename = "9:16")]
    Upright,
}

/// Why a layout cannot be; `field` is its path in the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct LayoutError {
    /// Such as `regions[2].width`.
    pub field: String,
    /// What was wrong with it and what to send instead.
    pub rule: String,
}

impl Default for LayoutSpec {
    fn default() -> Self {
        Self {
            template: None,
            regions: None,
            fit: RegionFit::Cover,
            gap: None,
            aspect: Aspect::Wide,
            names: true,
            transition_ms: Within::of(300),
            max_tiles: Within::of(25),
            hidden: Absent::LeftOut,
            no_video: Absent::Placeholder,
            self_view: SelfView::Shown,
        }
    }
}

impl LayoutSpec {
    /// A template with everything else by default.
    pub fn template(name: ShortName) -> Self {
        Self { template: Some(name), ..Self::default() }
    }

    /// Finds the template and checks every rule.
    ///
    /// # Errors
    /// With the field and the rule: both `template` and `regions`, no such template, a region that leaves the canvas, …
    pub fn resolve(self, _find: impl FnOnce(&ShortName) -> Option<Arc<Template>>) -> Result<Layout, LayoutError> {
        unimplemented!()
    }
}

/// A layout that cannot be wrong: its template is found, its regions are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    spec: LayoutSpec,
    template: Arc<Template>,
}

impl Layout {
    /// What was asked for.
    pub fn spec(&self) -> &LayoutSpec {
        &self.spec
    }

    /// The template that it uses; of regions, one made of them.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    /// Its places on a canvas of `width × height` for `people` (1 or more), in the order in which they are filled.
    ///
    /// There are as many as the arrangement for `people` has, at most `max_tiles`: fewer than `people` where it has no more, more where some are
    /// reserved. On even pixels, inside the canvas.
    pub fn places(&self, _width: u32, _height: u32, _people: usize) -> Vec<Place> {
        unimplemented!()
    }

    /// The whole canvas: where the slate stands.
    pub fn whole(width: u32, height: u32) -> Rect {
        Rect { x: 0, y: 0, width, height }
    }
}

impl Default for Layout {
    /// The grid.
    fn default() -> Self {
        let find = |name: &ShortName| super::stock().get(name).cloned();
        LayoutSpec::default().resolve(find).expect("the stock templates hold the grid, as a test shows")
    }
}
