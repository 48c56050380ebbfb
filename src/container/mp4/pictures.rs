//! The pictures of an MP4 file.
//!
//! In: where its samples lie; parameter sets. Out: pictures with their NAL units. Never: a copy of what was read.

use std::time::Duration;

use bytes::{Buf, Bytes};

use super::read::Samples;
use super::track::{Line, ParameterSets};
use crate::codec::h264::nal;
use crate::container::source::Source;
use crate::container::{CodedPicture, ContainerError, MOST_PICTURE, PictureStream, malformed};

/// Pictures, one after the other.
pub(super) struct Pictures {
    source: Source,
    samples: Samples,
    line: Line,
    sets: ParameterSets,
}

impl Pictures {
    pub(super) fn new(source: Source, samples: Samples, line: Line, sets: ParameterSets) -> Self {
        Self { source, samples, line, sets }
    }
}

impl PictureStream for Pictures {
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError> {
        while let Some(sample) = self.samples.next()? {
            let size = sample.size as usize;
            if size > MOST_PICTURE {
                return Err(malformed(format!("a picture of {size} bytes, and {MOST_PICTURE} are taken")));
            }
            let bytes = self.source.bytes(sample.place, size)?;
            let mut nal_units = split(bytes, self.sets.length_size)?;
            let has = |kind| nal_units.iter().any(|nal_unit| nal::kind(nal_unit) == kind);
            let keyframe = has(nal::IDR);
            if keyframe && !has(nal::SPS) {
                nal_units.splice(0..0, self.sets.nal_units.iter().cloned());
            }
            // What the edit list leaves out is decoded for what refers to it
            let at = self.line.at(sample.at).unwrap_or(Duration::ZERO);
            if !nal_units.is_empty() {
                return Ok(Some(CodedPicture { at, nal_units, keyframe }));
            }
        }
        Ok(None)
    }
}

/// NAL units, each after its length (ISO/IEC 14496-15 §5.3.2).
fn split(mut sample: Bytes, length_size: usize) -> Result<Vec<Bytes>, ContainerError> {
    let mut nal_units = Vec::new();
    while !sample.is_empty() {
        let length = sample.try_get_uint(length_size).map_err(|_| malformed("a picture ends within a length"))?;
        if length > sample.len() as u64 {
            return Err(malformed(format!("a NAL unit claims {length} bytes where there are {}", sample.len())));
        }
        let nal_unit = sample.split_to(length as usize);
        if !nal_unit.is_empty() {
            nal_units.push(nal_unit);
        }
    }
    Ok(nal_units)
}
