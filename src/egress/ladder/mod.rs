//! Which rendition each receiver of a scene gets, and what each rendition's encoder may give: pure.
//!
//! In: what is known of each line, the renditions within each receiver's bounds, time. Out: a rendition for each, why no better one,
//! what its line is worth being probed for, and what the slowest line of each rendition takes. Never: a rendition above a receiver's
//! bounds, or one whose least is more than a line takes while there is a lower one.
//!
//! | File | What it does |
//! | --- | --- |
//! | `line` | what a line has room for beside sound |
//! | `climber` | one receiver: down at once, up after a while |
//! | `shares` | who would hold back the others of a rendition too much |
//! | `follow` | an encoder's bitrate, as the room of its slowest line changes |

mod climber;
mod follow;
mod line;
mod shares;
#[cfg(test)]
mod tests;

use serde::Serialize;
use utoipa::ToSchema;

pub use climber::{Climber, Move};
pub use follow::Follow;
pub use line::{Line, Lookout};

use climber::Rung;
use shares::Shares;

use super::Rendition;
use crate::media::MediaTime;

/// Why a receiver gets the rendition that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is the best there is.
    Full,
    /// It is the best within what the receiver says it can take.
    Bounds,
    /// Its line takes no more.
    Line,
    /// Its line loses too much for more.
    Loss,
    /// Its line takes sound and no pictures.
    SoundOnly,
}

/// One receiver of a scene.
#[derive(Debug)]
pub struct Member<'a> {
    /// Where it stands.
    pub climber: &'a mut Climber,
    /// Its line.
    pub line: Line,
    /// The renditions within its bounds by their places in the list, best first.
    pub within: Vec<usize>,
    /// Whether its bounds keep it from the best rendition.
    pub is_bounded: bool,
}

/// Decides on every receiver of one scene. Gives the move of each, and the room of the slowest line on each rendition: `None` where
/// nobody gets it.
pub fn settle(now: MediaTime, renditions: &[Rendition], members: &mut [Member]) -> (Vec<Option<Move>>, Vec<Option<f64>>) {
    let shares = Shares::of(renditions, members.iter().map(|member| (member.climber.rendition(), member.line.room_bps())));
    let moves = members.iter_mut().map(|member| decide(now, renditions, &shares, member)).collect();
    let slowest = |rendition| {
        let on = members.iter().filter(|member| member.climber.rendition() == Some(rendition));
        on.map(|member| member.line.room_bps()).reduce(f64::min)
    };
    (moves, (0..renditions.len()).map(slowest).collect())
}

fn decide(now: MediaTime, renditions: &[Rendition], shares: &Shares, member: &mut Member) -> Option<Move> {
    let (present, room) = (member.climber.rendition(), member.line.room_bps());
    let rung = |rendition: &usize| {
        let others = shares.of_others(*rendition, (present == Some(*rendition)).then_some(room));
        Rung::new(*rendition, renditions[*rendition], others)
    };
    let mut rungs: Vec<_> = member.within.iter().map(rung).collect();
    // There is nowhere to go from the lowest one: its encoder follows whoever is slowest
    if let Some(lowest) = rungs.last_mut() {
        *lowest = Rung::new(lowest.rendition, renditions[lowest.rendition], None);
    }
    member.climber.decide(now, member.line, &rungs, member.is_bounded)
}
