//! SDP fragments (RFC 8840): what a client sends to trickle candidates or to restart ICE.
//!
//! In: a fragment's text. Out: its credentials and candidates, checked.

use super::sdp::{Attributes, Sdp};
use super::transport::{self, IceCredentials};

/// Candidates beyond this are not read.
const MAX_CANDIDATES: usize = 32;

/// A checked fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// The ICE session it belongs to; a client may leave it out.
    pub(super) credentials: Option<IceCredentials>,
    /// The values of its `a=candidate` lines.
    pub(super) candidates: Vec<String>,
}

impl Fragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// With a sentence that says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let sdp = Sdp::parse_fragment(text).map_err(|fault| format!("the fragment {fault}"))?;
        let all = || std::iter::once(&sdp.session).chain(sdp.sections.iter().map(|s| &s.attributes));
        if !all().any(|a| ["ice-ufrag", "ice-pwd", "candidate", "end-of-candidates", "mid"].iter().any(|name| a.has(name))) {
            return Err("the fragment has neither a=ice-ufrag and a=ice-pwd nor a=candidate lines".into());
        }
        let named = all().find(|a| a.has("ice-ufrag") || a.has("ice-pwd"));
        let none = Attributes::default();
        let credentials = named.map(|attributes| transport::ice_credentials(attributes, &none)).transpose().map_err(of_fragment)?;
        let candidates = all().flat_map(|a| a.all("candidate")).take(MAX_CANDIDATES).map(transport::candidate);
        Ok(Self { credentials, candidates: candidates.collect::<Result<_, _>>().map_err(of_fragment)? })
    }
}

fn of_fragment(error: super::OfferError) -> String {
    error.0.replace("the offer", "the fragment")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CANDIDATE: &str = "1 1 udp 2130706431 192.0.2.1 5000 typ host";

    #[test]
    fn candidates_and_credentials_are_found_in_session_and_sections() {
        let text = format!(
            "a=ice-ufrag:abcd\r\na=ice-pwd:{}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:{CANDIDATE}\r\na=end-of-candidates\r\n",
            "x".repeat(22)
        );
        let fragment = Fragment::parse(&text).unwrap();
        assert_eq!(fragment.credentials.unwrap().ufrag, "abcd");
        assert_eq!(fragment.candidates, [CANDIDATE]);
    }

    #[test]
    fn an_end_of_candidates_alone_is_a_fragment() {
        assert_eq!(
            Fragment::parse("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n"),
            Ok(Fragment { credentials: None, candidates: vec![] })
        );
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        for bad in
            ["", "hello", "a=ice-ufrag:abcd\r\n", "a=ice-ufrag:a\r\na=ice-pwd:b\r\n", "a=candidate:1 1 udp x 192.0.2.1 5000 typ host\r\n"]
        {
            assert!(Fragment::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(a=(ice-ufrag|ice-pwd|candidate|mid):.{0,40}\r?\n|m=.{0,20}\n|.{0,30}\n){0,8}") {
            let _ = Fragment::parse(&text);
        }
    }
}
