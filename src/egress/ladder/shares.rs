//! What the lines on each rendition have room for, so that one that has far less than the others' is seen: pure.
//!
//! In: who is on which rendition with how much room. Out: what most of the others on a rendition take. Never: a minority that decides
//! for the rest, whether it is the fast or the slow one.

use crate::egress::Rendition;

/// The rooms of each rendition's lines.
#[derive(Debug)]
pub(super) struct Shares {
    /// In order, no more than the rendition gives at most.
    rooms: Vec<Vec<f64>>,
    most: Vec<f64>,
}

impl Shares {
    /// Of receivers on renditions, or on none.
    pub(super) fn of(renditions: &[Rendition], members: impl Iterator<Item = (Option<usize>, f64)>) -> Self {
        let most: Vec<_> = renditions.iter().map(|rendition| f64::from(rendition.max_bps)).collect();
        let mut rooms = vec![Vec::new(); renditions.len()];
        for (rendition, room) in members {
            if let Some(rendition) = rendition.filter(|rendition| *rendition < rooms.len()) {
                rooms[rendition].push(room.min(most[rendition]));
            }
        }
        rooms.iter_mut().for_each(|rooms| rooms.sort_by(f64::total_cmp));
        Self { rooms, most }
    }

    /// What more than half of the others on a rendition take; `own` is the room of who asks, where they are on it. `None` where
    /// nobody else is.
    pub(super) fn of_others(&self, rendition: usize, own: Option<f64>) -> Option<f64> {
        let rooms = &self.rooms[rendition];
        let own = own.map(|room| room.min(self.most[rendition]));
        let place = own.and_then(|own| rooms.iter().position(|room| *room == own));
        let others = rooms.len() - usize::from(place.is_some());
        let middle = others.checked_sub(1)? / 2;
        let past_own = place.is_some_and(|place| place <= middle);
        rooms.get(middle + usize::from(past_own)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: Rendition = Rendition { height: 720, fps: 30, max_bps: 2_500_000, min_bps: 600_000 };

    fn shares(rooms: &[f64]) -> Shares {
        Shares::of(&[HIGH], rooms.iter().map(|room| (Some(0), *room)))
    }

    #[test]
    fn one_of_two_is_measured_by_the_other() {
        let shares = shares(&[700e3, f64::INFINITY]);
        assert_eq!(shares.of_others(0, Some(700e3)), Some(2.5e6));
        assert_eq!(shares.of_others(0, Some(f64::INFINITY)), Some(700e3));
        assert_eq!(shares.of_others(0, None), Some(700e3), "half is not most");
    }

    #[test]
    fn the_slow_count_where_they_are_half_of_the_others_and_not_where_they_are_fewer() {
        assert_eq!(shares(&[700e3, 700e3, 5e6]).of_others(0, Some(700e3)), Some(700e3));
        assert_eq!(shares(&[700e3, 700e3, 5e6, 5e6]).of_others(0, Some(700e3)), Some(2.5e6));
    }

    #[test]
    fn nobody_holds_back_one_who_is_alone() {
        assert_eq!(shares(&[700e3]).of_others(0, Some(700e3)), None);
        assert_eq!(shares(&[]).of_others(0, None), None);
    }
}
