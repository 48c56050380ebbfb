//! Counts packets that never came, after reordering and retransmission.
//!
//! In: sequence numbers. Out: how many of them are given up for lost. A number is given up when one [`WINDOW`] later comes.

/// How far back a late packet still counts as come: a second of pictures.
const WINDOW: u16 = 512;

/// One stream's account.
#[derive(Debug)]
pub(super) struct Losses {
    highest: Option<u16>,
    came: [bool; WINDOW as usize],
}

impl Default for Losses {
    fn default() -> Self {
        Self { highest: None, came: [true; WINDOW as usize] }
    }
}

impl Losses {
    /// Notes a packet; gives back how many earlier ones are lost for good by now.
    pub(super) fn note(&mut self, sequence: u16) -> u64 {
        let slot = |n: u16| usize::from(n % WINDOW);
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return 0;
        };
        let ahead = sequence.wrapping_sub(highest);
        if ahead == 0 || ahead > u16::MAX / 2 {
            if highest.wrapping_sub(sequence) < WINDOW {
                self.came[slot(sequence)] = true;
            }
            return 0;
        }
        self.highest = Some(sequence);
        if ahead >= WINDOW {
            // The sender began anew somewhere else: that is no loss (RFC 3550 §A.1)
            self.came = [true; WINDOW as usize];
            return 0;
        }
        let mut lost = 0;
        for step in 1..=ahead {
            let came = &mut self.came[slot(highest.wrapping_add(step))];
            lost += u64::from(!*came);
            *came = step == ahead;
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(sequence: impl IntoIterator<Item = u16>) -> u64 {
        let mut losses = Losses::default();
        sequence.into_iter().map(|n| losses.note(n)).sum()
    }

    #[test]
    fn a_gap_is_lost_once_its_window_has_passed() {
        assert_eq!(lost((0..100).chain(103..700)), 3);
        assert_eq!(lost((0..100).chain(103..300)), 0);
    }

    #[test]
    fn a_late_packet_and_a_duplicate_are_no_loss() {
        assert_eq!(lost((0..100).chain([101, 100, 100]).chain(102..2000)), 0);
    }

    #[test]
    fn numbers_wrap_and_a_jump_is_a_new_beginning() {
        assert_eq!(lost((65_000..=65_535).chain(0..2000)), 0);
        assert_eq!(lost((0..100).chain(20_000..22_000)), 0);
    }
}
