//! Medley, a WebRTC MCU: everyone's pictures composited into one layout, everyone's sound mixed, one encoded
//! stream back to each client.
//!
//! The folders tell the way of the media, and imports only point down (`tests/floors.rs` sees to it):
//!
//! | Floor | Modules | What they do |
//! | --- | --- | --- |
//! | 6 | [`cli`], [`server`], [`config`] | parse, wire, bind, run until shutdown |
//! | 5 | [`http`] | join, WHIP, WHEP, snapshots, pages, metrics |
//! | 4 | [`peer`] | one WebRTC session each; the only place that names the `webrtc` crate |
//! | 3 | [`rooms`] | the directory: what rooms are to be, a live room's threads, seats |
//! | 2 | [`ingest`], [`room`], [`egress`], [`bots`] | packets → frames, frames → mixes, mixes → packets, the judges |
//! | 1 | [`codec`], [`layout`], [`compositor`], [`store`] | H.264 and Opus; templates and places; the CPU compositor and wgpu; files that survive a crash |
//! | 0 | [`media`], [`flow`], [`metrics`] | frames, scenes, time; newest-wins slots; counters |

pub mod bots;
pub mod cli;
pub mod codec;
pub mod compositor;
pub mod config;
pub mod egress;
pub mod flow;
pub mod http;
pub mod ingest;
pub mod layout;
pub mod media;
pub mod metrics;
pub mod peer;
pub mod room;
pub mod rooms;
pub mod server;
pub mod store;
