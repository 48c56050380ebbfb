//! A client on `str0m` that sends a packet's worth of nothing every 20 ms and counts what it gets.

use std::net::SocketAddr;
use std::time::Duration;

use medley::media::Clock;
use serde_json::Value;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::time::Interval;

const VIDEO: u8 = 108;
const REPAIR: u8 = 109;
/// How often the client sends a picture of three packets and a sound.
const PERIOD: Duration = Duration::from_millis(20);

/// An offer that waits for its answer.
pub(crate) struct Offered {
    pub(crate) sdp: String,
    rtc: Rtc,
    socket: UdpSocket,
    pending: SdpPendingOffer,
    clock: Clock,
    sound: Mid,
    picture: Mid,
}

pub(crate) struct Client {
    pub(crate) rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    server: Option<SocketAddr>,
    clock: Clock,
    sending: Interval,
    sound: Mid,
    picture: Mid,
    restart: Option<SdpPendingOffer>,
    sent: u64,
    connected: bool,
    pub(crate) closed: bool,
    /// What came whole, and how often something was missing before it.
    pub(crate) pictures: u64,
    pub(crate) sounds: u64,
    pub(crate) gaps: u64,
    /// Every so-manieth video packet is lost on its way; 0 for none.
    pub(crate) lose_one_video_packet_in: u64,
    pub(crate) lose_one_received_packet_in: u64,
    pub(crate) video_packets_lost: u64,
    pub(crate) received_packets_lost: u64,
    /// Packets that the server asked for again.
    pub(crate) nacks: u64,
    passed: u64,
    /// Data channels that are open, with their labels.
    pub(crate) channels: Vec<(ChannelId, String)>,
    /// What the room said over them.
    pub(crate) told: Vec<Value>,
    /// The newest packet that was sent.
    pub(crate) last_media: Option<Vec<u8>>,
}

impl Client {
    /// With data channels of these labels.
    pub(crate) fn offer_with(direction: Direction, channels: &[&str]) -> Offered {
        let clock = Clock::new();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let mut config = Rtc::builder().clear_codecs().enable_opus(true, false).set_stats_interval(Some(Duration::from_millis(200)));
        config.codec_config().add_h264(VIDEO.into(), Some(REPAIR.into()), true, 0x42_e01f);
        let mut rtc = config.build(clock.instant(clock.now()));
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let sound = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let picture = changes.add_media(MediaKind::Video, direction, None, None, None);
        for label in channels {
            changes.add_channel((*label).to_owned());
        }
        let (offer, pending) = changes.apply().unwrap();
        Offered { sdp: offer.to_sdp_string(), rtc, socket: UdpSocket::from_std(socket).unwrap(), pending, clock, sound, picture }
    }

    /// Where the server's datagrams come from.
    pub(crate) fn peer_address(&self) -> SocketAddr {
        self.server.expect("the server has sent something")
    }

    /// Lives until something is so; panics where it is not in time.
    pub(crate) async fn run(&mut self, patience: Duration, mut is_so: impl FnMut(&Self) -> bool) {
        let living = async {
            while !is_so(self) {
                self.live().await;
            }
        };
        assert!(tokio::time::timeout(patience, living).await.is_ok(), "not within {patience:?}: {self:?}");
    }

    /// A NAT gives it another port, which it does not know; what is sent to the old one is lost.
    pub(crate) fn come_to_another_port(&mut self) -> UdpSocket {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        std::mem::replace(&mut self.socket, UdpSocket::from_std(socket).unwrap())
    }

    /// Says farewell as a browser does.
    pub(crate) async fn close(mut self) {
        self.rtc.close().unwrap();
        self.drain().await;
    }

    /// New credentials, and the fragment that tells the server of them (RFC 8840).
    pub(crate) fn begin_ice_restart(&mut self) -> String {
        let mut changes = self.rtc.sdp_api();
        let credentials = changes.ice_restart(true);
        let (_, pending) = changes.apply().unwrap();
        self.restart = Some(pending);
        format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", credentials.ufrag, credentials.pass)
    }

    /// Takes the server's fragment: the first answer with the new credentials in it.
    pub(crate) fn finish_ice_restart(&mut self, answer: &str, fragment: &str) {
        let credentials = |name| fragment.lines().find(|line: &&str| line.starts_with(name)).unwrap();
        let renewed = |line: &str| match line {
            ufrag if ufrag.starts_with("a=ice-ufrag") => credentials("a=ice-ufrag").to_owned(),
            pwd if pwd.starts_with("a=ice-pwd") => credentials("a=ice-pwd").to_owned(),
            other => other.to_owned(),
        };
        let sdp: String = answer.lines().map(|line| renewed(line) + "\r\n").collect();
        let pending = self.restart.take().expect("a restart was begun");
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&sdp).unwrap()).unwrap();
    }

    async fn live(&mut self) {
        let Some(due) = self.drain().await else {
            self.sending.tick().await;
            return;
        };
        let mut datagram = [0; 2000];
        tokio::select! {
            Ok((length, from)) = self.socket.recv_from(&mut datagram) => self.receive(&datagram[..length], from),
            _ = self.sending.tick() => self.send(),
            () = tokio::time::sleep_until(due.into()) => {}
        }
        let now = self.clock.instant(self.clock.now());
        self.closed |= self.rtc.handle_input(Input::Timeout(now)).is_err();
    }

    /// Sends and counts what there is; gives back when the stack wants to be woken.
    async fn drain(&mut self) -> Option<std::time::Instant> {
        while !self.closed {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.closed |= !self.rtc.is_alive();
                    return (!self.closed).then_some(due);
                }
                Ok(Output::Transmit(datagram)) if !self.loses(&datagram.contents) => {
                    self.last_media = Some(datagram.contents.to_vec()).filter(|bytes| bytes[0] >= 0x80).or(self.last_media.take());
                    self.socket.send_to(&datagram.contents, datagram.destination).await.unwrap();
                }
                Ok(Output::Transmit(_)) => self.video_packets_lost += 1,
                Ok(Output::Event(event)) => self.note(event),
                Err(_) => self.closed = true,
            }
        }
        None
    }

    fn loses(&mut self, datagram: &[u8]) -> bool {
        let is_video = datagram[0] >= 0x80 && datagram[1] & 0x7f == VIDEO;
        self.passed += u64::from(is_video);
        is_video && self.connected && self.passed.checked_rem(self.lose_one_video_packet_in) == Some(0)
    }

    fn receive(&mut self, datagram: &[u8], source: SocketAddr) {
        self.server = Some(source);
        self.passed += 1;
        if datagram[0] >= 0x80 && datagram[1] & 0x7f == VIDEO && self.passed.checked_rem(self.lose_one_received_packet_in) == Some(0) {
            self.received_packets_lost += 1;
            return;
        }
        let Ok(contents) = datagram.try_into() else { return };
        let received = Receive { proto: Protocol::Udp, source, destination: self.address, contents };
        let now = self.clock.instant(self.clock.now());
        self.closed |= self.rtc.handle_input(Input::Receive(now, received)).is_err();
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::MediaData(media) if media.mid == self.picture => {
                self.gaps += u64::from(self.pictures > 0 && !media.contiguous);
                self.pictures += 1;
            }
            Event::MediaData(_) => self.sounds += 1,
            Event::ChannelOpen(id, label) => self.channels.push((id, label)),
            Event::ChannelClose(id) => self.channels.retain(|(open, _)| *open != id),
            Event::ChannelData(data) => self.told.push(serde_json::from_slice(&data.data).unwrap()),
            Event::MediaEgressStats(stats) if stats.mid == self.picture => self.nacks = stats.nacks,
            _ => {}
        }
    }

    fn send(&mut self) {
        if !self.connected {
            return;
        }
        self.sent += 1;
        let wall = self.clock.instant(self.clock.now());
        let opus = MediaTime::new(self.sent * 960, Frequency::FORTY_EIGHT_KHZ);
        let picture = [&[0, 0, 0, 1, 0x41][..], &[7; 3000]].concat();
        let h264 = MediaTime::new(self.sent * 1800, Frequency::NINETY_KHZ);
        for (mid, time, data) in [(self.sound, opus, vec![0xf8, 0xff, 0xfe]), (self.picture, h264, picture)] {
            let Some(writer) = self.rtc.writer(mid) else { continue };
            let payload_type = writer.payload_params().next().unwrap().pt();
            writer.write(payload_type, wall, time, data).unwrap();
        }
    }
}

impl Offered {
    pub(crate) fn accept(mut self, answer: &str) -> Client {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending, answer).unwrap();
        let address = self.socket.local_addr().unwrap();
        let mut sending = tokio::time::interval(PERIOD);
        sending.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Client {
            rtc: self.rtc,
            socket: self.socket,
            address,
            server: None,
            clock: self.clock,
            sending,
            sound: self.sound,
            picture: self.picture,
            restart: None,
            sent: 0,
            connected: false,
            closed: false,
            pictures: 0,
            sounds: 0,
            gaps: 0,
            lose_one_video_packet_in: 0,
            lose_one_received_packet_in: 0,
            video_packets_lost: 0,
            received_packets_lost: 0,
            nacks: 0,
            passed: 0,
            channels: Vec::new(),
            told: Vec::new(),
            last_media: None,
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { connected, closed, pictures, sounds, gaps, nacks, .. } = self;
        let lost = (self.video_packets_lost, self.received_packets_lost);
        write!(f, "connected {connected}, closed {closed}, {pictures} pictures, {sounds} sounds, {gaps} gaps, lost {lost:?}, {nacks} nacks")
    }
}

/// Lives two clients until something is so of both.
pub(crate) async fn run_both(one: &mut Client, other: &mut Client, patience: Duration, is_so: impl Fn(&Client, &Client) -> bool) {
    let living = async {
        while !is_so(one, other) {
            tokio::join!(one.live(), other.live());
        }
    };
    assert!(tokio::time::timeout(patience, living).await.is_ok(), "not within {patience:?}: {one:?}; {other:?}");
}

/// An offer without the lines that begin so.
pub(crate) fn without(offer: &str, beginnings: &[&str]) -> String {
    let keeps = |line: &&str| !beginnings.iter().any(|beginning| line.starts_with(beginning));
    offer.lines().filter(keeps).map(|line| format!("{line}\r\n")).collect()
}
