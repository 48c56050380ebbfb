//! Sessions over loopback against an independent stack, datagram by datagram: what a browser does that bots do not.
//!
//! Everything is real but the clients' media, which are random bytes in H.264 packets: nobody looks at them.

#[cfg(test)]
mod client;
#[cfg(test)]
mod room;
#[cfg(test)]
mod talk;

use std::time::Duration;

use medley::media::Within;
use medley::metrics::Media;
use medley::peer::{PeerError, Purpose};
use str0m::media::Direction;

use client::Client;
use room::Room;

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn media_flow_both_ways_over_one_port() {
    let room = Room::open().await;
    let (mut alice, _) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    let (mut bob, _) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    let whole = |client: &Client| client.pictures > 5 && client.sounds > 20;
    client::run_both(&mut alice, &mut bob, PATIENCE, |alice, bob| whole(alice) && whole(bob)).await;
    assert_eq!(alice.peer_address(), bob.peer_address(), "both talk to the one port");
    assert!(room.received(Media::Video) > 20 && room.received(Media::Audio) > 20);
}

#[tokio::test]
async fn a_port_on_all_addresses_offers_every_one_of_them_with_loopback_last() {
    let room = Room::open_at("0.0.0.0:0").await;
    let (mut client, answer) = room.join(Direction::RecvOnly, Purpose::Whep, str::to_owned).await;
    let port = room.peers.local_addr().port().to_string();
    let candidates: Vec<_> = answer.sdp.lines().filter(|line| line.starts_with("a=candidate")).collect();
    assert!(candidates.iter().all(|line| line.split(' ').nth(5) == Some(&port)), "{candidates:?}");
    assert!(candidates.last().unwrap().contains(" 127.0.0.1 "), "{candidates:?}");
    client.run(PATIENCE, |client| client.sounds > 5).await;
}

#[tokio::test]
async fn a_client_that_names_no_streams_and_no_candidates_contributes() {
    let room = Room::open().await;
    let bare = |offer: &str| client::without(offer, &["a=ssrc", "a=candidate", "a=end-of-candidates"]);
    let (mut client, _) = room.join(Direction::SendOnly, Purpose::Whip, bare).await;
    client.run(PATIENCE, |_| room.received(Media::Video) > 30 && room.received(Media::Audio) > 10).await;
}

#[tokio::test]
async fn we_begin_the_handshake_with_a_passive_client() {
    let room = Room::open().await;
    let passive = |offer: &str| offer.replace("a=setup:actpass", "a=setup:passive");
    let (mut client, answer) = room.join(Direction::RecvOnly, Purpose::Whep, passive).await;
    assert!(answer.sdp.contains("a=setup:active"));
    client.run(PATIENCE, |client| client.sounds > 5).await;
}

#[tokio::test]
async fn we_wait_for_the_handshake_of_an_active_client() {
    let room = Room::open().await;
    let active = |offer: &str| offer.replace("a=setup:actpass", "a=setup:active");
    let (mut client, answer) = room.join(Direction::RecvOnly, Purpose::Whep, active).await;
    assert!(answer.sdp.contains("a=setup:passive"));
    client.run(PATIENCE, |client| client.sounds > 5).await;
}

#[tokio::test]
async fn what_is_lost_on_the_way_in_is_asked_for_about_once_and_comes() {
    let room = Room::open().await;
    let (mut client, _) = room.join(Direction::SendOnly, Purpose::Whip, str::to_owned).await;
    client.lose_one_video_packet_in = 20;
    client.run(PATIENCE * 2, |client| client.video_packets_lost >= 30).await;
    client.lose_one_video_packet_in = 0;
    let through = room.received(Media::Video) + 200;
    client.run(PATIENCE, |_| room.received(Media::Video) > through).await;
    let asked = client.nacks;
    assert!((20..=90).contains(&asked), "{} lost, asked {asked} times", client.video_packets_lost);
    let lost = room.lost(Media::Video);
    assert!(lost * 10 <= client.video_packets_lost, "{lost} of {} did not come again in time", client.video_packets_lost);
}

#[tokio::test]
async fn what_is_lost_on_the_way_out_is_resent() {
    let room = Room::open().await;
    let (mut client, _) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    client.run(PATIENCE, |client| client.pictures > 3).await;
    client.lose_one_received_packet_in = 20;
    client.run(PATIENCE, |client| client.received_packets_lost > 10 && client.pictures > 100).await;
    assert!(client.gaps * 10 <= client.received_packets_lost, "pictures came whole: {client:?}");
}

#[tokio::test]
async fn a_client_that_closes_is_gone_within_a_second_and_one_that_vanishes_within_five() {
    let room = Room::open().await;
    for direction in [Direction::SendRecv, Direction::RecvOnly, Direction::SendOnly] {
        let (mut client, answer) = room.join(direction, Purpose::Join, str::to_owned).await;
        client.run(PATIENCE, |_| room.is_connected(&answer.session)).await;
        client.close().await;
        room.within(Duration::from_secs(1), "the session ends", || room.peers.state(&answer.session).is_err()).await;
    }
    assert_eq!(room.ended("closed"), 3);
    let (mut client, answer) = room.join(Direction::RecvOnly, Purpose::Whep, str::to_owned).await;
    client.run(PATIENCE, |_| room.is_connected(&answer.session)).await;
    drop(client);
    room.within(Duration::from_secs(5), "the session ends", || room.peers.state(&answer.session).is_err()).await;
    assert_eq!((room.ended("vanished"), room.sessions()), (1, 0));
}

#[tokio::test]
async fn a_client_that_an_admin_removes_is_told_within_a_second_and_finds_out_why() {
    let room = Room::open().await;
    let (mut client, answer) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    let (mut other, _) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    client::run_both(&mut client, &mut other, PATIENCE, |client, other| client.sounds > 5 && other.sounds > 5).await;
    room.remove(&answer.session).await;
    client.run(Duration::from_secs(1), |client| client.closed).await;
    assert!(matches!(room.peers.state(&answer.session), Err(PeerError::Removed)));
    let fragment = client.begin_ice_restart();
    assert!(matches!(room.peers.patch(&answer.session, &fragment, None).await, Err(PeerError::Removed)));
    room.within(Duration::from_secs(1), "the session ends", || room.sessions() == 1).await;
    assert_eq!(room.ended("removed"), 1);
    let sounds = other.sounds;
    other.run(PATIENCE, |other| other.sounds > sounds + 20).await;
}

#[tokio::test]
async fn a_client_that_comes_to_another_encoder_misses_nothing() {
    let room = Room::open().await;
    let (mut client, _) = room.join(Direction::RecvOnly, Purpose::Whep, str::to_owned).await;
    client.run(PATIENCE, |client| client.pictures > 10).await;
    for (height, switches) in [(Within::of(128), 1), (Within::of(180), 2)] {
        room.encode_at(height).await;
        client.run(PATIENCE, |_| room.switches() == switches).await;
        let pictures = client.pictures;
        client.run(PATIENCE, |client| client.pictures > pictures + 10).await;
    }
    assert_eq!(client.gaps, 0, "{client:?}");
}

#[tokio::test]
async fn a_clients_line_is_told_both_ways() {
    let room = Room::open().await;
    let (mut client, answer) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    client.run(PATIENCE, |client| client.pictures > 90).await;
    let person = room.person(&answer.session).await;
    assert!(person.sent.rtt_ms.is_some_and(|rtt| rtt < 500.0) && person.sent.loss.is_some(), "{:?}", person.sent);
    let (video, audio) = (person.received.video.unwrap(), person.received.audio.unwrap());
    assert!(video.packets > 100 && audio.packets > 100, "{video:?} {audio:?}");
    assert!(person.sent.bitrate_bps > 1000 && video.bitrate_bps > 100_000 && audio.bitrate_bps > 100, "{video:?} {audio:?}");
}

#[tokio::test]
async fn a_client_with_another_certificate_than_it_offered_gets_nowhere() {
    let room = Room::open().await;
    let other = |offer: &str| {
        let fingerprint = offer.lines().find(|line| line.starts_with("a=fingerprint")).unwrap();
        offer.replace(fingerprint, &format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":")))
    };
    let (mut client, answer) = room.join(Direction::SendRecv, Purpose::Join, other).await;
    let gone = |_: &Client| room.peers.state(&answer.session).is_err();
    client.run(Duration::from_secs(20), gone).await;
    assert_eq!((room.ended("failed"), room.received(Media::Video)), (1, 0));
}

#[tokio::test]
async fn ice_restarts_under_new_credentials_and_media_go_on() {
    let room = Room::open().await;
    let (mut client, answer) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    client.run(PATIENCE, |client| client.pictures > 3).await;
    let fragment = client.begin_ice_restart();
    let stale = room.peers.patch(&answer.session, &fragment, Some("\"ice-7\"")).await;
    assert!(matches!(stale, Err(PeerError::Stale(_))), "{stale:?}");
    let restarted = room.peers.patch(&answer.session, &fragment, Some(&answer.etag)).await.unwrap().expect("a restart is answered");
    assert_ne!(restarted.etag, answer.etag);
    client.finish_ice_restart(&answer.sdp, &restarted.sdp);
    let (pictures, sounds) = (client.pictures, client.sounds);
    client.run(PATIENCE, |client| client.pictures > pictures + 20 && client.sounds > sounds + 20).await;
    let state = room.peers.state(&answer.session).unwrap();
    assert_eq!((state.state, &state.etag), ("connected", &restarted.etag));
}

#[tokio::test]
async fn a_client_that_comes_to_another_port_stays_who_it_is_and_misses_little() {
    let room = Room::open().await;
    for direction in [Direction::SendRecv, Direction::RecvOnly, Direction::SendOnly] {
        let (mut client, answer) = room.join(direction, Purpose::Join, str::to_owned).await;
        let through = room.received(Media::Video) + 20;
        let receives = direction != Direction::SendOnly;
        client.run(PATIENCE, |client| if receives { client.sounds > 20 } else { room.received(Media::Video) > through }).await;
        let participant = room.peers.state(&answer.session).unwrap().participant;
        for _ in 0..2 {
            let _old = client.come_to_another_port();
            let (sounds, through) = (client.sounds, room.received(Media::Video) + 20);
            client
                .run(
                    Duration::from_secs(2),
                    |client| if receives { client.sounds > sounds + 5 } else { room.received(Media::Video) > through },
                )
                .await;
        }
        assert_eq!(room.peers.state(&answer.session).unwrap().participant, participant);
        assert!(room.is_connected(&answer.session));
        room.peers.close(&answer.session).await;
    }
    assert_eq!(room.ended("vanished") + room.ended("failed"), 0);
}

#[tokio::test]
async fn a_stranger_with_a_clients_stream_gets_nothing_and_stops_nothing() {
    let room = Room::open().await;
    let (mut client, _) = room.join(Direction::SendRecv, Purpose::Join, str::to_owned).await;
    client.run(PATIENCE, |client| client.sounds > 5 && client.last_media.is_some()).await;
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let seen = client.last_media.clone().unwrap();
    for _ in 0..10 {
        stranger.send_to(&seen, client.peer_address()).unwrap();
        let sounds = client.sounds;
        client.run(PATIENCE, |client| client.sounds > sounds + 5).await;
    }
    assert!(stranger.recv_from(&mut [0; 2000]).is_err(), "the client is heard where it was");
}

#[tokio::test]
async fn trickled_candidates_are_judged_and_make_us_send_nothing_to_strangers() {
    let room = Room::open().await;
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let candidate = format!("candidate:1 1 udp 2130706431 127.0.0.1 {} typ host\r\n", stranger.local_addr().unwrap().port());
    let named = |offer: &str| offer.replace("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\na={candidate}"));
    let (mut client, answer) = room.join(Direction::RecvOnly, Purpose::Whep, named).await;
    let patch = async |fragment: &str| room.peers.patch(&answer.session, fragment, None).await;
    assert!(matches!(patch(&format!("a={candidate}a=end-of-candidates\r\n")).await, Ok(None)));
    assert!(matches!(patch("a=candidate:nonsense\r\n").await, Err(PeerError::Refused(_))));
    assert!(matches!(room.peers.patch("unknown", "a=end-of-candidates\r\n", None).await, Err(PeerError::Unknown)));
    client.run(PATIENCE, |client| client.sounds > 10).await;
    assert!(stranger.recv_from(&mut [0; 100]).is_err(), "a stranger hears nothing");
    assert_eq!(room.peers.state(&answer.session).unwrap().etag, answer.etag);
}

#[tokio::test]
async fn leaving_and_shutting_down_end_sessions_at_once() {
    let room = Room::open().await;
    let (_left, first) = room.join(Direction::RecvOnly, Purpose::Whep, str::to_owned).await;
    let (mut told, _) = room.join(Direction::RecvOnly, Purpose::Whep, str::to_owned).await;
    told.run(PATIENCE, |client| client.sounds > 5).await;
    assert!(room.peers.close(&first.session).await && !room.peers.close(&first.session).await);
    room.peers.shut_down().await;
    assert_eq!((room.ended("left"), room.ended("shutdown"), room.sessions()), (1, 1, 0));
    told.run(Duration::from_secs(1), |client| client.closed).await;
}
