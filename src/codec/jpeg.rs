//! Pictures as JPEG (ITU-T T.81, JFIF), straight from their planes.
//!
//! In: I420, BT.601 limited range. Out: baseline JPEG, 4:2:0, BT.601 full range, as JFIF has it. Never: RGB on the way, or an async
//! thread's time.

use bytes::Bytes;
use turbojpeg::{Compressor, Subsamp, YuvPlanesImage};

use super::EncodeError;
use crate::media::Frame;

/// Encodes pictures of any size at one quality.
#[derive(Debug)]
pub struct JpegEncoder {
    codec: Compressor,
    /// The picture in full range; kept for the next.
    full: Planes,
}

/// Luma rows are of an even length, and of an even number: the codec takes them in pairs (tj3YUVPlaneSize).
#[derive(Debug, Default)]
struct Planes {
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl JpegEncoder {
    /// An encoder of `quality` 1 to 100, as libjpeg counts it.
    ///
    /// # Errors
    /// Where the codec refuses it.
    pub fn new(quality: u8) -> Result<Self, EncodeError> {
        let mut codec = Compressor::new().map_err(refused)?;
        codec.set_quality(i32::from(quality.clamp(1, 100))).map_err(refused)?;
        Ok(Self { codec, full: Planes::default() })
    }

    /// The picture as a file.
    ///
    /// # Errors
    /// Where the codec refuses it.
    pub fn encode(&mut self, frame: &Frame) -> Result<Bytes, EncodeError> {
        self.full.expand(frame);
        let (width, height, chroma) = (frame.width() as usize, frame.height() as usize, frame.chroma_size().0 as usize);
        let image = YuvPlanesImage {
            y_plane: &self.full.y[..],
            u_plane: &self.full.u[..],
            v_plane: &self.full.v[..],
            width,
            height,
            y_stride: width.next_multiple_of(2),
            u_stride: chroma,
            v_stride: chroma,
            subsamp: Subsamp::Sub2x2,
        };
        self.codec.compress_yuv_planes_to_vec(&image).map(Bytes::from).map_err(refused)
    }
}

fn refused(error: turbojpeg::Error) -> EncodeError {
    EncodeError::Codec(error.to_string())
}

impl Planes {
    fn expand(&mut self, frame: &Frame) {
        let [y, u, v] = frame.planes();
        let width = frame.width() as usize;
        self.y.clear();
        if width.is_multiple_of(2) {
            self.y.extend(y.iter().copied().map(full_luma));
        } else {
            // The column beyond the edge is the last one once more
            self.y.extend(y.chunks_exact(width).flat_map(|row| row.iter().chain(row.last()).copied().map(full_luma)));
        }
        if !frame.height().is_multiple_of(2) {
            self.y.extend_from_within(self.y.len() - width.next_multiple_of(2)..);
        }
        for (full, limited) in [(&mut self.u, u), (&mut self.v, v)] {
            full.clear();
            full.extend(limited.iter().copied().map(full_chroma));
        }
    }
}

/// 16 to 235 as 0 to 255, to the nearest (JFIF 1.02, "Color space"). In sixteen bits, so that many are done at once.
fn full_luma(limited: u8) -> u8 {
    let x = u16::from(limited.clamp(16, 235) - 16);
    // x · 255 / 219 + ½
    (x + (x * 72 + 219) / 438) as u8
}

/// 16 to 240 about 128 as ½ to 255½ about 128, to the nearest.
fn full_chroma(limited: u8) -> u8 {
    let x = u16::from(limited.clamp(16, 240) - 16);
    // (x − 112) · 255 / 224 + 128 + ½
    (x + x * 31 / 224 + 1).min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::scenes;

    /// What the `image` crate's decoder reads, as RGB.
    fn decoded(jpeg: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    /// ITU-R BT.601 limited range, in real numbers.
    fn rgb(y: u8, u: u8, v: u8) -> [f64; 3] {
        let (y, u, v) = ((f64::from(y) - 16.0) / 219.0, (f64::from(u) - 128.0) / 224.0, (f64::from(v) - 128.0) / 224.0);
        [y + 1.402 * v, y - 0.344_136 * u - 0.714_136 * v, y + 1.772 * u].map(|c| (c * 255.0).clamp(0.0, 255.0))
    }

    #[test]
    fn ranges_are_expanded_exactly_to_rounding() {
        for limited in 0..=255u8 {
            let luma = ((f64::from(limited) - 16.0) * 255.0 / 219.0).round().clamp(0.0, 255.0);
            assert_eq!(f64::from(full_luma(limited)), luma, "{limited}");
            let within = f64::from(limited.clamp(16, 240));
            let chroma = ((within - 128.0) * 255.0 / 224.0 + 128.0 + 0.5).floor().clamp(0.0, 255.0);
            assert_eq!(f64::from(full_chroma(limited)), chroma, "{limited}");
        }
        assert_eq!([16, 235, 0, 255].map(full_luma), [0, 255, 0, 255]);
        assert_eq!([16, 128, 240].map(full_chroma), [1, 128, 255]);
    }

    #[test]
    fn every_colour_comes_back_as_it_is_on_the_canvas() {
        let mut encoder = JpegEncoder::new(95).unwrap();
        for y in (16..=235).step_by(73) {
            for (u, v) in [(128, 128), (90, 240), (240, 110), (54, 34), (200, 60), (100, 150)] {
                let shown = decoded(&encoder.encode(&Frame::filled(32, 32, [y, u, v])).unwrap());
                let wanted = rgb(y, u, v);
                for (got, wanted) in shown.get_pixel(16, 16).0.iter().zip(wanted) {
                    assert!((f64::from(*got) - wanted).abs() <= 4.0, "{y} {u} {v}: {got} for {wanted}");
                }
            }
        }
    }

    #[test]
    fn a_moving_scene_comes_back_within_the_codecs_noise() {
        let frame = scenes::moving(320, 180, 7);
        let shown = decoded(&JpegEncoder::new(90).unwrap().encode(&frame).unwrap());
        let [luma, u, v] = frame.planes();
        let mut error = 0.0;
        for (x, y, pixel) in shown.enumerate_pixels() {
            let (at, chroma) = ((y * 320 + x) as usize, (y / 2 * 160 + x / 2) as usize);
            let wanted = rgb(luma[at], u[chroma], v[chroma]);
            error += pixel.0.iter().zip(wanted).map(|(got, wanted)| (f64::from(*got) - wanted).powi(2)).sum::<f64>();
        }
        let psnr = 10.0 * (255.0f64.powi(2) / (error / f64::from(320 * 180 * 3))).log10();
        assert!(psnr > 30.0, "{psnr:.1} dB");
    }

    #[test]
    fn one_encoder_takes_pictures_of_any_size_and_odd_edges_are_whole() {
        let mut encoder = JpegEncoder::new(85).unwrap();
        for (width, height) in [(131, 75), (1, 1), (640, 360), (16, 127), (129, 16)] {
            let shown = decoded(&encoder.encode(&Frame::filled(width, height, [81, 90, 240])).unwrap());
            assert_eq!(shown.dimensions(), (width, height));
            let [r, g, b] = shown.get_pixel(width - 1, height - 1).0;
            assert!(r > 245 && g < 10 && b < 10, "{width}x{height}: {r} {g} {b}");
        }
    }

    #[test]
    fn a_better_quality_takes_more_bytes() {
        let frame = scenes::moving(320, 180, 3);
        let bytes = [40, 75, 95].map(|quality| JpegEncoder::new(quality).unwrap().encode(&frame).unwrap().len());
        assert!(bytes.is_sorted_by(|few, many| few < many), "{bytes:?}");
    }
}
