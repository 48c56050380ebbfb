//! Figures that whoever counts and whoever reports share, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// A total that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The total so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The newest of a figure's values; none before the first.
#[derive(Debug)]
pub struct Reading(AtomicU64);

impl Default for Reading {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Reading {
    /// Notes a value; what is no number takes the value away.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The newest value.
    pub fn get(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Ordering::Relaxed))).filter(|value| !value.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_before_the_first_value_and_none_after_one_that_is_no_number() {
        let reading = Reading::default();
        assert_eq!(reading.get(), None);
        reading.set(-2.5);
        assert_eq!(reading.get(), Some(-2.5));
        reading.set(f64::NAN);
        assert_eq!(reading.get(), None);
    }
}
