//! A strict judge of playlists: RFC 8216, draft-pantos-hls-rfc8216bis, and what this server promises beyond them.
//!
//! In: one playlist after another, as a client gets them; files. Out: what they say, or the first rule that is broken. Never: a rule let
//! pass because a player would.

mod fragments;
mod read;

use std::collections::{BTreeMap, BTreeSet};

pub use fragments::{Fragment, Run};
pub use read::{Part, Playlist, Segment};

/// Written durations are rounded to ten microseconds, dates to milliseconds.
const ROUNDING: f64 = 0.0015;

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {found}")]
pub struct Breach {
    rule: String,
    found: String,
}

impl Breach {
    fn of(rule: &str, found: impl std::fmt::Debug) -> Self {
        let found = format!("{found:?}").chars().take(600).collect();
        Self { rule: rule.to_owned(), found }
    }
}

/// Fails with the rule where it does not hold.
fn rule(holds: bool, rule: &str, found: impl std::fmt::Debug) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach::of(rule, found)) }
}

/// Holds the playlists of one stream against the rules, and against each other.
#[derive(Debug, Default)]
pub struct Judge {
    before: Option<Playlist>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Judge {
    /// Takes the next playlist of the stream.
    ///
    /// # Errors
    /// With the first rule that it breaks.
    pub fn playlist(&mut self, text: &str) -> Result<Playlist, Breach> {
        let playlist = Playlist::read(text)?;
        header(&playlist)?;
        names(&playlist)?;
        playlist.segments.iter().enumerate().try_for_each(|(n, segment)| self::segment(&playlist, n, segment))?;
        dates(&playlist)?;
        if let Some(before) = &self.before {
            follows(before, &playlist)?;
        }
        self.before = Some(playlist.clone());
        Ok(playlist)
    }

    /// Takes a file that the stream has under a name.
    ///
    /// # Errors
    /// Where it was another before.
    pub fn file(&mut self, uri: &str, bytes: &[u8]) -> Result<(), Breach> {
        let known = self.files.entry(uri.to_owned()).or_insert_with(|| bytes.to_vec());
        rule(known == bytes && !bytes.is_empty(), "a name has one content, and some", uri)
    }
}

fn header(playlist: &Playlist) -> Result<(), Breach> {
    rule(playlist.version >= 9, "parts and blocking reload are of version 9", playlist.version)?;
    rule(playlist.target >= 1.0, "there is a target duration", playlist.target)?;
    rule(playlist.blocks, "low latency needs CAN-BLOCK-RELOAD (§B.1)", playlist.blocks)?;
    rule(playlist.part_target > 0.0 && playlist.part_target < playlist.target, "parts are shorter than segments", playlist.part_target)?;
    rule(playlist.hold_back + 1e-9 >= 3.0 * playlist.part_target, "PART-HOLD-BACK is three parts at least", playlist.hold_back)?;
    rule(playlist.ended || playlist.hint.is_some(), "the next part is hinted at until the end", &playlist.hint)?;
    rule(!playlist.ended || playlist.hint.is_none(), "nothing is hinted at after the end", &playlist.hint)
}

fn names(playlist: &Playlist) -> Result<(), Breach> {
    let segments = playlist.segments.iter().map(|segment| &segment.uri).filter(|uri| !uri.is_empty());
    let parts = playlist.segments.iter().flat_map(|segment| &segment.parts).map(|part| &part.uri);
    let all: Vec<_> = segments.chain(parts).chain(&playlist.hint).collect();
    let different: BTreeSet<_> = all.iter().collect();
    rule(different.len() == all.len(), "each name stands for one thing", &all)
}

fn segment(playlist: &Playlist, n: usize, segment: &Segment) -> Result<(), Breach> {
    let is_last = n + 1 == playlist.segments.len();
    let is_whole = !segment.uri.is_empty();
    rule(is_whole || (is_last && !playlist.ended), "only the last segment is open, and none at the end", segment)?;
    rule(!segment.map.is_empty(), "fMP4 needs EXT-X-MAP", segment)?;
    rule(segment.date.is_some(), "each segment has its date", segment)?;
    rule(segment.duration.round() <= playlist.target, "no segment is longer than the target duration", segment.duration)?;
    rule(!is_whole || segment.duration > 0.0, "a segment has a duration", segment.duration)?;
    let with_parts = playlist.segments.len() - n <= 3;
    rule(!with_parts || !segment.parts.is_empty(), "the newest segments have parts", segment)?;
    for (m, part) in segment.parts.iter().enumerate() {
        let is_end = is_whole && m + 1 == segment.parts.len();
        rule(part.duration <= playlist.part_target + 1e-9, "no part is longer than the part target", part)?;
        rule(is_end || part.duration >= 0.85 * playlist.part_target, "but a segment's last, no part is below 85 % of it", part)?;
    }
    let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
    let adds_up = !is_whole || segment.parts.is_empty() || (sum - segment.duration).abs() < ROUNDING;
    rule(adds_up, "parts add up to their segment", (sum, segment.duration))?;
    let begins = segment.parts.first().is_none_or(|part| part.independent) || !playlist.independent;
    rule(begins, "a segment begins with a keyframe where all are said to", segment)
}

fn dates(playlist: &Playlist) -> Result<(), Breach> {
    for pair in playlist.segments.windows(2) {
        let [one, next] = pair else { continue };
        let (Some(begins), Some(next_begins)) = (one.date, next.date) else { continue };
        let gap = next_begins - begins - one.duration;
        let holds = if next.discontinuity { gap > -ROUNDING } else { gap.abs() < ROUNDING };
        rule(holds, "a segment's date is where the one before ended, or later after a discontinuity", (pair, gap))?;
        rule(next.discontinuity || one.map == next.map, "another initialization section is a discontinuity", pair)?;
    }
    Ok(())
}

/// What a later playlist may change (RFC 8216 §6.2.1).
fn follows(before: &Playlist, playlist: &Playlist) -> Result<(), Breach> {
    let fixed = |playlist: &Playlist| (playlist.version, playlist.target, playlist.part_target, playlist.hold_back);
    rule(fixed(before) == fixed(playlist), "what holds for the stream does not change", (fixed(before), fixed(playlist)))?;
    rule(playlist.sequence >= before.sequence, "the media sequence only grows", (before.sequence, playlist.sequence))?;
    rule(!before.ended || before == playlist, "nothing changes after the end", playlist.sequence)?;
    let gone = (playlist.sequence - before.sequence) as usize;
    let left = before.segments.iter().take(gone).filter(|segment| segment.discontinuity).count() as u64;
    if gone <= before.segments.len() {
        let expected = before.discontinuities + left;
        rule(
            playlist.discontinuities == expected,
            "the discontinuity sequence counts those that went",
            (expected, playlist.discontinuities),
        )?;
    }
    let whole: f64 = playlist.segments.iter().map(|segment| segment.duration).sum();
    rule(gone == 0 || whole + 1e-9 >= 3.0 * playlist.target, "no segment goes while fewer than three target durations stay", whole)?;
    for (segment, now) in before.segments.iter().skip(gone).zip(&playlist.segments) {
        stays(segment, now)?;
    }
    hinted(before, playlist)
}

/// A segment in a later playlist: parts may be added while it is open, and may all be gone later.
fn stays(segment: &Segment, now: &Segment) -> Result<(), Breach> {
    let is_whole = !segment.uri.is_empty();
    let same = (&segment.map, segment.date, segment.discontinuity) == (&now.map, now.date, now.discontinuity);
    rule(same, "what was said of a segment stays so", (segment, now))?;
    rule(!is_whole || (&segment.uri, segment.duration) == (&now.uri, now.duration), "a segment stays as it is", (segment, now))?;
    rule(now.parts.is_empty() || now.parts.starts_with(&segment.parts), "parts are only added", (segment, now))?;
    rule(!is_whole || now.parts.is_empty() || now.parts == segment.parts, "a whole segment gets no parts", (segment, now))
}

/// The first part that came is the one that was hinted at.
fn hinted(before: &Playlist, playlist: &Playlist) -> Result<(), Breach> {
    let known: BTreeSet<_> = before.segments.iter().flat_map(|segment| &segment.parts).map(|part| &part.uri).collect();
    let Some(last) = before.segments.iter().flat_map(|segment| &segment.parts).next_back() else { return Ok(()) };
    let parts: Vec<_> = playlist.segments.iter().flat_map(|segment| &segment.parts).collect();
    let is_told = parts.iter().any(|part| part.uri == last.uri);
    let first = parts.iter().find(|part| !known.contains(&part.uri)).map(|part| &part.uri).filter(|_| is_told);
    rule(first.is_none() || first == before.hint.as_ref(), "the part that was hinted at comes next", (first, &before.hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:3\n\
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.00200\n#EXT-X-PART-INF:PART-TARGET=0.33400\n\
        #EXT-X-MEDIA-SEQUENCE:4\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-MAP:URI=\"a/i0.mp4\"\n\
        #EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z\n#EXT-X-PART:DURATION=0.33400,URI=\"a/p0.mp4\",INDEPENDENT=YES\n\
        #EXT-X-PART:DURATION=0.10000,URI=\"a/p1.mp4\"\n#EXTINF:0.43400,\na/s4.mp4\n\
        #EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.434Z\n#EXT-X-PART:DURATION=0.30000,URI=\"a/p2.mp4\",INDEPENDENT=YES\n\
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a/p3.mp4\"\n";

    #[test]
    fn each_rule_that_is_broken_is_found() {
        Judge::default().playlist(GOOD).unwrap();
        for (from, to) in [
            ("#EXTM3U\n", "\n"),
            ("VERSION:9", "VERSION:6"),
            ("TARGETDURATION:3", "TARGETDURATION:3.5"),
            ("TARGETDURATION:3", "TARGETDURATION:0"),
            ("CAN-BLOCK-RELOAD=YES,", ""),
            ("HOLD-BACK=1.00200", "HOLD-BACK=0.90000"),
            ("#EXT-X-MAP:URI=\"a/i0.mp4\"\n", ""),
            ("DURATION=0.33400,URI=\"a/p0.mp4\"", "DURATION=0.33500,URI=\"a/p0.mp4\""),
            ("EXTINF:0.43400", "EXTINF:0.45000"),
            ("EXTINF:0.43400", "EXTINF:3.50000"),
            ("00.434Z", "00.500Z"),
            ("#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z\n", ""),
            ("DURATION=0.30000", "DURATION=0.20000"),
            (",INDEPENDENT=YES\n#EXT-X-PRELOAD", "\n#EXT-X-PRELOAD"),
            ("a/p3.mp4", "a/p2.mp4"),
            ("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a/p3.mp4\"\n", ""),
            ("#EXT-X-MEDIA-SEQUENCE:4\n", "#EXT-X-MEDIA-SEQUENCE:4\n#EXT-X-MEDIA-SEQUENCE:4\n"),
            ("#EXT-X-VERSION:9\n", "#EXT-X-VERSION:9\n#EXT-X-WHAT:1\n"),
            ("#EXT-X-PRELOAD", "#EXT-X-ENDLIST\n#EXT-X-PRELOAD"),
            ("a/s4.mp4\n", "a/s4.mp4\r\n"),
        ] {
            assert!(GOOD.contains(from) && Judge::default().playlist(&GOOD.replacen(from, to, 1)).is_err(), "{from} → {to}");
        }
    }

    #[test]
    fn what_a_later_playlist_may_not_change_is_found() {
        for (from, to) in [
            ("SEQUENCE:4", "SEQUENCE:3"),
            ("SEQUENCE:0", "SEQUENCE:1"),
            ("a/s4.mp4", "a/s5.mp4"),
            ("a/i0.mp4", "a/i1.mp4"),
            ("a/p2.mp4", "a/p9.mp4"),
            ("TARGETDURATION:3", "TARGETDURATION:4"),
            ("a/p3.mp4\"\n", "a/p5.mp4\"\n"),
        ] {
            let mut judge = Judge::default();
            judge.playlist(GOOD).unwrap();
            judge.playlist(GOOD).unwrap();
            let hint = GOOD.rfind("#EXT-X-PRELOAD").unwrap();
            let more = format!("{}#EXT-X-PART:DURATION=0.30000,URI=\"a/p3.mp4\"\n{}", &GOOD[..hint], GOOD[hint..].replace("p3", "p4"));
            let changed = if from.starts_with("a/p3") { more.replacen("a/p3", "a/p5", 1) } else { more.replacen(from, to, 1) };
            assert!(judge.playlist(&changed).is_err(), "{from} → {to}");
            assert!(judge.playlist(&more).is_ok());
        }
        let mut judge = Judge::default();
        judge.file("a", b"x").unwrap();
        assert!(judge.file("a", b"x").is_ok() && judge.file("a", b"y").is_err());
    }
}
