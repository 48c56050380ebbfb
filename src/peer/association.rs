//! The offer's line for data channels (RFC 8841): one SCTP association over the transport that the media share.
//!
//! In: an `m=application` section. Out: what of it counts, and the lines that stand for it in the stack's offer and in the answer.
//! Never: the client's own text.

use std::net::SocketAddr;

use super::OfferError;
use super::answer::line;
use super::sdp::Section;
use super::transport::token;

/// Its name in the stack's offer.
pub(super) const NAME: &str = "data";
/// What we take in one message, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 * 1024;
/// RFC 8841 §6.1: what a client takes that does not say.
const DEFAULT_MESSAGE_BYTES: u32 = 64 * 1024;
/// RFC 8832 has no default port; this is what everybody uses, and what the stack listens on.
const PORT: u16 = 5000;

/// An accepted line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) mid: String,
    /// The client's SCTP port.
    pub(super) port: u16,
    /// What the client takes in one message, in bytes; 0 for any length.
    pub(super) max_message_bytes: u32,
}

impl Association {
    /// Reads a section; `None` where it is disabled, is something else, or names itself not: it is refused then.
    ///
    /// # Errors
    /// Where it promises what it cannot mean.
    pub(super) fn read(section: &Section<'_>, mid: Option<&str>) -> Result<Option<Self>, OfferError> {
        let is_data = section.kind == "application" && section.protocol == "UDP/DTLS/SCTP" && section.formats == "webrtc-datachannel";
        let enabled = section.port != 0 || section.attributes.has("bundle-only");
        let (Some(mid), true, true) = (mid, is_data, enabled) else { return Ok(None) };
        let port = number(section, "sctp-port", PORT)?;
        let max_message_bytes = number(section, "max-message-size", DEFAULT_MESSAGE_BYTES)?;
        Ok(Some(Self { mid: mid.to_owned(), port, max_message_bytes }))
    }

    /// As the stack gets it, but for the transport.
    pub(super) fn offered(&self, sdp: &mut String) {
        line(sdp, format_args!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
        line(sdp, format_args!("c=IN IP4 0.0.0.0"));
        line(sdp, format_args!("a=mid:{NAME}"));
        line(sdp, format_args!("a=sctp-port:{}", self.port));
        line(sdp, format_args!("a=max-message-size:{}", self.max_message_bytes));
    }

    /// As the client gets it, but for the transport.
    pub(super) fn answered(&self, sdp: &mut String, default: Option<&SocketAddr>) {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 9));
        let address = default.unwrap_or(&unknown);
        line(sdp, format_args!("m=application {} UDP/DTLS/SCTP webrtc-datachannel", address.port()));
        line(sdp, format_args!("c=IN {} {}", if address.is_ipv4() { "IP4" } else { "IP6" }, address.ip()));
        line(sdp, format_args!("a=mid:{}", self.mid));
        line(sdp, format_args!("a=sctp-port:{PORT}"));
        line(sdp, format_args!("a=max-message-size:{MAX_MESSAGE_BYTES}"));
    }
}

fn number<N: std::str::FromStr>(section: &Section<'_>, name: &str, default: N) -> Result<N, OfferError> {
    let Some(value) = section.attributes.first(name) else { return Ok(default) };
    let refusal = || OfferError(format!("the offer's a={name} is no number that it can be; leave the line out, or send a={name}:5000"));
    token(value)?.parse().map_err(|_| refusal())
}
