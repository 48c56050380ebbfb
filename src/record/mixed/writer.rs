//! The thread that writes the mix's file.
//!
//! In: pictures and sounds from a bounded queue. Out: the file, each part on the disk before the next. Never: an async thread's time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;

use super::Item;
use super::film::{Cut, Film, FilmError};
use crate::media::{EncodedPicture, EncodedSound};
use crate::record::{Ended, PartFile, Take};

const NAME: &str = "mixed.mp4";
/// Sounds that wait for the first picture at most: ten seconds of them.
const EARLY: usize = 500;

/// Writes one recording's mix.
pub(super) struct Writer {
    take: Take,
    /// There from the first picture on.
    reel: Option<(Film, PartFile)>,
    /// Sounds that came before it, though they may be later.
    early: VecDeque<Arc<EncodedSound>>,
}

impl Writer {
    pub(super) fn new(take: Take) -> Self {
        Self { take, reel: None, early: VecDeque::new() }
    }

    /// Until nothing comes any more, or it can go on no longer. Blocks.
    pub(super) fn run(mut self, mut items: Receiver<Item>) -> Ended {
        while let Some(item) = items.blocking_recv() {
            if let Err(ended) = self.write(&item) {
                return ended;
            }
        }
        self.end().err().unwrap_or(Ended::Complete)
    }

    fn write(&mut self, item: &Item) -> Result<(), Ended> {
        match item {
            Item::Picture(picture) => self.picture(picture),
            Item::Sound(sound) => self.sound(sound),
        }
    }

    fn picture(&mut self, picture: &EncodedPicture) -> Result<(), Ended> {
        match &self.reel {
            None if picture.keyframe => self.begin(picture)?,
            None => return Ok(()),
            Some(_) => {}
        }
        self.add(|film| film.picture(picture))
    }

    fn sound(&mut self, sound: &Arc<EncodedSound>) -> Result<(), Ended> {
        if self.reel.is_some() {
            return self.add(|film| film.sound(sound));
        }
        if self.early.len() == EARLY {
            self.early.pop_front();
        }
        self.early.push_back(sound.clone());
        Ok(())
    }

    fn begin(&mut self, keyframe: &EncodedPicture) -> Result<(), Ended> {
        let (film, header) = Film::begin(keyframe).map_err(unfit)?;
        let begins = film.zero().since(self.take.zero);
        let mut file = PartFile::create(&self.take, NAME, begins)?;
        file.append(&header, Duration::ZERO)?;
        self.reel = Some((film, file));
        let early = std::mem::take(&mut self.early);
        early.iter().try_for_each(|sound| self.add(|film| film.sound(sound)))
    }

    fn end(&mut self) -> Result<(), Ended> {
        self.add(Film::end)
    }

    /// Adds to the film, and to the file what has become whole by it.
    fn add(&mut self, to: impl FnOnce(&mut Film) -> Result<Option<Cut>, FilmError>) -> Result<(), Ended> {
        let Some((film, file)) = &mut self.reel else { return Ok(()) };
        let Some(Cut { bytes, reached }) = to(film).map_err(unfit)? else { return Ok(()) };
        file.append(&bytes, reached.since(film.zero()))
    }
}

fn unfit(error: FilmError) -> Ended {
    Ended::Failed(error.to_string())
}
