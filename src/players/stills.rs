//! A picture that stands still, sent again and again: a room forgets the picture of a sender of whom nothing comes.
//!
//! In: a file's pictures. Out: the same, and after each keyframe that is shown for long the same keyframe each second, until the next
//! picture or the file's end. Never: another picture sent twice: it would be decoded on top of itself.

use std::time::Duration;

use crate::container::{CodedPicture, ContainerError, PictureStream};

/// How often a keyframe is sent that stands still.
const AGAIN: Duration = Duration::from_secs(1);

/// A file's pictures, those that stand still kept alive.
pub(super) struct Stills {
    pictures: Box<dyn PictureStream>,
    /// Until when the last one is shown.
    end: Duration,
    last: Option<CodedPicture>,
    coming: Option<CodedPicture>,
    /// The file's pictures have ended.
    over: bool,
}

impl Stills {
    /// Of a file that lasts so long.
    pub(super) fn new(pictures: Box<dyn PictureStream>, end: Duration) -> Self {
        Self { pictures, end, last: None, coming: None, over: false }
    }
}

impl PictureStream for Stills {
    fn next(&mut self) -> Result<Option<CodedPicture>, ContainerError> {
        if self.coming.is_none() && !self.over {
            self.coming = self.pictures.next()?;
            self.over = self.coming.is_none();
        }
        let until = self.coming.as_ref().map_or(self.end, |coming| coming.at);
        let again = self.last.as_ref().filter(|last| last.keyframe && last.at.saturating_add(AGAIN) < until);
        let next = match again {
            Some(last) => Some(CodedPicture { at: last.at + AGAIN, ..last.clone() }),
            None => self.coming.take(),
        };
        self.last.clone_from(&next);
        Ok(next)
    }
}
