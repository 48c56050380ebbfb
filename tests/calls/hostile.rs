//! Hostile input beside a running call: refused with a reason, and nobody notices.

use std::net::UdpSocket;
use std::time::Duration;

use medley::bots::BotsOptions;
use medley::compositor::Choice;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngCore, SeedableRng};

use crate::room::{Call, exchange, within};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\n\
a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n";

/// An offer that cannot be right: no codec of ours, no transport, or not SDP at all.
fn bad_offer(random: &mut StdRng) -> Vec<u8> {
    let mut offer = match random.random_range(0..6) {
        0 => OFFER.replace("opus", "PCMU").replace("H264", "VP8"),
        1 => OFFER.replace("a=ice-ufrag:abcd\r\n", ""),
        2 => OFFER.replace("a=fingerprint:sha-256", "a=fingerprint:md5"),
        3 => OFFER.replace("a=ice-pwd", "a=ice-pwt"),
        4 => OFFER.replace("m=", "n="),
        _ => String::new(),
    }
    .into_bytes();
    for _ in 0..random.random_range(0..20) {
        if !offer.is_empty() {
            // Never the `m` or `=` of a line that is missing already: bytes above 0x7f are no SDP at all.
            let at = random.random_range(0..offer.len());
            offer[at] = random.random_range(0x80..=0xff);
        }
    }
    offer
}

fn bad_request(random: &mut StdRng) -> Vec<u8> {
    let body = bad_offer(random);
    let path = ["/v1/rooms/call/join", "/whip/call", "/whep/call"].choose(random).unwrap();
    let (method, path, kind) = match random.random_range(0..6) {
        0 => ("PATCH", "/v1/sessions/none", "application/trickle-ice-sdpfrag"),
        1 => ("POST", "/v1/rooms/no%20such%20name/join", "application/sdp"),
        2 => ("BREW", *path, "application/sdp"),
        3 => ("POST", *path, "text/html"),
        _ => ("POST", *path, "application/sdp"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut request = [head.as_bytes(), &body].concat();
    if random.random_ratio(1, 8) {
        request[..20].fill(0);
    }
    request
}

async fn send_bad_requests(address: String) {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..1000 {
        let request = bad_request(&mut random);
        let (status, reply) = exchange(&address, &request).await;
        assert!((400..500).contains(&status), "{}\n→ {reply}", String::from_utf8_lossy(&request));
        // A request line that is none is refused by the HTTP stack, which sends no body.
        assert!(request[0] == 0 || reply.contains("\"detail\":\""), "{reply}");
    }
}

fn send_random_datagrams(target: std::net::SocketAddr, count: usize) {
    let mut random = StdRng::seed_from_u64(11);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut datagram = [0; 1500];
    for _ in 0..count {
        let length = random.random_range(0..datagram.len());
        random.fill_bytes(&mut datagram[..length]);
        // A full send buffer drops the datagram, as a network would.
        let _ = socket.send_to(&datagram[..length], target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_bad_requests_and_100000_random_datagrams_leave_a_call_untouched() {
    let call = Call::start(Choice::Cpu).await;
    let options = BotsOptions { count: 2, seconds: Some(12), judges: 1, ..call.options() };
    let bots = tokio::spawn(medley::bots::run(options, std::future::pending()));
    within(Duration::from_secs(10), "two sessions", || call.metric("medley_sessions ") == 2.0).await;
    let (http, udp) = (call.server.url().replace("http://", ""), call.server.udp());
    let datagrams = tokio::task::spawn_blocking(move || send_random_datagrams(udp, 100_000));
    send_bad_requests(http).await;
    datagrams.await.unwrap();
    let report = bots.await.unwrap().unwrap();
    for bot in &report.bots {
        assert_eq!(bot.ended, None);
        assert!(bot.pictures.received > 60 && bot.pictures.decode_errors == 0, "{bot}");
    }
    assert!(report.bots[0].tiles.len() == 2 && report.bots[0].tiles.values().all(|tile| tile.present), "{report}");
    within(Duration::from_secs(5), "nobody is left", || call.metric("medley_sessions ") == 0.0).await;
}
