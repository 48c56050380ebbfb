//! What a bot's pictures may cost: its encoder follows what its line is thought to take, as a browser's does.
//!
//! In: bits a second that are allowed, sizes of pictures. Out: the encoder's bitrate, and whether a picture is to be left out.

use crate::media::MediaTime;

/// Below this a picture says nothing any more.
const LEAST_BPS: u32 = 60_000;
/// Pictures that are this far ahead of the bitrate are followed by none, in seconds of it.
const PATIENCE_S: f64 = 0.4;

/// About the bitrate a browser would choose for pictures of a size.
pub(super) fn usual_bps((width, height): (u32, u32), fps: u32) -> u32 {
    (width * height / 100 * fps * 12).max(100_000)
}

/// The account of one encoder.
#[derive(Debug)]
pub(super) struct Spending {
    usual_bps: u32,
    bps: u32,
    owed_bits: f64,
    at: MediaTime,
}

impl Spending {
    /// Of an encoder that takes so much where nothing hinders it.
    pub(super) fn new(usual_bps: u32) -> Self {
        Self { usual_bps, bps: usual_bps, owed_bits: 0.0, at: MediaTime::ZERO }
    }

    /// The bitrate to encode at; 0 allows the usual one. Small changes upwards wait until they are worth it.
    pub(super) fn allow(&mut self, allowed_bps: u64) -> u32 {
        let wanted = match u32::try_from(allowed_bps).unwrap_or(u32::MAX) {
            0 => self.usual_bps,
            allowed => allowed.clamp(LEAST_BPS, self.usual_bps.max(LEAST_BPS)),
        };
        let near = wanted > self.bps && wanted < self.usual_bps && wanted - self.bps < self.bps / 20;
        if !near {
            self.bps = wanted;
        }
        self.bps
    }

    /// Whether the pictures so far leave room for another one.
    pub(super) fn has_room(&mut self, now: MediaTime) -> bool {
        let paid = now.since(self.at).as_secs_f64() * f64::from(self.bps);
        (self.owed_bits, self.at) = ((self.owed_bits - paid).max(0.0), now);
        self.owed_bits <= PATIENCE_S * f64::from(self.bps)
    }

    /// A picture of so many bytes.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.owed_bits += bytes as f64 * 8.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitrate_follows_what_is_allowed_down_at_once_and_up_in_steps() {
        let mut spending = Spending::new(800_000);
        assert_eq!(spending.allow(0), 800_000);
        assert_eq!(spending.allow(5_000_000), 800_000);
        assert_eq!(spending.allow(400_000), 400_000);
        assert_eq!(spending.allow(410_000), 400_000);
        assert_eq!(spending.allow(390_000), 390_000);
        assert_eq!(spending.allow(1), LEAST_BPS);
        assert_eq!(spending.allow(700_000), 700_000);
    }

    #[test]
    fn pictures_that_cost_more_than_is_allowed_are_left_out() {
        let mut spending = Spending::new(100_000);
        let sent = (0..300).filter(|n| {
            let room = spending.has_room(MediaTime::from_millis(n * 33));
            if room {
                spending.spend(1250);
            }
            room
        });
        // 10 s at 10 pictures a second, and what patience lends
        assert!((100..=106).contains(&sent.count()));
    }
}
