//! H.264 by OpenH264: constrained baseline out, what its decoder takes in.

mod decoder;
mod encoder;

pub use decoder::Decoder;
pub use encoder::Encoder;

/// NAL unit types (ITU-T H.264 table 7-1).
pub mod nal {
    /// A slice of a picture that refers to others.
    pub const SLICE: u8 = 1;
    /// A slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;

    /// A NAL unit's type; 0 (unspecified) for an empty one.
    pub fn kind(nal_unit: &[u8]) -> u8 {
        nal_unit.first().map_or(0, |header| header & 0x1f)
    }
}

/// The NAL units of a byte stream (ITU-T H.264 Annex B), without start codes and trailing zeros.
pub fn nal_units(annex_b: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = &annex_b[start_code(annex_b).map_or(annex_b.len(), |(_, after)| after)..];
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (end, after) = start_code(rest).unwrap_or((rest.len(), rest.len()));
        let nal_unit = &rest[..end];
        rest = &rest[after..];
        Some(&nal_unit[..nal_unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)])
    })
    .filter(|nal_unit| !nal_unit.is_empty())
}

/// Where the first start code begins and ends.
pub fn start_code(bytes: &[u8]) -> Option<(usize, usize)> {
    // A step of three finds each 1 that follows two zeros: most bytes of coded pictures are above 1.
    let mut at = 2;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            1 if bytes[at - 1] == 0 && bytes[at - 2] == 0 => return Some((at - 2, at + 1)),
            0 | 1 => at += 1,
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annex_b_stream_falls_apart_at_its_start_codes() {
        let stream = [9, 9, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 0, 0, 2, 1, 0, 0];
        let parts: Vec<_> = nal_units(&stream).collect();
        assert_eq!(parts, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 0, 0, 2, 1]]);
    }

    #[test]
    fn bytes_without_a_start_code_hold_no_nal_unit() {
        assert_eq!(nal_units(&[0x67, 1, 2, 3]).count(), 0);
        assert_eq!(nal_units(&[]).count(), 0);
        assert_eq!(nal_units(&[0, 0, 1]).count(), 0);
    }
}
