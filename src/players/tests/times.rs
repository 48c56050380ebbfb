//! When packets leave, and what they say of it.

use super::*;
use crate::media::{RtpPacket, SenderReport};
use crate::players::scheduler::{Due, Scheduler};

const AT: fn(u64) -> MediaTime = MediaTime::from_millis;

/// A play on virtual time: what was sent when.
fn play(score: &mut Score, scheduler: &mut Scheduler, mut now: MediaTime, until: MediaTime) -> Vec<(MediaTime, Due)> {
    let mut sent = Vec::new();
    while now < until {
        while scheduler.wants() {
            match score.next().unwrap() {
                Some(cue) => scheduler.queue(cue),
                None => scheduler.complete(),
            }
        }
        while let Some(due) = scheduler.advance(now) {
            sent.push((now, due));
        }
        if scheduler.is_over(now) {
            break;
        }
        now = scheduler.next_deadline().filter(|next| *next > now).expect("something is to come");
    }
    sent
}

fn sounds(sent: &[(MediaTime, Due)]) -> Vec<(MediaTime, &RtpPacket)> {
    sent.iter().filter_map(|(at, due)| if let Due::Sound(packet) = due { Some((*at, packet)) } else { None }).collect()
}

fn pictures(sent: &[(MediaTime, Due)]) -> Vec<(MediaTime, &[RtpPacket])> {
    sent.iter().filter_map(|(at, due)| if let Due::Picture(packets) = due { Some((*at, packets.as_slice())) } else { None }).collect()
}

fn report(sent: &[(MediaTime, Due)], of_pictures: bool) -> SenderReport {
    let found = sent.iter().find_map(|(_, due)| match due {
        Due::PictureReport(report) if of_pictures => Some(*report),
        Due::SoundReport(report) if !of_pictures => Some(*report),
        _ => None,
    });
    found.unwrap()
}

/// What a report makes of an RTP time, in seconds.
fn wall(report: SenderReport, rtp: u32, clock: f64) -> f64 {
    report.ntp as f64 / 2f64.powi(32) + f64::from(rtp.wrapping_sub(report.rtp) as i32) / clock
}

#[test]
fn every_packet_leaves_at_its_time_and_is_numbered_and_timed_without_a_gap_over_the_seams() {
    let tape = Tape::default().with_pictures(30, 30, [120, 90, 160]).with_samples(1000.0, 47_000);
    let sent = play(&mut tape.score(Passes::Endless), &mut Scheduler::default(), AT(1234), AT(11_234));
    let sounds = sounds(&sent);
    assert!(sounds.len() >= 499, "{}", sounds.len());
    for (n, (at, packet)) in sounds.iter().enumerate() {
        assert_eq!((packet.sequence, packet.arrival, *at), (n as u16, *at, AT(1234 + 20 * n as u64)));
        assert_eq!(packet.timestamp.wrapping_sub(sounds[0].1.timestamp), 960 * n as u32);
        assert_eq!(packet.marker, n == 0, "a talk spurt begins once");
    }
    let numbers: Vec<u16> = pictures(&sent).iter().flat_map(|(_, packets)| packets.iter().map(|packet| packet.sequence)).collect();
    assert!(numbers.iter().enumerate().all(|(n, sequence)| *sequence == n as u16));
    for (at, packets) in pictures(&sent) {
        assert!(packets.iter().all(|packet| packet.timestamp == packets[0].timestamp && packet.arrival == at));
        assert!(packets.iter().rev().skip(1).all(|packet| !packet.marker) && packets.last().unwrap().marker);
    }
}

#[test]
fn picture_and_sound_of_one_moment_have_one_time_by_their_reports() {
    let tape = Tape::default().with_pictures(50, 25, [120, 90, 160]).with_opus(440.0, 100);
    let sent = play(&mut tape.score(Passes::Endless), &mut Scheduler::default(), MediaTime::from_nanos(987_654_321), AT(9000));
    let (picture_report, sound_report) = (report(&sent, true), report(&sent, false));
    let (pictures, sounds) = (pictures(&sent), sounds(&sent));
    for (n, (at, packets)) in pictures.iter().enumerate() {
        let (sound_at, sound) = sounds[2 * n];
        assert_eq!(*at, sound_at);
        let skew = wall(picture_report, packets[0].timestamp, 90_000.0) - wall(sound_report, sound.timestamp, 48_000.0);
        assert!(skew.abs() < 50e-6, "{n}: {skew}");
    }
    let reports = sent.iter().filter(|(_, due)| matches!(due, Due::PictureReport(_))).count();
    assert_eq!(reports, 9, "one a second");
}

#[test]
fn a_play_that_was_held_up_goes_on_from_where_it_was_with_both_media() {
    let tape = Tape::default().with_pictures(100, 25, [120, 90, 160]).with_opus(440.0, 200);
    let (mut score, mut scheduler) = (tape.score(Passes::One), Scheduler::default());
    let before = play(&mut score, &mut scheduler, AT(0), AT(1000));
    let after = play(&mut score, &mut scheduler, AT(4000), AT(60_000));
    let (last, first) = (sounds(&before).last().unwrap().1.timestamp, sounds(&after)[0].1.timestamp);
    assert_eq!((sounds(&after)[0].0, first.wrapping_sub(last) / 48), (AT(4000), 4000 - 980));
    assert_eq!(pictures(&after)[1].0.since(pictures(&after)[0].0), Duration::from_millis(40), "no rush");
    assert_eq!(sounds(&before).len() + sounds(&after).len(), 200);
    let all = sounds(&after).into_iter().chain(sounds(&before));
    assert!(all.into_iter().all(|(at, packet)| packet.timestamp == (at.as_millis() * 48) as u32));
}

#[test]
fn sound_after_a_gap_begins_a_talk_spurt_and_the_play_is_over_once_it_was_heard() {
    let mut tape = Tape::default().with_opus(440.0, 4);
    if let CodedSound::Opus { at, .. } = &mut tape.sounds[2] {
        *at = Duration::from_millis(300);
    }
    let mut scheduler = Scheduler::default();
    let sent = play(&mut tape.score(Passes::One), &mut scheduler, AT(0), AT(5000));
    let sounds = sounds(&sent);
    assert_eq!(sounds.iter().map(|(at, _)| at.as_millis()).collect::<Vec<_>>(), [0, 20, 300, 320]);
    assert_eq!(sounds.iter().map(|(_, packet)| packet.marker).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(!scheduler.is_over(AT(700)) && scheduler.is_over(AT(740)));
    assert_eq!(scheduler.position(), Duration::from_millis(320));
}

#[test]
fn what_waits_is_bounded_however_much_there_is() {
    let tape = Tape::default().with_opus(440.0, 500);
    let (mut score, mut scheduler, mut queued) = (tape.score(Passes::Endless), Scheduler::default(), 0);
    while scheduler.wants() {
        scheduler.queue(score.next().unwrap().unwrap());
        queued += 1;
    }
    assert_eq!(queued, 26);
}

#[test]
fn large_pictures_wait_in_no_more_memory_than_may_and_are_played_all_the_same() {
    let (mut scheduler, mut queued) = (Scheduler::default(), 0);
    while scheduler.wants() && queued < 100 {
        let what = What::Picture(vec![vec![0; 1 << 20].into()]);
        scheduler.queue(Cue { at: Duration::from_millis(queued), position: Duration::ZERO, what });
        queued += 1;
    }
    assert_eq!(queued, 8);
    assert!(matches!(scheduler.advance(AT(1000)), Some(Due::Picture(_))));
    assert!(scheduler.wants());
}

#[test]
fn a_file_of_which_nothing_is_to_be_heard_for_an_hour_begins_with_what_comes_first_however_young_the_server_is() {
    let mut tape = Tape::default().with_opus(440.0, 30);
    for sound in &mut tape.sounds {
        if let CodedSound::Opus { at, .. } = sound {
            *at += Duration::from_secs(3600);
        }
    }
    let sent = play(&mut tape.score(Passes::One), &mut Scheduler::default(), AT(1000), AT(5000));
    let times: Vec<_> = sounds(&sent).iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(times, (0..30).map(|n| 1000 + 20 * n).collect::<Vec<_>>());
}
