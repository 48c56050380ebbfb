//! The templates that come with the server: the files of `assets/layouts/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Template;
use crate::media::ShortName;

/// All stock templates, read once per process.
pub fn stock() -> &'static BTreeMap<ShortName, Arc<Template>> {
    unimplemented!()
}
