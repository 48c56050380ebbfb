//! Which datagrams a line loses.
//!
//! In: a model for each datagram, random numbers. Out: whether it is lost. The state of a burst lives on where a schedule changes
//! the model's figures.

use rand::Rng;
use rand::rngs::StdRng;

use super::settings::Loss;

/// The state of one way's losses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    is_bad: bool,
}

impl Losses {
    /// Whether the next datagram is lost.
    pub(super) fn next(&mut self, loss: Loss, random: &mut StdRng) -> bool {
        match loss {
            Loss::None => false,
            Loss::Random(share) => random.random_bool(share),
            Loss::Bursts { share, mean } => {
                // In the long run the share of time in the bad state is to_bad / (to_bad + to_good).
                let to_good = 1.0 / mean;
                let to_bad = (share * to_good / (1.0 - share)).min(1.0);
                self.step(to_bad, to_good, random)
            }
            Loss::GilbertElliott { to_bad, to_good, lost_bad, lost_good } => {
                let lost = if self.step(to_bad, to_good, random) { lost_bad } else { lost_good };
                random.random_bool(lost)
            }
        }
    }

    fn step(&mut self, to_bad: f64, to_good: f64, random: &mut StdRng) -> bool {
        let turns = random.random_bool(if self.is_bad { to_good } else { to_bad });
        self.is_bad ^= turns;
        self.is_bad
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn fates(loss: Loss) -> Vec<bool> {
        let (mut losses, mut random) = (Losses::default(), StdRng::seed_from_u64(3));
        (0..200_000).map(|_| losses.next(loss, &mut random)).collect()
    }

    fn share(fates: &[bool]) -> f64 {
        fates.iter().filter(|lost| **lost).count() as f64 / fates.len() as f64
    }

    #[test]
    fn random_losses_have_their_share() {
        assert!((share(&fates(Loss::Random(0.1))) - 0.1).abs() < 0.003);
        assert_eq!(share(&fates(Loss::None)), 0.0);
    }

    #[test]
    fn bursts_have_their_share_and_their_mean_length() {
        let fates = fates(Loss::Bursts { share: 0.05, mean: 4.0 });
        let bursts = fates.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let lost = fates.iter().filter(|lost| **lost).count();
        assert!((share(&fates) - 0.05).abs() < 0.004, "{}", share(&fates));
        assert!((lost as f64 / bursts as f64 - 4.0).abs() < 0.3, "{lost} in {bursts}");
    }

    #[test]
    fn the_full_model_loses_in_both_states() {
        let fates = fates(Loss::GilbertElliott { to_bad: 0.01, to_good: 0.09, lost_bad: 0.5, lost_good: 0.01 });
        assert!((share(&fates) - (0.1 * 0.5 + 0.9 * 0.01)).abs() < 0.006, "{}", share(&fates));
    }
}
