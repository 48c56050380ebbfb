//! Parts from canvases: one height, one rate. Pure but for the codec.
//!
//! In: canvases as they are drawn. Out: a part for each that is due. Never: a second encode of a canvas that has not changed, or a
//! picture taller than its canvas.

use std::sync::Arc;

use bytes::Bytes;

use super::part::{self, Part};
use crate::codec::EncodeError;
use crate::codec::jpeg::JpegEncoder;
use crate::compositor::cpu::Scaler;
use crate::egress::Pace;
use crate::media::{Composite, Frame};

/// As libjpeg counts it: about a bit and a half a pixel of what cameras show.
const QUALITY: u8 = 75;

/// Makes parts of canvases.
#[derive(Debug)]
pub(super) struct Maker {
    most_height: u32,
    /// The wall clock at the media line's origin, in milliseconds since 1970.
    origin: u64,
    pace: Pace,
    scaler: Option<Sized>,
    encoder: JpegEncoder,
    /// What was encoded last. Held, so that no other canvas can have its place in memory.
    last: Option<(Arc<Frame>, Bytes)>,
    number: u64,
}

/// A scaler, and what size it is for.
#[derive(Debug)]
struct Sized {
    size: (u32, u32),
    scaler: Scaler,
}

impl Maker {
    /// Of pictures that are at most so tall, and so many a second.
    ///
    /// # Errors
    /// Where there is no encoder to be had.
    pub(super) fn new(most_height: u32, fps: u32, origin: u64) -> Result<Self, EncodeError> {
        let encoder = JpegEncoder::new(QUALITY)?;
        Ok(Self { most_height, origin, pace: Pace::new(fps), scaler: None, encoder, last: None, number: 0 })
    }

    /// The part of a canvas; `None` where it is not due.
    ///
    /// # Errors
    /// Where the codec refuses it.
    pub(super) fn make(&mut self, canvas: &Composite) -> Result<Option<Part>, EncodeError> {
        if !self.pace.takes(canvas.at) {
            return Ok(None);
        }
        let jpeg = self.jpeg(&canvas.frame)?;
        self.number += 1;
        let bytes = part::write(&jpeg, self.origin + canvas.at.as_millis());
        Ok(Some(Part { at: canvas.at, number: self.number, bytes }))
    }

    fn jpeg(&mut self, frame: &Arc<Frame>) -> Result<Bytes, EncodeError> {
        if let Some((_, jpeg)) = self.last.as_ref().filter(|(last, _)| Arc::ptr_eq(last, frame)) {
            return Ok(jpeg.clone());
        }
        let size = size((frame.width(), frame.height()), self.most_height);
        let sized = self.scaler.take().filter(|sized| sized.size == size);
        let sized = self.scaler.insert(sized.unwrap_or_else(|| Sized { size, scaler: Scaler::new(size.0, size.1) }));
        let jpeg = self.encoder.encode(sized.scaler.scale(frame))?;
        self.last = Some((frame.clone(), jpeg.clone()));
        Ok(jpeg)
    }
}

/// Even sides in the canvas's aspect, no taller than it is.
fn size((width, height): (u32, u32), most_height: u32) -> (u32, u32) {
    if height <= most_height {
        return (width, height);
    }
    let tall = most_height & !1;
    let wide = f64::from(width) * f64::from(tall) / f64::from(height);
    ((wide / 2.0).round().max(1.0) as u32 * 2, tall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::scenes;
    use crate::media::MediaTime;

    fn canvas(frame: &Arc<Frame>, number: u64) -> Composite {
        Composite { frame: frame.clone(), at: MediaTime::from_nanos(number * 1_000_000_000 / 30) }
    }

    fn picture(part: &Part) -> image::RgbImage {
        let begin = part.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let end = part.bytes.len() - b"\r\n--medley-picture\r\n".len();
        image::load_from_memory(&part.bytes[begin..end]).unwrap().to_rgb8()
    }

    #[test]
    fn pictures_keep_the_canvass_aspect_and_are_never_taller() {
        let of = |width, height, most| size((width, height), most);
        assert_eq!(
            [2160, 720, 360, 361, 128].map(|most| of(1280, 720, most)),
            [(1280, 720), (1280, 720), (640, 360), (640, 360), (228, 128)]
        );
        assert_eq!((of(720, 1280, 360), of(128, 2160, 128)), ((202, 360), (8, 128)));
    }

    #[test]
    fn canvases_become_as_many_pictures_a_second_as_were_asked_for() {
        let (mut maker, frame) = (Maker::new(96, 5, 1_000).unwrap(), Arc::new(scenes::moving(320, 192, 1)));
        let parts: Vec<_> = (0..90).filter_map(|n| maker.make(&canvas(&frame, n)).unwrap()).collect();
        assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), (1..=15).collect::<Vec<_>>());
        assert_eq!(parts[3].at, canvas(&frame, 18).at);
        assert_eq!(picture(&parts[3]).dimensions(), (160, 96));
        assert!(parts[3].bytes.windows(20).any(|said| said == b"X-Timestamp: 1.600\r\n"));
    }

    #[test]
    fn a_canvas_that_has_not_changed_is_not_encoded_again() {
        let (mut maker, frame) = (Maker::new(192, 30, 0).unwrap(), Arc::new(scenes::moving(320, 192, 1)));
        maker.make(&canvas(&frame, 0)).unwrap().unwrap();
        let first = maker.last.clone().unwrap().1;
        maker.make(&canvas(&frame, 1)).unwrap().unwrap();
        assert_eq!(maker.last.clone().unwrap().1.as_ptr(), first.as_ptr());
        let other = Arc::new(scenes::moving(320, 192, 2));
        let part = maker.make(&canvas(&other, 2)).unwrap().unwrap();
        assert_ne!(maker.last.unwrap().1, first);
        assert_eq!(picture(&part).dimensions(), (320, 192));
    }

    #[test]
    fn another_canvas_is_followed_in_size() {
        let mut maker = Maker::new(180, 30, 0).unwrap();
        for (number, (width, height, wanted)) in
            [(640, 360, (320, 180)), (360, 640, (102, 180)), (160, 120, (160, 120))].into_iter().enumerate()
        {
            let part = maker.make(&canvas(&Arc::new(Frame::filled(width, height, [81, 90, 240])), number as u64)).unwrap().unwrap();
            let shown = picture(&part);
            assert_eq!(shown.dimensions(), wanted);
            assert!(shown.get_pixel(50, 50).0[0] > 245);
        }
    }
}
