//! What `/readyz` tells: which parts of the server are up.
//!
//! Whoever owns a part says so; nothing here looks for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A part that must be up before clients are sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A compositor draws.
    Compositor,
    /// The media port is bound.
    Udp,
    /// The server takes new sessions (fails while it is draining).
    Draining,
}

impl Check {
    const ALL: [Self; 3] = [Self::Compositor, Self::Udp, Self::Draining];

    /// Its name in `/readyz`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compositor => "compositor",
            Self::Udp => "udp",
            Self::Draining => "draining",
        }
    }
}

/// The checks' state. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<[AtomicBool; 3]>);

impl Readiness {
    /// Says that a check passes. All fail at first.
    pub fn pass(&self, check: Check) {
        self.0[check as usize].store(true, Ordering::Relaxed);
    }

    /// Says that a check fails.
    pub fn fail(&self, check: Check) {
        self.0[check as usize].store(false, Ordering::Relaxed);
    }

    /// The names of the checks that fail, in a fixed order.
    pub fn failing(&self) -> Vec<&'static str> {
        let fails = |check: &Check| !self.0[*check as usize].load(Ordering::Relaxed);
        Check::ALL.into_iter().filter(fails).map(Check::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_check_is_named() {
        let readiness = Readiness::default();
        assert_eq!(readiness.failing(), ["compositor", "udp", "draining"]);
        Check::ALL.into_iter().for_each(|check| readiness.pass(check));
        assert!(readiness.failing().is_empty());
        readiness.fail(Check::Draining);
        assert_eq!(readiness.failing(), ["draining"]);
    }
}
