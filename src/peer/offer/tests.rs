//! Offers as clients send them, and as nobody should.

use proptest::prelude::*;

use super::super::answer::{self, Ours, Stream};
use super::*;

const SESSION: &str = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const FINGERPRINT: &str =
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n";
const ICE: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\n";
const CHROMIUM_H264: &str = "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 goog-remb\r\na=rtcp-fb:102 transport-cc\r\na=rtcp-fb:102 ccm fir\r\na=rtcp-fb:102 nack\r\n\
a=rtcp-fb:102 nack pli\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:104 H264/90000\r\n\
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f\r\na=rtpmap:106 H264/90000\r\n\
a=rtcp-fb:106 goog-remb\r\na=rtcp-fb:106 transport-cc\r\na=rtcp-fb:106 ccm fir\r\na=rtcp-fb:106 nack\r\na=rtcp-fb:106 nack pli\r\n\
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:107 rtx/90000\r\na=fmtp:107 apt=106\r\n\
a=rtpmap:39 AV1/90000\r\na=rtpmap:127 H264/90000\r\n\
a=fmtp:127 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f\r\na=rtpmap:116 ulpfec/90000\r\n";
const TWCC: &str = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";

fn chromium() -> String {
    let transport =
        format!("c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n{ICE}a=ice-options:trickle\r\n{FINGERPRINT}a=setup:actpass\r\n");
    format!(
        "{SESSION}a=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9\r\n{transport}a=mid:0\r\n{TWCC}a=sendrecv\r\na=msid:stream sound\r\na=rtcp-mux\r\n\
         a=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
         a=rtpmap:63 red/48000/2\r\na=rtpmap:9 G722/8000\r\na=ssrc:1001 cname:x\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 106 107 39 127 116\r\n{transport}a=mid:1\r\n{TWCC}a=sendrecv\r\na=rtcp-mux\r\n\
         a=rtcp-rsize\r\n{CHROMIUM_H264}a=ssrc-group:FID 2001 2002\r\na=ssrc:2001 cname:x\r\na=ssrc:2002 cname:x\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{transport}a=mid:2\r\na=sctp-port:5000\r\n"
    )
}

/// Firefox without its H.264 plug-in: attributes at session level, VP8 only.
fn firefox_without_h264() -> String {
    format!(
        "{SESSION}a=sendrecv\r\n{FINGERPRINT}a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 109 9\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\na=mid:0\r\n{ICE}a=rtcp-mux\r\na=setup:actpass\r\n\
         a=rtpmap:109 opus/48000/2\r\na=ssrc:11 cname:{{x}}\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 120 121\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\na=mid:1\r\n{ICE}a=rtcp-mux\r\na=setup:actpass\r\n\
         a=rtpmap:120 VP8/90000\r\na=rtpmap:121 VP9/90000\r\na=rtcp-fb:120 nack\r\n"
    )
}

/// OBS (libdatachannel): LF only, mids are words, one H.264 without repair.
fn obs() -> String {
    format!(
        "{SESSION}a=group:BUNDLE audio video\r\na=setup:actpass\r\n{ICE}{FINGERPRINT}\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:audio\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
         a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1\r\na=ssrc:5 cname:obs\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:video\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n\
         a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
         a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1\r\na=ssrc:6 cname:obs\r\n"
    )
    .replace("\r\n", "\n")
}

/// ffmpeg's WHIP muxer: passive, no feedback at all.
fn ffmpeg() -> String {
    let transport = format!("c=IN IP4 0.0.0.0\r\n{ICE}{FINGERPRINT}a=setup:passive\r\n");
    format!(
        "{SESSION}a=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{transport}a=mid:0\r\na=sendonly\r\na=msid:FFmpeg audio\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\na=ssrc:7 cname:FFmpeg\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 106\r\n{transport}a=mid:1\r\na=sendonly\r\na=msid:FFmpeg video\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
         a=rtpmap:106 H264/90000\r\na=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01f\r\n\
         a=ssrc:8 cname:FFmpeg\r\n"
    )
}

/// A player with one line: no bundle, no mid, no streams named.
fn audio_player() -> String {
    format!(
        "{SESSION}{ICE}{FINGERPRINT}m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\na=rtcp-mux\r\na=setup:active\r\n\
         a=rtpmap:96 OPUS/48000/2\r\n"
    )
}

fn ours() -> Ours {
    Ours {
        ice: IceCredentials { ufrag: "ours".into(), pwd: "w".repeat(24) },
        fingerprint: "FF".into(),
        addresses: vec!["203.0.113.5:40000".parse().unwrap(), "127.0.0.1:40000".parse().unwrap()],
        audio: Some(Stream { ssrc: 31, rtx_ssrc: None }),
        video: Some(Stream { ssrc: 41, rtx_ssrc: Some(42) }),
        id: 1,
    }
}

fn answered(sdp: &str, purpose: Purpose) -> String {
    answer::answer(&check(sdp, purpose).unwrap().terms, &ours())
}

fn media_lines(sdp: &str) -> Vec<&str> {
    sdp.lines().filter(|line| line.starts_with("m=")).collect()
}

#[test]
fn chromium_is_taken_with_its_best_h264_and_its_data_channel() {
    let offer = check(&chromium(), Purpose::Join).unwrap();
    assert_eq!((offer.audio, offer.video, &offer.notice), (Some((true, true)), Some((true, true)), &None));
    let video = offer.terms.media().find(|m| m.kind == Kind::Video).unwrap();
    assert_eq!((video.codec.payload_type, video.codec.rtx, video.ssrc, video.rtx_ssrc), (106, Some(107), Some(2001), Some(2002)));
    assert_eq!(
        (video.codec.transport_cc, &video.codec.feedback[..]),
        (Some(3), &["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"][..])
    );
    let answer = answer::answer(&offer.terms, &ours());
    let lines = [
        "m=audio 40000 UDP/TLS/RTP/SAVPF 111",
        "m=video 40000 UDP/TLS/RTP/SAVPF 106 107",
        "m=application 40000 UDP/DTLS/SCTP webrtc-datachannel",
    ];
    assert_eq!(media_lines(&answer), lines);
    assert!(answer.contains("a=mid:2\r\na=sctp-port:5000\r\na=max-message-size:16384\r\n"), "{answer}");
    assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n") && answer.contains("a=ssrc-group:FID 41 42\r\n"), "{answer}");
}

#[test]
fn simulcast_is_answered_and_kept_from_the_stack() {
    let rid = "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n";
    let layers = format!("{rid}a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n");
    let offer = chromium().replace("a=ssrc-group:FID 2001 2002\r\na=ssrc:2001 cname:x\r\na=ssrc:2002 cname:x\r\n", &layers);
    let terms = check(&offer, Purpose::Join).unwrap().terms;
    let answer = answer::answer(&terms, &ours());
    assert!(answer.contains(&layers.replace(" send", " recv").replace(":send", ":recv")), "{answer}");
    assert!(!answer::offer_for_stack(&terms, &terms.ice).contains("rid"));
    let viewer = answered(&offer, Purpose::Whep);
    assert!(!viewer.contains("a=rid") && !viewer.contains("a=simulcast"), "who only watches sends no layers: {viewer}");
}

#[test]
fn candidates_are_the_advertised_ones_best_first_on_the_first_line_only() {
    let answer = answered(&chromium(), Purpose::Join);
    let candidates: Vec<_> = answer.lines().filter(|line| line.starts_with("a=candidate")).collect();
    assert_eq!(
        candidates,
        ["a=candidate:1 1 udp 2130706431 203.0.113.5 40000 typ host", "a=candidate:2 1 udp 2130706175 127.0.0.1 40000 typ host"]
    );
    assert!(answer.find("a=end-of-candidates").unwrap() < answer.find("m=video").unwrap());
}

#[test]
fn an_offer_without_h264_goes_on_with_sound_and_says_why() {
    let offer = check(&firefox_without_h264(), Purpose::Join).unwrap();
    assert_eq!((offer.audio, offer.video), (Some((true, true)), None));
    let notice = offer.notice.clone().unwrap();
    assert_eq!(notice, "the offer's video has only VP8, VP9; offer H264 (packetization-mode=1, profile-level-id=42e01f)");
    let answer = answer::answer(&offer.terms, &ours());
    assert_eq!(media_lines(&answer), ["m=audio 40000 UDP/TLS/RTP/SAVPF 109", "m=video 0 UDP/TLS/RTP/SAVPF 120"]);
    assert!(answer.contains("a=group:BUNDLE 0\r\n"));
}

#[test]
fn obs_contributes() {
    let offer = check(&obs(), Purpose::Whip).unwrap();
    assert_eq!((offer.audio, offer.video), (Some((true, false)), Some((true, false))));
    let answer = answer::answer(&offer.terms, &ours());
    assert_eq!(answer.matches("a=recvonly").count(), 2);
    assert!(!answer.contains("a=ssrc"), "who only receives declares no stream");
}

#[test]
fn ffmpeg_waits_for_our_handshake_and_gets_no_feedback_that_it_does_not_know() {
    let answer = answered(&ffmpeg(), Purpose::Whip);
    assert!(answer.contains("a=setup:active") && !answer.contains("rtcp-fb") && !answer.contains("rtx"), "{answer}");
}

#[test]
fn a_client_that_begins_the_handshake_is_waited_for_and_needs_no_mid() {
    let answer = answered(&audio_player(), Purpose::Whep);
    assert!(answer.contains("a=setup:passive") && answer.contains("a=sendonly"), "{answer}");
    assert!(!answer.contains("a=mid") && !answer.contains("a=group"), "{answer}");
}

#[test]
fn what_each_purpose_leaves_of_a_two_way_offer() {
    let directions = |purpose| check(&chromium(), purpose).map(|offer| (offer.audio, offer.video)).unwrap();
    assert_eq!(directions(Purpose::Join), (Some((true, true)), Some((true, true))));
    assert_eq!(directions(Purpose::Whip), (Some((true, false)), Some((true, false))));
    assert_eq!(directions(Purpose::Whep), (Some((false, true)), Some((false, true))));
}

#[test]
fn a_line_that_does_not_suit_the_purpose_is_refused() {
    let offer = obs();
    assert!(check(&offer, Purpose::Whep).unwrap_err().0.contains("recvonly"), "who only sends watches nothing");
    let inactive = chromium().replacen("a=sendrecv", "a=inactive", 1);
    assert_eq!(check(&inactive, Purpose::Join).unwrap().audio, None);
    let disabled = chromium().replace("m=video 9", "m=video 0");
    assert_eq!(check(&disabled, Purpose::Join).unwrap().video, None);
    let bundle_only = disabled.replace("a=mid:1", "a=mid:1\r\na=bundle-only");
    assert!(check(&bundle_only, Purpose::Join).unwrap().video.is_some());
}

#[test]
fn faults_are_named_with_what_to_send_instead() {
    let cases = [
        (chromium().replace("opus", "PCMU").replace("H264", "H265"), "offer opus/48000/2"),
        (chromium().replace("a=group:BUNDLE 0 1 2\r\n", ""), "a=group:BUNDLE"),
        (chromium().replace("a=rtcp-mux\r\n", ""), "a=rtcp-mux"),
        (chromium().replace("a=ice-pwd", "a=ice-pwt"), "a=ice-pwd"),
        (chromium().replace("a=ice-ufrag:abcd", "a=ice-ufrag:a"), "ice-ufrag of 4 to 256"),
        (chromium().replace("sha-256", "md5"), "sha-256"),
        (chromium().replace(":EE:FF\r\n", ":EE\r\n"), "32 hexadecimal octets"),
        (chromium().replace("a=setup:actpass", "a=setup:holdconn"), "a=setup:actpass"),
        (chromium().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "UDP/TLS/RTP/SAVPF"),
        (chromium().replace("m=application", "m=audio"), "more than one audio line"),
        (chromium().replace("a=mid:1", "a=mid:0"), "the same a=mid"),
        (chromium().replace(" 106 107", " 111 107").replace(":106 ", ":111 "), "payload type 111 two meanings"),
        (String::from("{\"type\":\"offer\"}"), "v=0"),
        (SESSION.to_owned(), "no usable media line"),
        (format!("{SESSION}{}", "x".repeat(70_000)), "at most 65536"),
    ];
    for (offer, said) in cases {
        let error = check(&offer, Purpose::Join).unwrap_err().0;
        assert!(error.contains(said), "{said:?} is not in {error:?}");
    }
}

#[test]
fn the_stack_sees_only_what_both_sides_will_do() {
    let terms = check(&chromium(), Purpose::Whip).unwrap().terms;
    let offer = answer::offer_for_stack(&terms, &terms.ice);
    let lines =
        ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=video 9 UDP/TLS/RTP/SAVPF 106 107", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"];
    assert_eq!(media_lines(&offer), lines);
    assert!(offer.contains("a=group:BUNDLE audio video data\r\n"), "{offer}");
    assert_eq!(offer.matches("a=sendonly").count(), 2);
    assert!(offer.contains("a=ssrc-group:FID 2001 2002") && !offer.contains("candidate"), "{offer}");
}

#[test]
fn data_channels_that_are_not_ours_to_take_are_refused_and_the_media_go_on() {
    let refused = [
        chromium().replace("m=application 9", "m=application 0"),
        chromium().replace("UDP/DTLS/SCTP", "TCP/DTLS/SCTP"),
        chromium().replace("webrtc-datachannel", "t38"),
        chromium().replace("BUNDLE 0 1 2", "BUNDLE 0 1"),
        chromium().replace("a=mid:2\r\n", ""),
    ];
    for offer in refused {
        let terms = check(&offer, Purpose::Join).unwrap().terms;
        assert!(terms.media().count() == 2 && terms.data().is_none(), "{offer}");
        assert!(answer::answer(&terms, &ours()).contains("m=application 0 "), "{offer}");
        assert!(!answer::offer_for_stack(&terms, &terms.ice).contains("m=application"), "{offer}");
    }
    let nonsense = check(&chromium().replace("a=sctp-port:5000", "a=sctp-port:70000"), Purpose::Join);
    assert!(nonsense.unwrap_err().0.contains("a=sctp-port:5000"));
    let alone = chromium().replace("RTP/SAVPF 111 63 9", "RTP/SAVPF 9").replace("H264", "H265");
    assert!(check(&alone, Purpose::Join).is_err(), "there is no session of a data channel alone");
}

#[test]
fn a_data_channel_that_is_offered_first_has_the_candidates() {
    let (head, data) =
        chromium().split_once("m=application").map(|(head, data)| (head.to_owned(), format!("m=application{data}"))).unwrap();
    let at = head.find("m=audio").unwrap();
    let offer = format!("{}{data}{}", &head[..at], &head[at..]);
    let answer = answered(&offer, Purpose::Join);
    assert!(media_lines(&answer)[0].starts_with("m=application 40000"), "{answer}");
    assert!(answer.find("a=end-of-candidates").unwrap() < answer.find("m=audio").unwrap(), "{answer}");
}

#[test]
fn only_a_lite_clients_candidates_are_used() {
    let candidate = "a=candidate:1 1 udp 5 192.0.2.9 50000 typ host\r\n";
    let offer = chromium().replacen("a=mid:0\r\n", &format!("a=mid:0\r\n{candidate}"), 1);
    assert_eq!(check(&offer, Purpose::Join).unwrap().terms.lite_candidates, None);
    let lite = offer.replacen("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1);
    let terms = check(&lite, Purpose::Join).unwrap().terms;
    assert!(answer::offer_for_stack(&terms, &terms.ice).contains(candidate));
}

#[test]
fn withheld_video_is_refused_for_a_viewer_and_received_from_a_participant() {
    let mut offer = check(&chromium(), Purpose::Join).unwrap();
    offer.withhold_video("too large").unwrap();
    assert!(answer::answer(&offer.terms, &ours()).contains("m=video 40000") && offer.notice.unwrap().contains("too large"));
    let mut viewer = check(&chromium(), Purpose::Whep).unwrap();
    viewer.withhold_video("too large").unwrap();
    assert!(answer::answer(&viewer.terms, &ours()).contains("m=video 0"));
}

proptest! {
    #[test]
    fn a_damaged_offer_is_judged_without_a_panic(
        which in 0..5usize,
        purpose in prop::sample::select(vec![Purpose::Join, Purpose::Whip, Purpose::Whep]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<char>()), 0..12),
    ) {
        let mut text: Vec<char> = [chromium(), firefox_without_h264(), obs(), ffmpeg(), audio_player()][which].chars().collect();
        for (at, kind, char) in damage {
            let at = at.index(text.len().max(1)).min(text.len().saturating_sub(1));
            match kind {
                0 => drop(text.drain(at..(at + 30).min(text.len()))),
                1 if at < text.len() => text[at] = char,
                2 => text.insert(at, char),
                _ => text.truncate(text.len() - at.min(40)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(offer) = check(&text, purpose) {
            let answer = answer::answer(&offer.terms, &ours());
            // What we answer is itself a description that we could read, line for line
            prop_assert_eq!(media_lines(&answer).len(), Sdp::parse(&text).unwrap().sections.len());
            prop_assert_eq!(Sdp::parse(&answer).unwrap().sections.len(), offer.terms.lines.len());
        }
    }
}
