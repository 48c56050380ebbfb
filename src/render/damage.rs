//! What could not be made good of the files of a call, for whoever wants to know.
//!
//! In: what is wrong, and with which file. Out: the same, each thing once, and no more than a bounded number of them.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// Things that are remembered; what is wrong with more is wrong with all.
const MOST: usize = 100;

/// Takes what is wrong with one file.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    all: Damages,
    file: Arc<str>,
}

/// What is wrong with all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Damages(Arc<Mutex<Vec<String>>>);

impl Damages {
    /// Takes what is wrong with this file.
    pub(super) fn of(&self, file: &str) -> Damage {
        Damage { all: self.clone(), file: file.into() }
    }

    /// All that was noted, in order.
    pub(super) fn list(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

impl Damage {
    /// Notes something.
    pub(super) fn note(&self, what: impl fmt::Display) {
        let told = format!("{}: {what}", self.file);
        let mut all = self.all.0.lock();
        if all.len() < MOST && !all.contains(&told) {
            all.push(told);
        }
    }
}
