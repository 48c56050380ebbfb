//! Movie fragments as far as a judge needs them: whose samples, from when, how long, how large.
//!
//! In: a part or a segment. Out: what each of its fragments has of each track. Never: trust in a length.

use super::{Breach, rule};

/// The samples of one track in a fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Track.
    pub track: u32,
    /// `tfdt`: when the first begins, in ticks of the track.
    pub begins: u64,
    /// How long each is.
    pub durations: Vec<u32>,
    /// Whether each can be begun with; empty where all can.
    pub keyframes: Vec<bool>,
}

impl Run {
    /// When the last ends.
    pub fn ends(&self) -> u64 {
        self.begins + self.durations.iter().map(|duration| u64::from(*duration)).sum::<u64>()
    }
}

/// One `moof` with its `mdat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// `mfhd`.
    pub sequence: u32,
    /// One for each track that it has.
    pub runs: Vec<Run>,
}

impl Fragment {
    /// The fragments of a file.
    ///
    /// # Errors
    /// Where it is not made of whole ones.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, Breach> {
        let boxes = boxes(file)?;
        let mut fragments = Vec::new();
        for pair in boxes.chunks(2) {
            let [(b"moof", moof), (b"mdat", data)] = pair else {
                return Err(Breach::of("a part is moof and mdat in turns", pair.iter().map(|(kind, _)| kind).collect::<Vec<_>>()));
            };
            let (fragment, bytes) = Self::of(moof)?;
            rule(bytes == data.len() as u64 && bytes > 0, "samples fill their mdat", (bytes, data.len()))?;
            fragments.push(fragment);
        }
        rule(!fragments.is_empty(), "a file has a fragment", file.len())?;
        Ok(fragments)
    }

    /// A fragment, and the bytes of its samples.
    fn of(moof: &[u8]) -> Result<(Self, u64), Breach> {
        let (mut fragment, mut bytes) = (Self::default(), 0);
        for (kind, content) in boxes(moof)? {
            match kind {
                b"mfhd" => fragment.sequence = Words(content).nth(1).unwrap_or(0),
                b"traf" => fragment.runs.push(run(content, &mut bytes)?),
                _ => {}
            }
        }
        Ok((fragment, bytes))
    }
}

/// Big-endian words of 32 bits.
struct Words<'a>(&'a [u8]);

impl Iterator for Words<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }
}

/// A box's type and what is in it.
type Boxed<'b> = (&'b [u8; 4], &'b [u8]);

fn boxes(mut bytes: &[u8]) -> Result<Vec<Boxed<'_>>, Breach> {
    let mut boxes = Vec::new();
    while !bytes.is_empty() {
        let header =
            bytes.split_first_chunk::<4>().and_then(|(size, rest)| Some((u32::from_be_bytes(*size) as usize, rest.first_chunk()?)));
        let (size, kind) =
            header.filter(|(size, _)| (8..=bytes.len()).contains(size)).ok_or_else(|| Breach::of("boxes are whole", bytes.len()))?;
        boxes.push((kind, &bytes[8..size]));
        bytes = &bytes[size..];
    }
    Ok(boxes)
}

fn run(traf: &[u8], bytes: &mut u64) -> Result<Run, Breach> {
    let mut run = Run::default();
    for (kind, content) in boxes(traf)? {
        let mut words = Words(content);
        let flags = words.next().unwrap_or(0);
        match kind {
            b"tfhd" => run.track = words.next().unwrap_or(0),
            b"tfdt" if flags >> 24 == 1 => run.begins = u64::from(words.next().unwrap_or(0)) << 32 | u64::from(words.next().unwrap_or(0)),
            b"tfdt" => run.begins = u64::from(words.next().unwrap_or(0)),
            b"trun" => samples(flags, words, &mut run, bytes)?,
            _ => {}
        }
    }
    rule(!run.durations.is_empty() && run.durations.iter().all(|duration| *duration > 0), "samples have durations", &run.durations)?;
    Ok(run)
}

/// ISO/IEC 14496-12 §8.8.8: which fields there are stands in the flags.
fn samples(flags: u32, mut words: Words<'_>, run: &mut Run, bytes: &mut u64) -> Result<(), Breach> {
    let count = words.next().unwrap_or(0);
    let has = |flag: u32| flags & flag != 0;
    rule(has(0x1) && has(0x100) && has(0x200), "a run tells its data's place, durations and sizes", flags)?;
    words.next();
    // The flags of the first sample alone, where those of the others are told by none
    let mut first = has(0x4).then(|| words.next()).flatten();
    for _ in 0..count {
        let duration = words.next().ok_or_else(|| Breach::of("a run is cut off", count))?;
        run.durations.push(duration);
        *bytes += u64::from(words.next().unwrap_or(0));
        if let Some(flags) = first.take().or_else(|| has(0x400).then(|| words.next()).flatten()) {
            run.keyframes.push(flags & 0x1_0000 == 0);
        }
    }
    Ok(())
}
