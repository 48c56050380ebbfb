//! What a rendition owes the lines it goes out on: a leaky bucket, pure.
//!
//! In: the bytes of each picture and its time. Out: whether the next may be encoded yet. Never: a say in how a picture is
//! encoded; the codec's rate control keeps to the bitrate with anything but noise, and this is for noise.

use crate::media::MediaTime;

/// How much may be owed before pictures are skipped. Keyframes and changes of layout owe a seventh to a third of a second.
const MAX_OWED_SECONDS: f64 = 1.0;

/// One rendition's debt.
#[derive(Debug)]
pub(super) struct Budget {
    bits_per_second: f64,
    owed_bits: f64,
    at: MediaTime,
}

impl Budget {
    /// Owes nothing.
    pub(super) fn new(bitrate_bps: u32) -> Self {
        Self { bits_per_second: f64::from(bitrate_bps), owed_bits: 0.0, at: MediaTime::ZERO }
    }

    /// Takes another bitrate; what is owed is owed as long as before.
    pub(super) fn set_bitrate(&mut self, bitrate_bps: u32) {
        let bits_per_second = f64::from(bitrate_bps);
        self.owed_bits *= bits_per_second / self.bits_per_second;
        self.bits_per_second = bits_per_second;
    }

    /// Whether a picture may be encoded at `at`.
    pub(super) fn allows(&mut self, at: MediaTime) -> bool {
        self.owed_bits = (self.owed_bits - at.since(self.at).as_secs_f64() * self.bits_per_second).max(0.0);
        self.at = at;
        self.owed_bits <= MAX_OWED_SECONDS * self.bits_per_second
    }

    /// Notes what was encoded.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.owed_bits += 8.0 * bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(number: u64) -> MediaTime {
        MediaTime::from_nanos(number * 1_000_000_000 / 30)
    }

    #[test]
    fn pictures_of_the_bitrate_with_two_keyframes_a_second_are_never_skipped() {
        let mut budget = Budget::new(2_400_000);
        for number in 0..900 {
            assert!(budget.allows(tick(number)));
            budget.spend(if number % 15 == 0 { 50_000 } else { 7_000 });
        }
    }

    #[test]
    fn a_sudden_fall_of_the_bitrate_stops_no_picture_that_keeps_to_it() {
        let mut budget = Budget::new(2_400_000);
        for number in 0..15 {
            assert!(budget.allows(tick(number)));
            budget.spend(20_000);
        }
        budget.set_bitrate(240_000);
        for number in 15..900 {
            assert!(budget.allows(tick(number)), "{number}");
            budget.spend(1000);
        }
    }

    #[test]
    fn pictures_that_are_far_too_large_go_out_as_seldom_as_the_bitrate_asks() {
        let mut budget = Budget::new(2_400_000);
        let sent = (0..900).filter(|number| budget.allows(tick(*number)).then(|| budget.spend(300_000)).is_some()).count();
        // 300 kB are a second's worth; the first two go out in debt.
        assert!((30..=32).contains(&sent), "{sent} in 30 s");
    }
}
