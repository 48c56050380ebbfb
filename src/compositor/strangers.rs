//! Made-up people for previews and thumbnails: calm pictures that are told apart at a glance, and names in several scripts.
//!
//! In: any [`ParticipantId`]. Out: a 16:9 picture, drawn once a process and kept. Never: more than [`LOOKS`] pictures.

use std::sync::{Arc, OnceLock};

use image::{Rgb as Pixel, RgbImage};

use super::Pictures;
use super::slate::i420;
use crate::media::{Frame, ParticipantId};

/// How many look different; those beyond look like the first again.
const LOOKS: usize = 40;

const SIZE: (u32, u32) = (640, 360);

/// Names in the order in which people come; scripts of the embedded font only.
const NAMES: [&str; LOOKS] = [
    "Amara",
    "Jonas",
    "Ελένη",
    "Дмитро",
    "Sofía",
    "محمد",
    "Ingrid",
    "נועה",
    "Thảo",
    "Luca",
    "Նարեկ",
    "Zoë",
    "ნინო",
    "Oluwaseun",
    "Ayşe",
    "Мария",
    "Benoît",
    "Kwame",
    "Νίκος",
    "Anh",
    "فاطمة",
    "Łukasz",
    "דניאל",
    "Priya",
    "Chidi",
    "Ольга",
    "Hana",
    "Mateo",
    "Ջուլիա",
    "Freya",
    "Ngọc",
    "Tomás",
    "გიორგი",
    "Leïla",
    "Bao",
    "Иван",
    "Saoirse",
    "ليلى",
    "Emre",
    "Nia",
];

/// People who are not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strangers;

impl Strangers {
    /// The name of the `n`th.
    pub fn name(n: u32) -> &'static str {
        NAMES[n as usize % LOOKS]
    }
}

impl Pictures for Strangers {
    fn picture(&self, id: ParticipantId) -> Option<Arc<Frame>> {
        static DRAWN: [OnceLock<Arc<Frame>>; LOOKS] = [const { OnceLock::new() }; LOOKS];
        let look = id.0 as usize % LOOKS;
        Some(DRAWN[look].get_or_init(|| Arc::new(portrait(look as u32))).clone())
    }
}

/// Head and shoulders before a wall that is lighter above.
fn portrait(look: u32) -> Frame {
    // Steps of the golden angle: neighbours differ most, and no two of forty are alike.
    let hue = (look as f32 * 0.618_034).fract();
    let dark = 0.9 - 0.12 * (look % 3) as f32;
    let (wall, person) = (color(hue, 0.42, 0.40 * dark), color(hue + 0.06, 0.30, 0.80 * dark));
    let figure = Figure::of(look);
    i420(&RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let light = 1.25 - 0.6 * y as f32 / SIZE.1 as f32;
        let cover = figure.cover(x as f32 + 0.5, y as f32 + 0.5);
        let shade = 1.08 - 0.25 * y as f32 / SIZE.1 as f32;
        let mix = |n: usize| wall[n] * light * (1.0 - cover) + person[n] * shade * cover;
        Pixel([0, 1, 2].map(|n| (mix(n) * 255.0).round() as u8))
    }))
}

/// A silhouette, in pixels.
struct Figure {
    middle: f32,
    head: (f32, f32),
    shoulders: f32,
}

impl Figure {
    fn of(look: u32) -> Self {
        let vary = |step: u32, range: f32| ((look * step % 7) as f32 / 6.0 - 0.5) * range;
        Self { middle: 320.0 + vary(3, 50.0), head: (62.0 + vary(2, 12.0), 78.0 + vary(5, 14.0)), shoulders: 150.0 + vary(4, 44.0) }
    }

    /// 0 beside it, 1 on it, with a soft edge.
    fn cover(&self, x: f32, y: f32) -> f32 {
        let ellipse = |cx: f32, cy: f32, rx: f32, ry: f32| {
            let distance = ((x - cx) / rx).hypot((y - cy) / ry) - 1.0;
            (0.5 - distance * rx.min(ry)).clamp(0.0, 1.0)
        };
        let head = ellipse(self.middle, 148.0, self.head.0, self.head.1);
        let neck = ellipse(self.middle, 226.0, self.head.0 * 0.5, 60.0);
        let body = ellipse(self.middle, 388.0, self.shoulders, 140.0);
        head.max(neck).max(body)
    }
}

/// A hue (1 is once round), saturation and value as R, G, B from 0 to 1.
fn color(hue: f32, saturation: f32, value: f32) -> [f32; 3] {
    [5.0, 3.0, 1.0].map(|n| {
        let k = (n + hue * 6.0).rem_euclid(6.0);
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn forty_people_have_pictures_and_names_of_their_own_drawn_once() {
        let drawn = [0, 1, 2, 39].map(|n| Strangers.picture(ParticipantId(n)).unwrap());
        assert_eq!((drawn[0].width(), drawn[0].height()), SIZE);
        let walls: BTreeSet<[u8; 3]> = drawn.iter().map(|frame| frame.planes().map(|plane| plane[0])).collect();
        assert_eq!(walls.len(), drawn.len());
        assert!(Arc::ptr_eq(&drawn[1], &Strangers.picture(ParticipantId(41)).unwrap()));
        assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), LOOKS);
    }

    #[test]
    fn a_person_stands_out_from_their_wall() {
        let frame = Strangers.picture(ParticipantId(3)).unwrap();
        let luma = |x: usize, y: usize| frame.planes()[0][y * 640 + x];
        assert!(luma(320, 150) > luma(40, 150) + 40 && luma(320, 340) > luma(40, 340) + 40);
    }
}
