//! One live room: its driver, compositor and encoders, and the people in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::seat::Leaver;
use super::stage::{Canvases, PictureBook, RoomStage};
use super::{RoomSummary, Rooms, RoomsSettings, Seat, Wish};
use crate::codec::VideoSettings;
use crate::egress::{AudioEgress, VideoEgress};
use crate::ingest::{AudioIntake, Pool, VideoIntake};
use crate::media::{Canvas, Clock, ParticipantId, RoomName};
use crate::metrics::Metrics;
use crate::room::{Command, Driver, Joining, Source};

/// A room that somebody is in. Dropping it ends its threads, the driver first.
#[derive(Debug)]
pub(super) struct Live {
    name: RoomName,
    driver: Driver,
    canvases: Canvases,
    pictures: Arc<PictureBook>,
    video: Arc<VideoEgress>,
    audio: Arc<AudioEgress>,
    pool: Arc<Pool>,
    metrics: Metrics,
    last_id: AtomicU32,
    sessions: AtomicUsize,
    people: AtomicUsize,
}

impl Live {
    pub(super) fn start(name: RoomName, settings: &RoomsSettings, pool: Arc<Pool>, clock: Clock, metrics: Metrics) -> Self {
        let canvas = Canvas::default();
        let rendition = VideoSettings { width: canvas.width, height: canvas.height, fps: canvas.fps, bitrate_bps: 2_500_000 };
        let video = Arc::new(VideoEgress::start(rendition, clock, metrics.clone()));
        let audio = Arc::new(AudioEgress::start(clock, metrics.clone()));
        let pictures = Arc::new(PictureBook::default());
        let canvases = Canvases::start(&name, settings, pictures.clone(), video.clone(), clock, metrics.clone());
        let stage = RoomStage::new(canvases.scenes(), audio.clone(), metrics.clone());
        // The driver's thread logs in the span that it is started in.
        let driver = tracing::info_span!("room", room = %name)
            .in_scope(|| Driver::start(crate::room::RoomSettings::default(), clock, metrics.clone(), Box::new(stage)));
        let (last_id, sessions, people) = Default::default();
        Self { name, driver, canvases, pictures, video, audio, pool, metrics, last_id, sessions, people }
    }

    pub(super) fn name(&self) -> &RoomName {
        &self.name
    }

    /// One more session; called with the directory locked.
    pub(super) fn count_in(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    /// One session fewer; how many are left. Called with the directory locked.
    pub(super) fn count_out(&self) -> usize {
        self.sessions.fetch_sub(1, Ordering::Relaxed) - 1
    }

    pub(super) fn seat(self: &Arc<Self>, rooms: &Arc<Rooms>, wish: Wish) -> Seat {
        let participant = ParticipantId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
        let takes_part = wish.takes_part();
        let _leaver = Leaver { rooms: Arc::downgrade(rooms), live: Some(self.clone()), participant, takes_part };
        let (mut video_in, mut feedback) = (None, None);
        if wish.sends_video {
            let (intake, newest, asks) = VideoIntake::open(&self.pool, self.metrics.clone());
            self.pictures.enter(participant, newest);
            (video_in, feedback) = (Some(intake), Some(asks));
        }
        let (audio_in, sound) = match wish.sends_audio.then(|| AudioIntake::open(self.metrics.clone())) {
            Some((intake, sound)) => (Some(intake), Some(sound)),
            None => (None, None),
        };
        if takes_part {
            let name = if wish.name.is_empty() { format!("Guest {}", participant.0) } else { wish.name };
            self.people.fetch_add(1, Ordering::Relaxed);
            self.driver.send(Command::Join(Joining { id: participant, name: name.into(), source: Source::Camera, sound, picture: None }));
        }
        let video_out = wish.receives_video.then(|| self.video.subscribe());
        let audio_out = wish.receives_audio.then(|| self.audio.subscribe(takes_part.then_some(participant)));
        let dismissed = tokio::sync::watch::channel(false).1;
        Seat {
            dismissed,
            participant,
            room: self.name.clone(),
            video_in,
            audio_in,
            feedback,
            video_out,
            audio_out,
            traffic: Arc::default(),
            _leaver,
        }
    }

    pub(super) fn depart(&self, participant: ParticipantId) {
        self.people.fetch_sub(1, Ordering::Relaxed);
        self.driver.send(Command::Leave(participant));
        self.pictures.leave(participant);
    }

    pub(super) fn canvas(&self) -> Option<Arc<crate::media::Frame>> {
        self.canvases.newest().map(|composite| composite.frame)
    }

    pub(super) fn summary(&self) -> RoomSummary {
        let (participants, sessions) = (self.people.load(Ordering::Relaxed), self.sessions.load(Ordering::Relaxed));
        RoomSummary { name: self.name.to_string(), participants, sessions, kept: false, locked: false }
    }
}

/// Ends a room's threads away from whoever dropped the last seat, who may be an async task.
pub(super) fn end(live: Arc<Live>, listed: Option<Arc<Live>>) {
    let spawned = std::thread::Builder::new().name("room-end".into()).spawn(move || drop((live, listed)));
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread to end a room on; it was ended in place");
    }
}
