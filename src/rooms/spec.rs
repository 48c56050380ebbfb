//! A room's settings as JSON: the body of `PUT /v1/rooms/{room}`, what is kept, and what `GET` answers.
//!
//! In: JSON, each field checked as it is read. Out: the settings; [`super::Rooms`] resolves the names of templates and images in
//! them. Never: a field that is read and does nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::layout::{Fraction, HexColor, LayoutSpec};
use crate::media::{Rgb, ShortName, ViewName, Within};

/// A room's settings. All optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoomSpec {
    /// The main view's size, rate and background.
    pub canvas: CanvasSpec,
    /// The main view's arrangement.
    pub layout: LayoutSpec,
    /// Views beside `main`, at most 8. A client asks for one by `?view=`.
    pub views: BTreeMap<ViewName, ViewSpec>,
    /// What is painted beside and over people, in all views.
    pub overlays: OverlaySpec,
    /// What a view is encoded as, highest first: 1 to 8, each encoded only while somebody receives it.
    #[schema(min_items = 1, max_items = 8)]
    pub renditions: Vec<RenditionSpec>,
    /// How people are heard.
    pub audio: AudioSpec,
    /// People (not viewers) at most; default as many as the server takes.
    pub max_participants: Option<Within<1, 10_000>>,
    /// Whether nobody else may come in; default false.
    pub locked: bool,
    /// Whether two people may not have the same name; default false.
    pub unique_names: bool,
    /// Pictures that leave their own receiver out (`self_view: hidden`), at most; the rest get the shared one. Default 4.
    pub max_self_views: Within<0, 64>,
}

/// A further view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ViewSpec {
    /// Size, rate and background.
    pub canvas: CanvasSpec,
    /// Arrangement.
    pub layout: LayoutSpec,
}

/// A picture's size, rate and background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CanvasSpec {
    /// In pixels, even; default 1280.
    pub width: Within<128, 3840>,
    /// In pixels, even; default 720.
    pub height: Within<128, 2160>,
    /// Frames a second; default 30.
    pub fps: Within<5, 60>,
    /// What shows where nobody is; default `#14171c`.
    pub background: HexColor,
}

/// What is painted beside and over people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OverlaySpec {
    /// An uploaded image's name: fills the background.
    pub background_image: Option<ShortName>,
    /// A logo.
    pub logo: Option<LogoSpec>,
    /// A band of text.
    pub lower_third: Option<LowerThirdSpec>,
    /// Whether a mark stands on those who send no sound, or were muted; default true.
    pub mute_marks: bool,
    /// Whether an edge that follows the voice stands round those who speak; default true.
    pub speaking_marks: bool,
}

/// A logo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoSpec {
    /// An uploaded image's name.
    pub image: ShortName,
    /// Where; default `top-right`.
    #[serde(default)]
    pub position: Position,
    /// As a part of the canvas's width, above 0; default 1/8.
    #[serde(default = "eighth")]
    #[schema(schema_with = crate::layout::above_zero)]
    pub width: Fraction,
    /// 0 to 1; default 1.
    #[serde(default = "opaque")]
    #[schema(minimum = 0, maximum = 1)]
    pub opacity: f32,
}

/// One of nine places on a canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Position {
    TopLeft,
    Top,
    #[default]
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

/// A band of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerThirdSpec {
    /// The large line: 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    pub title: String,
    /// The small line: at most 120 characters; default none.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub subtitle: String,
    /// The band's accent; default `#3dd68c`.
    #[serde(default = "accent")]
    pub color: HexColor,
}

/// One size and rate that a view is encoded as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenditionSpec {
    /// Its name, unique in the room.
    pub name: ShortName,
    /// The shorter side in pixels, even: the height, on an upright canvas the width. A smaller canvas is encoded as it is.
    pub height: Within<128, 2160>,
    /// Frames a second; a canvas that is slower is encoded as it is.
    pub fps: Within<5, 60>,
    /// Bits a second at most.
    pub max_bps: Within<50_000, 20_000_000>,
    /// Bits a second at least.
    pub min_bps: Within<20_000, 20_000_000>,
}

/// How people are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AudioSpec {
    /// Talkers mixed at most, loudest first; default 16.
    pub max_talkers: Within<1, 32>,
    /// Whether quiet voices are raised and loud ones lowered, slowly; default false.
    pub agc: bool,
    /// Whether steady noise is taken out of each voice; default false.
    pub noise_suppression: bool,
}

impl Default for RoomSpec {
    fn default() -> Self {
        Self {
            canvas: CanvasSpec::default(),
            layout: LayoutSpec::default(),
            views: BTreeMap::new(),
            overlays: OverlaySpec::default(),
            renditions: RenditionSpec::defaults(),
            audio: AudioSpec::default(),
            max_participants: None,
            locked: false,
            unique_names: false,
            max_self_views: Within::of(4),
        }
    }
}

impl Default for CanvasSpec {
    fn default() -> Self {
        let background = HexColor(Rgb(0x14, 0x17, 0x1c));
        Self { width: Within::of(1280), height: Within::of(720), fps: Within::of(30), background }
    }
}

impl Default for OverlaySpec {
    fn default() -> Self {
        Self { background_image: None, logo: None, lower_third: None, mute_marks: true, speaking_marks: true }
    }
}

impl Default for AudioSpec {
    fn default() -> Self {
        Self { max_talkers: Within::of(16), agc: false, noise_suppression: false }
    }
}

impl RenditionSpec {
    fn defaults() -> Vec<Self> {
        let one = |name: &str, height, fps, max_bps, min_bps| Self {
            name: name.parse().expect("a name of letters"),
            height: Within::of(height),
            fps: Within::of(fps),
            max_bps: Within::of(max_bps),
            min_bps: Within::of(min_bps),
        };
        vec![one("high", 720, 30, 2_500_000, 600_000), one("mid", 360, 30, 800_000, 200_000), one("low", 180, 15, 200_000, 50_000)]
    }
}

fn eighth() -> Fraction {
    "1/8".parse().expect("a fraction")
}

fn opaque() -> f32 {
    1.0
}

fn accent() -> HexColor {
    HexColor(Rgb(0x3d, 0xd6, 0x8c))
}
