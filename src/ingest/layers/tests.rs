//! Senders with simulcast in virtual time: what is decoded while tiles change and uplinks come and go.

use bytes::Bytes;

use super::*;

const SIZES: [(u32, u32); 3] = [(1280, 720), (640, 360), (320, 180)];
const SMALL: Need = Need::Seen { width: 320, height: 180 };
const LARGE: Need = Need::Seen { width: 1280, height: 720 };

/// A sender of a picture each 40 ms.
#[derive(Default)]
struct Sender {
    layers: Layers,
    ms: u64,
    begun: [bool; 3],
}

impl Sender {
    /// Sends these layers for so long; gives what was chosen at the end, and how often that changed.
    fn sends(&mut self, layers: &[u8], ms: u64, need: Need) -> (Option<u8>, usize) {
        let (mut chosen, mut changes) = (self.layers.chosen, 0);
        for _ in 0..ms / 40 {
            self.ms += 40;
            let at = MediaTime::from_millis(self.ms);
            for layer in layers {
                let begins = !std::mem::replace(&mut self.begun[usize::from(*layer)], true);
                self.layers.note(&packet(*layer, begins, at));
            }
            let before = std::mem::replace(&mut chosen, self.layers.choose(at, need, true));
            changes += usize::from(before != chosen);
        }
        (chosen, changes)
    }
}

fn packet(layer: u8, begins: bool, arrival: MediaTime) -> RtpPacket {
    let payload = if begins { sps(SIZES[usize::from(layer)]) } else { Bytes::from_static(&[0x41, 1]) };
    RtpPacket { sequence: 0, timestamp: 0, marker: true, ssrc: u32::from(layer), layer, resent: false, payload, arrival }
}

#[test]
fn the_smallest_layer_that_fills_the_tile_is_decoded() {
    let mut sender = Sender::default();
    assert_eq!(sender.sends(&[0, 1, 2], 400, Need::Unknown).0, Some(0));
    for (height, layer) in [(700, 0), (360, 1), (396, 1), (397, 0), (180, 2), (90, 2), (1080, 0)] {
        let need = Need::Seen { width: height * 16 / 9, height };
        assert_eq!(sender.sends(&[0, 1, 2], 2000, need).0, Some(layer), "for {height} lines");
    }
    let upright = Need::Seen { width: 200, height: 640 };
    assert_eq!(sender.sends(&[0, 1, 2], 2000, upright).0, Some(0), "cropped to a tile that is higher than wide");
}

#[test]
fn a_larger_tile_is_served_at_once_and_a_smaller_one_once_it_stays() {
    let mut sender = Sender::default();
    sender.sends(&[0, 1, 2], 400, SMALL);
    assert_eq!(sender.sends(&[0, 1, 2], 40, LARGE), (Some(0), 1));
    for _ in 0..10 {
        assert_eq!(sender.sends(&[0, 1, 2], 800, SMALL), (Some(0), 0));
        sender.sends(&[0, 1, 2], 80, LARGE);
    }
    assert_eq!(sender.sends(&[0, 1, 2], 1080, SMALL), (Some(2), 1));
}

#[test]
fn a_layer_that_stops_is_left_within_a_second_and_taken_again_once_it_is_steady() {
    let mut sender = Sender::default();
    sender.sends(&[0, 1, 2], 1000, LARGE);
    assert_eq!(sender.sends(&[1, 2], 900, LARGE).0, Some(0));
    assert_eq!(sender.sends(&[1, 2], 120, LARGE), (Some(1), 1));
    // It tries again and again, and fails
    for _ in 0..5 {
        assert_eq!(sender.sends(&[0, 1, 2], 2500, LARGE), (Some(1), 0));
        assert_eq!(sender.sends(&[1, 2], 2000, LARGE), (Some(1), 0));
    }
    assert_eq!(sender.sends(&[0, 1, 2], 2800, LARGE), (Some(1), 0));
    assert_eq!(sender.sends(&[0, 1, 2], 400, LARGE), (Some(0), 1));
}

#[test]
fn a_line_that_goes_dark_changes_no_layer() {
    let mut sender = Sender::default();
    sender.sends(&[0, 1, 2], 1000, LARGE);
    sender.ms += 2000;
    assert_eq!(sender.sends(&[2], 40, LARGE), (Some(0), 0));
    assert_eq!(sender.sends(&[0, 1, 2], 5000, LARGE), (Some(0), 0));
}

#[test]
fn who_is_not_seen_is_not_decoded_but_until_there_is_a_picture() {
    let mut sender = Sender::default();
    assert_eq!(sender.sends(&[0, 1, 2], 400, Need::Unseen), (None, 0));
    let now = MediaTime::from_millis(sender.ms);
    assert_eq!(sender.layers.choose(now, Need::Unseen, false), Some(2));
    assert_eq!(sender.layers.choose(now, Need::Unseen, true), None);
    assert_eq!(sender.sends(&[0, 1, 2], 40, LARGE), (Some(0), 1));
}

#[test]
fn a_sender_may_send_all_layers_up_to_the_one_that_is_needed() {
    let mut sender = Sender::default();
    assert_eq!(sender.layers.limit(Need::Unknown), None);
    sender.sends(&[2], 400, LARGE);
    assert_eq!(sender.layers.limit(SMALL).unwrap().0, 172_800);
    sender.sends(&[1, 2], 400, LARGE);
    assert_eq!(sender.layers.limit(LARGE).unwrap().0, 172_800 + 691_200 + 2_500_000, "room for a layer that is not there yet");
    sender.sends(&[0, 1, 2], 400, LARGE);
    let limit = |need| sender.layers.limit(need).unwrap();
    assert_eq!(limit(LARGE), (172_800 + 691_200 + 2_500_000, (1280, 720)));
    assert_eq!(limit(Need::Seen { width: 500, height: 300 }), (172_800 + 691_200, (500, 300)));
    assert_eq!(limit(Need::Unseen), limit(SMALL));
}

#[test]
fn sizes_are_read_from_packets_that_begin_a_keyframe() {
    let sps = sps((640, 360));
    let mut aggregate = vec![24, 0, sps.len() as u8];
    aggregate.extend_from_slice(&sps);
    aggregate.extend_from_slice(&[0, 2, 0x68, 1]);
    assert_eq!([size_in(&sps), size_in(&aggregate), size_in(&[0x41, 7]), size_in(&[])], [Some((640, 360)), Some((640, 360)), None, None]);
    assert_eq!((0..aggregate.len()).filter(|end| size_in(&aggregate[..*end]).is_some()).count(), 4, "only once the SPS is whole");
    assert_eq!(size_in(&[24, 255, 255, 7]), None);
}

#[test]
fn a_layer_whose_size_is_not_known_is_a_stranger_beside_another() {
    let mut sender = Sender { begun: [true, false, false], ..Sender::default() };
    sender.sends(&[0], 400, LARGE);
    assert_eq!(sender.layers.stranger(), None, "the only one is decoded whatever its size");
    assert_eq!(sender.sends(&[0, 1], 400, LARGE).0, Some(1));
    assert_eq!(sender.layers.stranger(), Some(0));
}

/// A Constrained Baseline SPS for pictures of this size (ITU-T H.264 §7.3.2.1.1).
pub(in crate::ingest) fn sps((width, height): (u32, u32)) -> Bytes {
    let blocks = |side: u32| side.div_ceil(16);
    let crop = |side: u32| (blocks(side) * 16 - side) / 2;
    let mut bits = String::from("01100111010000101100000000011111");
    // Its id, the length of frame numbers, order type 2, one reference frame; no gaps
    [0, 0, 2, 1].into_iter().for_each(|value| bits.push_str(&exp_golomb(value)));
    bits.push('0');
    [blocks(width) - 1, blocks(height) - 1].into_iter().for_each(|value| bits.push_str(&exp_golomb(value)));
    // Frames only, 8×8 inference, cropped
    bits.push_str("111");
    [0, crop(width), 0, crop(height)].into_iter().for_each(|value| bits.push_str(&exp_golomb(value)));
    // No VUI, and the stop bit
    bits.push_str("01");
    bits.push_str(&"0".repeat(bits.len().next_multiple_of(8) - bits.len()));
    (0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect()
}

fn exp_golomb(value: u32) -> String {
    let code = format!("{:b}", value + 1);
    format!("{}{code}", "0".repeat(code.len() - 1))
}
