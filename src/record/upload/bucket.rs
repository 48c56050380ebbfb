//! Files that go into a bucket of an S3-compatible store: a small one by one request, a large one by parts.
//!
//! In: pieces of a bounded size. Out: an object that is there whole or not at all. Never: more than one piece in memory, or a part of
//! what was given up left in the store, where the store still answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};

use super::fault::Fault;
use super::{PlaceError, Secret, UploadSettings};

/// A request with a part of a file takes no longer than this: half a megabit a second does.
const REQUEST: Duration = Duration::from_secs(300);
/// The store's own retries of one request; a file's tries come on top.
const RETRIES: usize = 2;
const RETRYING: Duration = Duration::from_secs(20);

/// A bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    prefix: String,
}

/// An object on its way.
#[derive(Debug)]
pub(super) struct Sending {
    bucket: Bucket,
    path: Path,
    /// What a large one's parts are put together by; without it, the one piece goes at the end.
    pub(super) multipart: Option<String>,
    parts: Vec<PartId>,
    piece: Bytes,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Of a store that is reached so; sends nothing.
    pub(super) fn open(name: &str, prefix: &str, settings: &UploadSettings) -> Result<Self, PlaceError> {
        let options = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(Duration::from_secs(10));
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRYING, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::from_env().with_client_options(options).with_retry(retry).with_bucket_name(name);
        builder = builder.with_virtual_hosted_style_request(!settings.path_style);
        if settings.allow_http {
            builder = builder.with_allow_http(true);
        }
        let texts = [
            (AmazonS3ConfigKey::Endpoint, settings.endpoint.as_deref()),
            (AmazonS3ConfigKey::Region, settings.region.as_deref()),
            (AmazonS3ConfigKey::AccessKeyId, settings.access_key_id.as_deref()),
            (AmazonS3ConfigKey::SecretAccessKey, settings.secret_access_key.as_ref().map(Secret::reveal)),
        ];
        let given = texts.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let builder = given.fold(builder, |builder, (key, value)| builder.with_config(key, value));
        check(&builder, settings.allow_http)?;
        let store: Arc<AmazonS3> = Arc::new(builder.build().map_err(|error| PlaceError::Store(error.to_string()))?);
        Ok(Self::of(store.clone(), store, prefix))
    }

    pub(super) fn of(objects: Arc<dyn ObjectStore>, parts: Arc<dyn MultipartStore>, prefix: &str) -> Self {
        Self { objects, parts, prefix: prefix.to_owned() }
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }

    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, Fault> {
        match self.objects.head(&self.path(key)).await {
            Ok(there) => Ok(Some(there.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins an object of one piece, or of more.
    pub(super) async fn begin(&self, key: &str, is_large: bool) -> Result<Sending, Fault> {
        let path = self.path(key);
        let multipart = if is_large { Some(self.parts.create_multipart(&path).await?) } else { None };
        Ok(Sending { bucket: self.clone(), path, multipart, parts: Vec::new(), piece: Bytes::new() })
    }

    /// Removes what was sent in parts and not put together.
    pub(super) async fn forget(&self, key: &str, multipart: &str) -> Result<(), Fault> {
        Ok(self.parts.abort_multipart(&self.path(key), &multipart.to_owned()).await?)
    }
}

impl Sending {
    pub(super) async fn piece(&mut self, bytes: Bytes) -> Result<(), Fault> {
        let Some(multipart) = &self.multipart else {
            self.piece = bytes;
            return Ok(());
        };
        let part = self.bucket.parts.put_part(&self.path, multipart, self.parts.len(), bytes.into()).await?;
        self.parts.push(part);
        Ok(())
    }

    /// It is in the bucket when this returns.
    pub(super) async fn finish(&mut self) -> Result<(), Fault> {
        let parts = std::mem::take(&mut self.parts);
        match &self.multipart {
            Some(multipart) => self.bucket.parts.complete_multipart(&self.path, multipart, parts).await?,
            None => self.bucket.objects.put(&self.path, std::mem::take(&mut self.piece).into()).await?,
        };
        Ok(())
    }
}

/// What can be wrong before anything is sent.
fn check(builder: &AmazonS3Builder, allow_http: bool) -> Result<(), PlaceError> {
    let has = |key| builder.get_config_value(&key).is_some_and(|value| !value.is_empty());
    match (has(AmazonS3ConfigKey::AccessKeyId), has(AmazonS3ConfigKey::SecretAccessKey)) {
        (true, false) => return Err(PlaceError::HalfAKey("access_key_id", "secret_access_key")),
        (false, true) => return Err(PlaceError::HalfAKey("secret_access_key", "access_key_id")),
        _ => {}
    }
    let Some(endpoint) = builder.get_config_value(&AmazonS3ConfigKey::Endpoint) else { return Ok(()) };
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['@', ' ', '?', '#'])) {
        return Err(PlaceError::NoEndpoint);
    }
    let is_allowed = allow_http || std::env::var("AWS_ALLOW_HTTP").is_ok_and(|value| value == "true");
    if endpoint.starts_with("http://") && !is_allowed { Err(PlaceError::Http(endpoint)) } else { Ok(()) }
}
