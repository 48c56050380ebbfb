//! A call as it lies in files: who is in it, what they send, and what happens when.
//!
//! In: a recording of everybody by themselves, or a file for each person; events. Out: deeds in order, and what each person sends, open
//! and bounded by `container`. Never: a file outside the folder that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::RenderError;
use super::damage::Damages;
use super::script::{Deed, Entrance, Script, Templates, presentable};
use crate::container::{ContainerError, Media};
use crate::media::{MediaTime, ParticipantId};
use crate::room::{Change, RoomSettings, Source};

/// The file of a recording that says what happened.
pub const EVENTS: &str = "events.jsonl";
/// People that there may be.
const MOST_PEOPLE: usize = 500;

/// A call that can be made again.
#[derive(Debug, Default)]
pub struct Call {
    settings: Option<serde_json::Value>,
    templates: Templates,
    pub(super) deeds: Vec<(MediaTime, Deed)>,
    pub(super) footage: BTreeMap<ParticipantId, Footage>,
    pub(super) damages: Damages,
    reads: Vec<PathBuf>,
}

/// What somebody sends.
#[derive(Debug)]
pub(super) struct Footage {
    pub(super) media: Media,
    pub(super) kind: Kind,
    /// How errors call it.
    pub(super) file: String,
}

/// How the times of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it came over a line; its zero is the recording's.
    Recorded,
    /// A film or a piece of sound; its zero is when they come, and with it they go.
    Film,
}

impl Call {
    /// A recording: a folder with `events.jsonl` and the files that it names. One of those that cannot be read is left out, and told of
    /// in the end: the rest of the call is there all the same.
    ///
    /// # Errors
    /// Where the events cannot be read, or nobody sent anything.
    pub fn recorded(folder: &Path) -> Result<Self, RenderError> {
        let events = folder.join(EVENTS);
        let script = Script::read(&events)?;
        let mut call = Self { settings: script.settings, templates: script.templates, reads: vec![events], ..Self::default() };
        for entrance in script.deeds.iter().filter_map(|(_, deed)| deed.entrance()) {
            call.open_recorded(folder, entrance)?;
        }
        call.deeds = script.deeds;
        Ok(call)
    }

    /// One person for each file, under this name; all there from the beginning, and until their file ends.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn of_files(files: &[(String, PathBuf)]) -> Result<Self, RenderError> {
        let mut call = Self::default();
        check_people(files.len())?;
        for (n, (name, path)) in (1..).zip(files) {
            let id = ParticipantId(n);
            let media = Media::open(path).map_err(|source| RenderError::Media { path: path.clone(), source })?;
            call.reads.push(path.clone());
            call.add(id, &presentable(name), path.display().to_string(), media);
        }
        Ok(call)
    }

    /// Somebody who is there from the beginning until their media end.
    pub(super) fn add(&mut self, id: ParticipantId, name: &str, file: String, media: Media) {
        let entrance = Entrance { id, name: name.into(), source: Source::Camera, change: Change::default(), file: None };
        self.deeds.push((MediaTime::ZERO, Deed::Join(entrance)));
        self.footage.insert(id, Footage { media, kind: Kind::Film, file });
    }

    /// Adds events. Somebody whose coming is among them comes then, and not before; files that they name lie beside them.
    ///
    /// # Errors
    /// Where the events cannot be read, or a file that they name.
    pub fn add_events(&mut self, path: &Path) -> Result<(), RenderError> {
        let script = Script::read(path)?;
        self.reads.push(path.into());
        let folder = path.parent().unwrap_or(Path::new(""));
        let coming: BTreeSet<_> = script.deeds.iter().filter_map(|(_, deed)| deed.entrance()).map(|entrance| entrance.id).collect();
        self.deeds.retain(|(_, deed)| deed.entrance().is_none_or(|entrance| !coming.contains(&entrance.id)));
        for entrance in script.deeds.iter().filter_map(|(_, deed)| deed.entrance()) {
            self.open_film(folder, entrance)?;
        }
        for (name, template) in script.templates {
            self.templates.entry(name).or_insert(template);
        }
        self.deeds.extend(script.deeds);
        self.deeds.sort_by_key(|(at, _)| *at);
        Ok(())
    }

    /// Leaves out how the call was arranged: it is to be arranged otherwise.
    pub fn forget_layouts(&mut self) {
        self.deeds.retain(|(_, deed)| !matches!(deed, Deed::Arrange(_)));
    }

    /// Has settings that came in the middle checked, as those at the beginning are: `check` knows the rules, and is given the templates
    /// as they are then.
    ///
    /// # Errors
    /// What `check` says.
    pub fn settle<E>(&mut self, mut check: impl FnMut(&serde_json::Value, &Templates) -> Result<RoomSettings, E>) -> Result<(), E> {
        let mut templates = self.templates.clone();
        for (_, deed) in &mut self.deeds {
            match deed {
                Deed::Template(name, template) => drop(templates.insert(name.clone(), template.clone())),
                Deed::Settings(settings) => *deed = Deed::Configure(Box::new(check(settings, &templates)?)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Its own templates, each as it is told first: so one is there for what was to be arranged in it, whenever it is told.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The settings that a recording was made with, as `PUT /v1/rooms/{room}` takes them.
    pub fn settings(&self) -> Option<&serde_json::Value> {
        self.settings.as_ref()
    }

    /// The files that it is made of; none of them may be the film.
    pub fn reads(&self) -> &[PathBuf] {
        &self.reads
    }

    /// How long it is, as far as files tell.
    pub fn duration(&self) -> Duration {
        let last = self.deeds.last().map_or(Duration::ZERO, |(at, _)| at.since(MediaTime::ZERO));
        let ends = self.footage.iter().map(|(id, footage)| match footage.kind {
            Kind::Recorded => footage.media.duration,
            Kind::Film => self.comes(*id).unwrap_or_default().since(MediaTime::ZERO) + footage.media.duration,
        });
        ends.fold(last, Duration::max)
    }

    /// Whether anybody sends anything.
    pub(super) fn is_empty(&self) -> bool {
        self.footage.values().all(|footage| footage.media.pictures.is_none() && footage.media.sound.is_none())
    }

    fn comes(&self, id: ParticipantId) -> Option<MediaTime> {
        self.deeds.iter().find(|(_, deed)| deed.entrance().is_some_and(|entrance| entrance.id == id)).map(|(at, _)| *at)
    }

    fn open_recorded(&mut self, folder: &Path, entrance: &Entrance) -> Result<(), RenderError> {
        let Some((file, path)) = self.path_of(folder, entrance)? else { return Ok(()) };
        match Media::open(&path) {
            Ok(media) => drop(self.footage.insert(entrance.id, Footage { media, kind: Kind::Recorded, file })),
            // Whoever came and sent nothing has a file with nothing in it
            Err(ContainerError::Empty) => {}
            Err(error) => self.damages.of(&file).note(format_args!("is left out: {error}")),
        }
        Ok(())
    }

    fn open_film(&mut self, folder: &Path, entrance: &Entrance) -> Result<(), RenderError> {
        let Some((file, path)) = self.path_of(folder, entrance)? else { return Ok(()) };
        let media = Media::open(&path).map_err(|source| RenderError::Media { path, source })?;
        self.footage.insert(entrance.id, Footage { media, kind: Kind::Film, file });
        Ok(())
    }

    /// The file that an entrance names, and where it is; a plain name, or it might lie anywhere.
    fn path_of(&mut self, folder: &Path, entrance: &Entrance) -> Result<Option<(String, PathBuf)>, RenderError> {
        check_people(self.footage.len() + 1)?;
        let Some(file) = entrance.file.clone() else { return Ok(None) };
        let mut parts = Path::new(&file).components();
        let (Some(Component::Normal(_)), None) = (parts.next(), parts.next()) else { return Err(RenderError::FileName(file)) };
        let path = folder.join(&file);
        self.reads.push(path.clone());
        Ok(Some((file, path)))
    }
}

fn check_people(count: usize) -> Result<(), RenderError> {
    if count > MOST_PEOPLE { Err(RenderError::TooMany(MOST_PEOPLE)) } else { Ok(()) }
}
