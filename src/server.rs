//! The server: rooms, peers and HTTP, wired from a configuration and ended in order.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::broadcast::Broadcast;
use crate::broadcast::hls::Hls;
use crate::codec::opus::{AudioDecoder, AudioEncoder, Prediction};
use crate::codec::{Keyframe, VideoDecoder, VideoEncoder, VideoSettings, h264};
use crate::compositor::{self, Fonts};
use crate::config::Config;
use crate::http::{self, Access, AppState, Check, IceServers, Limits, Previews, Readiness, Snapshots, Streams};
use crate::media::{BLOCK_SAMPLES, Block, Clock, Frame, MediaTime};
use crate::metrics::Metrics;
use crate::peer::{PeerConfig, Peers};
use crate::players::{Files, Players};
use crate::record::Recordings;
use crate::record::upload::{Place, Uploader};
use crate::rooms::{Rooms, RoomsSettings};

/// A running server.
#[derive(Debug)]
pub struct Server {
    http: SocketAddr,
    state: AppState,
    uploader: Option<Uploader>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Binds both ports, proves that the compositor draws and the codecs work, and serves.
    ///
    /// # Errors
    /// Where a port cannot be bound, the compositor that was asked for is not there, or a setting is no such thing.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let (clock, metrics, readiness) = (Clock::new(), Metrics::default(), Readiness::default());
        let (settings, counted) = (rooms_settings(&config), metrics.clone());
        let rooms = tokio::task::spawn_blocking(move || Rooms::new(settings, clock, counted)).await??;
        let (settings, recorded, counted) = (config.recording(), rooms.clone(), metrics.clone());
        let recordings = tokio::task::spawn_blocking(move || Recordings::open(settings, recorded, clock, counted)).await?;
        let recordings = recordings.context("the folder of recordings")?;
        let uploader = uploader(&config, &recordings).await?;
        prove_compositor(&rooms, config.compositor).await?;
        tokio::task::spawn_blocking(prove_codecs).await??;
        readiness.pass(Check::Compositor);
        let peers = PeerConfig { udp: config.udp(), advertise: config.advertise.clone() };
        let peers = Peers::open(peers, clock, metrics.clone()).await.with_context(|| format!("UDP port {}", config.udp()))?;
        readiness.pass(Check::Udp);
        let (data_dir, limits) = (config.data_dir.clone(), config.file_limits());
        let files = tokio::task::spawn_blocking(move || Files::open(data_dir.as_deref(), limits)).await?.context("the folder of files")?;
        let listener = TcpListener::bind(config.http).await.with_context(|| format!("HTTP port {}", config.http))?;
        let http = listener.local_addr()?;
        let broadcast = Broadcast::new(rooms.clone(), clock, metrics.clone());
        let state = AppState {
            players: Players::new(rooms.clone(), files, clock, metrics.clone()),
            hls: Hls::new(rooms.clone(), clock, metrics.clone()),
            rooms,
            peers,
            recordings,
            broadcast,
            metrics,
            readiness,
            access: access(&config)?,
            ice_servers: IceServers::new(&config.ice_servers)?,
            snapshots: Snapshots::default(),
            previews: Previews::default(),
            streams: Streams::default(),
            clock,
            limits: Limits::default(),
        };
        state.readiness.pass(Check::Draining);
        tracing::info!(%http, udp = %state.peers.local_addr(), dev = config.dev, "serving");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(http::serve(listener, state.clone(), async {
            // An error means that the sender is gone: the server was dropped and ends as well.
            stopped.await.unwrap_or_default();
        }));
        Ok(Self { http, state, uploader, stop, serving })
    }

    /// The address of its pages, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Where media arrives.
    pub fn udp(&self) -> SocketAddr {
        self.state.peers.local_addr()
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.state.metrics
    }

    /// Takes no more sessions, ends those there are, then the HTTP port.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.state.readiness.fail(Check::Draining);
        self.state.rooms.drain();
        // Before the people go, so that nothing of them is lost
        self.state.recordings.shut_down().await;
        if let Some(uploader) = self.uploader {
            // It ends at once; an error means that it had ended already.
            let _ = tokio::task::spawn_blocking(move || drop(uploader)).await;
        }
        self.state.players.shut_down().await;
        self.state.hls.shut_down();
        self.state.peers.shut_down().await;
        // Where nobody listens any more, serving has ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the HTTP server ended badly");
        }
        tracing::info!("stopped");
    }
}

/// What uploads recordings, where that is configured.
async fn uploader(config: &Config, recordings: &Arc<Recordings>) -> anyhow::Result<Option<Uploader>> {
    let settings = config.recording();
    let Some(upload) = settings.upload else { return Ok(None) };
    if settings.folder.is_none() {
        tracing::warn!("recordings that are not uploaded when the server ends are lost: configure data_dir or recording.folder");
    }
    let place = tokio::task::spawn_blocking(move || Place::open(&upload)).await??;
    let uploader = Uploader::start(recordings.clone(), place).context("the thread that uploads")?;
    Ok(Some(uploader))
}

fn rooms_settings(config: &Config) -> RoomsSettings {
    let fonts = config.data_dir.as_ref().map(|folder| folder.join("fonts"));
    RoomsSettings {
        room: config.room.clone(),
        data_dir: config.data_dir.clone(),
        on_demand: config.rooms_on_demand,
        max_sessions: config.max_sessions,
        decode_threads: config.decode_threads(),
        compositor: config.compositor,
        fonts: Fonts::new(fonts.as_deref()),
    }
}

fn access(config: &Config) -> anyhow::Result<Access> {
    if config.dev {
        return Ok(Access::Open);
    }
    if config.api_keys.is_empty() {
        tracing::warn!("no api_keys are configured: nobody can join; configure some, or use --dev on this machine only");
    }
    Ok(Access::keys(config.api_keys.iter().map(String::as_str))?)
}

/// Opens a compositor once at the start, so that a missing one is an error of the start and not of a call.
async fn prove_compositor(rooms: &Rooms, choice: compositor::Choice) -> anyhow::Result<()> {
    let fonts = rooms.fonts();
    let opened = tokio::task::spawn_blocking(move || compositor::open(choice, fonts)).await?;
    let compositor = opened.context("the compositor")?;
    tracing::info!(compositor = ?compositor.kind(), "compositor ready");
    Ok(())
}

/// Takes a picture and a block of sound through every codec once: a codec that does not work is an error of the start, and the
/// first call does not wait for their code to be read from a disk.
fn prove_codecs() -> anyhow::Result<()> {
    let settings = VideoSettings { width: 640, height: 360, fps: 30, bitrate_bps: 800_000 };
    let (mut encoder, mut decoder) = (h264::Encoder::new(settings)?, h264::Decoder::new());
    for (n, luma) in [90, 140, 200].into_iter().enumerate() {
        let at = MediaTime::from_millis(33 * n as u64);
        let Some(unit) = encoder.encode(&Frame::filled(640, 360, [luma, 100, 150]), at, Keyframe::Auto)? else { continue };
        let annex_b: Vec<u8> = unit.nal_units.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_ref()].concat()).collect();
        decoder.decode(&annex_b)?;
    }
    let (mut encoder, mut decoder) = (AudioEncoder::new()?, AudioDecoder::new()?);
    let tone = Block(std::array::from_fn(|n| (n as f32 * 0.05).sin() * 0.3));
    for _ in 0..3 {
        let packet = encoder.encode(&tone, Prediction::Allowed)?;
        decoder.decode(&packet, &mut [0.0; BLOCK_SAMPLES])?;
    }
    Ok(())
}
