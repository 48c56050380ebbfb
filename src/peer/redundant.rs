//! Sound that repeats what came before it: RED (RFC 2198), as browsers send it where an answer prefers it.
//!
//! In: a packet's payload. Out: its newest block and those that it repeats, with how long before it they were. Never: a block of another
//! payload type, or more than [`MOST_REPEATED`].

use bytes::Bytes;

/// Blocks repeated that are looked at; browsers repeat one or two.
const MOST_REPEATED: usize = 8;
/// "F": another header follows.
const MORE: u8 = 0x80;
const REPEATED_HEADER: usize = 4;

/// What a packet holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redundant {
    /// What the packet was sent for.
    pub(super) primary: Bytes,
    /// What was sent before it, the oldest first.
    pub(super) repeated: Vec<Repeated>,
}

/// A block that was sent before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    /// In how many packets before this one: senders repeat the last ones.
    pub(super) back: u16,
    /// How much less its timestamp is.
    pub(super) earlier: u32,
    pub(super) payload: Bytes,
}

/// Reads a payload whose blocks are of one type; `None` where it is malformed.
pub(super) fn blocks(payload: &Bytes, payload_type: u8) -> Option<Redundant> {
    let (mut headers, mut at) = (Vec::new(), 0);
    while payload.get(at)? & MORE != 0 {
        let [first, high, middle, low] = payload.get(at..at + REPEATED_HEADER)?.try_into().ok()?;
        let earlier = u32::from(high) << 6 | u32::from(middle) >> 2;
        let length = usize::from(middle & 3) << 8 | usize::from(low);
        headers.push((first & !MORE, earlier, length));
        at += REPEATED_HEADER;
    }
    let is_ours = *payload.get(at)? == payload_type;
    at += 1;
    let mut repeated = Vec::new();
    for (back, (block_type, earlier, length)) in (1..=headers.len()).rev().zip(headers) {
        let end = at + length;
        if end > payload.len() {
            return None;
        }
        if back <= MOST_REPEATED && block_type == payload_type && length > 0 {
            repeated.push(Repeated { back: back as u16, earlier, payload: payload.slice(at..end) });
        }
        at = end;
    }
    is_ours.then(|| Redundant { primary: payload.slice(at..), repeated })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPUS: u8 = 111;

    /// RFC 2198 §3, from the newest block and those before it with how much earlier they were, the oldest first.
    fn packed(primary: &[u8], before: &[(u32, &[u8])]) -> Bytes {
        let mut packed = Vec::new();
        for (earlier, block) in before {
            let header = u32::from(MORE | OPUS) << 24 | earlier << 10 | block.len() as u32;
            packed.extend(header.to_be_bytes());
        }
        packed.push(OPUS);
        before.iter().for_each(|(_, block)| packed.extend(*block));
        packed.extend(primary);
        packed.into()
    }

    #[test]
    fn blocks_come_with_their_places_before_the_packet() {
        let read = blocks(&packed(b"now", &[(1920, b"old"), (960, b"")]), OPUS).unwrap();
        assert_eq!(read.primary, "now");
        assert_eq!(read.repeated, [Repeated { back: 2, earlier: 1920, payload: Bytes::from_static(b"old") }], "an empty block is none");
        assert_eq!(blocks(&packed(b"now", &[]), OPUS).unwrap().repeated, []);
    }

    #[test]
    fn no_more_than_the_last_few_are_looked_at() {
        let many: Vec<(u32, &[u8])> = (1..=300).rev().map(|n| (n, &b"x"[..])).collect();
        let read = blocks(&packed(b"now", &many), OPUS).unwrap();
        assert_eq!((read.repeated.len(), read.repeated[0].back, &read.primary[..]), (MOST_REPEATED, 8, &b"now"[..]));
    }

    #[test]
    fn what_is_cut_or_claims_too_much_or_is_another_codec_is_refused() {
        let whole = packed(b"", &[(960, b"before")]);
        assert!(blocks(&whole, OPUS).is_some() && blocks(&whole, OPUS - 1).is_none());
        (0..whole.len()).for_each(|length| assert_eq!(blocks(&whole.slice(..length), OPUS), None, "{length}"));
    }

    proptest! {
        #[test]
        fn hostile_payloads_harm_nothing(payload: Vec<u8>) {
            if let Some(read) = blocks(&payload.clone().into(), payload.first().map_or(0, |first| first & !MORE)) {
                prop_assert!(read.primary.len() + read.repeated.iter().map(|block| block.payload.len()).sum::<usize>() < payload.len());
            }
        }
    }
}
