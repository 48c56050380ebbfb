//! From who stands where to the cells of a scene, and to what is painted beside and over them.
//!
//! In: places and the people in them. Out: cells in paint order; the background's image, the logo, the lower third.

use std::sync::Arc;

use super::cast::Standing;
use super::participant::Participant;
use super::people::People;
use super::{CellStatus, Logo, Overlays};
use crate::layout::{Layout, Place};
use crate::media::{Border, Canvas, Cell, Fit, Label, Overlay, ParticipantId, Rect, Rgb, Source};

/// The edge line of whoever speaks.
const SPEAKER_COLOR: Rgb = Rgb(0x3d, 0xd6, 0x8c);
/// The canvas's shorter side for which the pixel sizes below are meant.
const NOMINAL_SIDE: u32 = 720;
const BORDER_WIDTH: u32 = 4;
const CORNER_RADIUS: u32 = 10;
/// The badge's height, as one part of so many of the canvas's.
const BADGE_PART: u32 = 10;
/// Margins of what stands in a corner, as one part of so many of the canvas's height.
const MARGIN_PART: u32 = 50;
/// Above all regions.
const BADGE_Z: i32 = 1_000;

/// The cells of a scene, in paint order.
pub(super) fn cells(canvas: Canvas, standing: &Standing, names: bool, people: &People, overlays: &Overlays) -> Vec<Cell> {
    let person = |(place, id): (usize, ParticipantId)| {
        let who = people.get(id).expect("only people who are there are placed");
        person_cell(canvas, &standing.places.places[place], id, who, names, overlays)
    };
    let mut cells: Vec<Cell> = standing.people().map(person).collect();
    if cells.is_empty() {
        cells.push(bare(Source::Slate, Layout::whole(canvas.width, canvas.height)));
    }
    let more = || Source::More(standing.more());
    match standing.filled.tile {
        Some(tile) => cells.push(placed(more(), &standing.places.places[tile])),
        None if standing.filled.more > 0 => {
            let corner_radius = scaled(canvas, CORNER_RADIUS);
            cells.push(Cell { z: BADGE_Z, corner_radius, ..bare(more(), badge(canvas)) });
        }
        None => {}
    }
    cells.sort_by_key(|cell| cell.z);
    cells
}

/// The same, as the API tells of them.
pub(super) fn told(canvas: Canvas, standing: &Standing) -> Vec<CellStatus> {
    let at = |place: usize, participant| {
        let Place { region, rect, z, .. } = &standing.places.places[place];
        CellStatus { region: Some(region.clone()), participant, rect: *rect, z: *z }
    };
    let bare = |rect, z| CellStatus { region: None, participant: None, rect, z };
    let mut cells: Vec<CellStatus> = standing.people().map(|(place, id)| at(place, Some(id))).collect();
    if cells.is_empty() {
        cells.push(bare(Layout::whole(canvas.width, canvas.height), 0));
    }
    match standing.filled.tile {
        Some(tile) => cells.push(at(tile, None)),
        None if standing.filled.more > 0 => cells.push(bare(badge(canvas), BADGE_Z)),
        None => {}
    }
    cells.sort_by_key(|cell| cell.z);
    cells
}

impl Standing {
    /// People for whom there is no place.
    pub(super) fn more(&self) -> u32 {
        u32::try_from(self.filled.more).unwrap_or(u32::MAX)
    }
}

fn person_cell(canvas: Canvas, place: &Place, id: ParticipantId, who: &Participant, names: bool, overlays: &Overlays) -> Cell {
    let speaking = overlays.speaking_marks.then(|| speaking_edge(canvas, who.glow.opacity()));
    let muted = overlays.mute_marks && who.mute_mark();
    let text = if names { who.name.clone() } else { Arc::default() };
    Cell {
        border: both(place.border, speaking),
        label: (names || muted).then_some(Label { text, muted }),
        stalled: who.sight.stalled(),
        ..placed(source(id, who), place)
    }
}

fn source(id: ParticipantId, who: &Participant) -> Source {
    let name = who.name.clone();
    if who.hidden { Source::Placeholder { id, name } } else { Source::Participant { id, name } }
}

fn placed(source: Source, place: &Place) -> Cell {
    let Place { rect, z, fit, opacity, border, corner_radius, .. } = *place;
    Cell { source, rect, z, fit, opacity, border, corner_radius, label: None, stalled: false }
}

fn bare(source: Source, rect: Rect) -> Cell {
    Cell { source, rect, fit: Fit::Cover, z: 0, opacity: 1.0, corner_radius: 0, border: None, label: None, stalled: false }
}

/// There also while it is unseen: the name beside it keeps its place.
fn speaking_edge(canvas: Canvas, opacity: f32) -> Border {
    Border { width: even(scaled(canvas, BORDER_WIDTH)).max(2), color: SPEAKER_COLOR, opacity }
}

/// A region's own edge turns into the speaker's, as far as that is seen.
fn both(own: Option<Border>, speaking: Option<Border>) -> Option<Border> {
    let (Some(own), Some(speaking)) = (own.filter(|own| own.width > 0), speaking) else { return speaking.or(own) };
    let mix = |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * speaking.opacity).round() as u8;
    let color = Rgb(mix(own.color.0, speaking.color.0), mix(own.color.1, speaking.color.1), mix(own.color.2, speaking.color.2));
    Some(Border { color, ..own })
}

fn badge(canvas: Canvas) -> Rect {
    let height = even(canvas.height / BADGE_PART).max(2);
    let (width, margin) = (even(height * 3 / 2), margin(canvas));
    Rect { x: even(canvas.width - margin - width), y: even(canvas.height - margin - height), width, height }
}

/// What is painted over everybody.
pub(super) fn overlays(canvas: Canvas, overlays: &Overlays) -> Vec<Overlay> {
    let logo = overlays.logo.as_ref().map(|logo| Overlay::Image {
        image: logo.image.clone(),
        rect: logo_rect(canvas, logo),
        opacity: logo.opacity,
    });
    logo.into_iter().chain(overlays.lower_third.clone().map(Overlay::LowerThird)).collect()
}

/// As wide as asked for, less where it would leave the canvas; the image's aspect is kept.
fn logo_rect(canvas: Canvas, logo: &Logo) -> Rect {
    let margin = margin(canvas);
    let room = |length: u32| (length - 2 * margin) as f32;
    let (image_width, image_height) = (logo.image.frame.width() as f32, logo.image.frame.height() as f32);
    let scale =
        (canvas.width as f32 * logo.width / image_width).min(room(canvas.width) / image_width).min(room(canvas.height) / image_height);
    let side = |length: f32| even((length * scale).round() as u32).max(2);
    let (width, height) = (side(image_width), side(image_height));
    let at = |length: u32, side: u32, third: u8| match third {
        0 => margin,
        1 => even((length - side) / 2),
        _ => length - margin - side,
    };
    Rect { x: at(canvas.width, width, logo.column), y: at(canvas.height, height, logo.row), width, height }
}

fn margin(canvas: Canvas) -> u32 {
    even(canvas.height / MARGIN_PART).max(2)
}

fn scaled(canvas: Canvas, pixels: u32) -> u32 {
    pixels * canvas.width.min(canvas.height) / NOMINAL_SIDE
}

fn even(length: u32) -> u32 {
    length & !1
}
