//! A media playlist, read strictly: what this reader does not know is a breach.
//!
//! In: text. Out: segments, parts, and what the header tags say. Never: a tag passed over.

use std::collections::BTreeMap;

use super::Breach;

/// What a playlist says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Playlist {
    /// `EXT-X-VERSION`.
    pub version: u64,
    /// `EXT-X-TARGETDURATION`.
    pub target: f64,
    /// `PART-TARGET`.
    pub part_target: f64,
    /// `PART-HOLD-BACK`.
    pub hold_back: f64,
    /// `CAN-BLOCK-RELOAD=YES`.
    pub blocks: bool,
    /// `EXT-X-INDEPENDENT-SEGMENTS`.
    pub independent: bool,
    /// `EXT-X-MEDIA-SEQUENCE`.
    pub sequence: u64,
    /// `EXT-X-DISCONTINUITY-SEQUENCE`.
    pub discontinuities: u64,
    /// Whole segments, and the open one, which has no `uri`, where it has parts.
    pub segments: Vec<Segment>,
    /// The part that comes next.
    pub hint: Option<String>,
    /// `EXT-X-ENDLIST`.
    pub ended: bool,
}

/// A segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// Empty for the open one.
    pub uri: String,
    /// `EXTINF`; 0 for the open one.
    pub duration: f64,
    /// Its parts, where they are told.
    pub parts: Vec<Part>,
    /// Its initialization section.
    pub map: String,
    /// When it was, in seconds since 1970.
    pub date: Option<f64>,
    /// It stands behind `EXT-X-DISCONTINUITY`.
    pub discontinuity: bool,
}

/// A part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its name.
    pub uri: String,
    /// In seconds.
    pub duration: f64,
    /// `INDEPENDENT=YES`.
    pub independent: bool,
}

impl Playlist {
    /// Reads a playlist.
    ///
    /// # Errors
    /// With the first line that is not as the standards have it.
    pub fn read(text: &str) -> Result<Self, Breach> {
        let mut lines = text.strip_suffix('\n').ok_or_else(|| Breach::of("the last line has no end", text))?.split('\n');
        if lines.next() != Some("#EXTM3U") {
            return Err(Breach::of("the first line is not #EXTM3U", text));
        }
        let mut read = Self::default();
        let (mut open, mut once) = (Segment::default(), BTreeMap::new());
        for line in lines {
            if line.is_empty() || line.chars().any(char::is_control) || read.ended {
                return Err(Breach::of("an empty line, a control character, or a line after the end", line));
            }
            read.line(line, &mut open, &mut once)?;
        }
        if !open.parts.is_empty() || open.date.is_some() {
            read.segments.push(open);
        }
        Ok(read)
    }

    fn line<'a>(&mut self, line: &'a str, open: &mut Segment, once: &mut BTreeMap<&'a str, ()>) -> Result<(), Breach> {
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        let is_repeated = ["#EXTINF", "#EXT-X-PART", "#EXT-X-MAP", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-DISCONTINUITY"].contains(&tag);
        if line.starts_with('#') && !is_repeated && once.insert(tag, ()).is_some() {
            return Err(Breach::of("a tag that stands once stands twice", line));
        }
        let attributes = || attributes(value).ok_or_else(|| Breach::of("attributes that cannot be read", line));
        match tag {
            "#EXT-X-VERSION" => self.version = number(line, value)?,
            "#EXT-X-TARGETDURATION" => self.target = number::<u64>(line, value)? as f64,
            "#EXT-X-MEDIA-SEQUENCE" => self.sequence = number(line, value)?,
            "#EXT-X-DISCONTINUITY-SEQUENCE" => self.discontinuities = number(line, value)?,
            "#EXT-X-INDEPENDENT-SEGMENTS" => self.independent = true,
            "#EXT-X-ENDLIST" => self.ended = true,
            "#EXT-X-SERVER-CONTROL" => {
                let attributes = attributes()?;
                self.blocks = attributes.get("CAN-BLOCK-RELOAD") == Some(&"YES");
                self.hold_back = number(line, attributes.get("PART-HOLD-BACK").unwrap_or(&""))?;
            }
            "#EXT-X-PART-INF" => self.part_target = number(line, attributes()?.get("PART-TARGET").unwrap_or(&""))?,
            "#EXT-X-PRELOAD-HINT" => self.hint = Some(uri(line, &attributes()?)?),
            _ => return self.of_a_segment(line, open),
        }
        Ok(())
    }

    fn of_a_segment(&mut self, line: &str, open: &mut Segment) -> Result<(), Breach> {
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        let attributes = || attributes(value).ok_or_else(|| Breach::of("attributes that cannot be read", line));
        match tag {
            "#EXT-X-DISCONTINUITY" => open.discontinuity = true,
            "#EXT-X-MAP" => open.map = uri(line, &attributes()?)?,
            "#EXT-X-PROGRAM-DATE-TIME" => {
                let time: jiff::Timestamp = value.parse().map_err(|_| Breach::of("a time that is none", line))?;
                open.date = Some(time.as_millisecond() as f64 / 1000.0);
            }
            "#EXT-X-PART" => {
                let attributes = attributes()?;
                let duration = number(line, attributes.get("DURATION").unwrap_or(&""))?;
                let independent = attributes.get("INDEPENDENT") == Some(&"YES");
                open.parts.push(Part { uri: uri(line, &attributes)?, duration, independent });
            }
            "#EXTINF" => open.duration = number(line, value.strip_suffix(',').unwrap_or(value))?,
            _ if line.starts_with('#') => return Err(Breach::of("a tag that is not known", line)),
            _ => {
                let map = open.map.clone();
                open.uri = line.to_owned();
                self.segments.push(std::mem::replace(open, Segment { map, ..Segment::default() }));
            }
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(line: &str, text: &str) -> Result<T, Breach> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| digits).ok_or_else(|| Breach::of("no number, or none where one must be", line))
}

fn uri(line: &str, attributes: &BTreeMap<&str, &str>) -> Result<String, Breach> {
    let quoted = attributes.get("URI").and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    quoted.filter(|uri| !uri.is_empty()).map(str::to_owned).ok_or_else(|| Breach::of("no URI in quotes", line))
}

/// Names and values (RFC 8216 §4.2); no value here has a comma in it.
fn attributes(text: &str) -> Option<BTreeMap<&str, &str>> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    let mut attributes = BTreeMap::new();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=')?;
        if !is_name(name) || value.is_empty() || attributes.insert(name, value).is_some() {
            return None;
        }
    }
    Some(attributes)
}
