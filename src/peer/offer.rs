//! Checks an offer before the WebRTC stack sees it: the stack fails a whole call for one line that it cannot serve, and
//! says so in terms that help nobody.
//!
//! In: SDP from a peer and what the peer came for. Out: what both sides will do, or a sentence about what to send instead.
//! Never: the peer's own text passed on to the stack.

use super::association::Association;
use super::codecs::{self, Codec};
use super::sdp::{Attributes, Sdp, Section};
use super::simulcast::Layers;
use super::transport::{self, IceCredentials, Setup, token};
use super::{OfferError, Purpose};

const SUPPORTED: &str = "H264 (packetization-mode=1, profile-level-id=42e01f)";

/// An offer that was found fit for the WebRTC stack.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What the client will send and receive after the check: (sends, receives).
    pub audio: Option<(bool, bool)>,
    /// The same for video.
    pub video: Option<(bool, bool)>,
    /// Why a medium that was offered is left out, for the `Medley-Notice` response header and the log.
    pub notice: Option<String>,
    /// What the session needs to know of it.
    pub(super) terms: Terms,
}

/// All of an offer that the answer and the stack rest on.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) ice: IceCredentials,
    /// The client's certificate, SHA-256, in upper-case hexadecimal with colons.
    pub(super) fingerprint: String,
    pub(super) setup: Setup,
    /// The client's candidates, kept only where it is ICE-lite: everyone else reaches us first (see `port`).
    pub(super) lite_candidates: Option<Vec<String>>,
    /// Whether the client bundles, and knows `a=group:BUNDLE` in the answer.
    pub(super) bundled: bool,
    /// Every `m=` line of the offer, in order.
    pub(super) lines: Vec<Line>,
}

/// An `m=` line after the check.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// Media flow on it.
    Media(Medium),
    /// Data channels are opened on it.
    Data(Association),
    /// It is answered with port 0; the `m=` line's own words, checked.
    Refused { kind: String, protocol: String, formats: String, mid: Option<String> },
}

/// An accepted `m=` line.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    pub(super) kind: Kind,
    pub(super) mid: Option<String>,
    pub(super) protocol: String,
    /// The client sends on it.
    pub(super) sends: bool,
    /// The client receives on it.
    pub(super) receives: bool,
    pub(super) codec: Codec,
    /// The client's stream and its repair stream, where it names them.
    pub(super) ssrc: Option<u32>,
    pub(super) rtx_ssrc: Option<u32>,
    /// The layers that the client sends.
    pub(super) layers: Layers,
    /// Whether reduced-size RTCP was offered (RFC 5506).
    pub(super) reduced_rtcp: bool,
}

/// Sound or picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Video,
}

/// Checks an offer before the stack sees it.
///
/// # Errors
/// With a sentence that says what is wrong with this offer and what to send instead.
pub fn check(sdp: &str, purpose: Purpose) -> Result<Offer, OfferError> {
    let sdp = Sdp::parse(sdp).map_err(|fault| OfferError(format!("the offer {fault}")))?;
    refuse_more_than_one_of_each(&sdp)?;
    let mut notices = Vec::new();
    let lines = sdp.sections.iter().map(|section| line(section, purpose, &mut notices)).collect::<Result<Vec<_>, _>>()?;
    let terms = terms(&sdp, lines)?;
    let direction = |kind| terms.media().find(|m| m.kind == kind).map(|m| (m.sends, m.receives));
    let (audio, video) = (direction(Kind::Audio), direction(Kind::Video));
    if audio.is_none() && video.is_none() {
        return Err(nothing_left(purpose, &notices));
    }
    Ok(Offer { audio, video, notice: (!notices.is_empty()).then(|| notices.join("; ")), terms })
}

impl Offer {
    /// Takes out the picture on its way to the client, for a reason that is noted. What the client sends is kept.
    ///
    /// # Errors
    /// Where no medium is left then.
    pub fn withhold_video(&mut self, reason: &str) -> Result<(), OfferError> {
        let Some((sends, true)) = self.video else { return Ok(()) };
        if !sends && self.audio.is_none() {
            return Err(OfferError(format!("{reason}, and the offer has no audio")));
        }
        for line in &mut self.terms.lines {
            match line {
                Line::Media(medium) if medium.kind == Kind::Video && medium.sends => medium.receives = false,
                Line::Media(medium) if medium.kind == Kind::Video => *line = medium.refused(),
                _ => {}
            }
        }
        self.video = sends.then_some((true, false));
        self.notice = Some(self.notice.take().map_or_else(|| reason.to_owned(), |before| format!("{before}; {reason}")));
        Ok(())
    }
}

impl Medium {
    fn refused(&self) -> Line {
        let (kind, protocol, formats) =
            (super::answer::name(self.kind).to_owned(), self.protocol.clone(), self.codec.payload_type.to_string());
        Line::Refused { kind, protocol, formats, mid: self.mid.clone() }
    }
}

impl Terms {
    /// The accepted lines.
    pub(super) fn media(&self) -> impl Iterator<Item = &Medium> {
        self.lines.iter().filter_map(|line| match line {
            Line::Media(medium) => Some(medium),
            Line::Data(_) | Line::Refused { .. } => None,
        })
    }

    /// The line for data channels.
    pub(super) fn data(&self) -> Option<&Association> {
        self.lines.iter().find_map(|line| match line {
            Line::Data(association) => Some(association),
            Line::Media(_) | Line::Refused { .. } => None,
        })
    }

    /// The accepted lines' names, in order.
    pub(super) fn mids(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Media(medium) => medium.mid.as_deref(),
            Line::Data(association) => Some(association.mid.as_str()),
            Line::Refused { .. } => None,
        })
    }
}

fn refuse_more_than_one_of_each(sdp: &Sdp<'_>) -> Result<(), OfferError> {
    for kind in ["audio", "video", "application"] {
        if sdp.sections.iter().filter(|s| s.kind == kind).count() > 1 {
            return Err(OfferError(format!("the offer has more than one {kind} line; offer one, it carries the whole mix")));
        }
    }
    Ok(())
}

fn nothing_left(purpose: Purpose, notices: &[String]) -> OfferError {
    let wanted = match purpose {
        Purpose::Join => "offer an audio line with opus or a video line with H264",
        Purpose::Whip => "offer a sendonly audio line with opus or a sendonly video line with H264",
        Purpose::Whep => "offer a recvonly audio line with opus or a recvonly video line with H264",
    };
    match notices {
        [] => OfferError(format!("the offer has no usable media line; {wanted}")),
        _ => OfferError(notices.join("; ")),
    }
}

/// Judges one `m=` line; what it lacks, where that leaves only this line out, goes to `notices`.
fn line(section: &Section<'_>, purpose: Purpose, notices: &mut Vec<String>) -> Result<Line, OfferError> {
    let mid = mid(section)?;
    let kind = match section.kind {
        "audio" => Kind::Audio,
        "video" => Kind::Video,
        _ => return Association::read(section, mid.as_deref())?.map_or_else(|| refused(section, mid), |data| Ok(Line::Data(data))),
    };
    // RFC 9143 §6: bundle-only lines have port 0 and are not refused by it
    let disabled = section.port == 0 && !section.attributes.has("bundle-only");
    let (sends, receives) = directions(&section.attributes, purpose);
    if disabled || !(sends || receives) {
        return refused(section, mid);
    }
    let codec = match kind {
        Kind::Audio => codecs::opus(section),
        Kind::Video => codecs::h264(section),
    };
    let Some(codec) = codec else {
        notices.push(missing_codec(kind, section));
        return refused(section, mid);
    };
    check_transport(section)?;
    let (ssrc, rtx_ssrc) = streams(&section.attributes);
    let simulcast = (kind == Kind::Video && sends).then(|| Layers::read(section, codec.payload_type, notices)).flatten();
    let layers = simulcast.unwrap_or_else(|| Layers::single(ssrc, rtx_ssrc));
    let reduced_rtcp = section.attributes.has("rtcp-rsize");
    Ok(Line::Media(Medium { kind, mid, protocol: token(section.protocol)?, sends, receives, codec, ssrc, rtx_ssrc, layers, reduced_rtcp }))
}

fn refused(section: &Section<'_>, mid: Option<String>) -> Result<Line, OfferError> {
    let formats = section.formats.split_ascii_whitespace().next().unwrap_or("0");
    Ok(Line::Refused { kind: token(section.kind)?, protocol: token(section.protocol)?, formats: token(formats)?, mid })
}

fn missing_codec(kind: Kind, section: &Section<'_>) -> String {
    let offered = codecs::names(section);
    match kind {
        Kind::Audio => format!("the offer's audio has only {offered}; offer opus/48000/2"),
        Kind::Video => format!("the offer's video has only {offered}; offer {SUPPORTED}"),
    }
}

fn check_transport(section: &Section<'_>) -> Result<(), OfferError> {
    let kind = section.kind;
    if !section.protocol.contains("RTP/SAVP") {
        return Err(OfferError(format!("the offer's {kind} line is not encrypted RTP; offer UDP/TLS/RTP/SAVPF")));
    }
    if !section.attributes.has("rtcp-mux") {
        return Err(OfferError(format!("the offer's {kind} line lacks a=rtcp-mux; RTP and RTCP share one port here")));
    }
    Ok(())
}

/// What the client will do on a line: (sends, receives).
fn directions(attributes: &Attributes<'_>, purpose: Purpose) -> (bool, bool) {
    let (sends, receives) = match ["sendonly", "recvonly", "inactive"].map(|d| attributes.has(d)) {
        [true, ..] => (true, false),
        [_, true, _] => (false, true),
        [.., true] => (false, false),
        _ => (true, true),
    };
    match purpose {
        Purpose::Join => (sends, receives),
        Purpose::Whip => (sends, false),
        Purpose::Whep => (false, receives),
    }
}

/// The line's stream and its repair stream (RFC 5576 §4.2: `FID` pairs them).
fn streams(attributes: &Attributes<'_>) -> (Option<u32>, Option<u32>) {
    let number = |text: &str| text.split([' ', ':']).next().and_then(|n| n.parse().ok());
    let pair = attributes.all("ssrc-group").find_map(|group| {
        let mut fields = group.strip_prefix("FID ")?.split_ascii_whitespace();
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    match pair {
        Some((ssrc, rtx)) if ssrc != rtx => (Some(ssrc), Some(rtx)),
        _ => (attributes.all("ssrc").find_map(number), None),
    }
}

fn terms(sdp: &Sdp<'_>, mut lines: Vec<Line>) -> Result<Terms, OfferError> {
    let accepted: Vec<&Section<'_>> =
        sdp.sections.iter().zip(&lines).filter(|(_, line)| matches!(line, Line::Media(_))).map(|(section, _)| section).collect();
    let Some(first) = accepted.first() else {
        // Nothing will come of it: the caller refuses it with the reasons it has noted
        let (ice, fingerprint) = (IceCredentials { ufrag: String::new(), pwd: String::new() }, String::new());
        return Ok(Terms { ice, fingerprint, setup: Setup::ActPass, lite_candidates: None, bundled: false, lines });
    };
    let bundled = bundled(sdp, &accepted)?;
    refuse_data_outside_the_bundle(sdp, bundled, &mut lines)?;
    distinct_mids(sdp)?;
    distinct_payload_types(&lines)?;
    let lite = sdp.session.has("ice-lite");
    let candidates = accepted.iter().flat_map(|s| s.attributes.all("candidate")).take(16).filter_map(|c| transport::candidate(c).ok());
    Ok(Terms {
        ice: transport::ice_credentials(&sdp.session, &first.attributes)?,
        fingerprint: transport::fingerprint(&sdp.session, &first.attributes)?,
        setup: transport::setup(&sdp.session, &first.attributes)?,
        lite_candidates: lite.then(|| candidates.collect()),
        bundled,
        lines,
    })
}

/// Whether the client bundles; it must where it offers more than one line, since there is one transport.
fn bundled(sdp: &Sdp<'_>, accepted: &[&Section<'_>]) -> Result<bool, OfferError> {
    let groups: Vec<Vec<&str>> = sdp
        .session
        .all("group")
        .filter_map(|group| group.strip_prefix("BUNDLE"))
        .map(|mids| mids.split_ascii_whitespace().collect())
        .collect();
    let together = groups.iter().any(|mids| accepted.iter().all(|s| s.attributes.first("mid").is_some_and(|mid| mids.contains(&mid))));
    if accepted.len() > 1 && !together {
        return Err(OfferError("the offer does not bundle its audio and video; offer a=group:BUNDLE with both mids".into()));
    }
    Ok(together)
}

/// There is one transport: data channels go over it or not at all.
fn refuse_data_outside_the_bundle(sdp: &Sdp<'_>, bundled: bool, lines: &mut [Line]) -> Result<(), OfferError> {
    let groups = || sdp.session.all("group").filter_map(|group| group.strip_prefix("BUNDLE"));
    for (section, line) in sdp.sections.iter().zip(lines) {
        let Line::Data(Association { mid, .. }) = line else { continue };
        if !bundled || !groups().any(|mids| mids.split_ascii_whitespace().any(|bundled| bundled == mid)) {
            *line = refused(section, Some(mid.clone()))?;
        }
    }
    Ok(())
}

fn distinct_mids(sdp: &Sdp<'_>) -> Result<(), OfferError> {
    let mut seen = Vec::new();
    for mid in sdp.sections.iter().filter_map(|section| section.attributes.first("mid")) {
        if seen.contains(&mid) {
            return Err(OfferError("two of the offer's lines have the same a=mid; give each its own".into()));
        }
        seen.push(mid);
    }
    Ok(())
}

fn distinct_payload_types(lines: &[Line]) -> Result<(), OfferError> {
    let mut seen = Vec::new();
    for line in lines {
        let Line::Media(medium) = line else { continue };
        for payload_type in [Some(medium.codec.payload_type), medium.codec.rtx].into_iter().flatten() {
            // RFC 9143 §9.1: bundled lines cannot share a payload type
            if seen.contains(&payload_type) {
                return Err(OfferError(format!(
                    "the offer gives payload type {payload_type} two meanings; use distinct ones when bundling"
                )));
            }
            seen.push(payload_type);
        }
    }
    Ok(())
}

fn mid(section: &Section<'_>) -> Result<Option<String>, OfferError> {
    section.attributes.first("mid").map(token).transpose()
}

#[cfg(test)]
mod tests;
