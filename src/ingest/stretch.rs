//! Makes sound a little shorter or longer without a change of pitch: a piece is cut out or put in again, and cross-faded.
//!
//! In: samples that are due next, the first of which follows what was played. Out: fewer or more of them, the same at both ends.
//! Never: a change of pitch, or a seam where the sound is not like itself one piece later, unless it is too quiet to matter.
//!
//! In a voice the piece is a pitch period or some of them: the lag at which the sound is most like itself (as WSOLA and WebRTC's
//! NetEq do it).

/// Lags looked at, in samples at 48 kHz: 2.5 to 15 ms, so voices from 67 to 400 Hz, and higher ones by several periods.
pub(super) const LEAST: usize = 120;
pub(super) const MOST: usize = 720;
/// The seam: 5 ms at least, 10 ms where there is so much.
const LEAST_SEAM: usize = 240;
const MOST_SEAM: usize = 480;
/// Lags are found in sound of a quarter of the rate first.
const COARSE: usize = 4;

/// Where a seam may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Manner {
    /// Anywhere: it is too quiet for a seam to be heard.
    Quiet,
    /// Only where the sound is so much like itself one lag later: 1 where it repeats exactly.
    Alike(f32),
}

/// Cuts a piece of at most `most` samples; tells how many are gone.
pub(super) fn shorten(samples: &mut Vec<f32>, most: usize, manner: Manner) -> usize {
    let Some(lag) = lag(samples, most, manner) else { return 0 };
    let seam = seam(samples.len(), lag);
    for n in 0..seam {
        samples[lag + n] = faded(samples[n], samples[lag + n], n, seam);
    }
    samples.drain(..lag);
    lag
}

/// Puts a piece of at most `most` samples in a second time; tells how many are there more.
pub(super) fn lengthen(samples: &mut Vec<f32>, most: usize, manner: Manner) -> usize {
    let Some(lag) = lag(samples, most, manner) else { return 0 };
    let seam = seam(samples.len(), lag);
    let crossed: Vec<f32> = (0..seam).map(|n| faded(samples[lag + n], samples[n], n, seam)).collect();
    let before = samples[..lag].to_vec();
    samples[..seam].copy_from_slice(&crossed);
    samples.splice(..0, before);
    lag
}

/// From `before` to `after`, at the seam's sample `n`.
fn faded(before: f32, after: f32, n: usize, seam: usize) -> f32 {
    let share = n as f32 / (seam - 1) as f32;
    before + (after - before) * share
}

fn seam(samples: usize, lag: usize) -> usize {
    (samples - lag).min(MOST_SEAM)
}

/// How long a piece may go or come; `None` where there is none.
fn lag(samples: &[f32], most: usize, manner: Manner) -> Option<usize> {
    let most = most.min(MOST).min(samples.len().saturating_sub(LEAST_SEAM));
    if most < LEAST {
        return None;
    }
    match manner {
        Manner::Quiet => Some(most),
        Manner::Alike(least) => {
            let coarse: Vec<f32> = samples.chunks_exact(COARSE).map(|four| four.iter().sum()).collect();
            let near = COARSE * most_alike(&coarse, LEAST / COARSE, most / COARSE, LEAST_SEAM / COARSE).0;
            let from = near.saturating_sub(COARSE).max(LEAST);
            let (lag, alike) = most_alike(samples, from, (near + COARSE).min(most), LEAST_SEAM);
            (alike >= least).then_some(lag)
        }
    }
}

/// The lag at which the sound is most like its beginning, and how much: the normalised cross-correlation over `window`.
fn most_alike(samples: &[f32], least: usize, most: usize, window: usize) -> (usize, f32) {
    let begin = &samples[..window.min(samples.len())];
    let of_begin = energy(begin);
    let lags = (least..=most).take_while(|lag| lag + begin.len() <= samples.len());
    let alike = |lag: usize| {
        let later = &samples[lag..lag + begin.len()];
        let product: f32 = begin.iter().zip(later).map(|(a, b)| a * b).sum();
        product / (of_begin * energy(later)).sqrt().max(f32::MIN_POSITIVE)
    };
    lags.map(|lag| (lag, alike(lag))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((least, 0.0))
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    /// A voice of `hertz`: harmonics that fall off.
    fn voice(hertz: f32, samples: usize) -> Vec<f32> {
        let harmonics = |t: f32| (1..12).map(|h| (TAU * hertz * h as f32 * t).sin() / (1 + h) as f32).sum::<f32>();
        (0..samples).map(|n| 0.3 * harmonics(n as f32 / 48_000.0)).collect()
    }

    fn steepest(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    /// How often the sound passes upwards through zero after having been below −0.1.
    fn periods(samples: &[f32]) -> usize {
        let (mut below, mut count) = (false, 0);
        for sample in samples {
            count += usize::from(below && *sample > 0.0);
            below = (below && *sample <= 0.0) || *sample < -0.2;
        }
        count
    }

    #[test]
    fn a_voice_loses_or_gains_whole_periods_and_keeps_its_pitch() {
        for hertz in [85.0, 110.0, 140.0, 200.0, 310.0] {
            for change in [shorten, lengthen] {
                let (original, mut samples) = (voice(hertz, 1920), voice(hertz, 1920));
                let by = change(&mut samples, MOST, Manner::Alike(0.9));
                assert_eq!(samples.len().abs_diff(1920), by);
                let of_a_period = by as f32 * hertz / 48_000.0;
                assert!((of_a_period - of_a_period.round()).abs() < 0.03 && by >= LEAST, "{hertz} Hz: {by}");
                assert!(steepest(&samples) < 1.05 * steepest(&original), "{hertz} Hz");
                assert_eq!((samples[0], samples.last()), (original[0], original.last()));
                let expected = periods(&original) as f32 + of_a_period.round() * (samples.len() as f32 - 1920.0).signum();
                assert!((periods(&samples) as f32 - expected).abs() < 1.1, "{hertz} Hz");
            }
        }
    }

    #[test]
    fn what_is_not_like_itself_stays_as_it_is() {
        let mut random = 1u32;
        let noise = |_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random as f32 / u32::MAX as f32 - 0.5
        };
        let original: Vec<f32> = (0..1920).map(noise).collect();
        let mut samples = original.clone();
        assert_eq!((shorten(&mut samples, MOST, Manner::Alike(0.6)), lengthen(&mut samples, MOST, Manner::Alike(0.6))), (0, 0));
        assert_eq!(samples, original);
        assert_eq!(shorten(&mut samples, 500, Manner::Quiet), 500);
    }

    proptest! {
        #[test]
        fn any_sound_changes_by_no_more_than_it_may_and_stays_within_its_bounds(
            original in prop::collection::vec(-1.0f32..1.0, 0..2500),
            most in 0usize..2000,
            quiet: bool,
            longer: bool,
        ) {
            let manner = if quiet { Manner::Quiet } else { Manner::Alike(-1.0) };
            let mut samples = original.clone();
            let by = if longer { lengthen(&mut samples, most, manner) } else { shorten(&mut samples, most, manner) };
            prop_assert!(by == 0 || (LEAST..=most).contains(&by));
            prop_assert_eq!(samples.len(), if longer { original.len() + by } else { original.len() - by });
            prop_assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
            let ends = samples.last().zip(original.last());
            prop_assert!(ends.is_none_or(|(one, other)| (one - other).abs() < 1e-5));
        }
    }
}
