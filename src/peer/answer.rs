//! Writes session descriptions: the offer as the WebRTC stack gets it, and the answer as the client gets it.
//!
//! In: the terms of a checked offer and our own credentials, streams and addresses. Out: SDP. Both are made anew, line by line:
//! the stack never sees a peer's text, and the answer holds what players need that the stack does not write (our candidates in
//! the order of their worth, refused lines in their places).

use std::fmt::Write;
use std::net::SocketAddr;

use super::association;
use super::codecs::TRANSPORT_CC_URI;
use super::offer::{Kind, Line, Medium, Terms};
use super::transport::{IceCredentials, Setup};

/// One stream that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    /// Its retransmissions (RFC 4588), where the client understands them.
    pub(super) rtx_ssrc: Option<u32>,
}

/// Our side of a session.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) ice: IceCredentials,
    /// Our certificate, SHA-256.
    pub(super) fingerprint: String,
    /// Where we are reached, best first.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) audio: Option<Stream>,
    pub(super) video: Option<Stream>,
    /// The `o=` line's session id.
    pub(super) id: u64,
}

impl Ours {
    /// The stream of a kind, if we send one.
    pub(super) fn stream(&self, kind: Kind) -> Option<Stream> {
        match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video,
        }
    }
}

/// The name of a kind in an `m=` line.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

/// Stands in for the stream of a client that names none: the stack refuses lines without one. No packet ever carries it, and
/// media are told apart by their payload types (`interceptors::tap`).
const UNDECLARED: u32 = 1;

/// The offer as the stack gets it: its accepted lines only, with one codec each.
pub(super) fn offer_for_stack(terms: &Terms, ice: &IceCredentials) -> String {
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    let mids: Vec<&str> = terms.media().map(|m| name(m.kind)).chain(terms.data().map(|_| association::NAME)).collect();
    line(&mut sdp, format_args!("a=group:BUNDLE {}", mids.join(" ")));
    if terms.lite_candidates.is_some() {
        line(&mut sdp, format_args!("a=ice-lite"));
    }
    line(&mut sdp, format_args!("a=fingerprint:sha-256 {}", terms.fingerprint));
    for medium in terms.media() {
        section(&mut sdp, medium, None, Some(name(medium.kind)));
        credentials(&mut sdp, ice);
        // Where the client leaves the choice to us we are the client (RFC 8842 §5.3): a handshake begun by us begins when
        // the path is known to work, where the stack would drop one that comes earlier
        line(&mut sdp, format_args!("a=setup:{}", if terms.setup == Setup::Active { "active" } else { "passive" }));
        line(&mut sdp, format_args!("a={}", direction(medium.sends, medium.receives)));
        codec(&mut sdp, medium);
        if medium.sends {
            let ssrc = medium.ssrc.unwrap_or(UNDECLARED + medium.kind as u32);
            declare(&mut sdp, &Stream { ssrc, rtx_ssrc: medium.rtx_ssrc }, medium.kind, "theirs");
        }
        for candidate in terms.lite_candidates.iter().flatten() {
            line(&mut sdp, format_args!("a=candidate:{candidate}"));
        }
    }
    if let Some(data) = terms.data() {
        data.offered(&mut sdp);
        credentials(&mut sdp, ice);
        line(&mut sdp, format_args!("a=setup:{}", if terms.setup == Setup::Active { "active" } else { "passive" }));
    }
    sdp
}

/// The answer as the client gets it.
pub(super) fn answer(terms: &Terms, ours: &Ours) -> String {
    let mut sdp = String::new();
    let _ = write!(sdp, "v=0\r\no=medley {} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", ours.id);
    let mids: Vec<&str> = terms.mids().collect();
    if terms.bundled {
        line(&mut sdp, format_args!("a=group:BUNDLE {}", mids.join(" ")));
    }
    line(&mut sdp, format_args!("a=msid-semantic: WMS *"));
    let mut transport_written = false;
    for offered in &terms.lines {
        match offered {
            Line::Refused { kind, protocol, formats, mid } => refused(&mut sdp, kind, protocol, formats, mid.as_deref()),
            Line::Media(medium) => accepted(&mut sdp, terms, ours, medium),
            Line::Data(data) => {
                data.answered(&mut sdp, ours.addresses.first());
                transport(&mut sdp, terms, ours);
            }
        }
        // The first line that is taken names the transport of them all (RFC 9143 §7.3)
        if !transport_written && !matches!(offered, Line::Refused { .. }) {
            candidates(&mut sdp, &ours.addresses);
            transport_written = true;
        }
    }
    sdp
}

/// Our side of a restarted ICE session as a fragment (RFC 8840 §4).
pub(super) fn fragment(terms: &Terms, ours: &Ours) -> String {
    let mut sdp = String::new();
    credentials(&mut sdp, &ours.ice);
    if let Some(medium) = terms.media().next() {
        line(&mut sdp, format_args!("m={} 9 {} {}", name(medium.kind), medium.protocol, medium.codec.payload_type));
        if let Some(mid) = &medium.mid {
            line(&mut sdp, format_args!("a=mid:{mid}"));
        }
    }
    candidates(&mut sdp, &ours.addresses);
    sdp
}

fn accepted(sdp: &mut String, terms: &Terms, ours: &Ours, medium: &Medium) {
    section(sdp, medium, ours.addresses.first(), medium.mid.as_deref());
    transport(sdp, terms, ours);
    line(sdp, format_args!("a={}", direction(medium.receives, medium.sends)));
    codec(sdp, medium);
    medium.layers.answer().iter().for_each(|text| line(sdp, format_args!("{text}")));
    if let Some(stream) = ours.stream(medium.kind).filter(|_| medium.receives) {
        declare(sdp, &stream, medium.kind, "medley");
    }
}

fn transport(sdp: &mut String, terms: &Terms, ours: &Ours) {
    credentials(sdp, &ours.ice);
    line(sdp, format_args!("a=ice-options:trickle"));
    line(sdp, format_args!("a=fingerprint:sha-256 {}", ours.fingerprint));
    line(sdp, format_args!("a=setup:{}", if terms.setup == Setup::Active { "passive" } else { "active" }));
}

fn refused(sdp: &mut String, kind: &str, protocol: &str, formats: &str, mid: Option<&str>) {
    // RFC 3264 §6: a refused line keeps its place and has port 0
    line(sdp, format_args!("m={kind} 0 {protocol} {formats}"));
    line(sdp, format_args!("c=IN IP4 0.0.0.0"));
    if let Some(mid) = mid {
        line(sdp, format_args!("a=mid:{mid}"));
    }
    line(sdp, format_args!("a=inactive"));
}

fn section(sdp: &mut String, medium: &Medium, default: Option<&SocketAddr>, mid: Option<&str>) {
    // RFC 8839 §4.2.1: the m= and c= lines repeat the default candidate; port 9 where there is none
    let unknown = SocketAddr::from(([0, 0, 0, 0], 9));
    let address = default.unwrap_or(&unknown);
    // Browsers send what comes first: sound with its repetition where they can
    let formats = [medium.codec.red, Some(medium.codec.payload_type), medium.codec.rtx];
    let formats: Vec<String> = formats.into_iter().flatten().map(|pt| pt.to_string()).collect();
    line(sdp, format_args!("m={} {} {} {}", name(medium.kind), address.port(), medium.protocol, formats.join(" ")));
    line(sdp, format_args!("c=IN {} {}", if address.is_ipv4() { "IP4" } else { "IP6" }, address.ip()));
    if let Some(mid) = mid {
        line(sdp, format_args!("a=mid:{mid}"));
    }
    line(sdp, format_args!("a=rtcp-mux"));
    if medium.reduced_rtcp {
        line(sdp, format_args!("a=rtcp-rsize"));
    }
}

fn codec(sdp: &mut String, medium: &Medium) {
    let codec = &medium.codec;
    let pt = codec.payload_type;
    if let Some(id) = codec.transport_cc {
        line(sdp, format_args!("a=extmap:{id} {TRANSPORT_CC_URI}"));
    }
    line(sdp, format_args!("a=rtpmap:{pt} {}", codec.encoding));
    line(sdp, format_args!("a=fmtp:{pt} {}", codec.parameters));
    for feedback in &codec.feedback {
        line(sdp, format_args!("a=rtcp-fb:{pt} {feedback}"));
    }
    if let Some(red) = codec.red {
        line(sdp, format_args!("a=rtpmap:{red} red/48000/2"));
        line(sdp, format_args!("a=fmtp:{red} {pt}/{pt}"));
    }
    if let Some(rtx) = codec.rtx {
        line(sdp, format_args!("a=rtpmap:{rtx} rtx/90000"));
        line(sdp, format_args!("a=fmtp:{rtx} apt={pt}"));
    }
}

fn declare(sdp: &mut String, stream: &Stream, kind: Kind, media_stream: &str) {
    let Stream { ssrc, rtx_ssrc } = stream;
    // One media stream and one CNAME for both: receivers play them in step (RFC 3550 §6.5.1)
    line(sdp, format_args!("a=msid:{media_stream} {}", name(kind)));
    if let Some(rtx) = rtx_ssrc {
        line(sdp, format_args!("a=ssrc-group:FID {ssrc} {rtx}"));
    }
    for ssrc in [Some(ssrc), rtx_ssrc.as_ref()].into_iter().flatten() {
        line(sdp, format_args!("a=ssrc:{ssrc} cname:{media_stream}"));
        line(sdp, format_args!("a=ssrc:{ssrc} msid:{media_stream} {}", name(kind)));
    }
}

fn credentials(sdp: &mut String, ice: &IceCredentials) {
    line(sdp, format_args!("a=ice-ufrag:{}", ice.ufrag));
    line(sdp, format_args!("a=ice-pwd:{}", ice.pwd));
}

fn candidates(sdp: &mut String, addresses: &[SocketAddr]) {
    for (rank, address) in addresses.iter().enumerate() {
        // RFC 8445 §5.1.2.1: type preference 126 for a host candidate, then ours in order, component 1
        let priority = (126u32 << 24) | ((65_535 - rank.min(65_535) as u32) << 8) | 255;
        line(sdp, format_args!("a=candidate:{} 1 udp {priority} {} {} typ host", rank + 1, address.ip(), address.port()));
    }
    line(sdp, format_args!("a=end-of-candidates"));
}

fn direction(sends: bool, receives: bool) -> &'static str {
    match (sends, receives) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}

pub(super) fn line(sdp: &mut String, text: std::fmt::Arguments<'_>) {
    sdp.write_fmt(text).and_then(|()| sdp.write_str("\r\n")).expect("a String takes any text");
}
