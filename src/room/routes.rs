//! Who receives which scene.
//!
//! In: who watches which view, and who stands in its shared scene. Out: a key for each receiver. Never: scenes.

use std::collections::BTreeMap;

use super::view::LiveView;
use super::{Routes, SceneKey};
use crate::media::{ParticipantId, ViewName};

/// Everybody's key. Of those who would see themselves where that is not wanted, `most` get a scene of their own, in order of id; the rest share.
pub(super) fn route(watchers: &BTreeMap<ParticipantId, ViewName>, views: &BTreeMap<ViewName, LiveView>, most: usize) -> Routes {
    let mut left = most;
    let key = |(id, wish): (&ParticipantId, &ViewName)| {
        let (view, live) = drawn(views, wish);
        let own = left > 0 && live.hides_selves() && live.shows(*id);
        left -= usize::from(own);
        (*id, SceneKey { view: view.clone(), without: own.then_some(*id) })
    };
    watchers.iter().map(key).collect()
}

/// The view that is drawn for those who wish for one; `main` where it is not there.
fn drawn<'a>(views: &'a BTreeMap<ViewName, LiveView>, wish: &ViewName) -> (&'a ViewName, &'a LiveView) {
    let found = |name: &ViewName| views.get_key_value(name);
    let (name, live) = found(wish).or_else(|| found(&ViewName::main())).expect("there is always a main view");
    live.alike.as_ref().and_then(found).unwrap_or((name, live))
}
