//! The media playlist (RFC 8216 §4.3, rfc8216bis §4.4).
//!
//! In: the segments that there are. Out: its text; times to ten microseconds, names relative to it. Never: a promise that the next
//! playlist breaks.

use std::fmt::{Result, Write};

use jiff::Timestamp;

use super::window::{Name, Segment, Window};
use super::{PART, TARGET_SECONDS};
use crate::container::mp4::PICTURE_CLOCK;
use crate::media::MediaTime;

/// Whole segments whose parts are named, too: those behind them are of no use to whoever plays at the live edge.
const WITH_PARTS: usize = 3;
/// How far behind the newest part a player stays: three parts (§4.4.3.8).
const HOLD_BACK: u64 = 3 * PART;

/// What a playlist needs to know beside its segments.
#[derive(Clone, Debug)]
pub(super) struct About<'a> {
    /// The folder of the stream's files.
    pub(super) stream: &'a str,
    /// The wall clock at the media line's beginning.
    pub(super) epoch: Timestamp,
}

/// The text of the playlist.
pub(super) fn text(window: &Window, about: &About<'_>) -> String {
    let mut text = String::with_capacity(4096);
    write(&mut text, window, about).expect("a string takes any text");
    text
}

fn write(text: &mut String, window: &Window, about: &About<'_>) -> Result {
    let folder = about.stream;
    let first = window.listed().next();
    // 9 is the version whose parts and blocking reload these are
    writeln!(text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:{TARGET_SECONDS}")?;
    writeln!(text, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={}", seconds(HOLD_BACK))?;
    writeln!(text, "#EXT-X-PART-INF:PART-TARGET={}", seconds(PART))?;
    writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{}", first.map_or(0, |first| first.number))?;
    writeln!(text, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", window.discontinuity_sequence())?;
    let whole = window.listed().filter(|segment| segment.is_whole()).count();
    let mut header = None;
    for (n, segment) in window.listed().enumerate() {
        if segment.discontinuity {
            writeln!(text, "#EXT-X-DISCONTINUITY")?;
        }
        if header.replace(segment.header) != Some(segment.header) {
            writeln!(text, "#EXT-X-MAP:URI=\"{folder}/{}\"", Name::Header(segment.header))?;
        }
        write_segment(text, segment, about, n + WITH_PARTS >= whole)?;
    }
    if window.has_ended() {
        return writeln!(text, "#EXT-X-ENDLIST");
    }
    writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{folder}/{}\"", Name::Part(window.next_part()))
}

fn write_segment(text: &mut String, segment: &Segment, about: &About<'_>, with_parts: bool) -> Result {
    let folder = about.stream;
    let time = about.epoch.checked_add(segment.at.since(MediaTime::ZERO)).unwrap_or(about.epoch);
    writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{time:.3}")?;
    for part in segment.parts.iter().filter(|_| with_parts) {
        let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
        let name = Name::Part(part.number);
        writeln!(text, "#EXT-X-PART:DURATION={},URI=\"{folder}/{name}\"{independent}", seconds(part.duration))?;
    }
    if segment.is_whole() {
        writeln!(text, "#EXTINF:{},\n{folder}/{}", seconds(segment.duration()), Name::Segment(segment.number))?;
    }
    Ok(())
}

/// Ticks of pictures as seconds.
fn seconds(ticks: u64) -> String {
    let rounded = (ticks * 100_000 + u64::from(PICTURE_CLOCK) / 2) / u64::from(PICTURE_CLOCK);
    format!("{}.{:05}", rounded / 100_000, rounded % 100_000)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::broadcast::hls::segmenter::{Opening, Piece};

    fn piece(opens: Option<Opening>, closes: bool) -> Piece {
        let independent = opens.is_some();
        Piece { opens, closes, duration: 30_000, independent, bytes: Bytes::from_static(b"x") }
    }

    #[test]
    fn a_playlist_reads_as_the_standard_writes_it() {
        let mut window = Window::default();
        let opening = |at, discontinuity: bool| {
            Some(Opening { at: MediaTime::from_millis(at), header: discontinuity.then(|| Bytes::from_static(b"h")), discontinuity })
        };
        let first = Opening { discontinuity: false, ..opening(0, true).unwrap() };
        [piece(Some(first), false), piece(None, true), piece(opening(667, true), false)].into_iter().for_each(|piece| window.take(piece));
        let about = About { stream: "abc", epoch: Timestamp::from_second(1_800_000_000).unwrap() };
        let expected = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:2\n\
            #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.00200\n#EXT-X-PART-INF:PART-TARGET=0.33400\n\
            #EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n\
            #EXT-X-MAP:URI=\"abc/i0.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z\n\
            #EXT-X-PART:DURATION=0.33333,URI=\"abc/p0.mp4\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.33333,URI=\"abc/p1.mp4\"\n\
            #EXTINF:0.66667,\nabc/s0.mp4\n\
            #EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"abc/i1.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.667Z\n\
            #EXT-X-PART:DURATION=0.33333,URI=\"abc/p2.mp4\",INDEPENDENT=YES\n\
            #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"abc/p3.mp4\"\n";
        assert_eq!(text(&window, &about), expected);
        window.end();
        assert!(text(&window, &about).ends_with("abc/p2.mp4\",INDEPENDENT=YES\n#EXT-X-ENDLIST\n"));
    }
}
