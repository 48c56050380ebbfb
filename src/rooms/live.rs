//! One live room: its driver, compositor and encoders, and the people in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::demands::Demands;
use super::directory::Prepared;
use super::easel::Easel;
use super::occupants::{Admitted, Occupants, Rules};
use super::overhearing::{Overt, Wires};
use super::quality::Quality;
use super::screens::{Bounds, Screens};
use super::seat::Leaver;
use super::stage::{PictureBook, RoomStage};
use super::talk::{Talk, TalkLine};
use super::{JoinError, Received, RoomEvent, Rooms, Seat, Sent, Wish};
use crate::egress::{AudioEgress, subscription};
use crate::ingest::{AudioIntake, LipSync, Pool, VideoIntake};
use crate::layout::Layout;
use crate::media::{Clock, Frame, MediaTime, ParticipantId, RoomName, ViewName};
use crate::metrics::Metrics;
use crate::room::{Command, Driver, Joining, RoomStatus};

/// How long a view that is looked at once is drawn for the next look.
const GLANCE: Duration = Duration::from_secs(5);
/// How long those whom nobody saw may take to come back.
const COMING_BACK: Duration = Duration::from_millis(400);
/// How long a first look waits for a picture.
const FIRST_PICTURE: Duration = Duration::from_secs(1);

/// A room that somebody is in.
#[derive(Debug)]
pub(super) struct Live {
    name: RoomName,
    /// There until the drop takes them.
    threads: Option<Threads>,
    pub(super) screens: Arc<Screens>,
    pub(super) occupants: Arc<Occupants>,
    pub(super) wires: Wires,
    pictures: Arc<PictureBook>,
    demands: Arc<Demands>,
    pub(super) audio: Arc<AudioEgress>,
    talk: Arc<Talk>,
    pool: Arc<Pool>,
    clock: Clock,
    metrics: Metrics,
    glances: Mutex<BTreeMap<ViewName, Glance>>,
    scheduled: Mutex<BTreeMap<ViewName, Scheduled>>,
}

/// Ended in this order.
#[derive(Debug)]
struct Threads {
    driver: Driver,
    _easel: Easel,
}

/// A view that is drawn for somebody who looks at it without a session.
#[derive(Clone, Copy, Debug)]
struct Glance {
    /// A receiver that nothing is sent to.
    id: ParticipantId,
    asked: MediaTime,
}

/// A layout that is stored already and comes later.
#[derive(Clone, Debug)]
struct Scheduled {
    before: Arc<Layout>,
    after: Arc<Layout>,
    at: MediaTime,
}

impl Live {
    pub(super) fn start(name: &RoomName, prepared: &Prepared, events: broadcast::Sender<Arc<RoomEvent>>, rooms: &Rooms) -> Self {
        let (clock, metrics) = (rooms.clock, rooms.metrics.clone());
        let screens = Arc::new(Screens::new(prepared.spec.named_ladder(), clock, metrics.clone()));
        let (occupants, pictures) = (Arc::<Occupants>::default(), Arc::<PictureBook>::default());
        let demands = Arc::<Demands>::default();
        let audio = Arc::new(AudioEgress::start(clock, metrics.clone()));
        let easel = Easel::start(name, &rooms.settings, pictures.clone(), screens.clone(), clock, metrics.clone());
        let talk = Arc::new(Talk::new(name.clone(), events.clone(), metrics.clone()));
        let stage = RoomStage {
            talk: talk.clone(),
            rack: easel.rack(),
            screens: screens.clone(),
            audio: audio.clone(),
            occupants: occupants.clone(),
            demands: demands.clone(),
            events,
            metrics: metrics.clone(),
            blocks: 0,
        };
        // The driver's thread logs in the span that it is started in.
        let driver = tracing::info_span!("room", room = %name)
            .in_scope(|| Driver::start(prepared.settings.clone(), clock, metrics.clone(), Box::new(stage)));
        tracing::info!(room = %name, "room opened");
        metrics.rooms.inc();
        let (threads, pool) = (Some(Threads { driver, _easel: easel }), rooms.pool.clone());
        let (wires, glances, scheduled) = Default::default();
        let name = name.clone();
        Self { name, threads, screens, occupants, wires, pictures, demands, audio, talk, pool, clock, metrics, glances, scheduled }
    }

    pub(super) fn name(&self) -> &RoomName {
        &self.name
    }

    fn driver(&self) -> &Driver {
        &self.threads.as_ref().expect("the threads are taken by the drop alone").driver
    }

    /// One more who takes a seat; called with the directory locked.
    ///
    /// # Errors
    /// Where the room's rules forbid it.
    pub(super) fn admit(&self, wish: &Wish, prepared: &Prepared) -> Result<Admitted, JoinError> {
        let most = prepared.spec.max_participants.map(|most| most.get() as usize);
        self.occupants.admit(&self.name, wish, Rules { most, unique_names: prepared.spec.unique_names })
    }

    pub(super) fn seat(self: &Arc<Self>, rooms: &Arc<Rooms>, wish: Wish, admitted: Admitted) -> Seat {
        let (participant, takes_part) = (admitted.id, wish.takes_part());
        let talk = Arc::new(TalkLine::new(&self.talk, participant, admitted.name.clone()));
        let _leaver = Leaver { rooms: Arc::downgrade(rooms), live: Some(self.clone()), participant, is_output: wish.is_output };
        let (mut video_in, mut feedback, mut picture) = (None, None, None);
        let sync = Arc::<LipSync>::default();
        if wish.sends_video {
            let (intake, newest, asks) = VideoIntake::open(&self.pool, self.metrics.clone(), sync.clone());
            self.pictures.enter(participant, newest.clone());
            self.demands.enter(participant, intake.demand());
            (video_in, feedback, picture) = (Some(intake), Some(asks), Some(newest));
        }
        let (audio_in, sound) = wish.sends_audio.then(|| AudioIntake::open(self.metrics.clone(), sync)).unzip();
        let traffic = (video_in.as_ref().map(VideoIntake::traffic), audio_in.as_ref().map(AudioIntake::traffic));
        self.occupants.receives_from(participant, traffic.0, traffic.1);
        if takes_part {
            let (video, audio) = (video_in.as_ref().map(VideoIntake::wire), audio_in.as_ref().map(AudioIntake::wire));
            self.wires.enter(participant, Overt { source: wish.source, video, audio });
            self.tell(Command::Join(Joining { id: participant, name: admitted.name, source: wish.source, sound, picture }));
        }
        let video_out = wish.receives_video.then(|| {
            let (receiver, turnout) = subscription();
            let bounds = Bounds { max_height: wish.max_height, max_fps: wish.max_fps, rendition: wish.rendition };
            self.screens.enter(participant, turnout, bounds, admitted.sent.clone());
            let view = wish.view.unwrap_or_else(ViewName::main);
            self.occupants.watches(participant, view.clone());
            self.tell(Command::Watch(participant, view));
            receiver
        });
        let audio_out = wish.receives_audio.then(|| self.audio.subscribe(takes_part.then_some(participant), admitted.sent.clone()));
        let (room, dismissed, traffic) = (self.name.clone(), admitted.dismissed, admitted.sent);
        Seat { participant, room, video_in, audio_in, feedback, video_out, audio_out, dismissed, traffic, talk, _leaver }
    }

    /// Draws a view for somebody who receives nothing.
    pub(super) fn show(&self, participant: ParticipantId, view: ViewName) {
        self.occupants.watches(participant, view.clone());
        self.tell(Command::Watch(participant, view));
    }

    pub(super) fn depart(&self, participant: ParticipantId) {
        self.tell(Command::Unwatch(participant));
        self.tell(Command::Leave(participant));
        self.screens.leave(participant);
        self.pictures.leave(participant);
        self.demands.leave(participant);
        self.wires.leave(participant);
        self.occupants.leave(participant);
    }

    fn tell(&self, command: Command) {
        self.driver().send(command);
    }

    /// Goes over to other settings. A layout that comes later still comes later.
    pub(super) fn configure(&self, prepared: &Prepared) {
        let mut settings = prepared.settings.clone();
        let mut scheduled = self.scheduled.lock();
        let now = self.clock.now();
        scheduled.retain(|view, coming| {
            let view = settings.views.get_mut(view).filter(|view| coming.at > now && view.layout == coming.after);
            view.map(|view| view.layout = coming.before.clone()).is_some()
        });
        self.screens.set_renditions(prepared.spec.named_ladder());
        self.tell(Command::Configure(settings));
        for (view, Scheduled { after, at, .. }) in scheduled.clone() {
            self.tell(Command::Arrange { view, layout: after, at: Some(at) });
        }
    }

    /// Goes over to another layout of a view at `at`; what is stored has it already.
    pub(super) fn schedule(&self, view: &ViewName, before: Arc<Layout>, after: Arc<Layout>, at: MediaTime) {
        let mut scheduled = self.scheduled.lock();
        let now = self.clock.now();
        // One that was to come and does not: until then it is as it was before that one
        let before = scheduled.remove(view).filter(|coming| coming.at > now).map_or(before, |coming| coming.before);
        scheduled.insert(view.clone(), Scheduled { before, after: after.clone(), at });
        self.tell(Command::Arrange { view: view.clone(), layout: after, at: Some(at) });
    }

    /// The room once all that it was told before this has taken effect; `None` where it has ended.
    pub(super) async fn settled(&self) -> Option<Arc<RoomStatus>> {
        // A receiver of that id is never there: it changes nothing
        self.driver().ask(Command::Unwatch(ParticipantId(0))).await
    }

    /// Tells the room something, and waits until it has taken effect; `None` where it has ended.
    pub(super) async fn ask(&self, command: Command) -> Option<Arc<RoomStatus>> {
        self.driver().ask(command).await
    }

    /// What somebody gets and why; `None` where they receive no pictures.
    pub(super) fn quality(&self, id: ParticipantId) -> Option<Quality> {
        self.screens.quality(id)
    }

    /// What comes from somebody, and what goes to them and why.
    pub(super) fn lines(&self, id: ParticipantId, now: MediaTime) -> (Received, Sent) {
        let (received, mut sent) = self.occupants.lines(id, now);
        if let Some(quality) = self.quality(id) {
            (sent.rendition, sent.why) = (quality.rendition, Some(quality.why));
        }
        (received, sent)
    }

    pub(super) fn status(&self) -> Arc<RoomStatus> {
        self.driver().status()
    }

    /// What a view's canvas shows. Where nobody watches it, it is drawn for some seconds; `None` where no picture comes in time.
    pub(super) async fn glance(self: &Arc<Self>, view: &ViewName) -> Option<Arc<Frame>> {
        if let Some(frame) = self.screens.shared(view) {
            return Some(frame);
        }
        let (id, mut drawn) = (self.keep_drawn(view), self.screens.drawn());
        let first = async {
            loop {
                if let Some(frame) = self.screens.shown_to(id) {
                    return Some(frame);
                }
                drawn.changed().await.ok()?;
            }
        };
        tokio::time::timeout(FIRST_PICTURE, first).await.ok().flatten()?;
        // Whoever nobody saw before this look is decoded again within that
        let _ = tokio::time::timeout(COMING_BACK, std::future::pending::<()>()).await;
        self.screens.shown_to(id)
    }

    /// The receiver that a view is drawn for; one a view.
    fn keep_drawn(self: &Arc<Self>, view: &ViewName) -> ParticipantId {
        let mut glances = self.glances.lock();
        let asked = self.clock.now();
        if let Some(glance) = glances.get_mut(view) {
            glance.asked = asked;
            return glance.id;
        }
        // Counted from the top: people's ids are counted from the bottom
        let id = (0..).map(|n| ParticipantId(u32::MAX - n)).find(|id| glances.values().all(|glance| glance.id != *id));
        let id = id.expect("there are fewer views than numbers");
        glances.insert(view.clone(), Glance { id, asked });
        self.tell(Command::Watch(id, view.clone()));
        tokio::spawn(end_glance(Arc::downgrade(self), view.clone()));
        id
    }

    /// Ends a view's drawing where nobody has looked for a while; whether it has ended.
    fn give_up_glance(&self, view: &ViewName) -> bool {
        let mut glances = self.glances.lock();
        let idle = glances.get(view).filter(|glance| self.clock.now().since(glance.asked) >= GLANCE).copied();
        if let Some(glance) = idle {
            glances.remove(view);
            self.tell(Command::Unwatch(glance.id));
        }
        !glances.contains_key(view)
    }
}

#[expect(clippy::disallowed_methods, reason = "a driver: it gives real time to those who look without a session")]
async fn end_glance(live: Weak<Live>, view: ViewName) {
    loop {
        tokio::time::sleep(GLANCE).await;
        let Some(live) = live.upgrade() else { return };
        if live.give_up_glance(&view) {
            return;
        }
    }
}

impl Drop for Live {
    /// The threads are ended away from whoever held the room last, who may be an async task.
    fn drop(&mut self) {
        tracing::info!(room = %self.name, "room closed");
        self.metrics.rooms.dec();
        let threads = self.threads.take();
        let spawned = std::thread::Builder::new().name("room-end".into()).spawn(move || drop(threads));
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread to end a room on; it was ended in place");
        }
    }
}
