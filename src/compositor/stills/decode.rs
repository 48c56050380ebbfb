//! Uploaded files to images: sniffed, measured, and only then decoded.
//!
//! In: bytes that may be hostile. Out: an [`Image`] in I420 with its transparency. Never: more memory than [`MAX_MEMORY`] for the
//! decoder's own buffers, and a panic; it takes tens of milliseconds, so not on an async thread.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgba, RgbaImage};

use super::{MAX_BYTES, MAX_SIDE, StillError, StillKind};
use crate::compositor::palette::yuv;
use crate::media::{Frame, Image, Rgb};

/// What a decoder may allocate: an image of the largest size with 16 bits a channel takes 128 MiB.
const MAX_MEMORY: u64 = 192 << 20;

/// The image in a PNG or JPEG file; which of them it is, its first bytes tell.
///
/// # Errors
/// Where the file is too long, of another format, too large (by its header: no pixel is decoded), or broken.
pub fn decode(bytes: &[u8]) -> Result<(Image, StillKind), StillError> {
    if bytes.len() > MAX_BYTES {
        return Err(StillError::TooLong(bytes.len()));
    }
    let kind = sniffed(bytes)?;
    // The decoders are foreign code on a stranger's bytes: a panic in there costs the upload and nothing else.
    let decoded = catch_unwind(AssertUnwindSafe(|| pixels(bytes, kind)));
    let rgba = decoded.unwrap_or_else(|_| Err(broken(kind, "its decoder gave up")))?;
    Ok((image_of(&rgba), kind))
}

fn sniffed(bytes: &[u8]) -> Result<StillKind, StillError> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => Ok(StillKind::Png),
        Ok(ImageFormat::Jpeg) => Ok(StillKind::Jpeg),
        _ => Err(StillError::Unknown),
    }
}

fn pixels(bytes: &[u8], kind: StillKind) -> Result<RgbaImage, StillError> {
    let format = match kind {
        StillKind::Png => ImageFormat::Png,
        StillKind::Jpeg => ImageFormat::Jpeg,
    };
    let refused = |why| refusal(kind, &why);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE {
        return Err(StillError::TooLarge { width, height });
    }
    if kind == StillKind::Jpeg && !bytes.windows(2).any(|marker| marker == END_OF_JPEG) {
        return Err(broken(kind, "its end is missing"));
    }
    // Metadata that cannot be read says nothing about how the picture lies.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(refused)?;
    decoded.apply_orientation(orientation);
    Ok(decoded.into_rgba8())
}

/// EOI (ITU-T T.81 §B.1.1.3). The decoder shows a truncated picture with its rest grey.
const END_OF_JPEG: [u8; 2] = [0xff, 0xd9];

fn refusal(kind: StillKind, why: &ImageError) -> StillError {
    match why {
        ImageError::Limits(_) => StillError::TooCostly,
        why => broken(kind, &why.to_string()),
    }
}

fn broken(kind: StillKind, why: &str) -> StillError {
    let format = match kind {
        StillKind::Png => "PNG",
        StillKind::Jpeg => "JPEG",
    };
    // What the decoders say is for one line of a report, whatever stood in the file.
    StillError::Broken(format, why.chars().filter(|c| !c.is_control()).take(120).collect())
}

fn image_of(rgba: &RgbaImage) -> Image {
    let (width, height) = rgba.dimensions();
    let mut frame = Frame::black(width, height);
    let chroma_width = frame.chroma_size().0 as usize;
    let [y, u, v] = frame.planes_mut();
    for (luma, &Rgba([r, g, b, _])) in y.iter_mut().zip(rgba.pixels()) {
        *luma = yuv(Rgb(r, g, b))[0];
    }
    for (i, (u, v)) in u.iter_mut().zip(v).enumerate() {
        [_, *u, *v] = yuv(block_mean(rgba, 2 * (i % chroma_width) as u32, 2 * (i / chroma_width) as u32));
    }
    let alpha: Option<Arc<[u8]>> = rgba.pixels().any(|pixel| pixel.0[3] < 255).then(|| rgba.pixels().map(|pixel| pixel.0[3]).collect());
    Image { frame: Arc::new(frame), alpha }
}

/// The mean of a 2×2 block by what can be seen of it: a transparent pixel's colour is any.
fn block_mean(rgba: &RgbaImage, x: u32, y: u32) -> Rgb {
    let (right, below) = ((x + 1).min(rgba.width() - 1), (y + 1).min(rgba.height() - 1));
    let block = [(x, y), (right, y), (x, below), (right, below)].map(|(x, y)| rgba.get_pixel(x, y).0.map(u32::from));
    let seen: u32 = block.iter().map(|pixel| pixel[3]).sum();
    let mean = |channel: usize| (block.iter().map(|pixel| pixel[channel] * pixel[3]).sum::<u32>() / seen.max(1)) as u8;
    Rgb(mean(0), mean(1), mean(2))
}

#[cfg(test)]
mod tests {
    use super::super::{encode_jpeg, encode_png};
    use super::*;
    use image::ImageEncoder;
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    fn png(image: &RgbaImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// A red upper half above a blue one, `width × 2 * half`.
    fn flag(width: u32, half: u32) -> Frame {
        let mut frame = Frame::filled(width, 2 * half, [81, 90, 240]);
        let [y, u, v] = frame.planes_mut();
        for (plane, below) in [(y, 41), (u, 240), (v, 110)] {
            let middle = plane.len() / 2;
            plane[middle..].fill(below);
        }
        frame
    }

    /// A PNG of one transparent-black row with another size in its header, its checksum mended.
    fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png(&RgbaImage::new(4, 4));
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        mend_checksums(&mut bytes);
        bytes
    }

    /// The checksums of all whole chunks, made right: damage is to reach what is behind them.
    fn mend_checksums(png: &mut [u8]) {
        let mut at = 8;
        while let Some(length) = png.get(at..at + 4).map(|length| u32::from_be_bytes(length.try_into().unwrap()) as usize) {
            let end = at + 8 + length;
            let Some(chunk) = png.get(at + 4..end) else { return };
            let checksum = crc32(chunk);
            let Some(place) = png.get_mut(end..end + 4) else { return };
            place.copy_from_slice(&checksum.to_be_bytes());
            at = end + 4;
        }
    }

    /// ISO 3309, as PNG has it.
    fn crc32(bytes: &[u8]) -> u32 {
        let bit = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc)))
    }

    #[test]
    fn the_format_is_told_by_the_bytes_and_the_colours_come_back() {
        for (bytes, kind) in [(encode_png(&flag(64, 32)), StillKind::Png), (encode_jpeg(&flag(64, 32), 95), StillKind::Jpeg)] {
            let (image, told) = decode(&bytes).unwrap();
            assert_eq!((told, image.frame.width(), image.frame.height(), image.alpha), (kind, 64, 64, None));
            let apart = |at: usize, luma: u8| image.frame.planes()[0][at].abs_diff(luma) <= 3;
            assert!(apart(0, 81) && apart(64 * 63, 41));
        }
    }

    #[test]
    fn transparency_is_kept_and_does_not_stain_the_chroma_beside_it() {
        let red = |x: u32| if x < 3 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) };
        let (image, _) = decode(&png(&RgbaImage::from_fn(5, 3, |x, _| red(x)))).unwrap();
        assert_eq!(image.alpha.unwrap()[..5], [255, 255, 255, 0, 0]);
        assert_eq!(image.frame.planes()[2][..2], [240, 240], "the block of one red and one unseen green column is red");
    }

    #[test]
    fn a_size_beyond_the_bound_is_refused_by_its_header() {
        let told = |width, height| decode(&png_that_claims(width, height)).unwrap_err();
        assert_eq!(told(9000, 10).to_string(), "image is 9000x10: send at most 4096 pixels a side");
        assert_eq!(told(4097, 4096), StillError::TooLarge { width: 4097, height: 4096 });
        assert_eq!(told(0x7fff_ffff, 0x7fff_ffff), StillError::TooCostly);
        assert!(matches!(told(4096, 4096), StillError::Broken("PNG", _)), "it has the size, but not the pixels");
    }

    #[test]
    fn a_jpeg_beyond_the_bound_is_refused_by_its_header() {
        let mut bytes = encode_jpeg(&flag(64, 32), 85);
        let sof = bytes.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
        bytes[sof + 5..sof + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decode(&bytes).unwrap_err(), StillError::TooLarge { width: 65_535, height: 65_535 });
    }

    #[test]
    fn other_formats_and_longer_files_are_refused() {
        for other in [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WEBPVP8 "] {
            assert_eq!(decode(other).unwrap_err(), StillError::Unknown);
        }
        assert_eq!(decode(&vec![0; MAX_BYTES + 1]).unwrap_err(), StillError::TooLong(MAX_BYTES + 1));
    }

    #[test]
    fn a_photograph_taken_sideways_is_turned_upright() {
        // EXIF: big endian, one entry in IFD 0: orientation (0x0112) 6, "turn right by 90°".
        let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let rgb = image::load_from_memory(&encode_png(&flag(32, 8))).unwrap().into_rgb8();
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        encoder.write_image(&rgb, 32, 16, image::ExtendedColorType::Rgb8).unwrap();
        let (image, _) = decode(&bytes).unwrap();
        assert_eq!((image.frame.width(), image.frame.height()), (16, 32));
        let luma = image.frame.planes()[0];
        assert!(luma[0] < 60 && luma[15] > 65, "the lower half is on the left: {} {}", luma[0], luma[15]);
    }

    #[test]
    fn a_truncated_file_is_refused_wherever_it_ends() {
        for whole in [encode_png(&flag(64, 32)), encode_jpeg(&flag(64, 32), 85)] {
            for length in (8..whole.len() - 12).step_by(7) {
                assert!(decode(&whole[..length]).is_err(), "{length} of {}", whole.len());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_damage_to_a_file_panics_or_grows_the_image(
            jpeg in any::<bool>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut bytes = if jpeg { encode_jpeg(&flag(48, 16), 60) } else { encode_png(&flag(48, 16)) };
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if !jpeg {
                mend_checksums(&mut bytes);
            }
            bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
            if let Ok((image, _)) = decode(&bytes) {
                prop_assert!(image.frame.width() <= MAX_SIDE && image.frame.height() <= MAX_SIDE);
            }
        }
    }
}
