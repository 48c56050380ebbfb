//! Layers change under a decoder that never misses a picture.

use super::*;
use crate::ingest::layers::tests::sps;
use crate::metrics::Metrics;

const SIZES: [(u32, u32); 3] = [(1280, 720), (640, 360), (320, 180)];
const ALL: &[u8] = &[0, 1, 2];
const SMALL: Need = Need::Seen { width: 320, height: 180 };
const LARGE: Need = Need::Seen { width: 1280, height: 720 };
/// A picture each 40 ms, as often as time passes for an intake.
const PERIOD: u64 = 40;

#[test]
fn the_old_layer_goes_on_until_the_new_ones_keyframe_is_there() {
    let mut call = Call::new(SMALL);
    call.sends(ALL, 2000);
    call.keyframes.clear();
    call.need = LARGE;
    let (begun, asked) = (call.shown.len(), call.ms + PERIOD);
    call.sends(ALL, 1000);
    assert_eq!(call.keyframes, [(asked, 0)], "at once, and of the new layer");
    let shown = &call.shown[begun..];
    assert_eq!(shown.len(), 25, "a picture each period");
    assert_eq!(shown.iter().map(|shown| shown.layer).collect::<Vec<_>>(), [vec![2; 2], vec![0; 23]].concat());
    assert_eq!(shown.iter().filter(|shown| shown.keyframe).count(), 1);
    assert_eq!(call.traffic().layer.get(), Some(0.0));
}

#[test]
fn layers_that_come_up_one_after_the_other_are_taken_with_their_first_keyframe() {
    let mut call = Call::new(LARGE);
    call.sends(&[2], 400);
    call.sends(&[1, 2], 400);
    call.sends(ALL, 400);
    let layers: Vec<_> = call.shown.iter().map(|shown| shown.layer).collect();
    assert_eq!(layers, [vec![2; 10], vec![1; 10], vec![0; 10]].concat());
    assert_eq!(call.keyframes, [], "nobody was asked");
}

#[test]
fn a_layer_that_stops_is_left_within_a_second_and_a_half() {
    let mut call = Call::new(LARGE);
    call.sends(ALL, 2000);
    let last = call.shown.last().unwrap().ms;
    call.sends(&[1, 2], 3000);
    let next = call.shown.iter().find(|shown| shown.ms > last).unwrap();
    assert!(next.layer == 1 && next.keyframe && next.ms - last <= 1200, "{next:?} after {last}");
    assert_eq!(call.keyframes.len(), 1);
}

#[test]
fn who_is_not_seen_costs_nothing_and_is_back_within_300_ms() {
    let mut call = Call::new(LARGE);
    call.sends(ALL, 1000);
    call.need = Need::Unseen;
    call.sends(ALL, 2 * PERIOD);
    let (shown, before) = (call.shown.len(), call.traffic().lost());
    call.loses = Some(5);
    call.sends(ALL, 10_000);
    assert_eq!((call.shown.len() - shown, call.keyframes.len(), call.traffic().lost() - before), (0, 0, 0));
    assert_eq!((call.resends, call.traffic().layer.get()), (0, None));
    call.loses = None;
    call.need = LARGE;
    let seen = call.ms;
    call.sends(ALL, 1000);
    let back = &call.shown[shown];
    assert!(back.keyframe && back.layer == 0 && back.ms - seen <= 300, "{back:?}, seen at {seen}");
}

#[test]
fn requests_are_never_closer_than_half_a_second_however_needs_change() {
    let mut call = Call::new(SMALL);
    call.sends(ALL, 1000);
    for n in 0..100u64 {
        call.need = [LARGE, SMALL, Need::Unseen][n as usize % 3];
        call.sends(ALL, 40 * (1 + n * 7 % 60));
    }
    let closest = call.keyframes.windows(2).map(|pair| pair[1].0 - pair[0].0).min();
    assert!(call.keyframes.len() > 20 && closest >= Some(500), "{} requests, {closest:?} ms apart", call.keyframes.len());
}

#[test]
fn a_lost_keyframe_is_asked_for_again_while_the_old_layer_goes_on() {
    let mut call = Call::new(SMALL);
    call.sends(ALL, 2000);
    call.keyframes.clear();
    call.need = LARGE;
    call.deaf_until = call.ms + 300;
    let begun = call.shown.len();
    call.sends(ALL, 2000);
    assert_eq!(call.shown.len() - begun, 50);
    assert_eq!(call.keyframes.len(), 2);
    assert_eq!(call.shown.last().unwrap().layer, 0);
}

#[test]
fn a_layer_that_began_with_a_loss_is_asked_what_size_it_has() {
    let mut call = Call::new(LARGE);
    call.sends(&[2], 400);
    call.begun = [true, false, true];
    call.sends(ALL, 3000);
    assert!(call.keyframes.iter().any(|(_, layer)| *layer == 0), "{:?}", call.keyframes);
    assert_eq!(call.shown.last().unwrap().layer, 0);
}

/// One picture for the decoder.
#[derive(Debug)]
struct Shown {
    ms: u64,
    layer: u8,
    keyframe: bool,
}

/// A sender with simulcast, who answers requests for keyframes with its next picture but one.
struct Call {
    switch: Switch,
    ms: u64,
    sequence: [u16; 3],
    begun: [bool; 3],
    answers: [Option<u64>; 3],
    /// Requests before that are not heard.
    deaf_until: u64,
    /// Each of so many pictures is lost.
    loses: Option<u64>,
    need: Need,
    shown: Vec<Shown>,
    keyframes: Vec<(u64, u8)>,
    resends: usize,
}

impl Call {
    fn new(need: Need) -> Self {
        let switch = Switch::new(Counts::of(&Metrics::default()));
        let (sequence, begun, answers, shown, keyframes) = Default::default();
        Self { switch, ms: 0, sequence, begun, answers, deaf_until: 0, loses: None, need, shown, keyframes, resends: 0 }
    }

    fn traffic(&self) -> &crate::media::Traffic {
        &self.switch.counts.traffic
    }

    fn sends(&mut self, layers: &[u8], ms: u64) {
        for _ in 0..ms / PERIOD {
            self.ms += PERIOD;
            let now = MediaTime::from_millis(self.ms);
            layers.iter().for_each(|layer| self.picture(*layer, now));
            self.switch.choose(now, self.need, true);
            self.ask(now);
        }
    }

    fn picture(&mut self, layer: u8, arrival: MediaTime) {
        let at = usize::from(layer);
        let begins = !std::mem::replace(&mut self.begun[at], true);
        let keyframe = begins || self.answers[at].take_if(|due| *due <= self.ms).is_some();
        let payloads = if keyframe { keyframe_of(layer) } else { vec![Bytes::from(vec![0x41, 0x9a, layer])] };
        let last = payloads.len() - 1;
        for (n, payload) in payloads.into_iter().enumerate() {
            self.sequence[at] += 1;
            let (sequence, timestamp, ssrc) = (self.sequence[at], self.ms as u32 * 90, 70 + u32::from(layer));
            let packet = RtpPacket { sequence, timestamp, marker: n == last, ssrc, layer, resent: false, payload, arrival };
            if self.loses.is_none_or(|each| !(self.ms / PERIOD).is_multiple_of(each)) {
                self.take(packet);
            }
        }
    }

    fn take(&mut self, packet: RtpPacket) {
        let now = packet.arrival;
        if self.switch.note(&packet) {
            self.switch.choose(now, self.need, true);
        }
        self.switch.push(packet);
        while let Some(unit) = self.switch.poll(now) {
            self.shown.push(Shown { ms: self.ms, layer: *unit.annex_b.last().unwrap(), keyframe: unit.keyframe });
        }
    }

    fn ask(&mut self, now: MediaTime) {
        while let Some(wish) = self.switch.wish(now, false) {
            match wish {
                Feedback::KeyframeNeeded { layer } => {
                    self.keyframes.push((self.ms, layer));
                    let heard = self.ms >= self.deaf_until;
                    self.answers[usize::from(layer)] = heard.then_some(self.ms + 2 * PERIOD);
                }
                Feedback::Resend { .. } => self.resends += 1,
                Feedback::Limit { .. } => {}
            }
        }
    }
}

/// Parameter sets in a STAP-A, and an IDR picture.
fn keyframe_of(layer: u8) -> Vec<Bytes> {
    let (sps, pps) = (sps(SIZES[usize::from(layer)]), [0x68, 0xce, 0x3c, 0x80]);
    let aggregate = [&[0x78, 0, sps.len() as u8], &sps[..], &[0, 4], &pps].concat();
    vec![aggregate.into(), Bytes::from(vec![0x65, 0x88, layer])]
}
