//! Medley, a WebRTC MCU: everyone's pictures composited into one layout, everyone's sound mixed, one encoded
//! stream back to each client.
//!
//! The folders tell the way of the media, and imports only point down (`tests/floors.rs` sees to it):
//!
//! | Floor | Modules | What they do |
//! | --- | --- | --- |
//! | 6 | [`cli`], [`server`], [`config`] | parse, wire, bind, run until shutdown |
//! | 5 | [`http`] | join, WHIP, WHEP, snapshots, pages, metrics |
//! | 4 | [`peer`], [`record`], [`broadcast`], [`players`] | one WebRTC session each; recordings; HLS, MJPEG and Ogg; files played into rooms |
//! | 3 | [`rooms`], [`render`] | the directory: what rooms are to be, a live room's threads, seats; the pipeline on a virtual clock |
//! | 2 | [`ingest`], [`room`], [`egress`], [`bots`], [`container`] | packets → frames, frames → mixes, mixes → packets, the judges; MP4, Ogg, WAV |
//! | 1 | [`codec`], [`layout`], [`compositor`], [`store`] | H.264 and Opus; templates and places; the CPU compositor and wgpu; files that survive a crash |
//! | 0 | [`media`], [`flow`], [`metrics`] | frames, scenes, time; newest-wins slots; counters |

pub mod bots;
pub mod broadcast;
pub mod cli;
pub mod codec;
pub mod compositor;
pub mod config;
pub mod container;
pub mod egress;
pub mod flow;
pub mod http;
pub mod ingest;
pub mod layout;
pub mod media;
pub mod metrics;
pub mod peer;
pub mod players;
pub mod record;
pub mod render;
pub mod room;
pub mod rooms;
pub mod server;
pub mod store;
