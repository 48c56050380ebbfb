//! What a server counts, read from its own page of metrics.
//!
//! In: the text of `/metrics`. Out: sums by name. Never: a figure that the server does not have.

use std::collections::BTreeMap;

/// One reading of all counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads OpenMetrics text; values of one name are added up, whatever their labels.
    pub(super) fn read(text: &str) -> Self {
        let mut sums = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let name = name.split('{').next().unwrap_or(name);
            *sums.entry(name.to_owned()).or_insert(0.0) += value;
        }
        Self(sums)
    }

    /// How much a counter grew since `earlier`; `None` where the server has no such counter.
    pub(super) fn grown(&self, earlier: &Self, name: &str) -> Option<f64> {
        let after = *self.0.get(name)?;
        // A counter with labels appears when it is first counted.
        Some(after - earlier.0.get(name).copied().unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_added_up_and_what_is_not_there_is_not_zero() {
        let before = Metrics::read("# HELP a_total Things\na_total{media=\"Audio\"} 2\na_total{media=\"Video\"} 3\n");
        let after = Metrics::read("a_total{media=\"Audio\"} 4\na_total{media=\"Video\"} 8\nb_total 1\n# EOF\n");
        assert_eq!(after.grown(&before, "a_total"), Some(7.0));
        assert_eq!(after.grown(&before, "b_total"), Some(1.0));
        assert_eq!(after.grown(&before, "c_total"), None);
    }
}
