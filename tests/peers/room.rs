//! One room behind one port, and what is counted there.

use std::sync::Arc;
use std::time::Duration;

use medley::compositor::{Choice, Fonts};
use medley::media::{Clock, ParticipantId, RoomName, Within};
use medley::metrics::{ByMedia, ByReason, Media, Metrics};
use medley::peer::{Answer, PeerConfig, Peers, Purpose, check};
use medley::rooms::spec::{CanvasSpec, RenditionSpec, RoomSpec};
use medley::rooms::{PersonReport, Precondition, Rooms, RoomsSettings, Wish};
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
        let settings = RoomsSettings {
            room: spec(Within::of(180)),
            data_dir: None,
            on_demand: true,
            max_sessions: 10,
            decode_threads: 1,
            compositor: Choice::Cpu,
            fonts: Fonts::new(None),
        };
        let config = PeerConfig { udp: udp.parse().unwrap(), advertise: Vec::new() };
        let peers = Peers::open(config, clock, metrics.clone()).await.unwrap();
        Self { peers, rooms: Rooms::new(settings, clock, metrics.clone()).unwrap(), metrics }
    }

    /// A client whose offer is sent as `edit` leaves it.
    pub(crate) async fn join(&self, direction: Direction, purpose: Purpose, edit: impl Fn(&str) -> String) -> (Client, Answer) {
        self.join_with(direction, purpose, &[], edit).await
    }

    /// One that offers data channels, too.
    pub(crate) async fn join_with(
        &self,
        direction: Direction,
        purpose: Purpose,
        channels: &[&str],
        edit: impl Fn(&str) -> String,
    ) -> (Client, Answer) {
        let pending = Client::offer_with(direction, channels);
        let offer = check(&edit(&pending.sdp), purpose).unwrap();
        let (audio, video) = (offer.audio.unwrap_or_default(), offer.video.unwrap_or_default());
        let wish = Wish {
            name: "Someone".into(),
            sends_audio: audio.0,
            receives_audio: audio.1,
            sends_video: video.0,
            receives_video: video.1,
            ..Wish::default()
        };
        let seat = self.rooms.join(&name(), wish).unwrap();
        let answer = self.peers.answer(offer, seat).await.unwrap();
        // The client's stack would keep to what we take, as a hostile one does not
        let accepted = answer.sdp.replace("a=max-message-size:16384", "a=max-message-size:1000000");
        (pending.accept(&accepted), answer)
    }

    pub(crate) fn is_connected(&self, session: &str) -> bool {
        self.peers.state(session).is_ok_and(|state| state.state == "connected")
    }

    /// What the room tells of a session's participant.
    pub(crate) async fn person(&self, session: &str) -> PersonReport {
        self.rooms.person(&name(), self.participant(session)).await.unwrap()
    }

    /// As an admin does.
    pub(crate) async fn remove(&self, session: &str) {
        self.rooms.remove(&name(), self.participant(session)).await.unwrap();
    }

    /// From here on the room's one rendition is so high.
    pub(crate) async fn encode_at(&self, height: Within<128, 2160>) {
        self.rooms.put_room(&name(), spec(height), Precondition::None).await.unwrap();
    }

    /// How often somebody came from one encoder to another.
    pub(crate) fn switches(&self) -> u64 {
        self.metrics.video_switches.get()
    }

    fn participant(&self, session: &str) -> ParticipantId {
        let id = self.peers.state(session).unwrap().participant;
        ParticipantId(id.strip_prefix('p').unwrap().parse().unwrap())
    }

    pub(crate) fn dropped(&self, reason: &'static str) -> u64 {
        self.metrics.dropped.get_or_create(&ByReason { reason }).get()
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

/// A small room with one rendition.
fn spec(height: Within<128, 2160>) -> RoomSpec {
    let canvas = CanvasSpec { width: Within::of(320), height: Within::of(180), ..CanvasSpec::default() };
    let (name, fps) = ("only".parse().unwrap(), Within::of(30));
    let rendition = RenditionSpec { name, height, fps, max_bps: Within::of(500_000), min_bps: Within::of(100_000) };
    RoomSpec { canvas, renditions: vec![rendition], ..RoomSpec::default() }
}

fn name() -> RoomName {
    "room".parse().unwrap()
}
