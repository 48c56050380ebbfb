//! The messages of the data channel `medley`: JSON text, each an object with `type`.
//!
//! In: values. Out: text. Never: markup; what people write is data wherever it goes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rooms::Quality;

/// The protocol's version: it changes when a client that knows an older one would misunderstand.
pub(super) const VERSION: u32 = 1;

/// A message from the server. A client ignores types and fields that it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToClient {
    /// The first message: who the client is, and where.
    Hello {
        /// The client's own id, as in `roster` and `tiles`.
        participant: String,
        /// The room.
        room: String,
        /// Of this protocol: 1.
        version: u32,
        /// The room's time, in milliseconds: what `at_ms` refers to.
        time_ms: u64,
        /// The RTP timestamp of a picture, less this, is the `timestamp` of its map. Null where no picture is sent.
        timestamp_offset: Option<u32>,
        /// The `id` of what was said last; 0 for nothing. Where a client has seen a higher one the server was started anew.
        said: u64,
    },
    /// Who is where in the picture that the client receives, from `timestamp` on. Sent when it changes, ten times a second at most.
    Tiles {
        /// Of the first picture that it holds for: units of 90 kHz, modulo 2³². See `hello`.
        timestamp: u32,
        /// The view.
        view: String,
        /// Of the picture that the rectangles are in; a smaller rendition of it is the same, scaled.
        width: u32,
        /// Of the same.
        height: u32,
        /// In paint order: the last one covers the others.
        cells: Vec<Tile>,
        /// People who are heard and not shown for want of a place.
        more: u32,
    },
    /// Everybody who is seen or heard, in the order in which they came. Sent when it changes.
    Roster {
        /// 200 at most.
        people: Vec<Person>,
        /// So many more.
        more: usize,
    },
    /// Who speaks. Sent when it changes.
    Speaker {
        /// The active speaker; null for none.
        active: Option<String>,
        /// Everybody who talks.
        speaking: Vec<String>,
    },
    /// What somebody says. The last 50 are sent to whoever opens the channel.
    Chat {
        /// Higher than that of what was said before, so that one that was seen is known.
        id: u64,
        /// Who.
        from: String,
        /// What they were called then.
        name: String,
        /// Whether they only watch.
        viewer: bool,
        /// Plain text, never markup.
        text: String,
        /// When, in the room's time.
        at_ms: u64,
    },
    /// What the client itself receives, and why no more. Sent when it changes, once a second at most.
    Quality(Quality),
    /// What the client need send at most: the largest tile that anybody sees of it, and the bits a second that are of use.
    Send {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Bits a second, of pictures.
        bps: u32,
    },
    /// Something that the client sent was not taken.
    Error {
        /// What is wrong with it, and what to send instead.
        message: String,
    },
}

/// Somebody's place in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "a rectangle's names")]
pub struct Tile {
    /// Who.
    pub participant: String,
    /// What they are called.
    pub name: String,
    /// The layout's region; null in a grid.
    pub region: Option<String>,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    /// Paint order: higher covers lower.
    pub z: i32,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// Short and public, such as `p3`.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Role; null for none.
    pub role: Option<String>,
    /// `camera` or `screen`.
    pub source: &'static str,
    /// Muted by an admin, or they send no sound.
    pub muted: bool,
    /// Hidden by an admin.
    pub hidden: bool,
    /// Whether there is a picture of them.
    pub picture: bool,
}

/// A message from a client: text of 16 KiB at most, ten at once and two a second.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum FromClient {
    /// Says something to everybody in the room who has the channel.
    Chat {
        /// Plain text, 1 to 2000 characters.
        #[schema(min_length = 1, max_length = 2000)]
        text: String,
    },
}

impl ToClient {
    /// As it is sent.
    pub(super) fn text(&self) -> Arc<str> {
        serde_json::to_string(self).expect("strings and numbers are JSON").into()
    }

    /// Whether it says nothing new: a map's moment alone is nothing new.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Tiles { timestamp: _, view, width, height, cells, more },
                Self::Tiles { timestamp: _, view: v, width: w, height: h, cells: c, more: m },
            ) => (view, width, height, cells, more) == (v, w, h, c, m),
            _ => self == other,
        }
    }
}
