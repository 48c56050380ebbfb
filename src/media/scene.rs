//! A scene: what the canvas shows at one tick, as data. Drawn alike by every compositor.

use std::sync::Arc;

use super::{Image, MediaTime, ParticipantId};

/// A colour in sRGB, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The picture's size, rate and background.
///
/// Sides are even, 128 to 3840 wide and 128 to 2160 high; 5 to 60 frames a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// What shows where no cell is.
    pub background: Rgb,
}

impl Default for Canvas {
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, background: Rgb(0x14, 0x17, 0x1c) }
    }
}

/// A rectangle in canvas pixels; `x`, `y`, `width` and `height` are even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width, at least 2.
    pub width: u32,
    /// Height, at least 2.
    pub height: u32,
}

/// How a picture of another aspect fills its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Fills the cell; what stands over is cropped, centred.
    Cover,
    /// Shown whole; bars in the placeholder's colour fill the rest.
    Contain,
}

/// What a cell shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A participant's newest picture, or a placeholder with `name` while there is none.
    Participant {
        /// Whose picture.
        id: ParticipantId,
        /// What the placeholder says.
        name: Arc<str>,
    },
    /// A participant's placeholder, whether there is a picture of them or not: they are hidden.
    Placeholder {
        /// Whose.
        id: ParticipantId,
        /// What it says.
        name: Arc<str>,
    },
    /// The slate of an empty room.
    Slate,
    /// "+N": so many people are there whom the layout has no place for.
    More(u32),
}

/// A line along a cell's inner edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// Width in pixels, even.
    pub width: u32,
    /// Its colour.
    pub color: Rgb,
    /// 0 (unseen) to 1: a speaker's edge follows their voice.
    pub opacity: f32,
}

/// The name at a cell's lower left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Any script; shortened with an ellipsis where the cell is too narrow.
    pub text: Arc<str>,
    /// Whether a mute mark stands before it.
    pub muted: bool,
}

/// One placed source.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What it shows.
    pub source: Source,
    /// Where, inside the canvas.
    pub rect: Rect,
    /// How the picture fills it.
    pub fit: Fit,
    /// Paint order: higher covers lower.
    pub z: i32,
    /// 0 (unseen) to 1.
    pub opacity: f32,
    /// In pixels; at most half the shorter side counts.
    pub corner_radius: u32,
    /// An edge line, such as the speaker's.
    pub border: Option<Border>,
    /// The name shown on it.
    pub label: Option<Label>,
    /// Its picture stands still though it should move: it is dimmed, under a mark.
    pub stalled: bool,
}

/// All that one canvas shows at one tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The canvas's size and background.
    pub canvas: Canvas,
    /// The video tick it is for.
    pub at: MediaTime,
    /// Covers the background's colour: fills the canvas, cropped where its aspect is another.
    pub backdrop: Option<Arc<Image>>,
    /// In paint order (by `z`, then as placed).
    pub cells: Vec<Cell>,
    /// Painted over all cells, in order.
    pub overlays: Vec<Overlay>,
}

/// Something that is painted over everybody.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// An image with its own transparency, scaled to `rect`.
    Image {
        /// The image.
        image: Arc<Image>,
        /// Where, inside the canvas.
        rect: Rect,
        /// 0 (unseen) to 1, multiplies the image's own.
        opacity: f32,
    },
    /// A band with one or two lines of text in the lower third.
    LowerThird(LowerThird),
}

/// A band of text: a title, and a smaller line below it where `subtitle` is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct LowerThird {
    /// The large line.
    pub title: Arc<str>,
    /// The small line; may be empty.
    pub subtitle: Arc<str>,
    /// The band's edge line and accent.
    pub color: Rgb,
    /// 0 (unseen) to 1.
    pub opacity: f32,
}

impl Scene {
    /// A canvas with nothing on it.
    pub fn empty(canvas: Canvas, at: MediaTime) -> Self {
        Self { canvas, at, backdrop: None, cells: Vec::new(), overlays: Vec::new() }
    }
}
