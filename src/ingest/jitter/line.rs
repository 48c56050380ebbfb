//! A sender, the line to us and the room that pulls, all on virtual time: what the jitter buffer's tests are made of.
//!
//! In: what each packet goes through. Out: what the room heard, and how long it waited for it. Never: a codec.

use std::collections::BTreeMap;

use super::*;
use crate::ingest::stretch::Manner;

/// A 20 ms frame of SILK with in-band FEC, and one of CELT, which has none (RFC 6716 §3.1, §4.2.3).
pub(super) const WITH_FEC: &[u8] = &[0x48, 0x40, 0, 0];
pub(super) const WITHOUT_FEC: &[u8] = &[0xf8, 0, 0, 0];

/// A sender and the line to us.
pub(super) struct Line {
    pub(super) packets: Vec<Packet>,
    /// Of a packet.
    pub(super) samples: usize,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// From this tick on so many ticks are not pulled.
    pub(super) pause: Option<(usize, usize)>,
    /// What is heard is background.
    pub(super) quiet: bool,
}

#[derive(Clone)]
pub(super) struct Packet {
    pub(super) sent_us: u64,
    delay_us: i64,
    pub(super) payload: Vec<u8>,
    copies: usize,
    /// Sent at all; what is not sent takes no sequence number.
    sent: bool,
    pub(super) ssrc: u32,
    /// Sequence number and timestamp, where they do not follow from the place.
    pub(super) number: Option<(u16, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    Decoded,
    Recovered,
    Concealed,
    Idle,
}

/// What the room heard.
#[derive(Default)]
pub(super) struct Sound {
    pub(super) ticks: Vec<Tick>,
    /// Numbers of the packets decoded.
    pub(super) decoded: Vec<usize>,
    /// How long each waited, in microseconds.
    pub(super) waited: Vec<u64>,
    /// Pieces cut out, and put in.
    pub(super) cuts: usize,
    pub(super) inserts: usize,
    /// How long what arrives first waited at each tick, in samples.
    delays: Vec<i64>,
    pub(super) target: i64,
    pub(super) mishaps: Mishaps,
    /// Parts of a sample that its speed has gained.
    hurried: f64,
}

impl Line {
    pub(super) fn steady(count: usize) -> Self {
        let packet = |n: usize| Packet {
            sent_us: n as u64 * 20_000,
            delay_us: 0,
            payload: WITHOUT_FEC.into(),
            copies: 1,
            sent: true,
            ssrc: 1,
            number: None,
        };
        Self { packets: (0..count).map(packet).collect(), samples: 960, sequence: 0, timestamp: 0, pause: None, quiet: false }
    }

    fn each(mut self, mut change: impl FnMut(usize, &mut Packet)) -> Self {
        self.packets.iter_mut().enumerate().for_each(|(n, packet)| change(n, packet));
        self
    }

    pub(super) fn delayed(self, delay_us: impl Fn(usize) -> i64) -> Self {
        self.each(|n, packet| packet.delay_us = delay_us(n))
    }

    pub(super) fn payload(self, payload: &[u8]) -> Self {
        self.each(|_, packet| packet.payload = payload.into())
    }

    pub(super) fn map(mut self, n: usize, payload: &[u8]) -> Self {
        self.packets[n].payload = payload.into();
        self
    }

    pub(super) fn without(self, lost: impl Fn(usize) -> bool) -> Self {
        self.each(|n, packet| packet.copies = if lost(n) { 0 } else { packet.copies })
    }

    pub(super) fn doubled(self, doubled: impl Fn(usize) -> bool) -> Self {
        self.each(|n, packet| packet.copies += packet.copies * usize::from(doubled(n)))
    }

    pub(super) fn filtered(self, sent: impl Fn(usize) -> bool) -> Self {
        self.each(|n, packet| packet.sent = sent(n))
    }

    /// Arrivals in order, each with the packet's number.
    fn arrivals(&self) -> Vec<(u64, usize, RtpPacket)> {
        let mut arrivals = Vec::new();
        let mut sequence = self.sequence;
        for (n, packet) in self.packets.iter().enumerate().filter(|(_, packet)| packet.sent) {
            let timestamp = self.timestamp.wrapping_add((n * self.samples) as u32);
            let (number, timestamp) = packet.number.unwrap_or((sequence, timestamp));
            sequence = number.wrapping_add(1);
            let at_us = (packet.sent_us as i64 + packet.delay_us).max(0) as u64;
            let rtp = RtpPacket {
                sequence: number,
                timestamp,
                marker: false,
                ssrc: packet.ssrc,
                layer: 0,
                resent: false,
                payload: packet.payload.clone().into(),
                arrival: MediaTime::from_nanos(at_us * 1000),
            };
            arrivals.extend((0..packet.copies as u64).map(|copy| (at_us + 100 * copy, n, rtp.clone())));
        }
        arrivals.sort_by_key(|(at, ..)| *at);
        arrivals
    }

    /// Pulls `ticks` blocks, the first at `phase_us`.
    pub(super) fn pulled(self, phase_us: u64, ticks: usize) -> Sound {
        let mut arrivals = self.arrivals().into_iter().peekable();
        let (mut buffer, mut sound, mut buffered) = (JitterBuffer::default(), Sound::default(), 0);
        let mut payloads = Payloads::default();
        for tick in 0..ticks {
            let now_us = phase_us + tick as u64 * 20_000;
            while let Some((at, n, packet)) = arrivals.next_if(|(at, ..)| *at <= now_us) {
                buffer.push(payloads.tag(n, at, packet));
            }
            if self.pause.is_some_and(|(from, count)| (from..from + count).contains(&tick)) {
                continue;
            }
            sound.pull(&mut buffer, &mut buffered, &payloads, (now_us, self.quiet));
        }
        sound.target = buffer.target(MediaTime::from_nanos((phase_us + ticks as u64 * 20_000) * 1000));
        sound
    }
}

/// Tells packets apart by where their payload lies in memory.
#[derive(Default)]
struct Payloads(BTreeMap<*const u8, (usize, u64, Bytes)>);

impl Payloads {
    fn tag(&mut self, n: usize, at_us: u64, packet: RtpPacket) -> RtpPacket {
        let payload = packet.payload.clone();
        self.0.entry(payload.as_ptr()).or_insert((n, at_us, payload));
        packet
    }
}

impl Sound {
    fn pull(&mut self, buffer: &mut JitterBuffer, buffered: &mut usize, payloads: &Payloads, (now_us, quiet): (u64, bool)) {
        let now = MediaTime::from_nanos(now_us * 1000);
        let piece = buffer.advise(now, *buffered, quiet, None);
        self.hurried += f64::from(buffer.ppm()) * 960e-6;
        let hurry = self.hurried.floor();
        self.hurried -= hurry;
        let block = (960 + hurry as i64) as usize;
        let want = block + if let Piece::Cut(most, _) = piece { most } else { 0 };
        let mut heard = if *buffered > 0 { Tick::Decoded } else { Tick::Idle };
        while *buffered < want {
            let (samples, tick) = match buffer.next(now) {
                Step::Decode(payload) => {
                    let (n, at, _) = payloads.0[&payload.as_ptr()];
                    self.decoded.push(n);
                    self.waited.push(now_us + *buffered as u64 * 1000 / 48 - at);
                    (opus::packet_samples(&payload).unwrap(), Tick::Decoded)
                }
                Step::Last(payload) => (opus::packet_samples(&payload).unwrap(), Tick::Idle),
                Step::Recover { samples, .. } => (samples, Tick::Recovered),
                Step::Conceal { samples, .. } => (samples, Tick::Concealed),
                Step::Idle => (960, Tick::Idle),
            };
            assert!(samples > 0);
            *buffered += samples;
            heard = worse(heard, tick);
        }
        self.reshape(piece, buffered, heard);
        *buffered -= block;
        self.ticks.push(heard);
        self.delays.extend(buffer.delay(now, *buffered));
        let new = buffer.mishaps();
        self.mishaps.lost += new.lost;
        self.mishaps.late += new.late;
        self.mishaps.behind += new.behind;
        self.mishaps.malformed += new.malformed;
    }

    /// A voice of 140 Hz loses or gains a period; silence as much as it may.
    fn reshape(&mut self, piece: Piece, buffered: &mut usize, heard: Tick) {
        let period = |most: usize, manner| if manner == Manner::Quiet { most } else { most / 343 * 343 };
        match piece {
            _ if heard != Tick::Decoded => {}
            Piece::Keep => {}
            Piece::Cut(most, manner) => {
                *buffered -= period(most, manner);
                self.cuts += usize::from(period(most, manner) > 0);
            }
            Piece::Insert(most, manner) => {
                *buffered += period(most, manner);
                self.inserts += usize::from(period(most, manner) > 0);
            }
        }
    }

    pub(super) fn count(&self, which: Tick) -> usize {
        self.ticks.iter().filter(|tick| **tick == which).count()
    }

    pub(super) fn concealed(&self) -> usize {
        self.count(Tick::Concealed)
    }

    /// The least and the most that what arrived first waited, in milliseconds, from tick `from` on.
    pub(super) fn spread_ms(&self, from: usize) -> (f64, f64) {
        let delays = || self.delays[from..].iter().map(|delay| *delay as f64 / MILLISECOND as f64);
        (delays().fold(f64::MAX, f64::min), delays().fold(f64::MIN, f64::max))
    }

    /// How long what arrived first waited on average, in milliseconds.
    pub(super) fn mean_delay_ms(&self) -> f64 {
        self.delays.iter().map(|delay| *delay as f64 / MILLISECOND as f64).sum::<f64>() / self.delays.len() as f64
    }

    /// How long each packet decoded waited, from packet `from` on, in microseconds.
    pub(super) fn waited_from(&self, from: usize) -> impl Iterator<Item = u64> {
        self.decoded.iter().zip(&self.waited).filter(move |(n, _)| **n >= from).map(|(_, waited)| *waited)
    }

    pub(super) fn first_decode(&self) -> usize {
        self.ticks.iter().position(|tick| *tick == Tick::Decoded).unwrap()
    }
}

fn worse(a: Tick, b: Tick) -> Tick {
    let rank = |tick| [Tick::Idle, Tick::Decoded, Tick::Recovered, Tick::Concealed].iter().position(|t| *t == tick);
    if rank(b) > rank(a) { b } else { a }
}

/// Evenly spread from −`spread_us` to +`spread_us`, the same in each run.
pub(super) fn jitter(n: usize, spread_us: i64) -> i64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
    mixed as i64 % (2 * spread_us + 1) - spread_us
}
