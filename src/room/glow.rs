//! How strongly the edge round somebody who speaks is seen: it follows their voice, up fast and down slowly.
//!
//! In: a level a block. Out: an opacity. Never: whether it is shown at all.

/// The part of the way up that a block takes.
const ATTACK: f32 = 0.5;
/// From full to nothing in 300 ms.
const RELEASE: f32 = 1.0 / 15.0;
/// The level, in dBFS, of the faintest edge, and of the full one.
const RANGE_DB: (f32, f32) = (-50.0, -10.0);
/// The faintest edge of somebody who talks.
const FAINTEST: f32 = 0.25;
/// Opacities are told in so many steps: a canvas that looks the same is not painted anew.
const STEPS: f32 = 16.0;

/// One person's edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glow(f32);

impl Glow {
    /// Takes the next block: the level in dBFS of somebody who talks, `None` of somebody who does not.
    pub(super) fn follow(&mut self, talking_db: Option<f32>) {
        let aim = talking_db.map_or(0.0, share);
        self.0 = if aim > self.0 { self.0 + (aim - self.0) * ATTACK } else { (self.0 - RELEASE).max(aim) };
    }

    /// 0 (unseen) to 1.
    pub(super) fn opacity(self) -> f32 {
        (self.0 * STEPS).round() / STEPS
    }
}

fn share(level_db: f32) -> f32 {
    let (faint, full) = RANGE_DB;
    (FAINTEST + (1.0 - FAINTEST) * (level_db - faint) / (full - faint)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(glow: &mut Glow, blocks: usize, level: Option<f32>) -> f32 {
        (0..blocks).for_each(|_| glow.follow(level));
        glow.opacity()
    }

    #[test]
    fn the_edge_is_up_within_100_ms_and_gone_300_ms_after_the_voice() {
        let mut glow = Glow::default();
        assert!(after(&mut glow, 5, Some(-10.0)) > 0.9);
        assert!(after(&mut glow, 7, None) > 0.3);
        assert_eq!(after(&mut glow, 8, None), 0.0);
    }

    #[test]
    fn the_louder_the_fuller() {
        let opacities = [-50.0, -40.0, -30.0, -20.0, -10.0].map(|db| after(&mut Glow::default(), 50, Some(db)));
        assert!(opacities.windows(2).all(|pair| pair[1] > pair[0]), "{opacities:?}");
        assert_eq!((opacities[0], opacities[4]), (0.25, 1.0));
    }
}
