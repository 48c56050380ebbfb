//! Clients that say anything: nothing panics, nothing floods, sound goes on.

use proptest::prelude::*;

use super::super::ledger::Fate;
use super::*;

fn fates() -> impl Strategy<Value = Said> {
    let came = prop_oneof![Just(None), any::<i64>().prop_map(Some), (0i64..10_000_000).prop_map(Some)];
    let fate = (0u64..20_000, 0u32..1500, came).prop_map(|(left, size, came)| Fate { left: MediaTime::from_millis(left), size, came });
    proptest::collection::vec(fate, 0..60).prop_map(Said::Fates)
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        fates(),
        proptest::collection::vec(any::<u16>(), 0..512).prop_map(Said::Lacks),
        (0u16..=u16::MAX).prop_map(|from| Said::Lacks((0..512).map(|n| from.wrapping_add(n)).collect())),
        any::<u8>().prop_map(|lost| Said::Lost(f32::from(lost) / 256.0)),
        prop_oneof![any::<f64>(), Just(0.0), Just(f64::from(1u32 << 31) * f64::from(1u32 << 31) * 2.0)].prop_map(Said::Takes),
    ]
}

fn picture(number: u64, keyframe: bool) -> Arc<EncodedPicture> {
    let payloads = vec![Bytes::from_static(&[7; 1200]); if keyframe { 40 } else { 8 }];
    Arc::new(EncodedPicture { payloads, at: MediaTime::from_millis(40 * number), keyframe, number, ..EncodedPicture::default() })
}

proptest! {
    #[test]
    fn whatever_is_said_nothing_floods_and_sound_goes_on(words in proptest::collection::vec(said(), 1..300), rtx in any::<bool>()) {
        let rtx = rtx.then_some(RtxStream { ssrc: 9, payload_type: 97, sequence: 0 });
        let mut pacing = Pacing::new(Some(packetizer()), Some(packetizer()), rtx, true);
        let (mut keyframe, mut bytes) = (true, 0);
        for (n, said) in (0u64..).zip(words) {
            let now = MediaTime::from_millis(40 * n);
            pacing.hear(said, now);
            pacing.picture(picture(n, keyframe), now);
            pacing.sound(&EncodedSound { payload: Bytes::from_static(&[1; 80]), at: now });
            pacing.advance(Some(Duration::from_millis(50)), Some(1e9), now);
            keyframe = pacing.wants_keyframe(now);
            let left: Vec<_> = std::iter::from_fn(|| pacing.next(now)).collect();
            prop_assert_eq!(left.iter().filter(|(what, _)| *what == What::Sound).count(), 1);
            bytes += left.iter().map(|(_, packet)| packet.payload.len()).sum::<usize>();
            prop_assert!((20e3..=10e6).contains(&pacing.media_bps()));
            // 2.5 times the highest estimate there is, over the time so far and one burst
            prop_assert!(bytes as f64 * 8.0 <= 25e6 * (0.04 * n as f64 + 0.01) + 12_000.0);
        }
    }
}
