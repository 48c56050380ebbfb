//! Which of a sender's simulcast layers is decoded. Pure.
//!
//! In: packets of all layers, what is wanted, time. Out: the layer to decode, or none while nobody sees the sender; what it may send
//! at most. Never: a layer that has stopped coming while another comes, or one that is larger than the tile needs while a smaller
//! one would do.
//!
//! A sender whose uplink is poor leaves out its upper layers. A layer that stays away for [`GONE_AFTER`] is given up at once, and
//! taken again only once it has come for [`STEADY_AFTER`].

use std::cmp::Reverse;
use std::time::Duration;

use super::limit::bitrate_for;
use crate::codec::sps::Sps;
use crate::media::{MediaTime, Need, RtpPacket};

/// Layers of one sender at most.
pub(super) const MOST_LAYERS: usize = 4;
/// A layer of which nothing came for so long, while others came, is not there.
const GONE_AFTER: Duration = Duration::from_secs(1);
/// A layer that came back must have come for so long to be taken again.
const STEADY_AFTER: Duration = Duration::from_secs(3);
/// What a silence of all layers counts for at most: a line that goes dark takes no layer away.
const SILENCE_COUNTS: Duration = Duration::from_millis(250);
/// A smaller tile must have stayed so for so long: layouts move, and a keyframe costs more than some seconds of a larger layer save.
const SMALLER_AFTER: Duration = Duration::from_secs(1);
/// A picture may be enlarged so far before a larger layer is taken.
const ENLARGED: f64 = 1.1;
/// The tile of those whom nobody sees, for what they may send: so that they come back with something to look at.
const UNSEEN: (u32, u32) = (320, 180);

/// A sender's layers, and which of them is decoded.
#[derive(Debug, Default)]
pub(super) struct Layers {
    known: [Option<Known>; MOST_LAYERS],
    /// The last packet of any layer.
    newest: Option<MediaTime>,
    /// For how long there were packets of any layer.
    active: Duration,
    chosen: Option<u8>,
    /// Since when a smaller layer would do.
    smaller: Option<MediaTime>,
}

/// What is known of a layer that has come.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// When it was last heard, in active time.
    heard: Duration,
    /// Since when it comes without a break, in active time.
    since: Duration,
    /// It was gone before that.
    returned: bool,
    /// Of its pictures, from its newest SPS.
    size: Option<(u32, u32)>,
}

/// What a packet changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that a choice rests on.
    None,
    /// A layer comes that did not, or its size is learnt.
    Layer,
}

impl Layers {
    /// Takes note of a packet of any layer below [`MOST_LAYERS`].
    pub(super) fn note(&mut self, packet: &RtpPacket) -> News {
        let Some(known) = self.known.get_mut(usize::from(packet.layer)).filter(|_| !packet.payload.is_empty()) else { return News::None };
        let silence = self.newest.map_or(Duration::ZERO, |newest| packet.arrival.since(newest));
        self.newest = self.newest.max(Some(packet.arrival));
        self.active += silence.min(SILENCE_COUNTS);
        let now = self.active;
        let before = known.filter(|known| now.saturating_sub(known.heard) < GONE_AFTER);
        let since = before.map_or(now, |before| before.since);
        let returned = before.map_or(known.is_some(), |before| before.returned);
        let (earlier, size) = (known.and_then(|known| known.size), size_in(&packet.payload));
        *known = Some(Known { heard: now, since, returned, size: size.or(earlier) });
        if before.is_none() || size.is_some_and(|size| Some(size) != earlier) { News::Layer } else { News::None }
    }

    /// Whether a layer has begun to come just now, so that its first keyframe is on its way.
    pub(super) fn begins(&self, layer: u8) -> bool {
        self.known[usize::from(layer)].is_some_and(|known| known.since == self.active)
    }

    /// The layer to decode from `now` on; none where nobody sees the sender. `pictured` where there is a picture of it to be going on
    /// with: who has none is decoded until there is one, so that others know of it.
    pub(super) fn choose(&mut self, now: MediaTime, need: Need, pictured: bool) -> Option<u8> {
        let wanted = match need {
            Need::Unseen if pictured => None,
            Need::Unseen => self.smallest_for((1, 1)),
            Need::Unknown => self.smallest_for((u32::MAX, u32::MAX)),
            Need::Seen { width, height } => self.smallest_for((width, height)),
        };
        let waits = self.chosen.zip(wanted).is_some_and(|(chosen, wanted)| self.is_smaller(wanted, chosen) && self.is_alive(chosen));
        if !waits || now.since(*self.smaller.get_or_insert(now)) >= SMALLER_AFTER {
            (self.smaller, self.chosen) = (None, wanted);
        }
        self.chosen
    }

    /// What all layers that are needed may have together, in bits a second, and the largest picture that is of use; `None` while
    /// nobody has said what they need.
    pub(super) fn limit(&self, need: Need) -> Option<(u32, (u32, u32))> {
        let size = match need {
            Need::Unknown => return None,
            Need::Unseen => UNSEEN,
            Need::Seen { width, height } => (width, height),
        };
        if self.known.iter().flatten().count() < 2 {
            return Some((bitrate_for(size), size));
        }
        let mut layers: Vec<_> = self.known.iter().flatten().filter_map(|known| known.size).collect();
        layers.sort_by_key(|layer| pixels(*layer));
        let enough = layers.iter().position(|layer| suffices(*layer, size));
        // A layer that has not come yet may come if there is room for it
        let larger = enough.is_none().then(|| bitrate_for(size));
        let needed = layers.iter().take(enough.map_or(layers.len(), |at| at + 1)).map(|layer| bitrate_for(*layer));
        Some((needed.chain(larger).sum(), size))
    }

    /// A layer that comes and of whose size nothing is known, so that it can only be guessed whether it would do.
    pub(super) fn stranger(&self) -> Option<u8> {
        let is_strange = |layer: &u8| self.known[usize::from(*layer)].is_some_and(|known| known.size.is_none()) && self.is_alive(*layer);
        (0..MOST_LAYERS as u8).find(|layer| self.known.iter().flatten().count() > 1 && is_strange(layer))
    }

    /// The smallest layer that suffices, or else the largest, of those that come steadily; of all that come where none is steady.
    fn smallest_for(&self, tile: (u32, u32)) -> Option<u8> {
        let alive = || (0..MOST_LAYERS as u8).filter(|layer| self.is_alive(*layer));
        let steady = || alive().filter(|layer| self.is_steady(*layer));
        let among = if steady().next().is_some() { steady().collect::<Vec<_>>() } else { alive().collect() };
        let sized = || among.iter().copied().filter_map(|layer| Some((layer, self.size(layer)?)));
        let enough = sized().filter(|(_, size)| suffices(*size, tile)).min_by_key(|(_, size)| pixels(*size));
        let largest = || sized().max_by_key(|(layer, size)| (pixels(*size), Reverse(*layer)));
        enough.or_else(largest).map(|(layer, _)| layer).or_else(|| among.first().copied())
    }

    fn size(&self, layer: u8) -> Option<(u32, u32)> {
        self.known[usize::from(layer)]?.size
    }

    fn is_alive(&self, layer: u8) -> bool {
        self.known[usize::from(layer)].is_some_and(|known| self.active.saturating_sub(known.heard) < GONE_AFTER)
    }

    fn is_steady(&self, layer: u8) -> bool {
        self.known[usize::from(layer)].is_some_and(|known| !known.returned || known.heard.saturating_sub(known.since) >= STEADY_AFTER)
    }

    fn is_smaller(&self, one: u8, other: u8) -> bool {
        self.size(one).zip(self.size(other)).is_some_and(|(one, other)| pixels(one) < pixels(other))
    }
}

/// Whether pictures of this size fill a tile, cropped or not, without being enlarged much.
fn suffices((width, height): (u32, u32), tile: (u32, u32)) -> bool {
    f64::from(tile.0) <= f64::from(width) * ENLARGED && f64::from(tile.1) <= f64::from(height) * ENLARGED
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// The size that an SPS in this payload says, alone or in a STAP-A (RFC 6184 §5.7.1), which is how keyframes begin.
fn size_in(payload: &[u8]) -> Option<(u32, u32)> {
    let nal_unit = match payload.first()? & 0x1f {
        7 => payload,
        24 => {
            let length = usize::from(u16::from_be_bytes([*payload.get(1)?, *payload.get(2)?]));
            payload.get(3..3 + length).filter(|nal_unit| nal_unit.first().is_some_and(|header| header & 0x1f == 7))?
        }
        _ => return None,
    };
    Sps::parse(nal_unit).ok().map(|sps| (sps.width, sps.height))
}

#[cfg(test)]
pub(super) mod tests;
