//! Who is sent which rendition, and what encoders are to give, on lines that are told.

use super::*;
use crate::egress::{VideoSubscription, Why, subscription};
use crate::media::MediaTime;

const HIGH: Rendition = Rendition { height: 96, fps: 30, max_bps: 200_000, min_bps: 120_000 };
const LOW: Rendition = Rendition { height: 48, fps: 30, max_bps: 100_000, min_bps: 50_000 };

fn canvas() -> Canvas {
    Canvas { width: 160, height: 96, ..Canvas::default() }
}

fn ladder(renditions: &[Rendition]) -> Vec<(ShortName, Rendition)> {
    renditions.iter().map(|rendition| (format!("r{}", rendition.height).parse().unwrap(), *rendition)).collect()
}

fn screens() -> Screens {
    Screens::new(ladder(&[HIGH, LOW]), Clock::new(), Metrics::default())
}

fn key(view: &str) -> SceneKey {
    SceneKey { view: view.parse().unwrap(), without: None }
}

fn routes(all: &[(u32, &str)]) -> Arc<Routes> {
    Arc::new(all.iter().map(|(id, view)| (ParticipantId(*id), key(view))).collect())
}

fn enter(screens: &Screens, id: u32, max_height: Option<u32>) -> VideoSubscription {
    enter_on(screens, id, max_height, &Arc::default())
}

fn enter_on(screens: &Screens, id: u32, max_height: Option<u32>, traffic: &Arc<SentTraffic>) -> VideoSubscription {
    let (receiver, turnout) = subscription();
    screens.enter(ParticipantId(id), turnout, Bounds { max_height, ..Bounds::default() }, traffic.clone());
    receiver
}

/// Of a line that is probed.
fn traffic() -> Arc<SentTraffic> {
    let traffic = Arc::<SentTraffic>::default();
    traffic.probed_bytes.add(1000);
    traffic
}

/// Canvases of `main` from one tenth of a second to another.
fn draw(screens: &Screens, tenths: std::ops::Range<u64>) {
    for tenth in tenths {
        screens.offer(&key("main"), &Composite { at: MediaTime::from_millis(1000 + 100 * tenth), ..frame(160, 96) });
    }
}

fn quality(screens: &Screens, id: u32) -> (Option<String>, u32, Why) {
    let quality = screens.quality(ParticipantId(id)).unwrap();
    (quality.rendition.map(|name| name.to_string()), quality.height, quality.why)
}

fn targets(screens: &Screens) -> Vec<u32> {
    screens.loads()[0].1.iter().map(|load| load.target_bps).collect()
}

fn viewers(screens: &Screens) -> Vec<(String, Vec<usize>)> {
    let loads = screens.loads().into_iter();
    loads.map(|(key, loads)| (key.view.to_string(), loads.iter().map(|load| load.viewers).collect())).collect()
}

fn frame(width: u32, height: u32) -> Composite {
    Composite { frame: Arc::new(Frame::black(width, height)), at: MediaTime::ZERO }
}

#[test]
fn a_scene_has_encoders_from_its_first_tick_until_nobody_is_led_to_it() {
    let screens = screens();
    let _receivers = [enter(&screens, 1, None), enter(&screens, 2, Some(48)), enter(&screens, 3, None)];
    screens.route(routes(&[(1, "main"), (2, "main"), (3, "tall")]));
    assert_eq!(viewers(&screens), []);
    screens.prepare(&key("main"), canvas());
    screens.prepare(&key("tall"), canvas());
    screens.prepare(&key("nobodys"), canvas());
    assert_eq!(viewers(&screens), [("main".into(), vec![1, 1]), ("tall".into(), vec![1, 0])]);
    screens.route(routes(&[(1, "main"), (2, "main"), (3, "main")]));
    assert_eq!(viewers(&screens), [("main".into(), vec![2, 1])]);
}

#[test]
fn a_scene_is_wanted_at_the_size_of_whoever_is_sent_the_most_of_it() {
    let screens = screens();
    let _receivers = [enter(&screens, 1, Some(48)), enter(&screens, 2, Some(40)), enter(&screens, 3, Some(40))];
    screens.route(routes(&[(1, "main"), (2, "main"), (3, "tall"), (9, "glance")]));
    ["main", "tall", "glance"].iter().for_each(|view| screens.prepare(&key(view), canvas()));
    assert_eq!(screens.shares(), BTreeMap::from([(key("main"), 0.5), (key("glance"), 1.0)]));
    let _best = enter(&screens, 4, None);
    screens.route(routes(&[(1, "main"), (4, "main")]));
    assert_eq!(screens.shares(), BTreeMap::from([(key("main"), 1.0)]));
}

#[test]
fn who_can_take_none_of_the_renditions_is_sent_none() {
    let screens = screens();
    let _receiver = enter(&screens, 1, Some(40));
    screens.route(routes(&[(1, "main")]));
    screens.prepare(&key("main"), canvas());
    assert_eq!(quality(&screens, 1), (None, 0, Why::Bounds));
    assert_eq!(viewers(&screens), [("main".into(), vec![0, 0])]);
}

#[test]
fn another_canvas_or_other_renditions_turn_all_receivers_to_new_encoders() {
    let screens = screens();
    let _receiver = enter(&screens, 1, None);
    screens.route(routes(&[(1, "main")]));
    screens.prepare(&key("main"), canvas());
    screens.offer(&key("main"), &frame(160, 96));
    assert!(screens.shared(&ViewName::main()).is_some());
    screens.prepare(&key("main"), Canvas { width: 96, height: 160, ..canvas() });
    screens.offer(&key("main"), &frame(160, 96));
    assert!(screens.shared(&ViewName::main()).is_none(), "a canvas of the former size came too late");
    screens.offer(&key("main"), &frame(96, 160));
    assert!(screens.shown_to(ParticipantId(1)).is_some());
    screens.set_renditions(ladder(&[LOW]));
    screens.prepare(&key("main"), Canvas { width: 96, height: 160, ..canvas() });
    assert_eq!(viewers(&screens), [("main".into(), vec![1])]);
}

#[test]
fn a_receiver_follows_its_own_line_down_and_up_and_nobody_elses() {
    let metrics = Metrics::default();
    let screens = Screens::new(ladder(&[HIGH, LOW]), Clock::new(), metrics.clone());
    let (fast, slow) = (traffic(), traffic());
    let _receivers = [enter_on(&screens, 1, None, &fast), enter_on(&screens, 2, None, &slow)];
    screens.route(routes(&[(1, "main"), (2, "main")]));
    screens.prepare(&key("main"), canvas());
    assert_eq!(viewers(&screens), [("main".into(), vec![2, 0])], "nothing is known of either line");
    fast.estimate_bps.set(5e6);
    slow.estimate_bps.set(5e6);
    draw(&screens, 0..120);
    slow.estimate_bps.set(160e3);
    draw(&screens, 120..122);
    assert_eq!(viewers(&screens), [("main".into(), vec![1, 1])]);
    assert_eq!((quality(&screens, 1), quality(&screens, 2)), ((Some("r96".into()), 96, Why::Full), (Some("r48".into()), 48, Why::Line)));
    assert_eq!(targets(&screens), [200_000, 80_000], "an encoder gives what the slowest line of its own receivers takes");
    assert_eq!((fast.wanted_bps.get(), slow.wanted_bps.get().map(f64::round)), (None, Some(247_500.0)));
    slow.estimate_bps.set(1e6);
    draw(&screens, 122..170);
    let before = viewers(&screens);
    draw(&screens, 170..250);
    assert_eq!((before, viewers(&screens)), (vec![("main".into(), vec![1, 1])], vec![("main".into(), vec![2, 0])]));
    let moves = [Direction::Up, Direction::Down].map(|direction| metrics.rendition_moves.get_or_create(&ByDirection { direction }).get());
    assert_eq!(moves, [1, 1]);
}

#[test]
fn a_line_that_takes_sound_alone_is_sent_no_pictures_and_says_so() {
    let (screens, traffic) = (screens(), traffic());
    let _receiver = enter_on(&screens, 1, None, &traffic);
    screens.route(routes(&[(1, "main")]));
    screens.prepare(&key("main"), canvas());
    traffic.estimate_bps.set(70e3);
    draw(&screens, 0..30);
    assert_eq!((viewers(&screens), quality(&screens, 1)), (vec![("main".into(), vec![0, 0])], (None, 0, Why::SoundOnly)));
    screens.route(routes(&[(1, "main")]));
    screens.prepare(&key("main"), Canvas { fps: 15, ..canvas() });
    assert_eq!(viewers(&screens), [("main".into(), vec![0, 0])], "another canvas is no better line");
    traffic.estimate_bps.set(5e6);
    draw(&screens, 30..200);
    assert_eq!((viewers(&screens), quality(&screens, 1).2), (vec![("main".into(), vec![1, 0])], Why::Full));
}

#[test]
fn what_is_known_of_a_line_goes_with_its_receiver_from_scene_to_scene() {
    let (screens, traffic) = (screens(), traffic());
    let _receivers = [enter_on(&screens, 1, None, &traffic), enter(&screens, 2, None)];
    screens.route(routes(&[(1, "main"), (2, "tall")]));
    screens.prepare(&key("main"), canvas());
    screens.prepare(&key("tall"), canvas());
    traffic.estimate_bps.set(160e3);
    draw(&screens, 0..2);
    screens.route(routes(&[(1, "tall"), (2, "tall")]));
    assert_eq!(viewers(&screens), [("tall".into(), vec![1, 1])]);
}
