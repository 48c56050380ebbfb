//! Two stacks as bots have them, in virtual time, with a line between: how what is sent follows what the line takes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::bwe::{Bitrate, BweKind};
use str0m::media::{Direction, Frequency, MediaKind, MediaTime as RtpTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::line::counts::PayloadTypes;
use super::line::{Change, LineSettings, Loss, Passage, Rate, Schedule, Way};
use super::offer::{Sending, config, repeat_as_asked};
use super::spending::Spending;
use crate::media::{Clock, MediaTime};

const USUAL_BPS: u32 = 1_500_000;
const FRAME: Duration = Duration::from_millis(33);

struct End {
    rtc: Rtc,
    address: SocketAddr,
    out: Passage<(Vec<u8>, SocketAddr)>,
    pictures: u64,
    gaps: u64,
    connected: bool,
    estimate: Option<u64>,
}

struct Call {
    clock: Clock,
    now: MediaTime,
    ends: [End; 2],
    video: Mid,
    spending: Spending,
    frame_due: MediaTime,
}

impl End {
    fn new(mut rtc: Rtc, port: u16, schedule: Schedule) -> Self {
        let address = SocketAddr::from(([192, 0, 2, 1], port));
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self { rtc, address, out: Passage::new(schedule, port.into()), pictures: 0, gaps: 0, connected: false, estimate: None }
    }

    /// Until it wants to be woken.
    fn drain(&mut self, now: MediaTime) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(due) => return due,
                Output::Transmit(datagram) => {
                    let kind = PayloadTypes { sound: 111, red: Some(63), repair: Some(109) }.kind(&datagram.contents);
                    self.out.put((datagram.contents.to_vec(), self.address), datagram.contents.len(), kind, now);
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::MediaData(data)) => {
                    self.pictures += 1;
                    self.gaps += u64::from(!data.contiguous);
                }
                Output::Event(Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. })) => self.estimate = Some(estimate.as_u64()),
                Output::Event(_) => {}
            }
        }
    }
}

impl Call {
    fn over(line: LineSettings) -> Self {
        let clock = Clock::new();
        let [mut sender, mut receiver] = [9, 10].map(|port| {
            let schedule = if port == 9 { line.up.clone() } else { line.down.clone() };
            End::new(config(Sending::Adapting).build(clock.instant(MediaTime::ZERO)), port, schedule)
        });
        let mut changes = sender.rtc.sdp_api();
        let video = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let answer = receiver.rtc.sdp_api().accept_offer(offer).unwrap();
        sender.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        repeat_as_asked(&mut sender.rtc, video);
        sender.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(USUAL_BPS.into()));
        sender.out.lay(MediaTime::ZERO);
        receiver.out.lay(MediaTime::ZERO);
        let spending = Spending::new(USUAL_BPS);
        Self { clock, now: MediaTime::ZERO, ends: [sender, receiver], video, spending, frame_due: MediaTime::ZERO }
    }

    fn run_until(&mut self, end: Duration) {
        while self.now < MediaTime::ZERO + end {
            let now = self.now;
            let dues = [0, 1].map(|index| self.clock.at(self.ends[index].drain(now)));
            self.exchange();
            if self.ends[0].connected && self.frame_due <= now {
                self.send_picture();
            }
            let ways = self.ends.iter().filter_map(|end| end.out.due());
            // Never twice at the same time, or a timer that is due now would stop the clock.
            let next = ways.chain(dues).chain([self.frame_due]).filter(|due| *due > now).min();
            self.now = next.unwrap_or(now + FRAME).max(now + Duration::from_micros(100));
            for end in &mut self.ends {
                end.rtc.handle_input(Input::Timeout(self.clock.instant(self.now))).unwrap();
            }
        }
    }

    fn exchange(&mut self) {
        for index in [0, 1] {
            while let Some((datagram, source)) = self.ends[index].out.take(self.now) {
                let to = &mut self.ends[1 - index];
                let Ok(contents) = datagram[..].try_into() else { continue };
                let received = Receive { proto: Protocol::Udp, source, destination: to.address, contents };
                to.rtc.handle_input(Input::Receive(self.clock.instant(self.now), received)).unwrap();
                to.drain(self.now);
            }
        }
    }

    fn send_picture(&mut self) {
        self.frame_due = self.now + FRAME;
        let bps = self.spending.allow(self.ends[0].estimate.unwrap_or(0));
        if !self.spending.has_room(self.now) {
            return;
        }
        let mut unit = vec![7; (f64::from(bps) * FRAME.as_secs_f64() / 8.0) as usize];
        unit[..5].copy_from_slice(&[0, 0, 0, 1, 0x41]);
        self.spending.spend(unit.len());
        let time = RtpTime::new(self.now.as_nanos() * 9 / 100_000, Frequency::NINETY_KHZ);
        let writer = self.ends[0].rtc.writer(self.video).unwrap();
        let payload_type = writer.payload_params().next().unwrap().pt();
        writer.write(payload_type, self.clock.instant(self.now), time, unit).unwrap();
    }

    fn bps(&mut self) -> u32 {
        self.spending.allow(self.ends[0].estimate.unwrap_or(0))
    }
}

fn way(rate: Option<u64>) -> Way {
    Way { delay: Duration::from_millis(25), rate: rate.map(Rate::of), ..Way::default() }
}

#[test]
fn a_free_line_is_used_within_five_seconds() {
    let mut call = Call::over(LineSettings::both(way(None)));
    call.run_until(Duration::from_secs(5));
    assert_eq!(call.bps(), USUAL_BPS);
}

#[test]
fn pictures_follow_a_line_that_narrows_and_widens() {
    let at = Duration::from_secs;
    let then = vec![Change { at: at(15), way: way(Some(500_000)) }, Change { at: at(35), way: way(Some(3_000_000)) }];
    let mut call = Call::over(LineSettings::scheduled(Schedule { first: way(Some(3_000_000)), then, ..Schedule::default() }));
    call.run_until(at(14));
    assert_eq!(call.bps(), USUAL_BPS);
    call.run_until(at(18));
    assert!(call.bps() < 600_000, "{}", call.bps());
    call.run_until(at(34));
    assert!((200_000..600_000).contains(&call.bps()), "{}", call.bps());
    call.run_until(at(60));
    assert!(call.bps() > 1_200_000, "{}", call.bps());
}

#[test]
fn what_is_lost_is_asked_for_again_until_it_comes() {
    for (share, whole) in [(0.05, 0.995), (0.2, 0.97), (0.3, 0.95)] {
        let way = Way { loss: Loss::Random(share), ..way(None) };
        let mut call = Call::over(LineSettings::both(way));
        call.run_until(Duration::from_secs(30));
        let receiver = &call.ends[1];
        let contiguous = 1.0 - receiver.gaps as f64 / receiver.pictures as f64;
        assert!(receiver.pictures > 300 && contiguous >= whole, "{share}: {} pictures, {} gaps", receiver.pictures, receiver.gaps);
    }
}
