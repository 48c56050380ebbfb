//! One room behind one port, and what is counted there.

use std::sync::Arc;
use std::time::Duration;

use medley::compositor::{Choice, Fonts};
use medley::media::{Canvas, Clock};
use medley::metrics::{ByMedia, ByReason, Media, Metrics};
use medley::peer::{Answer, PeerConfig, Peers, Purpose, check};
use medley::room::{Layout, RoomSettings};
use medley::rooms::{Rooms, RoomsSettings, Wish};
use str0m::media::Direction;

use crate::client::Client;

pub(crate) struct Room {
    pub(crate) peers: Arc<Peers>,
    rooms: Arc<Rooms>,
    metrics: Metrics,
}

impl Room {
    pub(crate) async fn open() -> Self {
        Self::open_at("127.0.0.1:0").await
    }

    /// With its port bound so.
    pub(crate) async fn open_at(udp: &str) -> Self {
        let (clock, metrics) = (Clock::new(), Metrics::default());
        let canvas = Canvas { width: 320, height: 180, ..Canvas::default() };
        let settings = RoomsSettings {
            room: RoomSettings { canvas, layout: Layout::Grid, max_talkers: 4 },
            max_bps: 500_000,
            max_sessions: 10,
            decode_threads: 1,
            compositor: Choice::Cpu,
            fonts: Fonts::new(None),
        };
        let config = PeerConfig { udp: udp.parse().unwrap(), advertise: Vec::new() };
        let peers = Peers::open(config, clock, metrics.clone()).await.unwrap();
        Self { peers, rooms: Rooms::new(settings, clock, metrics.clone()), metrics }
    }

    /// A client whose offer is sent as `edit` leaves it.
    pub(crate) async fn join(&self, direction: Direction, purpose: Purpose, edit: impl Fn(&str) -> String) -> (Client, Answer) {
        let pending = Client::offer(direction);
        let offer = check(&edit(&pending.sdp), purpose).unwrap();
        let (audio, video) = (offer.audio.unwrap_or_default(), offer.video.unwrap_or_default());
        let wish =
            Wish { name: "Someone".into(), sends_audio: audio.0, receives_audio: audio.1, sends_video: video.0, receives_video: video.1 };
        let seat = self.rooms.join(&"room".parse().unwrap(), wish).unwrap();
        let answer = self.peers.answer(offer, seat).await.unwrap();
        (pending.accept(&answer.sdp), answer)
    }

    pub(crate) fn is_connected(&self, session: &str) -> bool {
        self.peers.state(session).is_some_and(|state| state.state == "connected")
    }

    pub(crate) fn received(&self, media: Media) -> u64 {
        self.metrics.packets_received.get_or_create(&ByMedia { media }).get()
    }

    pub(crate) fn lost(&self, media: Media) -> u64 {
        self.metrics.packets_lost.get_or_create(&ByMedia { media }).get()
    }

    pub(crate) fn ended(&self, reason: &'static str) -> u64 {
        self.metrics.sessions_ended.get_or_create(&ByReason { reason }).get()
    }

    pub(crate) fn sessions(&self) -> i64 {
        self.metrics.sessions.get()
    }

    /// Waits until something is so; panics where it is not in time.
    pub(crate) async fn within(&self, patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        let watch = async {
            while !is_so() {
                glances.tick().await;
            }
        };
        assert!(tokio::time::timeout(patience, watch).await.is_ok(), "not within {patience:?}: {what}");
    }
}
