//! What admins do: set rooms up, arrange, change people, keep templates and images.
//!
//! One write at a time: checked, resolved, its precondition compared, kept on disk, put in memory, told to the live room; only then
//! answered. A refused one changes nothing, and one whose client has gone is carried through all the same.

mod images;
mod layouts;
mod people;
mod settings;
mod templates;

use aws_lc_rs::digest;
use serde::Serialize;

use super::Rooms;
use crate::store::StoreError;

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
    /// It cannot be had yet; in a second or so it can.
    #[error("{0}")]
    NotYet(String),
    /// The disk did not take it; nothing was changed.
    #[error("it could not be kept, and nothing was changed: the server's disk says {0}; try again when its operator has seen to it")]
    Storage(String),
}

impl From<StoreError> for AdminError {
    /// Who asked is told the reason; where on the disk, only who runs the server.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the data directory does not do a write; it is refused");
        Self::Storage(match error {
            StoreError::File { error, .. } => error.kind().to_string(),
            name @ StoreError::Name(_) => name.to_string(),
        })
    }
}

impl ETag {
    /// Of some bytes.
    pub(super) fn of(content: &[u8]) -> Self {
        let digits: String = digest::digest(&digest::SHA256, content).as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("\"{digits}\""))
    }

    /// Of a value's JSON: fields in the order in which they are written down, so that equal values have equal tags.
    pub(super) fn of_json(value: &impl Serialize) -> Self {
        Self::of(&serde_json::to_vec(value).expect("settings are JSON"))
    }
}

impl Precondition {
    /// Whether a write goes through where what is there has this tag.
    ///
    /// # Errors
    /// [`AdminError::Precondition`] where it does not.
    pub(super) fn check(&self, current: Option<&ETag>) -> Result<(), AdminError> {
        let holds = match self {
            Self::None => true,
            Self::Exists => current.is_some(),
            Self::Match(tags) => current.is_some_and(|current| tags.contains(&current.0)),
            Self::Absent => current.is_none(),
        };
        if holds { Ok(()) } else { Err(AdminError::Precondition(current.cloned())) }
    }
}

impl Outcome {
    fn of(was_there: bool) -> Self {
        if was_there { Self::Replaced } else { Self::Created }
    }
}

impl Rooms {
    /// Does a write's work beside the async threads, one write at a time. It is carried through though nobody waits for it any more.
    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T, AdminError> + Send + 'static) -> Result<T, AdminError> {
        let turn = self.writing.clone().lock_owned().await;
        let rooms = self.me.upgrade().expect("whoever calls holds the rooms");
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&rooms);
            drop(turn);
            result
        });
        done.await.unwrap_or_else(|_| Err(AdminError::Storage("the write broke off".into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_holds_for_what_it_says_and_else_tells_the_tag() {
        let [there, other] = [b"a", b"b"].map(|content| ETag::of(content));
        assert_eq!(there, ETag::of(b"a"));
        assert_eq!((there.0.len(), there.0.starts_with('"')), (26, true));
        let of = |tag: &ETag| Precondition::Match(vec!["\"x\"".into(), tag.0.clone()]);
        for (precondition, current, holds) in [
            (Precondition::None, None, true),
            (Precondition::Exists, None, false),
            (Precondition::Exists, Some(&there), true),
            (Precondition::Absent, Some(&there), false),
            (Precondition::Absent, None, true),
            (of(&there), Some(&there), true),
            (of(&other), Some(&there), false),
            (of(&there), None, false),
        ] {
            let wanted = if holds { Ok(()) } else { Err(AdminError::Precondition(current.cloned())) };
            assert_eq!(precondition.check(current), wanted, "{precondition:?} on {current:?}");
        }
    }
}
