//! Who stands where in one scene, from tick to tick.
//!
//! In: everybody in the room. Out: a person or nobody for each place of the arrangement for so many. Never: pixels.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fill::{Filled, Guest, Spot, fill};
use super::floorplan::{Floorplan, Places};
use super::{PersonStatus, Source, View};
use crate::layout::{Absent, LayoutSpec};
use crate::media::{MediaTime, ParticipantId, ShortName};

/// What decides whether and where somebody is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person<'a> {
    pub(super) id: ParticipantId,
    pub(super) source: Source,
    pub(super) role: Option<&'a ShortName>,
    pub(super) pinned: bool,
    pub(super) hidden: bool,
    pub(super) picture: bool,
    pub(super) spoke_at: Option<MediaTime>,
}

/// Where everybody stood last.
#[derive(Clone, Debug, Default)]
pub(super) struct Cast(BTreeMap<ParticipantId, Spot>);

/// An arrangement and who stands in it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) places: Arc<Places>,
    pub(super) filled: Filled,
}

impl Cast {
    /// Whether somebody stood anywhere last.
    pub(super) fn shows(&self, id: ParticipantId) -> bool {
        self.0.contains_key(&id)
    }

    /// Places everybody of `people` (in the order in which they came) who is to be shown.
    pub(super) fn place<'a>(
        &mut self,
        view: &View,
        plan: &mut Floorplan,
        people: impl Iterator<Item = Person<'a>>,
        speaker: Option<ParticipantId>,
    ) -> Standing {
        let guests: Vec<Guest<'_>> = people.filter(|person| person.visible(view.layout.spec())).map(Person::guest).collect();
        let mut standing = self.stand(plan.places(view, guests.len(), 0), &guests, speaker);
        let vacant = standing.vacant();
        if standing.filled.more > 0 && vacant > 0 {
            // Places that are reserved for others do not count for those who are there.
            let wider = self.stand(plan.places(view, guests.len(), vacant), &guests, speaker);
            if wider.filled.more < standing.filled.more {
                standing = wider;
            }
        }
        self.0 = standing.people().map(|(place, id)| (id, standing.places.spots[place].clone())).collect();
        standing
    }

    fn stand(&self, places: Arc<Places>, guests: &[Guest<'_>], speaker: Option<ParticipantId>) -> Standing {
        let filled = fill(&places.places, &places.spots, guests, &self.0, speaker);
        Standing { places, filled }
    }
}

impl Standing {
    /// Who stands in which place.
    pub(super) fn people(&self) -> impl Iterator<Item = (usize, ParticipantId)> {
        self.filled.people.iter().enumerate().filter_map(|(place, id)| Some((place, (*id)?)))
    }

    /// Places that nobody fills.
    fn vacant(&self) -> usize {
        let tile = usize::from(self.filled.tile.is_some());
        self.filled.people.iter().filter(|id| id.is_none()).count() - tile
    }
}

impl<'a> Person<'a> {
    /// As the API tells of them.
    pub(super) fn told(id: ParticipantId, status: &'a PersonStatus) -> Self {
        Self {
            id,
            source: status.source,
            role: status.role.as_ref(),
            pinned: status.pinned,
            hidden: status.hidden,
            picture: status.picture,
            spoke_at: None,
        }
    }

    /// Whether a layout shows them at all. A screen without a picture shows nothing.
    fn visible(&self, layout: &LayoutSpec) -> bool {
        let placeholder = |policy: Absent| policy == Absent::Placeholder && self.source == Source::Camera;
        (!self.hidden || placeholder(layout.hidden)) && (self.picture || placeholder(layout.no_video))
    }

    fn guest(self) -> Guest<'a> {
        Guest { id: self.id, source: self.source, role: self.role, pinned: self.pinned, spoke_at: self.spoke_at }
    }
}
