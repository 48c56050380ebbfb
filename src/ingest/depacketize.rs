//! NAL units out of RTP payloads (RFC 6184, packetization modes 0 and 1).
//!
//! In: the payloads of one access unit, in order. Out: its NAL units in Annex B form and what is in it.
//! Never: more bytes than [`MAX_UNIT`], or a NAL unit with a piece missing.

/// What stands before each NAL unit (ITU-T H.264 Annex B).
pub(super) const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// An access unit's bytes at most: ten times a 4K keyframe's.
const MAX_UNIT: usize = 4 << 20;
/// A NAL unit's bytes at most.
const MAX_NAL: usize = 2 << 20;

const SLICES: std::ops::RangeInclusive<u8> = 1..=5;
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// An access unit while its packets come in.
#[derive(Debug, Default)]
pub(super) struct NalUnits {
    /// The NAL units so far, each behind a start code.
    pub(super) bytes: Vec<u8>,
    /// An IDR slice is in it.
    pub(super) idr: bool,
    /// A sequence parameter set is in it.
    pub(super) sps: bool,
    /// A picture parameter set is in it.
    pub(super) pps: bool,
    /// It does not begin in the middle of a picture; told by its first NAL unit.
    pub(super) whole_head: bool,
    /// A payload was malformed, too large or a fragment without its fellows.
    pub(super) spoiled: bool,
    /// Where the NAL unit begins whose fragments are coming in.
    fragmented: Option<usize>,
}

impl NalUnits {
    /// An empty unit that takes `capacity` bytes without growing.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity.min(MAX_UNIT)), ..Self::default() }
    }

    /// Takes the next payload. Each NAL unit is shown to `seen` once it is whole.
    pub(super) fn push(&mut self, payload: &[u8], seen: &mut dyn FnMut(&[u8])) {
        let Some(&header) = payload.first() else { return };
        if self.spoiled {
            return;
        }
        let taken = match header & 0x1f {
            FU_A => self.fragment(payload, seen),
            _ if self.fragmented.is_some() => None,
            STAP_A => self.aggregate(&payload[1..], seen),
            _ => self.nal(payload, seen),
        };
        if taken.is_none() {
            self.spoil();
        }
    }

    /// Marks it as damaged, and forgets the NAL unit that is incomplete (RFC 6184 §5.8: a lost fragment spoils them all).
    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
        if let Some(begin) = self.fragmented.take() {
            self.bytes.truncate(begin);
        }
    }

    /// Whether fragments are still to come.
    pub(super) fn is_open(&self) -> bool {
        self.fragmented.is_some()
    }

    /// A NAL unit that is whole.
    fn nal(&mut self, nal: &[u8], seen: &mut dyn FnMut(&[u8])) -> Option<()> {
        allowed(*nal.first()?)?;
        let begin = self.begin(nal.len())?;
        self.bytes.extend_from_slice(nal);
        self.finish(begin, seen);
        Some(())
    }

    /// RFC 6184 §5.7.1: sizes of 16 bits, each with a NAL unit behind it.
    fn aggregate(&mut self, mut rest: &[u8], seen: &mut dyn FnMut(&[u8])) -> Option<()> {
        while !rest.is_empty() {
            let (size, behind) = rest.split_first_chunk()?;
            let (nal, behind) = behind.split_at_checked(u16::from_be_bytes(*size).into())?;
            self.nal(nal, seen)?;
            rest = behind;
        }
        Some(())
    }

    /// RFC 6184 §5.8: indicator, header with start and end bits, a piece of the NAL unit.
    fn fragment(&mut self, payload: &[u8], seen: &mut dyn FnMut(&[u8])) -> Option<()> {
        let [indicator, header, piece @ ..] = payload else { return None };
        let (starts, ends) = (header & 0x80 != 0, header & 0x40 != 0);
        let begin = match (starts, self.fragmented) {
            (true, None) => self.open(indicator & 0xe0 | header & 0x1f)?,
            (false, Some(begin)) => begin,
            _ => return None,
        };
        self.room(piece.len(), self.bytes.len() - begin)?;
        self.bytes.extend_from_slice(piece);
        if ends {
            self.fragmented = None;
            self.finish(begin, seen);
        }
        Some(())
    }

    fn open(&mut self, nal_header: u8) -> Option<usize> {
        allowed(nal_header)?;
        let begin = self.begin(1)?;
        self.bytes.push(nal_header);
        self.fragmented = Some(begin);
        Some(begin)
    }

    fn begin(&mut self, length: usize) -> Option<usize> {
        self.room(length + START_CODE.len(), 0)?;
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(&START_CODE);
        Some(begin)
    }

    fn room(&self, more: usize, in_nal: usize) -> Option<()> {
        (self.bytes.len() + more <= MAX_UNIT && in_nal + more <= MAX_NAL).then_some(())
    }

    fn finish(&mut self, begin: usize, seen: &mut dyn FnMut(&[u8])) {
        let nal = &self.bytes[begin + START_CODE.len()..];
        let kind = nal[0] & 0x1f;
        if begin == 0 {
            // first_mb_in_slice is 0, a single 1 bit, in a picture's first slice (H.264 §7.3.3).
            self.whole_head = !SLICES.contains(&kind) || nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
        }
        self.idr |= kind == IDR;
        self.sps |= kind == SPS;
        self.pps |= kind == PPS;
        seen(nal);
    }
}

/// Whether this payload begins with a sequence parameter set.
pub(super) fn tells_parameters(payload: &[u8]) -> bool {
    match payload.first().map(|header| header & 0x1f) {
        Some(SPS) => true,
        Some(STAP_A) => payload.get(3).is_some_and(|header| header & 0x1f == SPS),
        _ => false,
    }
}

/// Whether an access unit that a decoder can start at may begin with this payload: a parameter set, or the beginning of an IDR
/// picture's first slice.
pub(super) fn begins_keyframe(payload: &[u8]) -> bool {
    let first_slice = |byte: Option<&u8>| byte.is_some_and(|byte| byte & 0x80 != 0);
    match payload.first().map(|header| header & 0x1f) {
        Some(SPS | STAP_A) => tells_parameters(payload),
        Some(IDR) => first_slice(payload.get(1)),
        Some(FU_A) => payload.get(1).is_some_and(|header| header & 0x9f == 0x80 | IDR) && first_slice(payload.get(2)),
        _ => false,
    }
}

/// Whether a NAL unit with this header may be passed on: no bit error (forbidden_zero_bit, RFC 6184 §5.3) and a type
/// of H.264 itself, not another layer of aggregation or fragmentation, nor one of the interleaved mode.
fn allowed(header: u8) -> Option<()> {
    (header & 0x80 == 0 && (1..=23).contains(&(header & 0x1f))).then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: u8 = 0x80;
    const END: u8 = 0x40;

    #[test]
    fn a_single_nal_unit_comes_out_behind_a_start_code() {
        let units = unit(&[&[0x65, 0x88, 1, 2]]);
        assert_eq!(units.bytes, [0, 0, 0, 1, 0x65, 0x88, 1, 2]);
        assert!(units.idr && units.whole_head && !units.spoiled);
    }

    #[test]
    fn an_aggregate_comes_apart() {
        let units = unit(&[&[0x78, 0, 2, 0x67, 9, 0, 1, 0x68, 0, 2, 0x65, 0x80]]);
        assert_eq!(units.bytes, [0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 0x80]);
        assert!(units.sps && units.pps && units.idr && !units.spoiled);
    }

    #[test]
    fn fragments_are_put_together_under_the_header_they_carry() {
        let units = unit(&[&[0x7c, START | 5, 0x88], &[0x7c, 5, 2], &[0x7c, END | 5, 3]]);
        assert_eq!(units.bytes, [0, 0, 0, 1, 0x65, 0x88, 2, 3]);
        assert!(units.idr && !units.spoiled && !units.is_open());
    }

    #[test]
    fn a_fragment_without_its_fellows_spoils_the_unit_and_leaves_no_piece() {
        for payloads in [
            &[&[0x41, 0x80][..], &[0x7c, 5, 2]][..],
            &[&[0x41, 0x80], &[0x7c, START | 5, 1], &[0x7c, START | 5, 1]],
            &[&[0x41, 0x80], &[0x7c, START | 5, 1], &[0x41, 1]],
        ] {
            let units = unit(payloads);
            assert!(units.spoiled);
            assert_eq!(units.bytes, [0, 0, 0, 1, 0x41, 0x80]);
        }
    }

    #[test]
    fn malformed_payloads_spoil_the_unit() {
        let bad: [&[u8]; 10] = [
            &[0x00, 1],                   // type 0
            &[0xe5, 1],                   // forbidden_zero_bit
            &[0x79, 0, 1, 0x65],          // STAP-B
            &[0x7f, 1],                   // type 31
            &[0x78, 0],                   // half a size
            &[0x78, 0, 9, 0x65],          // beyond the end
            &[0x78, 0, 0],                // an empty NAL unit
            &[0x78, 0, 3, 0x78, 0, 0],    // an aggregate in an aggregate
            &[0x7c],                      // no fragment header
            &[0x7c, START | END | 28, 1], // a fragment in a fragment
        ];
        for payload in bad {
            let units = unit(&[payload]);
            assert!(units.spoiled && !units.is_open(), "{payload:x?}");
        }
    }

    #[test]
    fn a_unit_that_begins_in_the_middle_of_a_picture_is_told() {
        assert!(!unit(&[&[0x41, 0x40]]).whole_head);
        assert!(!unit(&[&[0x65]]).whole_head);
        assert!(unit(&[&[0x67, 0x40], &[0x65, 0x40]]).whole_head);
    }

    #[test]
    fn an_endless_nal_unit_is_cut_off() {
        let mut units = unit(&[&[0x7c, START | 5, 0x88]]);
        let piece = [&[0x7c, 5][..], &[7; 1200]].concat();
        for _ in 0..10_000 {
            units.push(&piece, &mut |_| {});
            assert!(units.bytes.len() <= MAX_NAL + START_CODE.len());
        }
        assert!(units.spoiled && units.bytes.is_empty());
    }

    proptest! {
        #[test]
        fn random_payloads_neither_panic_nor_leave_an_unfinished_nal_unit(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40),
        ) {
            let mut units = NalUnits::default();
            let mut whole = Vec::new();
            for payload in &payloads {
                units.push(payload, &mut |nal| whole.extend([&START_CODE, nal].concat()));
            }
            units.spoil();
            prop_assert_eq!(units.bytes, whole);
        }
    }

    fn unit(payloads: &[&[u8]]) -> NalUnits {
        let mut units = NalUnits::default();
        payloads.iter().for_each(|payload| units.push(payload, &mut |_| {}));
        units
    }
}
