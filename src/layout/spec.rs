//! A layout as an admin asks for it.
//!
//! In: JSON, and where to find templates. Out: a [`Layout`], in which every rule is kept; or the field and the rule that is not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::template::check_regions;
use super::{Arrangement, Layout, People, Region, RegionFit, Template};
use crate::media::{ShortName, Within};

/// What an admin asks for: a template by name, or regions of their own; and how people stand in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayoutSpec {
    /// A template's name; `grid` where there are no `regions` either. Never with `regions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<ShortName>,
    /// Regions for any number of people, 1 to 64; never with `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 64)]
    pub regions: Option<Vec<Region>>,
    /// How pictures fill their places, where a region does not say; default `cover`.
    pub fit: RegionFit,
    /// Pixels between tiles and round the outside; default 8 with a template, 0 with regions. The next even number counts, and at
    /// most an eighth of the canvas's shorter side.
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
    pub fn resolve(mut self, find: impl FnOnce(&ShortName) -> Option<Arc<Template>>) -> Result<Layout, LayoutError> {
        let template = match (&mut self.template, &self.regions) {
            (Some(_), Some(_)) => return Err(LayoutError::new("regions", "cannot stand beside `template`: send one of the two")),
            (None, Some(own)) => Arc::new(made_of(own)?),
            (template, None) => found(template.get_or_insert_with(grid), find)?,
        };
        Ok(Layout { spec: self, template })
    }
}

/// What stands where neither a template nor regions are asked for.
fn grid() -> ShortName {
    "grid".parse().expect("a name of letters")
}

fn made_of(regions: &[Region]) -> Result<Template, LayoutError> {
    check_regions(regions, "regions")?;
    let arrangement = Arrangement { people: People::default(), orientation: None, regions: regions.to_vec() };
    Ok(Template { title: String::new(), description: String::new(), arrangements: vec![arrangement] })
}

fn found(name: &ShortName, find: impl FnOnce(&ShortName) -> Option<Arc<Template>>) -> Result<Arc<Template>, LayoutError> {
    let none = || LayoutError::new("template", format!("there is no template {:?}: GET /v1/layouts lists them", name.as_str()));
    let template = find(name).ok_or_else(none)?;
    template.check().map_err(|error| LayoutError::new("template", format!("{:?} cannot be used: {error}", name.as_str())))?;
    Ok(template)
}

impl LayoutError {
    pub(super) fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}

impl Aspect {
    /// Width and height, in lowest terms.
    pub fn ratio(self) -> (u32, u32) {
        match self {
            Self::Wide => (16, 9),
            Self::Classic => (4, 3),
            Self::Square => (1, 1),
            Self::ClassicUpright => (3, 4),
            Self::Upright => (9, 16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<Layout, LayoutError> {
        serde_json::from_str::<LayoutSpec>(json).unwrap().resolve(|name| super::super::stock().get(name).cloned())
    }

    fn refusal(json: &str) -> String {
        resolve(json).unwrap_err().to_string()
    }

    fn region(more: &str) -> String {
        format!("{{\"id\": \"a\", \"left\": 0, \"top\": \"1/3\", \"width\": 1, \"height\": \"2/3\"{more}}}")
    }

    #[test]
    fn the_examples_of_the_contract_are_layouts() {
        let of_template = r#"{"template": "speaker", "fit": "cover", "gap": 8, "names": true, "transition_ms": 300, "max_tiles": 25}"#;
        assert_eq!(resolve(of_template).unwrap().template().title, "Speaker");
        let of_regions = r#"{ "regions": [
            { "id": "stage", "left": "0",   "top": "0", "width": "3/4", "height": "1", "shows": "screen|pinned|speaker" },
            { "id": "side",  "left": "3/4", "top": "0", "width": "1/4", "height": "1/3", "z": 1, "fit": "contain" } ] }"#;
        assert_eq!(resolve(of_regions).unwrap().template().capacity(), 2);
        assert_eq!(resolve("{}").unwrap(), Layout::default());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let spec = resolve(&format!(
            r#"{{"regions": [{}], "gap": 4, "aspect": "9:16"}}"#,
            region(r##", "border": {"width": 2, "color": "#ff0000"}"##)
        ));
        let spec = spec.unwrap().spec().clone();
        assert_eq!(serde_json::from_str::<LayoutSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
    }

    #[test]
    fn a_refusal_names_the_field_and_the_rule() {
        let one = |more: &str| format!(r#"{{"regions": [{}]}}"#, region(more));
        let many = |count: usize| format!(r#"{{"regions": [{}]}}"#, vec![region(""); count].join(","));
        let sized =
            |left: &str, width: &str| format!(r#"{{"regions": [{{"id": "a", "left": {left}, "top": 0, "width": {width}, "height": 1}}]}}"#);
        let refused = [
            (format!(r#"{{"template": "grid", "regions": [{}]}}"#, region("")), "regions: cannot stand beside `template`"),
            (r#"{"template": "gird"}"#.to_owned(), "template: there is no template \"gird\""),
            (many(0), "regions: has 0: send 1 to 64"),
            (many(65), "regions: has 65"),
            (many(2), "regions[1].id: \"a\" is another region's"),
            (one(r#", "z": 101"#), "regions[0].z: 101 is out of range"),
            (one(r#", "z": -101"#), "regions[0].z: -101 is out of range"),
            (one(r#", "opacity": 1.01"#), "regions[0].opacity: 1.01 is out of range"),
            (one(r#", "opacity": -0.5"#), "regions[0].opacity: -0.5 is out of range"),
            (sized("\"1/3\"", "0.666667"), "regions[0].width: left + width must be at most 1: with left 1/3 send at most \"2/3\""),
            (sized("0", "0"), "regions[0].width: must be above 0"),
            (sized("1", "0.5"), "regions[0].left: must be below 1"),
        ];
        for (json, rule) in refused {
            let said = refusal(&json);
            assert!(said.starts_with(rule), "{json}: {said}");
        }
    }

    #[test]
    fn an_opacity_that_is_no_number_is_refused() {
        let mut spec: LayoutSpec = serde_json::from_str(&format!(r#"{{"regions": [{}]}}"#, region(""))).unwrap();
        spec.regions.as_mut().unwrap()[0].opacity = f32::NAN;
        assert_eq!(spec.resolve(|_| None).unwrap_err().field, "regions[0].opacity");
    }

    #[test]
    fn a_template_that_breaks_a_rule_is_not_used() {
        let broken = Arc::new(Template { title: String::new(), description: String::new(), arrangements: vec![] });
        let error = LayoutSpec::template("mine".parse().unwrap()).resolve(|_| Some(broken)).unwrap_err();
        assert_eq!(error.to_string(), "template: \"mine\" cannot be used: arrangements: has 0: send 1 to 64");
    }
}
