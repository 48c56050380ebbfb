//! What an operator allows recordings, and what who starts one asks for.
//!
//! In: TOML and JSON. Out: numbers within their ranges. Never: a wish beyond what is allowed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::upload::UploadSettings;
use super::{RecordError, Tracks};
use crate::media::{ShortName, ViewName, Within};

/// The section `[recording]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingSettings {
    /// Where recordings are kept; default `recordings` in the data directory, and a temporary folder where there is none.
    pub folder: Option<PathBuf>,
    /// The longest that one may become, in seconds; 1 to 604 800, default 4 hours.
    pub max_seconds: Within<1, 604_800>,
    /// The largest that one may become, in bytes; default 20 GB.
    pub max_bytes: u64,
    /// A disk with less than this free, in bytes, takes no recording, and ends those there are; default 4 MiB.
    pub min_free_bytes: u64,
    /// Recordings at once; 0 to 1000, default 16.
    pub max_active: Within<0, 1000>,
    /// Where they go when they have ended; default nowhere.
    pub upload: Option<UploadSettings>,
}

impl Default for RecordingSettings {
    fn default() -> Self {
        Self {
            folder: None,
            max_seconds: Within::of(4 * 3600),
            max_bytes: 20_000_000_000,
            min_free_bytes: 4 * 1024 * 1024,
            max_active: Within::of(16),
            upload: None,
        }
    }
}

/// What a recording is to be: all of it may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingSpec {
    /// `mixed` (default), `isolated` or `both`.
    pub tracks: Tracks,
    /// The view of the mix; default `main`.
    pub view: Option<ViewName>,
    /// The rendition of the mix; default the best.
    pub rendition: Option<ShortName>,
    /// The longest it may become, in seconds; default and at most what the server allows.
    pub max_seconds: Option<Within<1, 604_800>>,
    /// The largest it may become, in bytes; default and at most what the server allows.
    #[schema(minimum = 1)]
    pub max_bytes: Option<u64>,
}

impl RecordingSpec {
    /// How long and how large, at most.
    ///
    /// # Errors
    /// Where more is asked for than is allowed.
    pub(super) fn bounds(&self, allowed: &RecordingSettings) -> Result<(u32, u64), RecordError> {
        let most = allowed.max_seconds.get();
        let seconds = self.max_seconds.map_or(most, Within::get);
        if seconds > most {
            return Err(RecordError::Beyond { field: "max_seconds", asked: seconds.into(), most: most.into() });
        }
        let bytes = self.max_bytes.unwrap_or(allowed.max_bytes);
        if bytes == 0 || bytes > allowed.max_bytes {
            return Err(RecordError::Beyond { field: "max_bytes", asked: bytes, most: allowed.max_bytes });
        }
        Ok((seconds, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_is_allowed() {
        let allowed = RecordingSettings { max_seconds: Within::of(60), max_bytes: 1000, ..RecordingSettings::default() };
        let ask = |text: &str| serde_json::from_str::<RecordingSpec>(text).unwrap().bounds(&allowed);
        assert_eq!(ask("{}").unwrap(), (60, 1000));
        assert_eq!(ask(r#"{"max_seconds":5,"max_bytes":7}"#).unwrap(), (5, 7));
        for (text, field) in
            [(r#"{"max_seconds":61}"#, "max_seconds"), (r#"{"max_bytes":1001}"#, "max_bytes"), (r#"{"max_bytes":0}"#, "1 to 1000")]
        {
            let refused = ask(text).unwrap_err().to_string();
            assert!(refused.contains(field), "{text}: {refused}");
        }
    }
}
