//! A view's places for each number of people, solved once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::View;
use super::fill::{Spot, spots};
use crate::layout::Place;

/// Numbers of people that are remembered at most.
const MOST: usize = 64;

/// The places of one layout on one canvas.
#[derive(Clone, Debug, Default)]
pub(super) struct Floorplan(BTreeMap<(usize, usize), Arc<Places>>);

/// The places for one number of people.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) places: Vec<Place>,
    /// Which each of them is in its region.
    pub(super) spots: Vec<Spot>,
}

impl Floorplan {
    /// The places for `people`, `empty` of which stay so. It is always to be asked for the same view.
    pub(super) fn places(&mut self, view: &View, people: usize, empty: usize) -> Arc<Places> {
        if self.0.len() >= MOST && !self.0.contains_key(&(people, empty)) {
            self.0.clear();
        }
        self.0.entry((people, empty)).or_insert_with(|| Arc::new(Places::solve(view, people, empty))).clone()
    }
}

impl Places {
    fn solve(view: &View, people: usize, empty: usize) -> Self {
        let places = view.layout.places_beside(view.canvas.width, view.canvas.height, people.max(1), empty);
        Self { spots: spots(&places), places }
    }
}
