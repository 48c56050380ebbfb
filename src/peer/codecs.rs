//! Which payload type of an offered `m=` section Medley speaks: H.264 (RFC 6184) or Opus (RFC 7587), and what comes with it.
//!
//! In: a section. Out: one payload type with its repair stream, feedback and header extension, or nothing.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use super::sdp::{Attributes, Section};

/// Numbers every packet of a transport, whatever its stream (draft-holmer-rmcat-transport-wide-cc-extensions-01).
pub(super) const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// SPS and PPS taken from an offer at most.
const MAX_PARAMETER_SETS: usize = 8;

/// One payload type, as both sides will use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Codec {
    /// The number that the client gave it.
    pub(super) payload_type: u8,
    /// The `a=rtpmap` encoding, such as `H264/90000`.
    pub(super) encoding: &'static str,
    /// Ticks a second.
    pub(super) clock_rate: u32,
    /// The `a=fmtp` parameters of the answer.
    pub(super) parameters: String,
    /// The payload type of its retransmissions (RFC 4588).
    pub(super) rtx: Option<u8>,
    /// The payload type of packets that repeat those before them (RFC 2198).
    pub(super) red: Option<u8>,
    /// What both sides may send back, as `a=rtcp-fb` says it.
    pub(super) feedback: Vec<&'static str>,
    /// The id of the transport-wide sequence number.
    pub(super) transport_cc: Option<u8>,
    /// SPS and PPS from `sprop-parameter-sets`.
    pub(super) parameter_sets: Vec<Bytes>,
}

/// The best H.264 payload type of a section.
pub(super) fn h264(section: &Section<'_>) -> Option<Codec> {
    let attributes = &section.attributes;
    let (payload_type, offered) = payload_types(section, "H264/90000")
        .filter_map(|pt| Some((pt, H264Parameters::parse(attributes.of_payload("fmtp", pt).next().unwrap_or(""))?)))
        .max_by_key(|(pt, parameters)| (parameters.preference(), std::cmp::Reverse(*pt)))?;
    let H264Parameters { profile_level_id, packetization_mode, .. } = &offered;
    Some(Codec {
        payload_type,
        encoding: "H264/90000",
        clock_rate: 90_000,
        parameters: format!("level-asymmetry-allowed=1;packetization-mode={packetization_mode};profile-level-id={profile_level_id}"),
        rtx: rtx_of(section, payload_type),
        red: None,
        feedback: feedback(attributes, payload_type, &["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]),
        transport_cc: extension(attributes, TRANSPORT_CC_URI),
        parameter_sets: offered.parameter_sets,
    })
}

/// The Opus payload type of a section.
pub(super) fn opus(section: &Section<'_>) -> Option<Codec> {
    let payload_type = payload_types(section, "opus/48000").next()?;
    Some(Codec {
        payload_type,
        encoding: "opus/48000/2",
        clock_rate: 48_000,
        parameters: "minptime=10;useinbandfec=1".into(),
        rtx: None,
        red: red_of(section, payload_type),
        feedback: feedback(&section.attributes, payload_type, &["transport-cc"]),
        transport_cc: extension(&section.attributes, TRANSPORT_CC_URI),
        parameter_sets: Vec::new(),
    })
}

/// The encodings a section offers, for an error message: at most six, sanitized.
pub(super) fn names(section: &Section<'_>) -> String {
    let mut names: Vec<String> = Vec::new();
    for encoding in section.attributes.all("rtpmap").filter_map(|v| v.split_once(' ')) {
        let name: String =
            encoding.1.split('/').next().unwrap_or("").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
        if !matches!(name.to_ascii_lowercase().as_str(), "rtx" | "red" | "ulpfec" | "flexfec-03")
            && !names.contains(&name)
            && names.len() < 6
        {
            names.push(name);
        }
    }
    if names.is_empty() { "no codec that is known here".into() } else { names.join(", ") }
}

/// The payload types of the `m=` line that are mapped to `encoding`.
fn payload_types<'s>(section: &'s Section<'_>, encoding: &'s str) -> impl Iterator<Item = u8> + 's {
    // RFC 5761 §4: with RTP and RTCP on one port, 64 to 95 cannot be told from RTCP
    let usable = |pt: &u8| *pt < 128 && !(64..96).contains(pt);
    section.formats.split_ascii_whitespace().filter_map(|pt| pt.parse().ok()).filter(usable).filter(move |pt| {
        section.attributes.of_payload("rtpmap", *pt).any(|map| {
            let Some(rest) = map.get(encoding.len()..) else { return false };
            map[..encoding.len()].eq_ignore_ascii_case(encoding) && (rest.is_empty() || rest.starts_with('/'))
        })
    })
}

fn rtx_of(section: &Section<'_>, payload_type: u8) -> Option<u8> {
    let apt = format!("apt={payload_type}");
    payload_types(section, "rtx/90000")
        .find(|rtx| section.attributes.of_payload("fmtp", *rtx).any(|f| f.split(';').any(|p| p.trim().eq_ignore_ascii_case(&apt))))
}

/// RFC 2198 §5: the payload types of its blocks, the newest first.
fn red_of(section: &Section<'_>, payload_type: u8) -> Option<u8> {
    let is_of_it = |blocks: &str| blocks.split('/').all(|block| block.trim().parse() == Ok(payload_type));
    payload_types(section, "red/48000").find(|red| section.attributes.of_payload("fmtp", *red).any(is_of_it))
}

fn feedback(attributes: &Attributes<'_>, payload_type: u8, known: &[&'static str]) -> Vec<&'static str> {
    known.iter().copied().filter(|kind| attributes.of_payload("rtcp-fb", payload_type).any(|offered| offered == *kind)).collect()
}

/// The id of a header extension that a section offers.
pub(super) fn extension(attributes: &Attributes<'_>, uri: &str) -> Option<u8> {
    attributes.all("extmap").find_map(|value| {
        let (id, offered) = value.split_once(' ')?;
        let id: u8 = id.split('/').next()?.parse().ok()?;
        // RFC 8285 §4.2: one-byte headers have the ids 1 to 14
        (offered.split_ascii_whitespace().next() == Some(uri) && (1..=14).contains(&id)).then_some(id)
    })
}

struct H264Parameters {
    profile_level_id: String,
    packetization_mode: u8,
    parameter_sets: Vec<Bytes>,
}

impl H264Parameters {
    /// RFC 6184 §8.1: level 1 of Baseline and single NAL unit mode where nothing is said.
    /// Nothing where the profile or mode is not spoken here.
    fn parse(fmtp: &str) -> Option<Self> {
        let mut parameters = Self { profile_level_id: "42000a".into(), packetization_mode: 0, parameter_sets: Vec::new() };
        for (key, value) in fmtp.split(';').filter_map(|p| p.trim().split_once('=')) {
            match key.to_ascii_lowercase().as_str() {
                "profile-level-id" => parameters.profile_level_id = value.trim().to_ascii_lowercase(),
                "packetization-mode" => parameters.packetization_mode = value.trim().parse().ok()?,
                "sprop-parameter-sets" => parameters.parameter_sets = parameter_sets(value),
                _ => {}
            }
        }
        let id = &parameters.profile_level_id;
        let known = id.len() == 6 && id.bytes().all(|b| b.is_ascii_hexdigit()) && profile_rank(id) > 0;
        (known && parameters.packetization_mode <= 1).then_some(parameters)
    }

    /// Constrained Baseline before Baseline, Main and High: it is what is sent; mode 1 before mode 0, whose packets cannot
    /// carry a NAL unit larger than themselves.
    fn preference(&self) -> (u8, u8) {
        (self.packetization_mode, profile_rank(&self.profile_level_id))
    }
}

fn profile_rank(profile_level_id: &str) -> u8 {
    let constraints = u8::from_str_radix(profile_level_id.get(2..4).unwrap_or(""), 16).unwrap_or(0);
    match profile_level_id.get(..2) {
        // RFC 6184 §8.1, table 5: constraint_set1 makes Baseline the Constrained Baseline
        Some("42") if constraints & 0x40 != 0 => 4,
        Some("42") => 3,
        Some("4d") => 2,
        Some("64") => 1,
        _ => 0,
    }
}

fn parameter_sets(value: &str) -> Vec<Bytes> {
    value.split(',').take(MAX_PARAMETER_SETS).filter_map(|set| BASE64_STANDARD.decode(set.trim()).ok()).map(Bytes::from).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sdp::Sdp;
    use super::*;

    fn chosen(lines: &str) -> Option<Codec> {
        let text = format!("v=0\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99\n{lines}");
        h264(&Sdp::parse(&text).unwrap().sections[0])
    }

    #[test]
    fn constrained_baseline_in_mode_1_is_taken_before_what_else_chromium_offers() {
        let codec = chosen(
            "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id=42001f\n\
             a=rtpmap:97 H264/90000\na=fmtp:97 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\n\
             a=rtpmap:98 H264/90000\na=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\n\
             a=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\na=rtcp-fb:98 nack pli\na=rtcp-fb:* nack\n",
        )
        .unwrap();
        assert_eq!((codec.payload_type, codec.rtx), (98, Some(99)));
        assert_eq!(codec.feedback, ["nack", "nack pli"]);
    }

    #[test]
    fn profiles_that_are_not_spoken_here_and_interleaved_mode_are_passed_over() {
        for fmtp in ["packetization-mode=1;profile-level-id=f4001f", "packetization-mode=2;profile-level-id=42e01f", "profile-level-id=zz"]
        {
            assert_eq!(chosen(&format!("a=rtpmap:96 H264/90000\na=fmtp:96 {fmtp}\n")), None, "{fmtp}");
        }
        assert_eq!(
            chosen("a=rtpmap:96 H264/90000\n").unwrap().parameters,
            "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42000a"
        );
    }

    #[test]
    fn sound_that_is_repeated_is_taken_where_its_blocks_are_opus() {
        let red = |lines: &str| {
            let text = format!("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9\na=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\n{lines}");
            opus(&Sdp::parse(&text).unwrap().sections[0]).unwrap().red
        };
        assert_eq!(red("a=fmtp:63 111/111\n"), Some(63));
        assert_eq!((red("a=fmtp:63 9/111\n"), red("a=fmtp:63 x\n"), red("")), (None, None, None));
    }

    #[test]
    fn parameter_sets_come_from_the_offer() {
        let codec = chosen(
            "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id=42c01f;sprop-parameter-sets=Z0LAH9o=,aM48gA==,!\n",
        );
        assert_eq!(codec.unwrap().parameter_sets.iter().map(|s| s[0] & 0x1f).collect::<Vec<_>>(), [7, 8]);
    }
}
