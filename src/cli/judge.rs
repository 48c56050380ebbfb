//! `medley bots --judge FILE`: who is seen and heard in a recording of a mix, from when to when.

use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::Context;

use crate::bots::files::annex_b;
use crate::bots::judge::{FilmReport, Screening};
use crate::bots::picture::Sketch;
use crate::bots::wall::Wall;
use crate::container::{CodedSound, Media};

/// Judges a film of bots that sent pictures of this size, and prints what was found.
pub(super) fn run(film: &Path, sent: Sketch, json: bool) -> anyhow::Result<()> {
    let called = || format!("cannot judge {}", film.display());
    let report = judge(film, sent).with_context(called)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}

/// Pictures first, which tell when the film began, then sounds.
fn judge(film: &Path, sent: Sketch) -> anyhow::Result<FilmReport> {
    let written = std::fs::metadata(film)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut screening = Screening::new(Wall::from_micros(written.as_micros() as u64), sent)?;
    let Media { pictures, sound, .. } = Media::open(film)?;
    if let Some(mut pictures) = pictures {
        while let Some(picture) = pictures.next()? {
            screening.picture(&annex_b(picture.nal_units.iter().map(|unit| &unit[..])), picture.at);
        }
    }
    if let Some(mut sound) = sound {
        while let Some(sound) = sound.next()? {
            match sound {
                CodedSound::Opus { at, packet } => screening.sound(&packet, at),
                CodedSound::Samples { at, samples } => screening.samples(&samples, at),
            }
        }
    }
    Ok(screening.report())
}
