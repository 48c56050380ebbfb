//! What an offer or a fragment says of the transport: ICE credentials, candidates, certificate and DTLS role.
//!
//! In: attributes. Out: checked values, or a sentence about what to send instead.

use super::OfferError;
use super::sdp::Attributes;

/// An ICE user name fragment and password (RFC 8839 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IceCredentials {
    pub(super) ufrag: String,
    pub(super) pwd: String,
}

/// Which part the client plays in DTLS (RFC 8842 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    /// It leaves the choice to us.
    ActPass,
    /// It waits for our handshake.
    Passive,
    /// It begins the handshake.
    Active,
}

/// The first ICE credentials of a session or section (RFC 8839 §5.4).
pub(super) fn ice_credentials(session: &Attributes<'_>, section: &Attributes<'_>) -> Result<IceCredentials, OfferError> {
    let value = |name| section.first(name).or_else(|| session.first(name));
    let (Some(ufrag), Some(pwd)) = (value("ice-ufrag"), value("ice-pwd")) else {
        return Err(OfferError("the offer lacks a=ice-ufrag or a=ice-pwd; send both, for the session or each media line".into()));
    };
    let fits = |text: &str, least| {
        (least..=256).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/' || b == b'-' || b == b'_')
    };
    if !fits(ufrag, 4) || !fits(pwd, 22) {
        return Err(OfferError(
            "the offer's ICE credentials are malformed; send an ice-ufrag of 4 to 256 and an ice-pwd of 22 to 256 ice-chars".into(),
        ));
    }
    Ok(IceCredentials { ufrag: ufrag.into(), pwd: pwd.into() })
}

/// The client's certificate (RFC 8122 §5): SHA-256, which is all that the stack compares.
pub(super) fn fingerprint(session: &Attributes<'_>, section: &Attributes<'_>) -> Result<String, OfferError> {
    let offered = section.all("fingerprint").chain(session.all("fingerprint"));
    let sha256 = offered.filter_map(|value| value.split_once(' ')).find(|(hash, _)| hash.eq_ignore_ascii_case("sha-256"));
    let Some((_, value)) = sha256 else {
        return Err(OfferError("the offer lacks a sha-256 a=fingerprint; send one, for the session or each media line".into()));
    };
    let value = value.trim().to_ascii_uppercase();
    let octets: Vec<&str> = value.split(':').collect();
    if octets.len() != 32 || octets.iter().any(|o| o.len() != 2 || !o.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(OfferError("the offer's sha-256 fingerprint is not 32 hexadecimal octets with colons between them".into()));
    }
    Ok(value)
}

/// The part that the client plays in DTLS; without a word of it, either.
pub(super) fn setup(session: &Attributes<'_>, section: &Attributes<'_>) -> Result<Setup, OfferError> {
    match section.first("setup").or_else(|| session.first("setup")) {
        None | Some("actpass") => Ok(Setup::ActPass),
        Some("passive") => Ok(Setup::Passive),
        Some("active") => Ok(Setup::Active),
        Some(_) => Err(OfferError("the offer's a=setup is unknown; send a=setup:actpass".into())),
    }
}

/// A candidate line's value, checked to be one (RFC 8839 §5.1): foundation, component, transport, priority, address, port, type.
pub(super) fn candidate(value: &str) -> Result<String, OfferError> {
    let malformed = || OfferError(format!("{:?} is no candidate (RFC 8839 §5.1)", value.chars().take(80).collect::<String>()));
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let [foundation, component, _, priority, address, port, "typ", _, ..] = fields[..] else { return Err(malformed()) };
    let numbers = component.parse::<u16>().is_ok() && priority.parse::<u32>().is_ok() && port.parse::<u16>().is_ok();
    let names = foundation.len() <= 32 && address.len() <= 253 && fields.len() <= 40;
    if numbers && names { Ok(fields.join(" ")) } else { Err(malformed()) }
}

/// RFC 8866 §9: a token, as it goes back into the answer.
pub(super) fn token(text: &str) -> Result<String, OfferError> {
    let allowed = |b: u8| b.is_ascii_graphic();
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(text.into());
    }
    Err(OfferError(format!("{:?} in the offer is no token of 1 to 64 characters", text.chars().take(80).collect::<String>())))
}
