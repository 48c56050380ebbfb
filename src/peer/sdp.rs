//! A bounded reader for session descriptions (RFC 8866) and SDP fragments (RFC 8840).
//!
//! In: text from a peer. Out: its attributes, by section. Never: an allocation beyond the text's own size, or a panic.

/// A description longer than this is refused, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;
const MAX_LINES: usize = 2000;
const MAX_LINE_BYTES: usize = 8 * 1024;
/// Sections beyond this are refused: a call needs three.
const MAX_SECTIONS: usize = 8;

/// The lines before the first `m=` and one section for each `m=`.
#[derive(Debug)]
pub(super) struct Sdp<'a> {
    /// What holds for all sections.
    pub(super) session: Attributes<'a>,
    /// In the order of their `m=` lines.
    pub(super) sections: Vec<Section<'a>>,
}

/// One `m=` line and the attributes below it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// `audio`, `video`, `application`, ….
    pub(super) kind: &'a str,
    /// 0 where the section is refused or, with `a=bundle-only`, rides on another.
    pub(super) port: u16,
    /// Such as `UDP/TLS/RTP/SAVPF`.
    pub(super) protocol: &'a str,
    /// Payload types or the like, separated by blanks.
    pub(super) formats: &'a str,
    /// The `a=` lines.
    pub(super) attributes: Attributes<'a>,
}

/// `a=` lines in order.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// Whether `a=name` is there, with or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| *key == name)
    }

    /// The first value of `a=name:`.
    pub(super) fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every value of `a=name:`, in order.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.0.iter().filter(move |(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// The values of `a=name:<payload type> …` for one payload type (or `*`), without it.
    pub(super) fn of_payload<'s>(&'s self, name: &'s str, payload_type: u8) -> impl Iterator<Item = &'a str> + 's {
        self.all(name).filter_map(move |value| {
            let (target, rest) = value.split_once(' ')?;
            (target == "*" || target.parse() == Ok(payload_type)).then_some(rest.trim())
        })
    }
}

impl<'a> Sdp<'a> {
    /// Reads a whole description.
    ///
    /// # Errors
    /// With a phrase that goes after "the offer".
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        if !text.starts_with("v=0") {
            return Err("does not begin with v=0; send a session description (RFC 8866)".into());
        }
        Self::parse_fragment(text)
    }

    /// Reads a description or a fragment of one, which may lack everything but `a=` lines.
    ///
    /// # Errors
    /// As [`Sdp::parse`].
    pub(super) fn parse_fragment(text: &'a str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("has {} bytes; at most {MAX_BYTES} are read", text.len()));
        }
        let mut sdp = Sdp { session: Attributes::default(), sections: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            if number == MAX_LINES {
                return Err(format!("has more than {MAX_LINES} lines"));
            }
            sdp.take(line).map_err(|fault| format!("{fault} in line {}", number + 1))?;
        }
        Ok(sdp)
    }

    fn take(&mut self, line: &'a str) -> Result<(), &'static str> {
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > MAX_LINE_BYTES || line.bytes().any(|b| b < b' ' && b != b'\t') {
            return Err("has an overlong line or control characters");
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err("has something that is no <letter>=<value>");
        };
        match kind {
            "m" => self.open_section(value),
            "a" => {
                let attribute = value.split_once(':').unwrap_or((value, ""));
                self.sections.last_mut().map_or(&mut self.session, |s| &mut s.attributes).0.push(attribute);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open_section(&mut self, value: &'a str) -> Result<(), &'static str> {
        if self.sections.len() == MAX_SECTIONS {
            return Err("has more than 8 m= lines");
        }
        let mut fields = value.splitn(4, ' ');
        let (Some(kind), Some(port), Some(protocol)) = (fields.next(), fields.next(), fields.next()) else {
            return Err("has an m= line without media, port and protocol");
        };
        let port = port.split('/').next().unwrap_or(port).parse().map_err(|_| "has an m= line without a port number")?;
        let formats = fields.next().unwrap_or("").trim();
        self.sections.push(Section { kind, port, protocol, formats, attributes: Attributes::default() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_belong_to_the_section_above_them() {
        let sdp = Sdp::parse("v=0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:x\r\na=rtcp-mux\r\n").unwrap();
        assert!(sdp.session.has("ice-lite") && !sdp.session.has("mid"));
        let section = &sdp.sections[0];
        assert_eq!((section.kind, section.port, section.formats), ("audio", 9, "111 0"));
        assert_eq!(section.attributes.first("mid"), Some("x"));
        assert_eq!(section.attributes.first("rtcp-mux"), Some(""));
    }

    #[test]
    fn what_is_no_description_is_refused_with_a_reason() {
        let long = format!("v=0\r\na={}\r\n", "x".repeat(MAX_LINE_BYTES));
        let many = format!("v=0\r\n{}", "a=x\r\n".repeat(MAX_LINES));
        let media = format!("v=0\r\n{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(9));
        for bad in ["", "{}", "v=0\r\nm=audio", "v=0\r\nm=audio x RTP 0", "v=0\r\nhello", "v=0\r\na=\u{0}", &long, &many, &media] {
            assert!(Sdp::parse(bad).is_err(), "{bad:.40}");
        }
    }
}
