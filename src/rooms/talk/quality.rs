//! What a client gets, rounded: figures that waver are no news.
//!
//! In: its quality. Out: the same with fewer digits. Never: a step so coarse that a reader would be misled.

use crate::rooms::Quality;

/// As it is told.
pub(super) fn rounded(quality: Quality) -> Quality {
    let two_digits = |bps: u64| bps - bps % 10u64.pow(bps.checked_ilog10().unwrap_or(0).saturating_sub(1));
    Quality {
        estimate_bps: quality.estimate_bps.map(two_digits),
        loss: quality.loss.map(|loss| (loss * 100.0).round() / 100.0),
        rtt_ms: quality.rtt_ms.map(|rtt| (rtt / 10.0).round() * 10.0),
        ..quality
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Why;

    #[test]
    fn what_wavers_reads_the_same() {
        let of = |estimate_bps, loss, rtt_ms| {
            let (estimate_bps, loss, rtt_ms) = (Some(estimate_bps), Some(loss), Some(rtt_ms));
            rounded(Quality { rendition: None, width: 640, height: 360, fps: 30, estimate_bps, loss, rtt_ms, why: Why::Full })
        };
        assert_eq!(of(1_512_345, 0.031, 42.0), of(1_589_999, 0.029, 38.7));
        assert_ne!(of(1_512_345, 0.031, 42.0), of(1_612_345, 0.031, 42.0));
        assert_eq!([0, 7, 99].map(|bps| of(bps, 0.0, 0.0).estimate_bps), [Some(0), Some(7), Some(99)]);
    }
}
