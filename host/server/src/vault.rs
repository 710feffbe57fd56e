//! Where backups go: a folder, or a bucket of an S3-compatible service.
//!
//! Vaults block, as everything below this crate does; the asynchronous client of the bucket is driven from the thread that
//! asks. Not to be used on an asynchronous thread.

use std::io;
use std::path::Path;
use std::sync::Once;

use backroom_store::backup::{Folder, Vault, too_large};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::path::Path as Key;
use object_store::{ClientConfigKey, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutPayload};
use tokio::runtime::Runtime;

const S3: &str = "s3://";
/// A chunk has some MiB; a slow line has time for it.
const TIMEOUT: &str = "600s";
/// Smaller objects are read back after they were put; for larger ones the service's own checksum and the size speak.
const READ_BACK: usize = 1 << 20;

/// Why a place for backups cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder.
    #[error("the folder {path}: {source}")]
    Folder {
        /// Which.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The bucket.
    #[error(
        "{target}: {why}. A bucket is named as s3://bucket/prefix; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, \
         for services other than Amazon's, AWS_ENDPOINT_URL (with AWS_ALLOW_HTTP=true if it is plain HTTP) say the rest"
    )]
    Bucket {
        /// Which.
        target: String,
        /// What is wrong.
        why: String,
    },
}

/// Opens a place for backups: the path of a folder, or `s3://bucket/prefix` with the usual `AWS_*` variables of the
/// environment. With `create`, a folder that is not there is made.
///
/// # Errors
/// The folder cannot be opened; the name or the environment does not make sense. A bucket is not asked yet.
pub fn open_vault(target: &str, create: bool) -> Result<Box<dyn Vault>, VaultError> {
    if target.starts_with(S3) {
        return Ok(Box::new(Bucket::open(target)?));
    }
    let opened = if create { Folder::create(Path::new(target)) } else { Folder::open(Path::new(target)) };
    let failed = |source| VaultError::Folder { path: target.to_owned(), source };
    Ok(Box::new(opened.map_err(failed)?))
}

/// Whether `target` lies at or below one of the places that are allowed.
pub(crate) fn is_below(target: &str, allowed: &[String]) -> bool {
    let plain = |text: &str| !text.split('/').any(|part| part == ".." || part == ".");
    // Relative to what, nobody knows: a folder is named from the root on.
    let whole = target.starts_with(S3) || Path::new(target).is_absolute();
    let below = |place: &String| {
        place.starts_with(S3) == target.starts_with(S3)
            && Path::new(target).starts_with(Path::new(place.trim_end_matches('/')))
    };
    whole && plain(target) && allowed.iter().any(below)
}

/// A prefix in a bucket.
struct Bucket {
    client: AmazonS3,
    prefix: Key,
    shown: String,
    /// Of one thread, the one that asks.
    runtime: Runtime,
}

impl Bucket {
    fn open(target: &str) -> Result<Self, VaultError> {
        let failed =
            |why: &dyn std::fmt::Display| VaultError::Bucket { target: target.to_owned(), why: why.to_string() };
        let (bucket, prefix) = split(target).ok_or_else(|| failed(&"it names no bucket"))?;
        provide_cryptography();
        let builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), TIMEOUT);
        let client = builder.build().map_err(|why| failed(&why))?;
        let prefix = Key::parse(prefix).map_err(|why| failed(&why))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|why| failed(&why))?;
        Ok(Self { client, prefix, shown: target.trim_end_matches('/').to_owned(), runtime })
    }

    fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.prefix.clone(), |key, part| key.join(part))
    }

    fn head(&self, name: &str) -> io::Result<Option<ObjectMeta>> {
        found(self.runtime.block_on(self.client.head(&self.key(name))))
    }
}

/// Bucket and prefix.
fn split(target: &str) -> Option<(&str, &str)> {
    let rest = target.strip_prefix(S3)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_end_matches('/')))
}

/// One cryptography library for all TLS of this process; whoever was first is right.
fn provide_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn found<T>(got: object_store::Result<T>) -> io::Result<Option<T>> {
    match got {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

impl Vault for Bucket {
    fn shown(&self) -> String {
        self.shown.clone()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(self.client.put(&self.key(name), payload)).map(drop).map_err(io::Error::other)
    }

    fn get(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(got) = found(self.runtime.block_on(self.client.get(&self.key(name))))? else { return Ok(None) };
        if got.meta.size > limit {
            return Err(too_large(name, limit));
        }
        let bytes = self.runtime.block_on(got.bytes()).map_err(io::Error::other)?;
        Ok(Some(bytes.into()))
    }

    fn holds(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let Some(meta) = self.head(name)? else { return Ok(false) };
        let len = bytes.len() as u64;
        Ok(meta.size == len && (bytes.len() > READ_BACK || self.get(name, len)?.as_deref() == Some(bytes)))
    }

    fn list(&self, kind: &str) -> io::Result<Vec<String>> {
        let prefix = self.key(kind);
        let listed = self.runtime.block_on(self.client.list_with_delimiter(Some(&prefix))).map_err(io::Error::other)?;
        let mut names: Vec<String> =
            listed.objects.iter().filter_map(|meta| meta.location.filename().map(str::to_owned)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        found(self.runtime.block_on(self.client.delete(&self.key(name)))).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_an_allowed_place_is_allowed() {
        let allowed = ["/srv/backups".to_owned(), "s3://bucket/backroom/".to_owned()];
        for (target, is_allowed) in [
            ("/srv/backups", true),
            ("/srv/backups/", true),
            ("/srv/backups/daily/a", true),
            ("/srv/backups2", false),
            ("/srv/backups/../../etc", false),
            ("/srv", false),
            ("srv/backups", false),
            ("s3:/bucket/backroom", false),
            ("s3://bucket/backroom", true),
            ("s3://bucket/backroom/x", true),
            ("s3://bucket/backroom2", false),
            ("s3://bucket/backroom/../other", false),
            ("s3://bucket", false),
            ("s3://other/backroom", false),
            ("", false),
        ] {
            assert_eq!(is_below(target, &allowed), is_allowed, "{target}");
            assert!(!is_below(target, &[]), "{target}");
        }
    }

    #[test]
    fn buckets_are_taken_apart() {
        assert_eq!(split("s3://b/p/q/"), Some(("b", "p/q")));
        assert_eq!(split("s3://b"), Some(("b", "")));
        assert_eq!((split("s3:///p"), split("/srv")), (None, None));
    }
}
