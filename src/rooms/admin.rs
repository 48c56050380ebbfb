//! What admins do: set rooms up, arrange, change people, keep templates and images.
//!
//! Each write is kept on disk before it is acknowledged, and takes effect in the live room before it returns.
//! A refused one changes nothing.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::spec::{CanvasSpec, RoomSpec};
use super::{ImageReport, PersonReport, RoomEvent, RoomReport, Rooms, TemplateReport, ViewReport};
use crate::layout::{LayoutSpec, Template};
use crate::media::{Frame, ParticipantId, RoomName, ShortName, ViewName};
use crate::room::Change;

/// An entity tag: a quoted strong one (RFC 9110 §8.8.3) over what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(pub String);

/// What must be so for a write to go through (RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match: *`: it is there.
    Exists,
    /// `If-Match`: it is there and has one of these tags.
    Match(Vec<String>),
    /// `If-None-Match: *`: it is not there.
    Absent,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there before.
    Created,
    /// It was.
    Replaced,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// There is no such thing: `what` names it.
    #[error("there is no {0}")]
    NotFound(String),
    /// A field breaks a rule that only the whole can tell.
    #[error("{field}: {rule}")]
    Invalid {
        /// Its path.
        field: String,
        /// The rule, and what to send instead.
        rule: String,
    },
    /// It cannot be done as things stand (a stock template, an image in use).
    #[error("{0}")]
    Conflict(String),
    /// The precondition does not hold; it has this tag now, where it is there.
    #[error("it is not what If-Match says")]
    Precondition(Option<ETag>),
    /// There are as many of these as there may be.
    #[error("{0}")]
    Full(String),
    /// The disk did not take it; nothing was changed.
    #[error("it could not be kept: {0}")]
    Storage(String),
}

impl Rooms {
    /// A room that is kept or live, with the tag of its settings.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn room(&self, _name: &RoomName) -> Result<(RoomReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Makes a room, or replaces its settings. A live one goes over to them within two ticks.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn put_room(&self, _name: &RoomName, _spec: RoomSpec, _if: Precondition) -> Result<(Outcome, RoomReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Ends a room: every session is closed, its settings are forgotten.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn delete_room(&self, _name: &RoomName, _if: Precondition) -> Result<(), AdminError> {
        unimplemented!()
    }

    /// A view's layout as applied; its tag is that of the layout alone.
    ///
    /// # Errors
    /// Where there is no such room or view.
    pub async fn layout(&self, _room: &RoomName, _view: &ViewName) -> Result<(ViewReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Arranges a view otherwise: at the first tick from room time `at_ms` on, else within two ticks. It is part of the room's settings from here on.
    /// A room that is not there is made.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn put_layout(
        &self,
        _room: &RoomName,
        _view: &ViewName,
        _spec: LayoutSpec,
        _at_ms: Option<u64>,
        _if: Precondition,
    ) -> Result<(ViewReport, ETag), AdminError> {
        unimplemented!()
    }

    /// What [`Self::put_layout`] would give, for the people who are there now.
    ///
    /// # Errors
    /// As there.
    pub async fn check_layout(&self, _room: &RoomName, _view: &ViewName, _spec: LayoutSpec) -> Result<ViewReport, AdminError> {
        unimplemented!()
    }

    /// One person.
    ///
    /// # Errors
    /// Where there is no such room or person.
    pub async fn person(&self, _room: &RoomName, _id: ParticipantId) -> Result<PersonReport, AdminError> {
        unimplemented!()
    }

    /// Changes something about somebody.
    ///
    /// # Errors
    /// Where there is no such room or person.
    pub async fn change(&self, _room: &RoomName, _id: ParticipantId, _change: Change) -> Result<PersonReport, AdminError> {
        unimplemented!()
    }

    /// Sends somebody out: their session is closed.
    ///
    /// # Errors
    /// Where there is no such room or person.
    pub async fn remove(&self, _room: &RoomName, _id: ParticipantId) -> Result<(), AdminError> {
        unimplemented!()
    }

    /// What happens in a room from here on; ends with the room. 256 wait at most, older ones are given up (the receiver is told).
    ///
    /// # Errors
    /// Where there is no such room.
    pub fn events(&self, _room: &RoomName) -> Result<broadcast::Receiver<Arc<RoomEvent>>, AdminError> {
        unimplemented!()
    }

    /// What a view's canvas shows; where nobody watches it, it is drawn for this. The slate where nobody is there.
    ///
    /// # Errors
    /// Where there is no such room or view.
    pub async fn canvas(&self, _room: &RoomName, _view: &ViewName) -> Result<Arc<Frame>, AdminError> {
        unimplemented!()
    }

    /// All templates: stock and stored, by name.
    pub fn templates(&self) -> Vec<TemplateReport> {
        unimplemented!()
    }

    /// One template.
    ///
    /// # Errors
    /// Where there is none.
    pub fn template(&self, _name: &ShortName) -> Result<(TemplateReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Stores a template; rooms that use it are arranged anew.
    ///
    /// # Errors
    /// See [`AdminError`]; `Conflict` for a stock one.
    pub async fn put_template(
        &self,
        _name: &ShortName,
        _template: Template,
        _if: Precondition,
    ) -> Result<(Outcome, TemplateReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Forgets a stored template.
    ///
    /// # Errors
    /// `Conflict` for a stock one, and while a room uses it.
    pub async fn delete_template(&self, _name: &ShortName, _if: Precondition) -> Result<(), AdminError> {
        unimplemented!()
    }

    /// How a layout looks with `people` made-up people (0 to 100) on a canvas. Takes milliseconds: not for an async thread.
    ///
    /// # Errors
    /// `Invalid` where the layout cannot be.
    pub fn preview(&self, _layout: LayoutSpec, _canvas: CanvasSpec, _people: usize) -> Result<Frame, AdminError> {
        unimplemented!()
    }

    /// All uploaded images.
    pub fn images(&self) -> Vec<ImageReport> {
        unimplemented!()
    }

    /// An uploaded image's file, and its media type.
    ///
    /// # Errors
    /// Where there is none.
    pub fn image(&self, _name: &ShortName) -> Result<(bytes::Bytes, ImageReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Stores an image; its size is read and bounded before any pixel is decoded.
    ///
    /// # Errors
    /// `Invalid` where it is no PNG or JPEG, or too large.
    pub async fn put_image(&self, _name: &ShortName, _file: bytes::Bytes) -> Result<(Outcome, ImageReport, ETag), AdminError> {
        unimplemented!()
    }

    /// Forgets an image.
    ///
    /// # Errors
    /// `Conflict` while a room uses it.
    pub async fn delete_image(&self, _name: &ShortName) -> Result<(), AdminError> {
        unimplemented!()
    }
}
