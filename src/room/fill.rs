//! Who fills which place: an arrangement's places on one side, people in the order in which they came on the other.
//!
//! In: places, people, where each stood last, the active speaker. Out: a person or nobody for each place. Never: pixels.
//!
//! First the places that ask for somebody (a screen, a pin, the speaker, a role, a person), in order and kind by kind; then those
//! for anybody. Of more people than places, those who spoke last are in. Whoever stood in a place keeps it where they can.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Source;
use crate::layout::{Place, Shows};
use crate::media::{MediaTime, ParticipantId, ShortName};

/// How much later than one who is shown another must have spoken: two who take turns do not swap places all the time.
const CLEARLY_LATER: Duration = Duration::from_secs(2);
/// Places for anybody from which on the last of them becomes the "+N" tile.
const PLACES_WITH_TILE: usize = 3;

/// Somebody who is to be shown, as the places see them.
#[derive(Clone, Debug)]
pub(super) struct Guest<'a> {
    pub(super) id: ParticipantId,
    pub(super) source: Source,
    pub(super) role: Option<&'a ShortName>,
    pub(super) pinned: bool,
    pub(super) spoke_at: Option<MediaTime>,
}

/// A place by its region and its number there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) region: ShortName,
    pub(super) nth: usize,
}

/// Who stands in which place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// One for each place.
    pub(super) people: Vec<Option<ParticipantId>>,
    /// The place that says how many more there are.
    pub(super) tile: Option<usize>,
    /// People for whom there is no place.
    pub(super) more: usize,
}

/// The spots of places, in their order.
pub(super) fn spots(places: &[Place]) -> Vec<Spot> {
    let mut counts = BTreeMap::<&ShortName, usize>::new();
    let spot = |place: &Place| (place.region.clone(), 0);
    let mut spots: Vec<Spot> = places.iter().map(spot).map(|(region, nth)| Spot { region, nth }).collect();
    for (spot, place) in spots.iter_mut().zip(places) {
        let count = counts.entry(&place.region).or_default();
        spot.nth = *count;
        *count += 1;
    }
    spots
}

/// Fills `places` (whose spots are `spots`) with `guests`, who are in the order in which they came.
pub(super) fn fill(
    places: &[Place],
    spots: &[Spot],
    guests: &[Guest<'_>],
    stood: &BTreeMap<ParticipantId, Spot>,
    speaker: Option<ParticipantId>,
) -> Filled {
    let people = vec![None; places.len()];
    let mut filling = Filling { places, spots, guests, stood, speaker, people, placed: BTreeSet::new() };
    filling.fill_named();
    let tile = filling.fill_any();
    Filled { more: guests.len() - filling.placed.len(), people: filling.people, tile }
}

struct Filling<'a> {
    places: &'a [Place],
    spots: &'a [Spot],
    guests: &'a [Guest<'a>],
    stood: &'a BTreeMap<ParticipantId, Spot>,
    speaker: Option<ParticipantId>,
    people: Vec<Option<ParticipantId>>,
    placed: BTreeSet<ParticipantId>,
}

impl<'a> Filling<'a> {
    fn put(&mut self, place: usize, id: ParticipantId) {
        self.people[place] = Some(id);
        self.placed.insert(id);
    }

    fn waiting(&self) -> impl Iterator<Item = &'a Guest<'a>> {
        self.guests.iter().filter(|guest| !self.placed.contains(&guest.id))
    }

    /// The places that ask for somebody.
    fn fill_named(&mut self) {
        for (place, wants) in self.places.iter().enumerate() {
            let mut named = wants.shows.iter().take_while(|kind| **kind != Shows::Any);
            if let Some(id) = named.find_map(|kind| self.best(place, kind)) {
                self.put(place, id);
            }
        }
    }

    fn best(&self, place: usize, kind: &Shows) -> Option<ParticipantId> {
        if *kind == Shows::Speaker {
            return self.speaking(place);
        }
        self.waiting().filter(|guest| guest.is(kind)).min_by_key(|guest| self.claim(place, guest)).map(|guest| guest.id)
    }

    /// Whoever stands here goes on; else somebody who stands nowhere of the kind; else whoever stands last there moves up.
    fn claim(&self, place: usize, guest: &Guest<'_>) -> (u8, usize) {
        let here = &self.spots[place];
        match self.stood.get(&guest.id) {
            Some(spot) if spot == here => (0, 0),
            Some(spot) if spot.region == here.region && self.spots.contains(spot) => (2, usize::MAX - spot.nth),
            _ => (1, 0),
        }
    }

    /// The active speaker. Where they stand already or cannot be seen: whoever stands here, until somebody else of the rest spoke
    /// clearly later.
    fn speaking(&self, place: usize) -> Option<ParticipantId> {
        let cameras: Vec<_> = self.waiting().filter(|guest| guest.source == Source::Camera).collect();
        if let Some(speaker) = cameras.iter().find(|guest| Some(guest.id) == self.speaker) {
            return Some(speaker.id);
        }
        let last = cameras.iter().copied().reduce(|last, guest| if guest.spoke_at > last.spoke_at { guest } else { last })?;
        let here = cameras.iter().find(|guest| self.stood.get(&guest.id) == Some(&self.spots[place]));
        Some(here.filter(|here| !last.spoke_after(here)).map_or(last.id, |here| here.id))
    }

    /// The places for anybody; gives the one that becomes the "+N" tile.
    fn fill_any(&mut self) -> Option<usize> {
        let for_any = |place: &usize| self.people[*place].is_none() && self.places[*place].shows.contains(&Shows::Any);
        let mut open: Vec<usize> = (0..self.places.len()).filter(for_any).collect();
        let over = self.waiting().count() > open.len();
        let tile = if over && open.len() >= PLACES_WITH_TILE { open.pop() } else { None };
        let chosen = self.choose(open.len());
        let (first, rest): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|guest| guest.goes_first());
        self.line_up(&mut open, first);
        let (keep, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|guest| self.kept(&open, guest).is_some());
        for guest in keep {
            if let Some(place) = self.kept(&open, guest) {
                open.retain(|other| *other != place);
                self.put(place, guest.id);
            }
        }
        self.line_up(&mut open, rest);
        tile
    }

    /// Puts people into the first open places, in order; screens before cameras.
    fn line_up(&mut self, open: &mut Vec<usize>, mut guests: Vec<&Guest<'_>>) {
        guests.sort_by_key(|guest| guest.source != Source::Screen);
        for (place, guest) in open.drain(..guests.len()).zip(guests) {
            self.put(place, guest.id);
        }
    }

    /// The open place in which somebody stood last.
    fn kept(&self, open: &[usize], guest: &Guest<'_>) -> Option<usize> {
        let spot = self.stood.get(&guest.id)?;
        open.iter().copied().find(|place| self.spots[*place] == *spot)
    }

    /// Who is in, of those who stand nowhere yet; in the order in which they came.
    fn choose(&self, capacity: usize) -> Vec<&'a Guest<'a>> {
        let mut ranked: Vec<_> = self.waiting().collect();
        if ranked.len() > capacity {
            ranked.sort_by_key(|guest| (self.rank(guest), std::cmp::Reverse(guest.spoke_at)));
            self.admit(&mut ranked, capacity);
            ranked.truncate(capacity);
        }
        self.waiting().filter(|guest| ranked.iter().any(|chosen| chosen.id == guest.id)).collect()
    }

    fn rank(&self, guest: &Guest<'_>) -> u8 {
        match guest {
            guest if guest.source == Source::Screen => 0,
            guest if guest.pinned => 1,
            guest if Some(guest.id) == self.speaker => 2,
            guest if self.stood.contains_key(&guest.id) => 3,
            _ => 4,
        }
    }

    /// Whoever is out and spoke clearly later takes the place of the one who was in and was silent longest. Both are in the order of
    /// when they spoke last: the first pair that does not change ends it.
    fn admit(&self, ranked: &mut [&Guest<'_>], capacity: usize) {
        let ranks: Vec<u8> = ranked.iter().map(|guest| self.rank(guest)).collect();
        let stayed = (0..capacity).rev().filter(|n| ranks[*n] == 3);
        let out = (capacity..ranked.len()).filter(|n| ranks[*n] == 4);
        for (stayed, out) in stayed.zip(out) {
            if !ranked[out].spoke_after(ranked[stayed]) {
                return;
            }
            ranked.swap(stayed, out);
        }
    }
}

impl Guest<'_> {
    fn is(&self, kind: &Shows) -> bool {
        match kind {
            Shows::Screen => self.source == Source::Screen,
            Shows::Pinned => self.pinned,
            Shows::Participant(id) => self.id == *id,
            Shows::Role(role) => self.role == Some(role),
            Shows::Speaker | Shows::Any => false,
        }
    }

    /// Whether they come before the order in which people came.
    fn goes_first(&self) -> bool {
        self.source == Source::Screen || self.pinned
    }

    /// Whether they spoke clearly later.
    fn spoke_after(&self, other: &Self) -> bool {
        match (self.spoke_at, other.spoke_at) {
            (Some(spoke), Some(other)) => spoke > other + CLEARLY_LATER,
            (spoke, other) => spoke.is_some() && other.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::{Fit, Rect};

    fn place(region: usize, shows: &str) -> Place {
        let rect = Rect { x: 0, y: 0, width: 2, height: 2 };
        let kind = |kind: &str| match kind {
            "screen" => Shows::Screen,
            "pinned" => Shows::Pinned,
            "speaker" => Shows::Speaker,
            "host" => Shows::Role("host".parse().unwrap()),
            _ => Shows::Any,
        };
        let (region, shows) = (format!("r{region}").parse().unwrap(), shows.split('|').map(kind).collect());
        Place { region, rect, z: 0, fit: Fit::Cover, opacity: 1.0, border: None, corner_radius: 0, shows }
    }

    fn guest(id: u32, spoke: Option<u64>) -> Guest<'static> {
        let spoke_at = spoke.map(|seconds| MediaTime::from_millis(1000 * seconds));
        Guest { id: ParticipantId(id), source: Source::Camera, role: None, pinned: false, spoke_at }
    }

    /// Fills places of one region for anybody, in which people stand already, with people who spoke at those seconds.
    fn shown(places: usize, stood: &[u32], spoke: &[Option<u64>], speaker: Option<u32>) -> Vec<u32> {
        let places = vec![place(0, "any"); places];
        let spots = spots(&places);
        let stood = stood.iter().zip(&spots).map(|(id, spot)| (ParticipantId(*id), spot.clone())).collect();
        let guests: Vec<_> = (1..).zip(spoke).map(|(id, spoke)| guest(id, *spoke)).collect();
        fill(&places, &spots, &guests, &stood, speaker.map(ParticipantId)).people.iter().flatten().map(|id| id.0).collect()
    }

    #[test]
    fn one_who_speaks_takes_the_place_of_who_was_silent_longest() {
        assert_eq!(shown(2, &[1, 2], &[Some(9), Some(4), None, Some(12)], None), [1, 4]);
    }

    #[test]
    fn those_who_never_spoke_go_before_those_who_did() {
        assert_eq!(shown(2, &[1, 2], &[Some(1), None, None, Some(1)], None), [1, 4]);
    }

    #[test]
    fn people_who_take_turns_do_not_swap_places() {
        assert_eq!(shown(2, &[1, 2], &[Some(10), Some(10), Some(11)], None), [1, 2]);
    }

    #[test]
    fn the_active_speaker_is_shown_in_any_case() {
        assert!(shown(2, &[1, 2], &[Some(10), Some(10), Some(10)], Some(3)).contains(&3));
    }

    #[test]
    fn a_free_place_goes_to_who_spoke_last() {
        assert_eq!(shown(2, &[9, 2], &[Some(3), Some(5), None, Some(8)], None), [4, 2]);
    }

    fn guests() -> impl Strategy<Value = Vec<Guest<'static>>> {
        let one = (any::<bool>(), any::<bool>(), prop::option::of(0..60u64));
        prop::collection::vec(one, 0..30).prop_map(|guests| {
            let made = |(id, (screen, pinned, spoke))| {
                let source = if screen { Source::Screen } else { Source::Camera };
                Guest { source, pinned, ..guest(id, spoke) }
            };
            (0..).zip(guests).map(made).collect()
        })
    }

    proptest! {
        #[test]
        fn each_stands_once_and_nobody_waits_beside_an_empty_place_for_anybody(
            kinds in prop::collection::vec("(screen[|])?(pinned[|])?(speaker[|])?(host|any)", 1..12),
            guests in guests(),
            speaker in prop::option::of(0..30u32),
        ) {
            let places: Vec<Place> = kinds.iter().enumerate().map(|(n, kinds)| place(n / 3, kinds)).collect();
            let (spots, speaker) = (spots(&places), speaker.map(ParticipantId));
            let filled = fill(&places, &spots, &guests, &BTreeMap::new(), speaker);
            let standing: Vec<_> = filled.people.iter().flatten().collect();
            prop_assert_eq!(standing.iter().collect::<BTreeSet<_>>().len(), standing.len());
            prop_assert_eq!(standing.len() + filled.more, guests.len());
            let empty = (0..places.len()).filter(|n| filled.people[*n].is_none() && places[*n].shows.contains(&Shows::Any)).count();
            prop_assert!(filled.more == 0 || empty == usize::from(filled.tile.is_some()));

            let stood = filled.people.iter().zip(&spots).filter_map(|(id, spot)| Some(((*id)?, spot.clone()))).collect();
            prop_assert_eq!(fill(&places, &spots, &guests, &stood, speaker), filled, "nobody moves while nothing changes");
        }
    }
}
