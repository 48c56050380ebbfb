//! Sound: 20 ms blocks of mono `f32` at 48 kHz.

use std::sync::Arc;
use std::time::Duration;

use super::{MediaTime, ParticipantId};

/// Samples a second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples in a block.
pub const BLOCK_SAMPLES: usize = 960;
/// How long a block lasts: the audio tick.
pub const BLOCK_PERIOD: Duration = Duration::from_millis(20);

/// 20 ms of mono sound; full scale is ±1, and sums above it are legal until the limiter.
#[derive(Clone, Debug, PartialEq)]
pub struct Block(pub [f32; BLOCK_SAMPLES]);

impl Block {
    /// Silence.
    pub const SILENCE: Self = Self([0.0; BLOCK_SAMPLES]);

    /// Root mean square, 0 to 1 for full-scale square waves.
    pub fn rms(&self) -> f32 {
        (self.0.iter().map(|s| s * s).sum::<f32>() / BLOCK_SAMPLES as f32).sqrt()
    }
}

/// Where a pulled block came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Decoded from its own packet.
    Decoded,
    /// Recovered from the next packet's in-band FEC (RFC 6716 §2.1.7).
    Recovered,
    /// Made up by packet-loss concealment.
    Concealed,
    /// Nothing is being sent: not started, DTX, or a muted sender. The block is silence or comfort noise.
    Idle,
}

/// A participant's sound as the room's driver takes it.
pub trait SoundSource: Send {
    /// Writes the next 20 ms for the audio tick at `now`. Never blocks, costs at most two Opus decodes.
    fn pull(&mut self, now: MediaTime, into: &mut Block) -> Heard;
}

/// What one audio tick gives: one mix for all who are silent, and one without themself for each talker.
#[derive(Clone, Debug)]
pub struct MixSet {
    /// The audio tick.
    pub at: MediaTime,
    /// Everyone who talks; what listeners hear.
    pub listeners: Arc<Block>,
    /// For each talker, everyone else; ordered by id.
    pub talkers: Vec<(ParticipantId, Arc<Block>)>,
}
