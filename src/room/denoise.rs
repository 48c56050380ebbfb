//! Noise suppression: takes steady noise out of one voice (RNNoise, in Rust).
//!
//! In: blocks of one voice. Out: the same 10 ms later without their noise. Never: a click where it is turned on or off.

use nnnoiseless::DenoiseState;

use crate::media::{BLOCK_SAMPLES, Block};

/// What the network was trained on: samples of 16 bits.
const SCALE: f32 = 32_768.0;

const _: () = assert!(BLOCK_SAMPLES.is_multiple_of(DenoiseState::FRAME_SIZE), "a block is whole frames");

/// One voice's suppressor; weighs next to nothing until it is turned on.
#[derive(Default)]
pub(super) struct Denoise(Option<Running>);

struct Running {
    state: Box<DenoiseState<'static>>,
    phase: Phase,
}

/// How far a suppressor has come.
#[derive(Clone, Copy)]
enum Phase {
    /// It has heard nothing yet: its first frame comes up from nothing, and is given up.
    Fresh,
    /// It has heard a block: the next one fades over to it.
    Warm,
    /// The last block came out of it.
    Heard,
}

impl Denoise {
    /// Treats a block where it is `on`. The first one is only listened to, the second fades over; where it is turned off, one fades back.
    pub(super) fn treat(&mut self, block: &mut Block, on: bool) {
        if !on && self.0.is_none() {
            return;
        }
        let running = self.0.get_or_insert_with(|| Running { state: DenoiseState::new(), phase: Phase::Fresh });
        let treated = running.process(block);
        let phase = running.phase;
        running.phase = phase.next();
        match (on, phase) {
            (true, Phase::Heard) => *block = treated,
            (true, Phase::Warm) => *block = faded(block, &treated),
            (false, Phase::Heard) => *block = faded(&treated, block),
            _ => {}
        }
        if !on {
            self.0 = None;
        }
    }

    /// Begins anew: the network has taken in what was no sound.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

impl Running {
    fn process(&mut self, block: &Block) -> Block {
        let mut treated = Block::SILENCE;
        let mut scaled = [0.0; DenoiseState::FRAME_SIZE];
        let frames = block.0.chunks_exact(scaled.len()).zip(treated.0.chunks_exact_mut(scaled.len()));
        for (from, to) in frames {
            scaled.iter_mut().zip(from).for_each(|(scaled, sample)| *scaled = sample * SCALE);
            self.state.process_frame(to, &scaled);
        }
        treated.0.iter_mut().for_each(|sample| *sample /= SCALE);
        treated
    }
}

impl Phase {
    fn next(self) -> Self {
        match self {
            Self::Fresh => Self::Warm,
            Self::Warm | Self::Heard => Self::Heard,
        }
    }
}

/// Goes over from one sound to another within the block.
fn faded(from: &Block, to: &Block) -> Block {
    Block(std::array::from_fn(|n| {
        let share = n as f32 / BLOCK_SAMPLES as f32;
        from.0[n] * (1.0 - share) + to.0[n] * share
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tone::{Tone, amplitude_of, noise};
    use super::*;

    fn treated(blocks: u64, block: impl Fn(u64) -> Block, on: impl Fn(u64) -> bool) -> Vec<f32> {
        let mut denoise = Denoise::default();
        let one = |n| {
            let mut block = block(n);
            denoise.treat(&mut block, on(n));
            block.0
        };
        (0..blocks).flat_map(one).collect()
    }

    fn level_db(sound: &[f32]) -> f32 {
        10.0 * (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).max(1e-12).log10()
    }

    #[test]
    fn steady_noise_is_taken_out() {
        let sound = treated(150, |n| noise(n, -40.0), |_| true);
        let last = level_db(&sound[sound.len() / 2..]);
        assert!(last < -55.0, "noise of -40 dBFS comes out at {last}");
    }

    #[test]
    fn turned_off_it_gives_back_the_very_sound() {
        let tone = |n| Tone::db(400.0, -20.0).block(n);
        let sound = treated(20, tone, |n| n < 5);
        assert!(sound[6 * BLOCK_SAMPLES..] == treated(20, tone, |_| false)[6 * BLOCK_SAMPLES..]);
    }

    #[test]
    fn turning_it_on_and_off_makes_no_click() {
        let sound = treated(60, |n| Tone::db(250.0, -20.0).block(n), |n| (10..40).contains(&n));
        let click = sound.windows(4).map(|w| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(click < 0.02, "{click}");
        assert!(amplitude_of(250.0, &sound[..9 * BLOCK_SAMPLES]) > 0.1);
    }
}
