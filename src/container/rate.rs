//! Sound of any rate, brought to 48 kHz.
//!
//! In: one channel at a file's rate, with its times. Out: pieces at 48 kHz with theirs. Never: samples for a gap; what follows one has a
//! later time.

use std::collections::VecDeque;
use std::time::Duration;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction};

use super::{CodedSound, ContainerError};
use crate::media::SAMPLE_RATE;

/// Rates that are taken, in hertz.
const TAKEN: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Samples of the file that are brought over at a time.
const CHUNK: usize = 1024;
/// Taps of the filter: 17 kHz of 44.1 kHz come through whole.
const TAPS: usize = 128;
/// Sound that goes on so much later than what came before leads to comes after a gap.
const GAP: Duration = Duration::from_millis(40);

/// Brings one channel to 48 kHz.
pub(super) struct To48k {
    rate: u32,
    /// None where there is nothing to do.
    filter: Option<Async<f32>>,
    /// When the samples began that are counted.
    begins: Duration,
    taken: u64,
    made: u64,
    /// Samples of the filter that are before its first.
    early: usize,
    pending: Vec<f32>,
    ready: VecDeque<CodedSound>,
}

impl To48k {
    pub(super) fn new(rate: u32) -> Result<Self, ContainerError> {
        if !TAKEN.contains(&rate) {
            return Err(ContainerError::Codec(format!("sound of {rate} Hz (4 to 384 kHz are played)")));
        }
        let filter = (rate != SAMPLE_RATE).then(|| filter(rate));
        let early = filter.as_ref().map_or(0, Resampler::output_delay);
        Ok(Self { rate, filter, begins: Duration::ZERO, taken: 0, made: 0, early, pending: Vec::new(), ready: VecDeque::new() })
    }

    /// Takes samples in that begin at a moment.
    pub(super) fn push(&mut self, at: Duration, mono: &[f32]) {
        if self.taken == 0 || at > self.begins + length(self.taken, self.rate) + GAP {
            self.finish();
            self.begins = at;
        }
        self.taken += mono.len() as u64;
        self.pending.extend_from_slice(mono);
        self.run();
    }

    /// Makes what is still to be made; `false` where that is nothing.
    pub(super) fn finish(&mut self) -> bool {
        let whole = self.whole();
        while self.made < whole {
            self.pending.resize(self.pending.len().max(CHUNK), 0.0);
            self.run();
        }
        let some = self.taken > 0;
        (self.taken, self.made) = (0, 0);
        self.pending.clear();
        if let Some(filter) = &mut self.filter {
            filter.reset();
            self.early = filter.output_delay();
        }
        some
    }

    /// The next piece that is ready.
    pub(super) fn next(&mut self) -> Option<CodedSound> {
        self.ready.pop_front()
    }

    /// How many samples at 48 kHz all that was taken makes.
    fn whole(&self) -> u64 {
        self.taken * u64::from(SAMPLE_RATE) / u64::from(self.rate)
    }

    fn run(&mut self) {
        let Some(filter) = &mut self.filter else {
            let samples = std::mem::take(&mut self.pending);
            return self.emit(samples);
        };
        let (mut from, mut made) = (0, Vec::new());
        while self.pending.len() - from >= filter.input_frames_next() {
            let (needed, before) = (filter.input_frames_next(), made.len());
            made.resize(before + filter.output_frames_next(), 0.0);
            let input = SequentialSlice::new(&self.pending[from..], 1, needed).expect("one channel is as long as its samples");
            let room = made.len() - before;
            let mut output = SequentialSlice::new_mut(&mut made[before..], 1, room).expect("one channel is as long as its samples");
            filter.process_into_buffer(&input, &mut output, None).expect("as many samples are given as are needed");
            from += needed;
        }
        self.pending.drain(..from);
        let early = self.early.min(made.len());
        self.early -= early;
        made.drain(..early);
        self.emit(made);
    }

    fn emit(&mut self, mut samples: Vec<f32>) {
        samples.truncate((self.whole() - self.made) as usize);
        if samples.is_empty() {
            return;
        }
        let at = self.begins + length(self.made, SAMPLE_RATE);
        self.made += samples.len() as u64;
        self.ready.push_back(CodedSound::Samples { at, samples });
    }
}

fn filter(rate: u32) -> Async<f32> {
    let parameters = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
        .oversampling_factor(256)
        .interpolation(SincInterpolationType::Linear);
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
    Async::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input).expect("the ratio is within 1/8 and 12")
}

/// How long so many samples are.
pub(super) fn length(samples: u64, rate: u32) -> Duration {
    let nanos = u128::from(samples) * 1_000_000_000 / u128::from(rate);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
