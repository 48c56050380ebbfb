//! What the API tells about rooms and people: plain values, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::spec::{CanvasSpec, RenditionSpec, RoomSpec};
use crate::egress::Why;
use crate::layout::LayoutSpec;
use crate::media::{ShortName, ViewName};

/// A room in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoomSummary {
    /// Its name.
    pub name: String,
    /// Those who are seen or heard.
    pub participants: usize,
    /// All sessions, viewers too; the server's own outputs are none.
    pub sessions: usize,
    /// Whether an admin made it: it stays when nobody is in it.
    pub kept: bool,
    /// Whether nobody else may come in.
    pub locked: bool,
}

/// A room: its settings as they are stored (`settings`), and as applied (the rest).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoomReport {
    /// Its name.
    pub name: String,
    /// The settings, as `PUT` takes them.
    pub settings: RoomSpec,
    /// The main view's canvas.
    pub canvas: CanvasSpec,
    /// The main view's layout as applied, with its cells.
    pub layout: ViewReport,
    /// All views as applied, `main` too.
    pub views: BTreeMap<ViewName, ViewReport>,
    /// Everybody who is seen or heard, in the order in which they came.
    pub participants: Vec<PersonReport>,
    /// Everybody else: those who watch or listen, in the order in which they came.
    pub viewers: Vec<ViewerReport>,
    /// Each rendition of each view that somebody receives, and those of `main` in any case.
    pub renditions: Vec<RenditionReport>,
    /// People at most.
    pub max_participants: Option<u32>,
    /// Whether nobody else may come in.
    pub locked: bool,
    /// All sessions, viewers too; the server's own outputs are none.
    pub sessions: usize,
    /// Whether an admin made it: it stays when nobody is in it.
    pub kept: bool,
    /// The room's time, in milliseconds: what `at_ms` and events refer to. 0 while nobody is in it.
    pub time_ms: u64,
    /// Video encoders at work for it.
    pub video_encoders: usize,
    /// Sound encoders at work for it.
    pub audio_encoders: usize,
}

/// A view's layout as applied: what was asked for, and the cells that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ViewReport {
    /// The view.
    pub view: ViewName,
    /// What was asked for.
    #[serde(flatten)]
    pub layout: LayoutSpec,
    /// Its size.
    pub canvas: CanvasSpec,
    /// The resolved cells, in paint order.
    pub cells: Vec<CellReport>,
    /// People who are heard and not shown for want of a place.
    pub more: u32,
}

/// A resolved cell, in pixels of the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "a rectangle's names")]
pub struct CellReport {
    /// The region; null for the slate, and for a "+N" beside the regions.
    pub region: Option<ShortName>,
    /// Who; null for the slate and "+N".
    pub participant: Option<String>,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    /// Paint order.
    pub z: i32,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PersonReport {
    /// Short and public, such as `p3`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Role; null for none.
    pub role: Option<ShortName>,
    /// `camera` or `screen`.
    pub source: &'static str,
    /// When they came, RFC 3339 in UTC.
    pub joined_at: String,
    /// Muted by an admin.
    pub muted: bool,
    /// They send no sound at all, or none for two seconds.
    pub silent: bool,
    /// Hidden by an admin.
    pub hidden: bool,
    /// Pinned by an admin.
    pub pinned: bool,
    /// In decibels, −60 to +20.
    pub gain_db: f32,
    /// Whether they talk.
    pub speaking: bool,
    /// Whether they are the active speaker.
    pub active_speaker: bool,
    /// Peak level in dBFS, −100 to 0.
    pub level_db: f32,
    /// Whether there is a picture of them right now.
    pub picture: bool,
    /// What is received from them.
    pub received: Received,
    /// What is sent to them.
    pub sent: Sent,
}

/// Somebody who watches or listens and is neither seen nor heard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ViewerReport {
    /// Short and public, such as `p3`.
    pub id: String,
    /// What is sent to them.
    pub sent: Sent,
}

/// What is received from somebody; null where they send no such thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Received {
    /// Their pictures.
    pub video: Option<VideoReceived>,
    /// Their sound.
    pub audio: Option<AudioReceived>,
    /// How much later their picture is shown than its sound is heard, in milliseconds; null before it is known.
    pub skew_ms: Option<f32>,
}

/// Pictures received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "a picture's names")]
pub struct VideoReceived {
    pub width: u32,
    pub height: u32,
    /// Decoded pictures in the last second.
    pub fps: f32,
    /// Over the last second.
    pub bitrate_bps: u64,
    /// Packets so far.
    pub packets: u64,
    /// Packets that never came, so far.
    pub lost: u64,
    /// The part that never came, of the last second's packets, 0 to 1.
    pub loss: f32,
    /// Interarrival jitter, in milliseconds (RFC 3550 §6.4.1); null before it is known.
    pub jitter_ms: Option<f32>,
    /// How long what arrives first waits to be shown, in milliseconds; null before it is known.
    pub delay_ms: Option<f32>,
    /// Retransmissions asked for, so far; each packet counts each time.
    pub requested: u64,
    /// Packets that came as retransmissions, so far.
    pub recovered: u64,
    /// Packets that came too late, so far.
    pub late: u64,
    /// Keyframes asked for, so far.
    pub keyframes_asked: u64,
    /// Times that their picture stood still while it should have moved, so far.
    pub freezes: u64,
    /// How long it did, so far, in milliseconds.
    pub frozen_ms: u64,
    /// The simulcast layer that is decoded, by its place in the offer; null before there is one.
    pub layer: Option<u32>,
    /// What they are asked to send at most, in bits a second; null where nothing is asked.
    pub asked_bps: Option<u64>,
}

/// Sound received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct AudioReceived {
    /// Over the last second.
    pub bitrate_bps: u64,
    /// Packets so far.
    pub packets: u64,
    /// Packets that never came in time, so far.
    pub lost: u64,
    /// The part that never came, of the last second's packets, 0 to 1.
    pub loss: f32,
    /// Interarrival jitter, in milliseconds (RFC 3550 §6.4.1); null before it is known.
    pub jitter_ms: Option<f32>,
    /// How long what arrives first waits to be heard, in milliseconds; null before it is known.
    pub delay_ms: Option<f32>,
    /// Packets that came too late, so far.
    pub late: u64,
    /// 20 ms blocks played, so far, but for those of silence.
    pub blocks: u64,
    /// Blocks that came out of in-band FEC, so far.
    pub recovered: u64,
    /// Blocks that were made up, so far.
    pub concealed: u64,
}

/// What is sent to somebody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Sent {
    /// The view; null where they receive no picture.
    pub view: Option<ViewName>,
    /// The rendition; null where they receive no picture, or none for their line's sake.
    pub rendition: Option<ShortName>,
    /// Why no better one; null where they receive no picture.
    pub why: Option<Why>,
    /// Pictures and sound, over the last second.
    pub bitrate_bps: u64,
    /// What their line takes, in bits a second; null before it is known.
    pub estimate_bps: Option<u64>,
    /// The part of what was sent that the receiver's reports call lost, 0 to 1; null before its first report.
    pub loss: Option<f32>,
    /// Round-trip time, in milliseconds; null before it is known.
    pub rtt_ms: Option<f32>,
    /// How long what is sent waits for its turn, in milliseconds; null before it is known.
    pub pacer_ms: Option<f32>,
    /// Packets that they asked for again, so far; each counts each time.
    pub requested: u64,
    /// Packets sent again, so far.
    pub resent: u64,
    /// Keyframes that they asked for, so far.
    pub keyframes_asked: u64,
    /// Bytes sent to learn what their line takes, so far.
    pub probed_bytes: u64,
}

/// One rendition of one view.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RenditionReport {
    /// The view.
    pub view: ViewName,
    /// As it was set.
    #[serde(flatten)]
    pub rendition: RenditionSpec,
    /// Its width as encoded, in pixels.
    pub width: u32,
    /// Who receives it.
    pub viewers: usize,
    /// Encoders at work for it: 0 while nobody receives it, more than 1 where people are left out of their own pictures.
    pub encoders: usize,
    /// Over the last second, one encoder's.
    pub bitrate_bps: u64,
    /// What one encoder is to give, in bits a second: as much as the slowest line of those who receive it takes.
    pub target_bps: u32,
    /// Keyframes since somebody has received it.
    pub keyframes: u64,
}

/// Something that happened in a room: a server-sent event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoomEvent {
    /// `joined`, `left`, `speaker`, `layout`, `muted`, `stalled`, `changed`, `settings`, `chat`, `recording`, `closed`.
    pub event: &'static str,
    /// The room's time, in milliseconds.
    pub time_ms: u64,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// Which view it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewName>,
    /// What else there is to say; such as `{"muted": true}` or `{"name": "Ann"}`.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub detail: serde_json::Map<String, serde_json::Value>,
}

/// A template in the list, or alone.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TemplateReport {
    /// Its name.
    pub name: ShortName,
    /// Whether it comes with the server and cannot be changed.
    pub stock: bool,
    /// People it shows at most.
    pub capacity: usize,
    /// The template itself.
    #[serde(flatten)]
    pub template: crate::layout::Template,
}

/// An uploaded image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "a picture's names")]
pub struct ImageReport {
    /// Its name.
    pub name: ShortName,
    pub width: u32,
    pub height: u32,
    /// `image/png` or `image/jpeg`.
    pub content_type: &'static str,
    /// Of the file.
    pub bytes: usize,
}
