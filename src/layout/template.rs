//! A template: arrangements of regions, each for a number or a range of people.
//!
//! In: JSON. Out: what suits a canvas and so many people, once [`Template::check`] has found every rule kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LayoutError, People, Region};

/// A named way to arrange any number of people; the body of `PUT /v1/layouts/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// For people who choose: at most 64 characters, all printable.
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub title: String,
    /// What it is good for: at most 512 characters, all printable.
    #[serde(default)]
    #[schema(max_length = 512, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub description: String,
    /// 1 to 64; no two for the same people and orientation.
    #[schema(min_items = 1, max_items = 64)]
    pub arrangements: Vec<Arrangement>,
}

/// The regions for some numbers of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// `3`, `"2-6"`, `"7+"`; default `"1+"`.
    #[serde(default)]
    pub people: People,
    /// Which canvases it is for; default both. One for the canvas's own orientation goes before one for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// 1 to 64, filled in this order.
    #[schema(min_items = 1, max_items = 64)]
    pub regions: Vec<Region>,
}

/// Which way a canvas lies; a square one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// At least as wide as high.
    Landscape,
    /// Higher than wide.
    Portrait,
}

impl Orientation {
    /// How a canvas of this size lies.
    pub fn of(width: u32, height: u32) -> Self {
        if width >= height { Self::Landscape } else { Self::Portrait }
    }
}

/// Arrangements of a template, and regions of an arrangement, at most.
const MOST: usize = 64;

impl Template {
    /// Checks every rule that the fields' types cannot keep.
    ///
    /// # Errors
    /// With the path of the field and the rule: `arrangements[1].regions[2].width: left + width must be at most 1`.
    pub fn check(&self) -> Result<(), LayoutError> {
        text(&self.title, 64, "title")?;
        text(&self.description, 512, "description")?;
        number(self.arrangements.len(), "arrangements")?;
        for (n, arrangement) in self.arrangements.iter().enumerate() {
            arrangement.check(&format!("arrangements[{n}]"), &self.arrangements[..n])?;
        }
        Ok(())
    }

    /// How many people it shows at most.
    pub fn capacity(&self) -> usize {
        self.arrangements.iter().map(Arrangement::capacity).max().unwrap_or(0)
    }

    /// The arrangement for so many people on a canvas that lies so.
    ///
    /// Those for the other orientation count only where there are no others. The best holds the number, before one that
    /// ends next below it, before one that begins next above it; one for the orientation goes before one for both.
    pub(super) fn arrangement(&self, orientation: Orientation, people: usize) -> &Arrangement {
        let people = u32::try_from(people).unwrap_or(u32::MAX);
        let fitness = |arrangement: &&Arrangement| {
            let foreign = arrangement.orientation.is_some_and(|its| its != orientation);
            (!foreign, arrangement.people.suits(people), arrangement.orientation.is_some())
        };
        self.arrangements.iter().max_by_key(fitness).expect("a checked template has an arrangement")
    }
}

impl Arrangement {
    /// How many people it shows at most.
    pub(super) fn capacity(&self) -> usize {
        self.regions.iter().map(|region| region.tiles.get() as usize).sum()
    }

    fn check(&self, path: &str, before: &[Self]) -> Result<(), LayoutError> {
        if !self.people.is_range() {
            return Err(LayoutError::new(format!("{path}.people"), "must be a range from 1 to 1000, the lower number first"));
        }
        if let Some(other) = before.iter().position(|other| other.orientation == self.orientation && other.people.overlaps(self.people)) {
            let rule = format!(
                "{} overlaps arrangements[{other}], which is for {}: give each number of people one",
                self.people, before[other].people
            );
            return Err(LayoutError::new(format!("{path}.people"), rule));
        }
        check_regions(&self.regions, &format!("{path}.regions"))
    }
}

/// Checks a list of regions; `path` is the list's own path in the body.
pub(super) fn check_regions(regions: &[Region], path: &str) -> Result<(), LayoutError> {
    number(regions.len(), path)?;
    for (n, region) in regions.iter().enumerate() {
        let path = format!("{path}[{n}]");
        if regions[..n].iter().any(|other| other.id == region.id) {
            return Err(LayoutError::new(
                format!("{path}.id"),
                format!("{:?} is another region's: each needs its own", region.id.as_str()),
            ));
        }
        region.check(&path)?;
    }
    Ok(())
}

fn number(count: usize, field: &str) -> Result<(), LayoutError> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(LayoutError::new(field, format!("has {count}: send 1 to {MOST}")))
}

fn text(text: &str, most: usize, field: &str) -> Result<(), LayoutError> {
    let length = text.chars().count();
    if length > most {
        return Err(LayoutError::new(field, format!("has {length} characters: send at most {most}")));
    }
    if text.chars().any(char::is_control) {
        return Err(LayoutError::new(field, "has a control character, such as a line break: send printable ones only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(arrangements: &str) -> Template {
        serde_json::from_str(&format!(r#"{{"arrangements": [{arrangements}]}}"#)).unwrap()
    }

    fn arrangement(people: &str, more: &str) -> String {
        let region = r#"{"id": "a", "left": 0, "top": 0, "width": 1, "height": 1, "tiles": 3}"#;
        format!(r#"{{"people": {people}, "regions": [{region}]{more}}}"#)
    }

    fn chosen(template: &Template, orientation: Orientation, people: usize) -> String {
        template.arrangement(orientation, people).people.to_string()
    }

    #[test]
    fn the_arrangement_is_the_one_for_the_number_or_the_next_lower_or_the_lowest() {
        let ranges = ["3", "\"5-6\"", "\"9-12\""].map(|people| arrangement(people, "")).join(",");
        let template = template(&ranges);
        template.check().unwrap();
        for (people, expected) in [(1, "3"), (3, "3"), (4, "3"), (6, "5-6"), (8, "5-6"), (10, "9-12"), (5000, "9-12")] {
            assert_eq!(chosen(&template, Orientation::Landscape, people), expected, "{people}");
        }
    }

    #[test]
    fn an_arrangement_for_the_canvas_s_own_orientation_goes_first() {
        let (upright, lying) = (r#", "orientation": "portrait""#, r#", "orientation": "landscape""#);
        let both = template(&[arrangement("\"1+\"", ""), arrangement("\"2-4\"", upright)].join(","));
        both.check().unwrap();
        assert_eq!(chosen(&both, Orientation::Portrait, 3), "2-4");
        assert_eq!(chosen(&both, Orientation::Portrait, 5), "1+");
        assert_eq!(chosen(&both, Orientation::Landscape, 3), "1+");
        assert_eq!(
            chosen(&template(&arrangement("2", lying)), Orientation::Portrait, 7),
            "2",
            "the other orientation's where there is no other"
        );
    }

    #[test]
    fn a_refusal_names_the_path_and_the_rule() {
        let overlap = template(&[arrangement("\"1-3\"", ""), arrangement("3", "")].join(",")).check().unwrap_err();
        assert_eq!(
            overlap.to_string(),
            "arrangements[1].people: 3 overlaps arrangements[0], which is for 1-3: give each number of people one"
        );
        let mut leaves = template(&arrangement("1", ""));
        leaves.arrangements[0].regions[0].left = "1/2".parse().unwrap();
        assert_eq!(leaves.check().unwrap_err().field, "arrangements[0].regions[0].width");
        let many = template(&vec![arrangement("1", ""); 65].join(","));
        assert_eq!(many.check().unwrap_err().field, "arrangements");
    }

    #[test]
    fn texts_are_short_and_printable() {
        let titled = |title: &str, description: &str| Template {
            title: title.into(),
            description: description.into(),
            ..template(&arrangement("1", ""))
        };
        assert_eq!(titled(&"ü".repeat(64), &"x".repeat(512)).check(), Ok(()));
        assert_eq!(titled(&"ü".repeat(65), "").check().unwrap_err().field, "title");
        assert_eq!(titled("a\nb", "").check().unwrap_err().field, "title");
        assert_eq!(titled("", &"x".repeat(513)).check().unwrap_err().field, "description");
        assert_eq!(titled("", "\u{7}").check().unwrap_err().field, "description");
    }

    #[test]
    fn a_template_holds_what_its_largest_arrangement_holds() {
        assert_eq!(template(&[arrangement("1", ""), arrangement("2", "")].join(",")).capacity(), 3);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(serde_json::from_str::<Template>(r#"{"arrangements": [], "regions": []}"#).is_err());
    }
}
