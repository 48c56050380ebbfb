//! Automatic gain: brings each voice slowly to the same level.
//!
//! In: a block's level. Out: the gain for it, in decibels. Never: a change in a pause, or within a word that one could hear.

/// Where speech is brought to, in dBFS.
const TARGET_DB: f32 = -23.0;
/// The most that a voice is raised or lowered.
const MOST_DB: f32 = 12.0;
/// Below this, in dBFS, there is no speech.
const GATE_DB: f32 = -50.0;
/// What lies so far below the speech is a pause with its noise.
const PAUSE_DB: f32 = 15.0;
/// How fast the gain moves while somebody speaks, in decibels a block: 3 a second.
const STEP_DB: f32 = 0.06;
/// The level's memory is 50 blocks of speech: one second.
const MEMORY: f32 = 0.02;
/// How fast the speech's level is forgotten while something softer is heard, in decibels a block: 1 a second.
const FORGET_DB: f32 = 0.02;

/// One voice's gain.
#[derive(Clone, Debug, Default)]
pub(super) struct Agc {
    /// The level of speech so far, in dBFS.
    speech_db: Option<f32>,
    gain_db: f32,
}

impl Agc {
    /// The gain for a block of `level_db` dBFS.
    pub(super) fn gain_for(&mut self, level_db: f32) -> f32 {
        if level_db < GATE_DB {
            return self.gain_db;
        }
        let speech_db = *self.speech_db.get_or_insert(level_db);
        if level_db < speech_db - PAUSE_DB {
            self.speech_db = Some(speech_db - FORGET_DB);
            return self.gain_db;
        }
        let speech_db = mean_db(speech_db, level_db);
        self.speech_db = Some(speech_db);
        let wanted = (TARGET_DB - speech_db).clamp(-MOST_DB, MOST_DB);
        self.gain_db += (wanted - self.gain_db).clamp(-STEP_DB, STEP_DB);
        self.gain_db
    }
}

/// The mean of powers: what is loud counts for more, as it does for an ear.
fn mean_db(speech_db: f32, level_db: f32) -> f32 {
    let power = |db: f32| 10f32.powf(db / 10.0);
    10.0 * (power(speech_db) * (1.0 - MEMORY) + power(level_db) * MEMORY).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(agc: &mut Agc, seconds: usize, level_db: f32) -> f32 {
        (0..50 * seconds).map(|_| agc.gain_for(level_db)).last().unwrap()
    }

    #[test]
    fn voices_of_any_level_are_brought_within_reach_of_the_target() {
        let table = [(-48.0, 12.0), (-35.0, 12.0), (-30.0, 7.0), (-23.0, 0.0), (-15.0, -8.0), (-6.0, -12.0)];
        for (level_db, gain_db) in table {
            let gain = after(&mut Agc::default(), 10, level_db);
            assert!((gain - gain_db).abs() < 0.1, "{level_db} dBFS is moved by {gain} dB");
        }
    }

    #[test]
    fn a_pause_changes_nothing_be_it_silent_or_noisy() {
        let mut agc = Agc::default();
        let before = after(&mut agc, 10, -30.0);
        for noise in [-100.0, -60.0, -48.0] {
            assert_eq!(after(&mut agc, 3, noise), before, "a pause at {noise} dBFS");
        }
    }

    #[test]
    fn the_gain_moves_three_decibels_a_second_at_most() {
        let mut agc = Agc::default();
        let gains: Vec<f32> = (0..500).map(|n| agc.gain_for(if n % 100 < 50 { -10.0 } else { -35.0 })).collect();
        assert!(gains.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= STEP_DB + 1e-5));
    }

    #[test]
    fn who_goes_on_much_softer_is_raised_in_the_end() {
        let mut agc = Agc::default();
        after(&mut agc, 10, -12.0);
        assert!(after(&mut agc, 60, -40.0) > 11.0);
    }
}
