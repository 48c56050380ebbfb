//! Simulcast in an offer (RFC 8853): which layers a sender has, and what tells their packets apart.
//!
//! In: an `m=` section that the client sends on. Out: its layers in the order of `a=simulcast:send`, or of the older
//! `a=ssrc-group:SIM`; the lines of the answer. Never: more than [`MOST_LAYERS`], or a refusal: a sender whose simulcast is not
//! understood sends one layer.

use super::codecs::extension;
use super::sdp::{Attributes, Section};

/// Layers that are taken of one sender; browsers have three.
pub(super) const MOST_LAYERS: usize = 4;
/// RFC 8852 §3.1 bounds a name by the header extension alone; in one-byte form (RFC 8285 §4.2) that is 16 bytes.
const MAX_RID_BYTES: usize = 16;

const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const REPAIRED_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

/// A sender's layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layers {
    /// Their names in order; empty where the client names none.
    pub(super) rids: Vec<String>,
    /// The header extensions that carry the line's name, a layer's name, and the name of the layer that a repair stream is for.
    pub(super) mid: Option<u8>,
    pub(super) rid: Option<u8>,
    pub(super) repaired: Option<u8>,
    /// The stream of each layer and its repair stream, where the client says them beforehand.
    pub(super) streams: Vec<(u32, Option<u32>)>,
}

impl Layers {
    /// Of one layer, whose streams may be known.
    pub(super) fn single(ssrc: Option<u32>, rtx_ssrc: Option<u32>) -> Self {
        Self { streams: ssrc.map(|ssrc| (ssrc, rtx_ssrc)).into_iter().collect(), ..Self::default() }
    }

    /// Of a section, sent as `payload_type`; what is wrong with its simulcast goes to `notices`.
    pub(super) fn read(section: &Section<'_>, payload_type: u8, notices: &mut Vec<String>) -> Option<Self> {
        let attributes = &section.attributes;
        if !attributes.has("simulcast") {
            return declared(attributes);
        }
        let rids = match rids(attributes, payload_type) {
            Ok(rids) if rids.is_empty() => return None,
            Ok(rids) => rids,
            Err(fault) => {
                notices.push(format!("the offer's simulcast is left out: {fault}"));
                return None;
            }
        };
        if rids.len() > MOST_LAYERS {
            notices.push(format!("the offer's simulcast has {} layers; the first {MOST_LAYERS} are taken", rids.len()));
        }
        let [mid, rid, repaired] = [MID_URI, RID_URI, REPAIRED_URI].map(|uri| extension(attributes, uri));
        Some(Self { rids: rids.into_iter().take(MOST_LAYERS).collect(), mid, rid, repaired, streams: Vec::new() })
    }

    /// The lines of the answer.
    pub(super) fn answer(&self) -> Vec<String> {
        if self.rids.is_empty() {
            return Vec::new();
        }
        let extensions = [(self.mid, MID_URI), (self.rid, RID_URI), (self.repaired, REPAIRED_URI)];
        let extensions = extensions.into_iter().filter_map(|(id, uri)| Some(format!("a=extmap:{} {uri}", id?)));
        let rids = self.rids.iter().map(|rid| format!("a=rid:{rid} recv"));
        extensions.chain(rids).chain([format!("a=simulcast:recv {}", self.rids.join(";"))]).collect()
    }
}

/// The names behind `send`, in order; none where the client only receives simulcast.
fn rids(attributes: &Attributes<'_>, payload_type: u8) -> Result<Vec<String>, &'static str> {
    let mut fields = attributes.first("simulcast").unwrap_or("").split_ascii_whitespace();
    let mut list = "";
    while let Some(direction) = fields.next() {
        let streams = fields.next().ok_or("a=simulcast has a direction without streams; offer a=simulcast:send h;m;l")?;
        match direction {
            "send" => list = streams,
            "recv" => {}
            _ => return Err("a=simulcast begins with neither send nor recv; offer a=simulcast:send h;m;l"),
        }
    }
    if extension(attributes, RID_URI).is_none() && !list.is_empty() {
        return Err("its packets would not say which layer they are of; offer a=extmap with urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    }
    let mut rids = Vec::new();
    for alternatives in list.split(';').filter(|stream| !stream.is_empty()) {
        // RFC 8853 §5.2: alternatives are listed best first, and `~` marks a stream that begins paused
        let names = alternatives.split(',').map(|name| name.trim_start_matches('~'));
        let Some(rid) = names.into_iter().find(|name| sends(attributes, name, payload_type)) else { continue };
        if !rids.iter().any(|known| known == rid) {
            rids.push(rid.to_owned());
        }
    }
    if rids.is_empty() && !list.is_empty() { Err("none of its streams has a line a=rid:<name> send") } else { Ok(rids) }
}

/// Whether `a=rid` says that this layer is sent as this payload type (RFC 8851 §4).
fn sends(attributes: &Attributes<'_>, name: &str, payload_type: u8) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > MAX_RID_BYTES || !name.bytes().all(known) {
        return false;
    }
    attributes.all("rid").any(|line| {
        let mut fields = line.splitn(3, ' ');
        let is_sent = fields.next() == Some(name) && fields.next() == Some("send");
        let restrictions = fields.next().unwrap_or("");
        let formats = restrictions.split(';').find_map(|restriction| restriction.trim().strip_prefix("pt="));
        is_sent && formats.is_none_or(|formats| formats.split(',').any(|format| format.trim().parse() == Ok(payload_type)))
    })
}

/// Streams that `a=ssrc-group:SIM` lists, lowest layer first, as older clients do, each with its repair stream (RFC 5576 §4.2).
fn declared(attributes: &Attributes<'_>) -> Option<Layers> {
    let groups = |kind: &'static str| attributes.all("ssrc-group").filter_map(move |group| group.strip_prefix(kind));
    let numbers = |group: &str| group.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<u32>>();
    let ssrcs = groups("SIM ").map(numbers).find(|ssrcs| ssrcs.len() > 1)?;
    let repairs: Vec<Vec<u32>> = groups("FID ").map(numbers).filter(|pair| pair.len() == 2 && pair[0] != pair[1]).collect();
    let repair = |ssrc: u32| repairs.iter().find(|pair| pair[0] == ssrc).map(|pair| pair[1]);
    let streams = ssrcs.into_iter().take(MOST_LAYERS).map(|ssrc| (ssrc, repair(ssrc))).collect();
    Some(Layers { streams, ..Layers::default() })
}

#[cfg(test)]
mod tests {
    use super::super::sdp::Sdp;
    use super::*;

    const EXTENSIONS: &str = "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n\
                              a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n";
    const RIDS: &str = "a=rid:h send\na=rid:m send pt=106,96\na=rid:l send max-width=320\na=rid:x send pt=96\n";

    fn read(lines: &str) -> (Option<Layers>, Vec<String>) {
        let text = format!("v=0\nm=video 9 UDP/TLS/RTP/SAVPF 106\n{lines}");
        let mut notices = Vec::new();
        let layers = Layers::read(&Sdp::parse(&text).unwrap().sections[0], 106, &mut notices);
        (layers, notices)
    }

    fn rids(simulcast: &str) -> Vec<String> {
        read(&format!("{EXTENSIONS}{RIDS}a=simulcast:{simulcast}\n")).0.map_or_else(Vec::new, |layers| layers.rids)
    }

    #[test]
    fn layers_are_numbered_by_their_place_and_answered_by_name() {
        let (layers, notices) = read(&format!("{EXTENSIONS}{RIDS}a=simulcast:send h;m;l\n"));
        let answer = layers.unwrap().answer();
        let sent = format!("{EXTENSIONS}a=rid:h recv\na=rid:m recv\na=rid:l recv\na=simulcast:recv h;m;l");
        assert_eq!((answer.join("\n"), notices), (sent, vec![]));
    }

    #[test]
    fn alternatives_and_paused_streams_are_understood_and_other_codecs_passed_over() {
        assert_eq!(rids("send h;~m;l recv h"), ["h", "m", "l"]);
        assert_eq!(rids("recv h send x,m;~l"), ["m", "l"]);
        assert_eq!(rids("send h;h;;l"), ["h", "l"]);
        assert_eq!(rids("recv h;m"), [""; 0]);
    }

    #[test]
    fn what_is_malformed_leaves_one_layer_and_a_notice() {
        let no_extension = format!("{RIDS}a=simulcast:send h;m\n");
        let with = |simulcast: &str| format!("{EXTENSIONS}{RIDS}a=simulcast:{simulcast}\n");
        for bad in [no_extension, with("send"), with("both h;m"), with("send q;r"), with(" rid=h"), with("send ü;é")] {
            let (layers, notices) = read(&bad);
            assert!(layers.is_none() && notices.len() == 1, "{bad} {notices:?}");
        }
    }

    #[test]
    fn of_too_many_layers_the_first_are_taken() {
        let lines: String = (0..9).map(|n| format!("a=rid:{n} send\n")).collect();
        let (layers, notices) = read(&format!("{EXTENSIONS}{lines}a=simulcast:send 0;1;2;3;4;5;6;7;8\n"));
        assert_eq!(layers.unwrap().rids, ["0", "1", "2", "3"]);
        assert!(notices[0].contains("9 layers; the first 4"), "{notices:?}");
    }

    #[test]
    fn older_clients_declare_each_layers_streams() {
        let (layers, _) = read("a=ssrc-group:SIM 1 2 3\na=ssrc-group:FID 1 11\na=ssrc-group:FID 3 13\na=ssrc-group:FID 2 2\n");
        let layers = layers.unwrap();
        assert_eq!(layers.streams, [(1, Some(11)), (2, None), (3, Some(13))]);
        assert!(layers.answer().is_empty());
        assert_eq!(read("a=ssrc-group:SIM 7\n").0, None);
    }
}
