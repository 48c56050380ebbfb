//! A stream's parameter sets, kept for the keyframes that come without them.
//!
//! In: SPS and PPS NAL units, from the stream or from the offer. Out: the newest of each id in Annex B form.
//! Never: more than a few small ones, or a look at what they say beyond their id.

use std::collections::BTreeMap;

use super::depacketize::START_CODE;

/// A set of more bytes is refused: real ones take 10 to 60, with scaling lists a few hundred.
const MAX_BYTES: usize = 1024;
/// Sequence parameter sets kept at most; ids go to 31 (ITU-T H.264 §7.4.2.1.1).
const MAX_SPS: usize = 4;
/// Picture parameter sets kept at most; ids go to 255 (§7.4.2.2).
const MAX_PPS: usize = 16;

/// The newest parameter sets by id.
#[derive(Debug, Default)]
pub(super) struct ParameterSets {
    sps: BTreeMap<u32, Box<[u8]>>,
    pps: BTreeMap<u32, Box<[u8]>>,
}

impl ParameterSets {
    /// Keeps a NAL unit if it is an SPS or PPS with a sane id and size; whatever else is none of its business.
    pub(super) fn note(&mut self, nal: &[u8]) {
        let (kept, id, most) = match nal.first().map(|header| header & 0x1f) {
            // The id stands after profile, constraints and level (§7.3.2.1.1).
            Some(7) => (&mut self.sps, nal.get(4..).and_then(exp_golomb), MAX_SPS),
            Some(8) => (&mut self.pps, exp_golomb(&nal[1..]), MAX_PPS),
            _ => return,
        };
        let Some(id) = id else { return };
        let known = kept.get(&id).is_some_and(|old| **old == *nal);
        if known || nal.len() > MAX_BYTES || (kept.len() >= most && !kept.contains_key(&id)) {
            return;
        }
        kept.insert(id, nal.into());
    }

    /// Whether there are both kinds, so that an IDR picture can be decoded.
    pub(super) fn complete(&self) -> bool {
        !self.sps.is_empty() && !self.pps.is_empty()
    }

    /// All of them in Annex B form, sequence parameter sets first, followed by `rest`.
    pub(super) fn before(&self, rest: &[u8]) -> Vec<u8> {
        let sets = || self.sps.values().chain(self.pps.values());
        let length: usize = sets().map(|nal| nal.len() + START_CODE.len()).sum();
        let mut bytes = Vec::with_capacity(length + rest.len());
        for nal in sets() {
            bytes.extend_from_slice(&START_CODE);
            bytes.extend_from_slice(nal);
        }
        bytes.extend_from_slice(rest);
        bytes
    }
}

/// An unsigned Exp-Golomb number of at most 17 bits at the start of `bytes` (§9.1).
fn exp_golomb(bytes: &[u8]) -> Option<u32> {
    let mut head = [0; 4];
    let length = bytes.len().min(4);
    head[..length].copy_from_slice(&bytes[..length]);
    let word = u32::from_be_bytes(head);
    let zeros = word.leading_zeros();
    if zeros > 8 || (2 * zeros + 1) as usize > 8 * length {
        return None;
    }
    Some((word >> (31 - 2 * zeros)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: [u8; 6] = [0x67, 0x42, 0xc0, 0x1f, 0b1000_0000, 1];
    const PPS: [u8; 3] = [0x68, 0b1000_0000, 2];

    #[test]
    fn exp_golomb_codes_read_as_the_standards_table_says() {
        let codes = [(0b1000_0000u8, 0), (0b0100_0000, 1), (0b0110_0000, 2), (0b0010_0000, 3), (0b0011_1000, 6)];
        for (byte, value) in codes {
            assert_eq!(exp_golomb(&[byte]), Some(value), "{byte:08b}");
        }
        assert_eq!(exp_golomb(&[]), None);
        assert_eq!(exp_golomb(&[0, 0, 0, 0]), None);
        assert_eq!(exp_golomb(&[0b0000_1000]), None);
    }

    #[test]
    fn the_newest_set_of_an_id_is_kept() {
        let mut sets = ParameterSets::default();
        sets.note(&[0x67, 0x42, 0xc0, 0x1f, 0b1000_0000, 9]);
        sets.note(&SPS);
        assert!(!sets.complete());
        sets.note(&PPS);
        assert!(sets.complete());
        let expected = [&START_CODE, &SPS[..], &START_CODE, &PPS[..], &[5]].concat();
        assert_eq!(sets.before(&[5]), expected);
    }

    #[test]
    fn sets_beyond_number_or_size_are_refused() {
        let mut sets = ParameterSets::default();
        for id in 0..=255u16 {
            let code = (id + 1) << 3;
            sets.note(&[&[0x68], &code.to_be_bytes()[..]].concat());
            sets.note(&[&[0x67, 0x42, 0xc0, 0x1f], &code.to_be_bytes()[..]].concat());
        }
        assert!(sets.sps.len() <= MAX_SPS && sets.pps.len() <= MAX_PPS);
        let mut huge = SPS.to_vec();
        huge.resize(MAX_BYTES + 1, 7);
        let before = sets.before(&[]).len();
        sets.note(&huge);
        assert_eq!(sets.before(&[]).len(), before);
    }

    #[test]
    fn what_is_no_parameter_set_is_passed_over() {
        let mut sets = ParameterSets::default();
        for nal in [&[][..], &[0x67], &[0x68], &[0x67, 0, 0, 0], &[0x65, 0x80], &[0x67, 1, 2, 3, 0]] {
            sets.note(nal);
        }
        assert!(sets.sps.is_empty() && sets.pps.is_empty());
    }
}
