//! Why a file did not get where it was to go.
//!
//! In: what a store or a disk says. Out: a sentence for who asks, and whether another try can help. Never: a path of the server's.

use std::error::Error;
use std::io;

/// What is told of a store's answer, at most.
const TOLD: usize = 300;

/// Why a try did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) text: String,
    /// Whether the same try again would do no better.
    pub(super) is_lasting: bool,
}

impl Fault {
    pub(super) fn passing(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_lasting: false }
    }

    pub(super) fn lasting(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_lasting: true }
    }

    /// A file of our own cannot be read.
    pub(super) fn here(error: &io::Error) -> Self {
        Self::lasting(format!("the server's own copy cannot be read: {}", error.kind()))
    }

    /// The folder does not take it.
    pub(super) fn there(error: &io::Error) -> Self {
        Self::passing(format!("the folder does not take it: {}", error.kind()))
    }
}

impl From<object_store::Error> for Fault {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let said: String = whole(&error).chars().take(TOLD).collect();
        match error {
            E::Unauthenticated { .. } | E::PermissionDenied { .. } => {
                Self::lasting(format!("the store refuses these credentials (access_key_id, secret_access_key): {said}"))
            }
            E::NotFound { .. } => Self::lasting(format!("the store has no such bucket or upload: {said}")),
            _ => Self::passing(format!("the store does not take it: {said}")),
        }
    }
}

/// An error with what it comes from, which most of them leave out.
fn whole(error: &dyn Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
