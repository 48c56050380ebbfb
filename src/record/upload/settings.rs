//! The section `[recording.upload]`: where recordings go when they have ended.
//!
//! In: TOML. Out: a bucket or a folder, and how it is reached. Never: a secret in what is printed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// Where recordings go, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadSettings {
    /// `s3://bucket/prefix` or `file:///folder`; each recording is a folder below it.
    pub url: Target,
    /// The store's address, such as `https://s3.example.org`; default Amazon's of the region, or `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// The store's region; default `AWS_REGION`, else `us-east-1`.
    pub region: Option<String>,
    /// Who uploads; default `AWS_ACCESS_KEY_ID`, or what the machine's role gives.
    pub access_key_id: Option<String>,
    /// The secret with it; default `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: Option<Secret>,
    /// Whether the bucket is in the path (`https://host/bucket`) rather than in the name (`https://bucket.host`); default true.
    #[serde(default = "yes")]
    pub path_style: bool,
    /// Whether `endpoint` may be `http://`; default false.
    #[serde(default)]
    pub allow_http: bool,
    /// Whether the server's own copy is removed once all of a recording is there; default false.
    #[serde(default)]
    pub delete_local: bool,
}

fn yes() -> bool {
    true
}

/// A text that nobody is shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where recordings go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Target {
    /// A bucket of an S3-compatible store.
    Bucket {
        /// Its name.
        name: String,
        /// What all names in it begin with; may be empty.
        prefix: String,
    },
    /// A folder of this machine.
    Folder(PathBuf),
}

/// No such place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no place for recordings: use s3://bucket, s3://bucket/prefix or file:///folder; keys go into access_key_id and secret_access_key"
)]
pub struct TargetError(String);

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What stands before an @ may be a secret
        let refused = || TargetError(text.rsplit('@').next().unwrap_or_default().to_owned());
        if let Some(folder) = text.strip_prefix("file://") {
            return folder.starts_with('/').then(|| Self::Folder(folder.into())).ok_or_else(refused);
        }
        let (name, prefix) = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or_else(refused)?;
        let prefix = prefix.trim_matches('/');
        let is_name = (3..=63).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let is_prefix = prefix.is_empty() || prefix.split('/').all(|part| !matches!(part, "" | "." | "..")) && !prefix.contains(['?', '#']);
        (is_name && is_prefix).then(|| Self::Bucket { name: name.to_owned(), prefix: prefix.to_owned() }).ok_or_else(refused)
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_or_a_folder_and_nothing_else() {
        let bucket = |name: &str, prefix: &str| Ok(Target::Bucket { name: name.into(), prefix: prefix.into() });
        assert_eq!("s3://calls".parse(), bucket("calls", ""));
        assert_eq!("s3://calls/a/b/".parse(), bucket("calls", "a/b"));
        assert_eq!("file:///var/calls".parse(), Ok(Target::Folder("/var/calls".into())));
        for wrong in ["", "s3://", "s3://ab", "s3://a b c", "s3://calls/a//b", "s3://calls/../x", "file://var", "https://calls", "/var"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
        let told = "s3://AKIA:hunter2@calls".parse::<Target>().unwrap_err().to_string();
        assert!(!told.contains("hunter2") && told.contains("secret_access_key"), "{told}");
    }

    #[test]
    fn no_secret_is_printed() {
        let text = "url = \"s3://calls\"\naccess_key_id = \"AKIA\"\nsecret_access_key = \"hunter2\"";
        let settings: UploadSettings = toml::from_str(text).unwrap();
        assert_eq!(settings.secret_access_key.as_ref().unwrap().reveal(), "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
