//! Who overhears a room hears everybody, from whenever they come, and nobody who overhears no more is heard of.

use super::*;
use crate::ingest::Coded;
use crate::media::{MediaTime, RtpPacket};

fn speak(seat: &mut Seat, sequence: u16) {
    let payload = Bytes::from_static(&[0xf8, 1, 2]);
    let arrival = MediaTime::from_millis(20 * u64::from(sequence));
    let timestamp = u32::from(sequence) * 960;
    let packet = RtpPacket { sequence, timestamp, marker: false, ssrc: 7, layer: 0, resent: false, payload, arrival };
    seat.audio_in.as_mut().unwrap().push(packet);
}

fn heard(overhearing: &mut Overhearing) -> Vec<(ParticipantId, u16)> {
    let sequence = |coded| if let Coded::Sound(packet) = coded { packet.sequence } else { panic!("{coded:?}") };
    std::iter::from_fn(|| overhearing.heard.take()).map(|overheard| (overheard.from, sequence(overheard.coded))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_overheard_from_when_they_come_and_known_after_they_have_gone() {
    let rooms = rooms().await;
    let mut ann = rooms.join(&room("a"), person("Ann")).unwrap();
    speak(&mut ann, 1);
    let mut overhearing = rooms.overhear(&room("a")).await.unwrap();
    assert_eq!(overhearing.status.people.keys().copied().collect::<Vec<_>>(), [id(&ann)]);
    let mut ben = rooms.join(&room("a"), Wish { sends_video: false, ..person("Ben") }).unwrap();
    speak(&mut ann, 2);
    speak(&mut ben, 3);
    let (a, b) = (id(&ann), id(&ben));
    drop(ben);
    until(&mut overhearing.events, "left").await;
    assert_eq!(heard(&mut overhearing), [(a, 2), (b, 3)]);
    let (ann_there, ben_there) = (overhearing.person(a).unwrap(), overhearing.person(b).unwrap());
    assert_eq!((ann_there.video.is_some(), ben_there.video.is_some(), ben_there.audio.is_some()), (true, false, true));
    overhearing.forget(b);
    assert!(overhearing.person(b).is_none() && overhearing.person(ParticipantId(99)).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_overhears_is_seen_by_nobody_and_keeps_the_room_alone() {
    let rooms = rooms().await;
    let ann = rooms.join(&room("a"), person("Ann")).unwrap();
    let overhearing = rooms.overhear(&room("a")).await.unwrap();
    let (report, _) = rooms.room(&room("a")).await.unwrap();
    assert_eq!((report.sessions, report.participants.len(), report.viewers.len(), report.video_encoders), (1, 1, 0, 0));
    drop(ann);
    assert!(rooms.exists(&room("a")) && !rooms.has_people(&room("a")));
    drop(overhearing);
    assert!(!rooms.exists(&room("a")));
    assert_eq!(rooms.overhear(&room("a")).await.unwrap_err(), JoinError::NoSuchRoom(room("a")));
}
