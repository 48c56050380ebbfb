//! A resolved layout, and where it puts how many people.
//!
//! In: a canvas's size and a number of people. Out: places in the order in which they are filled, on even pixels, inside the
//! canvas. Never: who stands where.

use std::sync::Arc;

use super::grid::{self, even};
use super::{Arrangement, Edge, Fraction, LayoutSpec, Orientation, Region, RegionFit, Shows, Template};
use crate::media::{Border, Canvas, Fit, Rect, ShortName};

/// The gap where a template is used and none is asked for.
const GAP: u32 = 8;
/// The corners' radius where a region says none, at [`NOMINAL_SIDE`].
const CORNER_RADIUS: u32 = 10;
/// The canvas's shorter side for which the radius is meant.
const NOMINAL_SIDE: u32 = 720;

/// One place for one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The region it is in.
    pub region: ShortName,
    /// Where, on even pixels.
    pub rect: Rect,
    /// Paint order.
    pub z: i32,
    /// How pictures fill it.
    pub fit: Fit,
    /// 0 to 1.
    pub opacity: f32,
    /// The region's own edge line.
    pub border: Option<Border>,
    /// In pixels.
    pub corner_radius: u32,
    /// Who may fill it, best first.
    pub shows: Arc<[Shows]>,
}

/// A layout that cannot be wrong: its template is found, its regions are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub(super) spec: LayoutSpec,
    pub(super) template: Arc<Template>,
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
    /// There are as many as the arrangement for `people` has, at most `max_tiles`: fewer than `people` where it has no more, more
    /// where some are reserved. On even pixels, inside the canvas. Every region of one tile gives its place; those of several
    /// share the other people, the first filled first. The places of a region are in the order of its rows.
    pub fn places(&self, width: u32, height: u32, people: usize) -> Vec<Place> {
        self.places_beside(width, height, people, 0)
    }

    /// As [`Self::places`], where `empty` of the places stay empty, since nobody of the kinds that they show is there: so many
    /// more are in the regions of several tiles. The arrangement is the one for `people`.
    pub fn places_beside(&self, width: u32, height: u32, people: usize, empty: usize) -> Vec<Place> {
        let most = self.spec.max_tiles.get() as usize;
        let people = people.max(1);
        let arrangement = self.template.arrangement(Orientation::of(width, height), people);
        let singles = arrangement.regions.iter().filter(|region| region.tiles.get() == 1).count();
        let mut left = people.saturating_add(empty).min(most).saturating_sub(singles);
        let sheet = Sheet::of(self, width, height);
        let mut places = Vec::with_capacity(people.min(most));
        for region in &arrangement.regions {
            let tiles = match region.tiles.get() as usize {
                1 => 1,
                several => several.min(left),
            };
            let rects = sheet.tiles(region, tiles, arrangement);
            left -= if region.tiles.get() == 1 { 0 } else { rects.len() };
            places.extend(rects.into_iter().map(|rect| sheet.place(region, rect)));
        }
        places.truncate(most);
        places
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

/// The part of the canvas that places cover; what two cover counts once.
pub fn usage(places: &[Place], canvas: Canvas) -> f64 {
    let mut rows: Vec<u32> = places.iter().flat_map(|place| [place.rect.y, place.rect.y + place.rect.height]).collect();
    rows.sort_unstable();
    let covered: u64 = rows.windows(2).map(|row| u64::from(row[1] - row[0]) * u64::from(covered_in_row(places, row[0]))).sum();
    covered as f64 / (f64::from(canvas.width) * f64::from(canvas.height))
}

/// How much of the line at `y` is covered.
fn covered_in_row(places: &[Place], y: u32) -> u32 {
    let on_it = places.iter().map(|place| place.rect).filter(|rect| rect.y <= y && y < rect.y + rect.height);
    let mut spans: Vec<(u32, u32)> = on_it.map(|rect| (rect.x, rect.x + rect.width)).collect();
    spans.sort_unstable();
    let grown = spans.into_iter().fold((0, 0), |(sum, reached), (from, to)| (sum + to.saturating_sub(from.max(reached)), to.max(reached)));
    grown.0
}

/// A canvas that places are drawn up on.
struct Sheet<'a> {
    spec: &'a LayoutSpec,
    width: u32,
    height: u32,
    /// Even.
    gap: u32,
}

impl<'a> Sheet<'a> {
    fn of(layout: &'a Layout, width: u32, height: u32) -> Self {
        let spec = &layout.spec;
        let asked = spec.gap.map_or(if spec.regions.is_some() { 0 } else { GAP }, |gap| gap.get());
        Self { spec, width, height, gap: asked.next_multiple_of(2).min(even(width.min(height) / 8)) }
    }

    /// The rectangles of a region's tiles, fewer than asked for where it is too small for them.
    fn tiles(&self, region: &Region, tiles: usize, arrangement: &Arrangement) -> Vec<Rect> {
        let alone = tiles == 1 && arrangement.regions.len() == 1;
        let whole = region.is_whole() && (alone || region.tiles.get() == 1);
        let area = if whole { Layout::whole(self.width, self.height) } else { self.area(region) };
        if region.tiles.get() == 1 {
            return vec![area];
        }
        grid::solve(area, tiles, self.spec.aspect, self.gap)
    }

    /// A region's rectangle: a part of the canvas less half a gap all round, itself less half a gap all round.
    fn area(&self, region: &Region) -> Rect {
        let (x, width) = span(self.width, self.gap, region.left, region.width);
        let (y, height) = span(self.height, self.gap, region.top, region.height);
        Rect { x, y, width, height }
    }

    fn place(&self, region: &Region, rect: Rect) -> Place {
        let fit = match region.fit.unwrap_or(self.spec.fit) {
            RegionFit::Cover => Fit::Cover,
            RegionFit::Contain => Fit::Contain,
        };
        Place {
            region: region.id.clone(),
            rect,
            z: region.z,
            fit,
            opacity: region.opacity,
            border: region.border.and_then(border),
            corner_radius: region.corner_radius.map_or_else(|| self.corner_radius(rect), |radius| radius.get()),
            shows: region.shows.shared(),
        }
    }

    /// Round where tiles stand apart, square where they touch each other or the canvas's edges.
    fn corner_radius(&self, rect: Rect) -> u32 {
        if self.gap == 0 || rect == Layout::whole(self.width, self.height) {
            return 0;
        }
        CORNER_RADIUS * self.width.min(self.height) / NOMINAL_SIDE
    }
}

/// Begin and length of a part of `length`, less half a gap at either end and at the canvas's own ends.
///
/// Rounding to even pixels leaves gaps as they are: they are even, and where two parts meet is rounded alike for both.
fn span(length: u32, gap: u32, from: Fraction, part: Fraction) -> (u32, u32) {
    let inner = length - gap;
    let begin = (nearest_even(from.of(inner)) + gap).min(length - 2);
    let end = nearest_even(from.end_of(part, inner));
    (begin, end.saturating_sub(begin).max(2))
}

/// `pixels` made even, the nearest way.
pub(super) fn nearest_even(pixels: f64) -> u32 {
    (pixels / 2.0).round() as u32 * 2
}

fn border(edge: Edge) -> Option<Border> {
    let width = edge.width.get().next_multiple_of(2);
    (width > 0).then_some(Border { width, color: edge.color.0, opacity: 1.0 })
}
