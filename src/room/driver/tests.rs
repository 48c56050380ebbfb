//! A room in real time: what it is told takes effect, and is told of.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;
use crate::media::{Block, Heard, MixSet, ParticipantId, Scene, SoundSource, Source, ViewName};
use crate::room::{Change, Joining, Routes, SceneKey};

/// What a stage is given.
enum Given {
    Due(Due),
    Routes(Arc<Routes>),
    Event(Event),
}

/// Passes on what it is given; what nobody takes in time is given up.
struct Watched(SyncSender<Given>);

impl Stage for Watched {
    fn routes(&mut self, routes: Arc<Routes>) {
        let _ = self.0.try_send(Given::Routes(routes));
    }

    fn scene(&mut self, key: &SceneKey, scene: Scene) {
        let _ = self.0.try_send(Given::Due(Due::Scene(key.clone(), scene)));
    }

    fn mixes(&mut self, mixes: MixSet) {
        let _ = self.0.try_send(Given::Due(Due::Mixes(mixes)));
    }

    fn event(&mut self, _at: MediaTime, event: &Event) {
        let _ = self.0.try_send(Given::Event(event.clone()));
    }
}

struct Constant;

impl SoundSource for Constant {
    fn pull(&mut self, _now: MediaTime, into: &mut Block) -> Heard {
        into.0.fill(0.25);
        Heard::Decoded
    }
}

fn start(metrics: &Metrics) -> (Driver, Receiver<Given>) {
    let (sender, watched) = sync_channel(1000);
    let driver = Driver::start(RoomSettings::default(), Clock::new(), metrics.clone(), Box::new(Watched(sender)));
    (driver, watched)
}

fn join(id: u32) -> Command {
    let sound: Option<Box<dyn SoundSource>> = Some(Box::new(Constant));
    let source = crate::room::Source::Camera;
    Command::Join(Joining { id: ParticipantId(id), name: format!("P{id}").into(), source, sound, picture: None })
}

fn rename(id: u32, name: &str) -> Command {
    Command::Change(ParticipantId(id), Change { name: Some(name.into()), ..Change::default() })
}

fn audio_ticks(metrics: &Metrics) -> u64 {
    metrics.ticks.get_or_create(&ByMedia { media: Media::Audio }).get()
}

#[test]
fn a_command_takes_effect_while_the_room_runs() {
    let (driver, watched) = start(&Metrics::default());
    driver.send(join(1));
    driver.send(Command::Watch(ParticipantId(1), ViewName::main()));
    let heard = |given: Given| matches!(given, Given::Due(Due::Mixes(mixes)) if mixes.listeners.0[959] == 0.25);
    assert!(watched.iter().any(heard));
    let seen = |given: Given| matches!(given, Given::Due(Due::Scene(_, scene)) if scene.cells[0].source != Source::Slate);
    assert!(watched.iter().any(seen));
}

#[test]
fn routes_come_before_the_first_scene_of_a_key() {
    let (driver, watched) = start(&Metrics::default());
    driver.send(Command::Watch(ParticipantId(7), ViewName::main()));
    let mut given = watched.iter();
    let routes = given.find_map(|given| match given {
        Given::Routes(routes) => Some(routes),
        Given::Due(Due::Scene(..)) => panic!("a scene for nobody"),
        _ => None,
    });
    let key = SceneKey { view: ViewName::main(), without: None };
    assert_eq!(routes.unwrap().get(&ParticipantId(7)), Some(&key));
    assert!(given.any(|given| matches!(given, Given::Due(Due::Scene(of, _)) if of == key)));
}

#[tokio::test]
async fn whoever_asks_is_told_the_room_as_it_is_then() {
    let (driver, watched) = start(&Metrics::default());
    driver.ask(join(1)).await.unwrap();
    // The first of the two is replaced while it waits, or handled before: it is answered in either case.
    let (first, second) = tokio::join!(driver.ask(rename(1, "Ada")), driver.ask(rename(1, "Grace")));
    assert!(first.is_some());
    let status = second.unwrap();
    assert_eq!((&*status.people[&ParticipantId(1)].name, status.handled), ("Grace", 3));
    assert_eq!(status.views[&ViewName::main()].cells[0].participant, Some(ParticipantId(1)));
    assert!(driver.status().at >= status.at);
    let renamed = |given: Given| matches!(given, Given::Event(Event::Changed(ParticipantId(1), change)) if change.name.is_some());
    assert!(watched.iter().any(renamed));
}

#[test]
fn ticks_are_counted_and_lie_a_period_apart() {
    let metrics = Metrics::default();
    let (driver, watched) = start(&metrics);
    let mixes = watched.iter().filter_map(|given| if let Given::Due(Due::Mixes(mixes)) = given { Some(mixes.at) } else { None });
    let at: Vec<_> = mixes.take(5).collect();
    drop(driver);
    assert!(at.windows(2).all(|pair| pair[1] == pair[0] + BLOCK_PERIOD), "{at:?}");
    assert!(audio_ticks(&metrics) >= 5);
}

#[test]
fn dropping_it_ends_its_thread() {
    let (driver, watched) = start(&Metrics::default());
    drop(driver);
    // The stage, and with it the sender, went with the thread.
    assert!(watched.iter().count() < 1000);
}
