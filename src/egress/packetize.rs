//! Access units into RTP payloads (RFC 6184, packetization mode 1).
//!
//! In: NAL units without start codes. Out: payloads of at most 1200 bytes, made once and shared by all receivers.
//! Never: a copy of a slice that fits a packet.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::h264::nal;

/// The largest payload: with RTP, SRTP, UDP and IPv6 headers it stays below IPv6's least MTU of 1280 bytes.
pub(super) const MAX_PAYLOAD: usize = 1200;

/// RFC 6184 §5.7.1.
const STAP_A: u8 = 24;
/// RFC 6184 §5.8.
const FU_A: u8 = 28;
/// The forbidden bit and NRI of a NAL unit header.
const IMPORTANCE: u8 = 0b1110_0000;

/// The payloads of one access unit, in order; the marker belongs on the last.
pub fn packetize(nal_units: &[Bytes]) -> Vec<Bytes> {
    let mut payloads = Vec::with_capacity(nal_units.len());
    let mut rest = nal_units;
    while let Some(first) = rest.first() {
        let together = parameter_sets(rest);
        if together >= 2 {
            payloads.push(aggregate(&rest[..together]));
        } else if first.len() > MAX_PAYLOAD {
            fragment(first, &mut payloads);
        } else if !first.is_empty() {
            payloads.push(first.clone());
        }
        rest = &rest[together.max(1)..];
    }
    payloads
}

/// How many of the first NAL units are parameter sets that fit one aggregation packet.
fn parameter_sets(nal_units: &[Bytes]) -> usize {
    let mut bytes = 1;
    let fits = |nal_unit: &&Bytes| {
        bytes += 2 + nal_unit.len();
        matches!(nal::kind(nal_unit), nal::SPS | nal::PPS) && bytes <= MAX_PAYLOAD
    };
    nal_units.iter().take_while(fits).count()
}

/// RFC 6184 §5.7.1: one header, then each NAL unit after its length.
fn aggregate(nal_units: &[Bytes]) -> Bytes {
    let mut payload = BytesMut::with_capacity(1 + nal_units.iter().map(|nal_unit| 2 + nal_unit.len()).sum::<usize>());
    // §5.3: the aggregate is as important as its most important part.
    let importance = nal_units.iter().map(|nal_unit| nal_unit[0] & IMPORTANCE).max().unwrap_or(0);
    payload.put_u8(importance | STAP_A);
    for nal_unit in nal_units {
        payload.put_u16(nal_unit.len() as u16);
        payload.put_slice(nal_unit);
    }
    payload.freeze()
}

/// RFC 6184 §5.8: the NAL unit's own header travels in the fragments' indicator and header.
fn fragment(nal_unit: &Bytes, payloads: &mut Vec<Bytes>) {
    const START: u8 = 0x80;
    const END: u8 = 0x40;
    let (header, body) = (nal_unit[0], &nal_unit[1..]);
    // Of equal size: one short fragment more would cost as much as a whole one.
    let count = body.len().div_ceil(MAX_PAYLOAD - 2);
    let size = body.len().div_ceil(count);
    for (index, part) in body.chunks(size).enumerate() {
        let start = if index == 0 { START } else { 0 };
        let end = if (index + 1) * size >= body.len() { END } else { 0 };
        let mut payload = BytesMut::with_capacity(2 + part.len());
        payload.put_u8(header & IMPORTANCE | FU_A);
        payload.put_u8(start | end | header & 0x1f);
        payload.put_slice(part);
        payloads.push(payload.freeze());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a receiver makes of payloads in order.
    fn depacketize(payloads: &[Bytes]) -> Vec<Vec<u8>> {
        let mut nal_units: Vec<Vec<u8>> = Vec::new();
        let mut open = false;
        for payload in payloads {
            match payload[0] & 0x1f {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while let [high, low, after @ ..] = rest {
                        let (nal_unit, after) = after.split_at(usize::from(*high) << 8 | usize::from(*low));
                        nal_units.push(nal_unit.to_vec());
                        rest = after;
                    }
                }
                FU_A => {
                    let (start, end) = (payload[1] & 0x80 != 0, payload[1] & 0x40 != 0);
                    assert!(start != open && !(start && end), "RFC 6184 §5.8: start and end never in one fragment");
                    if start {
                        nal_units.push(vec![payload[0] & IMPORTANCE | payload[1] & 0x1f]);
                    }
                    nal_units.last_mut().unwrap().extend_from_slice(&payload[2..]);
                    open = !end;
                }
                _ => nal_units.push(payload.to_vec()),
            }
        }
        assert!(!open, "the last fragment ends its NAL unit");
        nal_units
    }

    fn nal_unit(header: u8, length: usize) -> Bytes {
        (0..length).map(|n| if n == 0 { header } else { n as u8 }).collect::<Vec<_>>().into()
    }

    #[test]
    fn parameter_sets_travel_together_and_slices_alone() {
        let unit = [nal_unit(0x67, 20), nal_unit(0x68, 4), nal_unit(0x65, 1000), nal_unit(0x65, 900)];
        let payloads = packetize(&unit);
        assert_eq!(payloads.iter().map(Bytes::len).collect::<Vec<_>>(), [1 + 2 + 20 + 2 + 4, 1000, 900]);
        assert_eq!(payloads[0][0], 0x60 | STAP_A);
        assert_eq!(payloads[1].as_ptr(), unit[2].as_ptr(), "not copied");
    }

    #[test]
    fn a_large_slice_goes_out_in_fragments_of_equal_size() {
        let payloads = packetize(&[nal_unit(0x65, 1201)]);
        assert_eq!(payloads.iter().map(Bytes::len).collect::<Vec<_>>(), [602, 602]);
        assert_eq!([payloads[0][1], payloads[1][1]], [0x85, 0x45]);
    }

    proptest! {
        #[test]
        fn what_is_packetized_comes_back_whole(
            nal_units in proptest::collection::vec((1u8..24, 0u8..4, prop_oneof![1usize..80, 1150usize..1250, 2390usize..2410, 1usize..9000]), 0..12),
        ) {
            let unit: Vec<_> = nal_units.iter().map(|(kind, importance, length)| nal_unit(importance << 5 | kind, *length)).collect();
            let payloads = packetize(&unit);
            prop_assert!(payloads.iter().all(|payload| (1..=MAX_PAYLOAD).contains(&payload.len())));
            prop_assert_eq!(depacketize(&payloads), unit);
        }
    }
}
