//! One track of a participant's file: samples with their times, which are given out once it is known how long they last. Pure.
//!
//! In: samples in order, each later than the one before. Out: samples that last until the next one: a gap is a long one, never a shift.

use bytes::Bytes;

use crate::container::mp4::Sample;

/// Samples of one track.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// In order, with their times in the track's ticks.
    samples: Vec<(u64, Bytes, bool)>,
    /// How long the last one that was given out lasted.
    lasted: u32,
}

impl Track {
    /// Takes the next sample.
    pub(super) fn push(&mut self, at: u64, payload: Bytes, keyframe: bool) {
        self.samples.push((at, payload, keyframe));
    }

    /// The time of the first that waits.
    pub(super) fn first(&self) -> Option<u64> {
        self.samples.first().map(|(at, ..)| *at)
    }

    /// The samples that another one follows.
    pub(super) fn take(&mut self) -> Vec<Sample> {
        let ends: Vec<u64> = self.samples.iter().skip(1).map(|(at, ..)| *at).collect();
        self.given(ends)
    }

    /// All samples; `last` tells how long the last one lasts, from what it is and how long the one before lasted.
    pub(super) fn take_all(&mut self, last: impl FnOnce(&[u8], u32) -> u32) -> Vec<Sample> {
        let mut given = self.take();
        if let Some((at, payload, _)) = self.samples.last() {
            let end = at + u64::from(last(payload, self.lasted).max(1));
            given.extend(self.given(vec![end]));
        }
        given
    }

    fn given(&mut self, ends: Vec<u64>) -> Vec<Sample> {
        let lasting = |(at, end): (u64, u64)| u32::try_from(end.saturating_sub(at)).unwrap_or(u32::MAX);
        let samples = self.samples.drain(..ends.len()).zip(ends);
        let given: Vec<_> =
            samples.map(|((at, payload, keyframe), end)| Sample { payload, duration: lasting((at, end)), keyframe }).collect();
        self.lasted = given.last().map_or(self.lasted, |last| last.duration);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(track: &mut Track, times: &[u64]) {
        times.iter().for_each(|at| track.push(*at, Bytes::from_static(b"x"), true));
    }

    fn durations(samples: &[Sample]) -> Vec<u32> {
        samples.iter().map(|sample| sample.duration).collect()
    }

    #[test]
    fn a_sample_is_given_out_once_it_is_known_how_long_it_lasts() {
        let mut track = Track::default();
        push(&mut track, &[100]);
        assert_eq!((track.take(), track.first()), (vec![], Some(100)));
        push(&mut track, &[160, 10_160]);
        assert_eq!((durations(&track.take()), track.first()), (vec![60, 10_000], Some(10_160)));
        push(&mut track, &[10_200]);
        assert_eq!((durations(&track.take_all(|_, before| before)), track.first()), (vec![40, 40], None));
        push(&mut track, &[20_300]);
        assert_eq!(durations(&track.take_all(|_, _| 7)), [7]);
    }

    #[test]
    fn nothing_lasts_longer_than_a_file_can_say() {
        let mut track = Track::default();
        push(&mut track, &[0, 1 << 40]);
        assert_eq!(durations(&track.take()), [u32::MAX]);
    }
}
