//! A receiver: reports on what came (TWCC), asks for what it lacks, puts pictures together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Back, What};

/// How often it reports.
const REPORT_MS: u64 = 100;
/// How often it asks for one packet, and how long it goes without being answered.
const TRIES: u32 = 5;
const AGAIN_MS: u64 = 70;
/// Stuck for longer it asks for a keyframe.
const STUCK_MS: u64 = 500;

#[derive(Default)]
pub(super) struct Receiver {
    /// When each sound left and came.
    pub(super) sounds: Vec<(u64, u64)>,
    /// Packets asked for, each time.
    pub(super) asked: usize,
    arrivals: BTreeMap<u64, i64>,
    reported: u64,
    newest_number: u64,
    next_sequence: Option<u64>,
    /// When each was missed or asked for, and how often.
    lacking: BTreeMap<u64, (u64, u32)>,
    pictures: BTreeMap<u64, Picture>,
    /// The newest that was shown, and when each was.
    last: Option<u64>,
    shown: Vec<u64>,
    asked_keyframe: u64,
}

#[derive(Default)]
struct Picture {
    keyframe: bool,
    count: u64,
    came: BTreeSet<u64>,
}

impl Receiver {
    pub(super) fn shown(&self) -> Vec<u64> {
        self.shown.clone()
    }

    pub(super) fn take(&mut self, ms: u64, number: u16, what: What, payload: &[u8], left: u64) {
        let number = unwrapped(number, self.newest_number);
        self.newest_number = self.newest_number.max(number);
        self.arrivals.insert(number, 1000 * ms as i64 + 123_456_789);
        if what == What::Sound {
            return self.sounds.push((left, ms));
        }
        let sequence = unwrapped(u16::from_be_bytes([payload[0], payload[1]]), self.next_sequence.unwrap_or(65_534));
        let next = self.next_sequence.unwrap_or(sequence);
        (next..sequence).for_each(|lost| _ = self.lacking.insert(lost, (ms, 0)));
        self.next_sequence = Some(next.max(sequence + 1));
        self.lacking.remove(&sequence);
        self.take_piece(ms, &payload[2..]);
    }

    fn take_piece(&mut self, ms: u64, payload: &[u8]) {
        let field = |n: usize| u64::from_be_bytes(payload[8 * n..8 * n + 8].try_into().unwrap());
        if self.last.is_some_and(|last| field(0) <= last) {
            return;
        }
        let picture = self.pictures.entry(field(0)).or_default();
        (picture.keyframe, picture.count) = (field(1) == 1, field(3));
        picture.came.insert(field(2));
        self.show(ms);
    }

    /// In order, or from a keyframe on.
    fn show(&mut self, ms: u64) {
        loop {
            let whole = |picture: &Picture| picture.came.len() as u64 == picture.count;
            let mut next = self
                .pictures
                .iter()
                .filter(|(number, picture)| whole(picture) && (picture.keyframe || self.last.is_some_and(|last| last + 1 == **number)));
            let Some((&number, _)) = next.next() else { return };
            self.last = Some(number);
            self.shown.push(ms);
            self.pictures = self.pictures.split_off(&(number + 1));
        }
    }

    pub(super) fn send(&mut self, ms: u64) -> Vec<Back> {
        let mut back = Vec::new();
        if ms % REPORT_MS == 0 && self.newest_number >= self.reported && !self.arrivals.is_empty() {
            let first = self.reported.min(*self.arrivals.keys().next().unwrap());
            let named = (first..=self.newest_number).map(|number| (number as u16, self.arrivals.get(&number).copied()));
            back.push(Back::Feedback(named.collect()));
            self.reported = self.newest_number + 1;
            self.arrivals.clear();
        }
        let due = |(at, tries): &(u64, u32)| if *tries == 0 { ms >= at + 5 } else { ms >= at + AGAIN_MS };
        let asked: Vec<u64> = self.lacking.iter().filter(|(_, asked)| due(asked)).map(|(sequence, _)| *sequence).collect();
        for sequence in &asked {
            let (_, tries) = self.lacking[sequence];
            self.lacking.insert(*sequence, (ms, tries + 1));
            if tries == TRIES {
                self.lacking.remove(sequence);
            }
        }
        if !asked.is_empty() {
            self.asked += asked.len();
            back.push(Back::Nack(asked.into_iter().map(|sequence| sequence as u16).collect()));
        }
        let is_stuck = ms - self.shown.last().unwrap_or(&0) > STUCK_MS && !self.pictures.is_empty();
        if is_stuck && ms - self.asked_keyframe > STUCK_MS {
            self.asked_keyframe = ms;
            back.push(Back::Pli);
        }
        back
    }
}

fn unwrapped(number: u16, near: u64) -> u64 {
    near.wrapping_add_signed(i64::from(number.wrapping_sub(near as u16).cast_signed()))
}
