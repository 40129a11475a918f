//! The objects of a data directory: s3s-fs for the files, and around it what makes each write one
//! step for readers, for conditions and for a process that is killed.
//!
//! The trap: s3s-fs opens an object and then reads its side files, so a reader has to hold the
//! lock of the key until both are done; the body may be read after that, from the open file.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{ETag, ETagCondition};
use s3s::validation::NameValidation;
use s3s::{S3Error, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::host::BucketNames;
use super::journal::{self, Staged};
use super::layout::{Layout, io_error};

/// Keys share locks; a lock is held for a few renames, never while a body is on its way.
const LOCKS: usize = 64;

/// The buckets and objects below one root.
pub(super) struct Store {
    pub(super) files: FileSystem,
    pub(super) layout: Layout,
    keys: Vec<Arc<RwLock<()>>>,
    /// Held to read by whoever writes into a bucket, to write by whoever removes one, or a
    /// directory in one.
    buckets: Arc<RwLock<()>>,
}

/// What has to be true of the object that a write replaces.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl Store {
    /// Opens the objects below `root`. Blocks.
    ///
    /// Only once for a root in a process: s3s-fs numbers its temporary files from zero.
    ///
    /// # Errors
    /// When the directory can not be made, read or written.
    pub(super) fn open(root: &Path) -> Result<Self, plux::BoxError> {
        std::fs::create_dir_all(root)?;
        let layout = Layout::new(root.canonicalize()?);
        let files = FileSystem::new(layout.root()).map_err(|error| format!("{error:?}"))?;
        let keys = std::iter::repeat_with(Arc::default).take(LOCKS).collect();
        Ok(Self { files, layout, keys, buckets: Arc::default() })
    }

    /// Finishes what an ended process, or an aborted request, had begun. Blocks; to be called
    /// while no request is under way.
    ///
    /// # Errors
    /// When the directory can not be read or written.
    pub(super) fn mend(&self) -> io::Result<usize> {
        journal::recover(&self.layout)
    }

    fn lock(&self, bucket: &str, key: &str) -> Arc<RwLock<()>> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        let at = hasher.finish() % LOCKS as u64;
        Arc::clone(&self.keys[at as usize])
    }

    /// Keeps the three files of an object together while they are read.
    pub(super) async fn reading(&self, bucket: &str, key: &str) -> OwnedRwLockReadGuard<()> {
        self.lock(bucket, key).read_owned().await
    }

    /// # Errors
    /// `NoSuchBucket`.
    pub(super) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.layout.bucket(bucket).is_dir() { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// # Errors
    /// `NoSuchUpload`.
    pub(super) fn check_upload(&self, upload: &str) -> S3Result<()> {
        let valid = uuid::Uuid::parse_str(upload).is_ok();
        if valid && self.layout.upload(upload).exists() {
            Ok(())
        } else {
            Err(s3_error!(NoSuchUpload))
        }
    }

    /// # Errors
    /// `PreconditionFailed`.
    pub(super) fn check_condition(
        &self,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> S3Result<()> {
        let Condition { if_match, if_none_match } = condition;
        if if_match.is_none() && if_none_match.is_none() {
            return Ok(());
        }
        let place = self.layout.object(bucket, key);
        let there = place.content.is_file();
        let recorded = || {
            let info: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&place.internal).ok()?).ok()?;
            Some(ETag::Strong(info.get("e_tag")?.as_str()?.to_owned()))
        };
        let meets = |condition: &ETagCondition| match condition {
            ETagCondition::Any => there,
            ETagCondition::ETag(tag) => there && recorded().is_some_and(|own| own.strong_cmp(tag)),
        };
        if if_match.as_ref().is_some_and(|condition| !meets(condition))
            || if_none_match.as_ref().is_some_and(meets)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }

    /// Gives a staged object its key. Dropped after it has begun, it is carried out none the less.
    ///
    /// # Errors
    /// `NoSuchBucket`, `PreconditionFailed`, or what the file system says.
    pub(super) async fn publish(
        &self,
        staged: Staged,
        bucket: &str,
        key: &str,
        condition: &Condition,
        upload: Option<String>,
    ) -> S3Result<()> {
        if self.layout.object(bucket, key).content.is_dir() {
            self.clear(bucket, key).await?;
        }
        let bucket_guard = Arc::clone(&self.buckets).read_owned().await;
        let key_guard = self.lock(bucket, key).write_owned().await;
        self.check_bucket(bucket)?;
        self.check_condition(bucket, key, condition)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        blocking(move || {
            let _guards = (bucket_guard, key_guard);
            staged.publish(&bucket, &key, upload)
        })
        .await
    }

    /// Removes the directories that objects below a key have left behind.
    async fn clear(&self, bucket: &str, key: &str) -> S3Result<()> {
        let guard = Arc::clone(&self.buckets).write_owned().await;
        let path = self.layout.object(bucket, key).content;
        blocking(move || {
            let _guard = guard;
            if path.is_dir() && !has_file(&path)? { std::fs::remove_dir_all(&path) } else { Ok(()) }
        })
        .await
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// `NoSuchBucket`, or what the file system says.
    pub(super) async fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.layout.check(bucket, key)?;
        let guard = self.lock(bucket, key).write_owned().await;
        self.check_bucket(bucket)?;
        let (layout, bucket, key) = (self.layout.clone(), bucket.to_owned(), key.to_owned());
        blocking(move || {
            let _guard = guard;
            journal::remove_object(&layout, &bucket, &key)
        })
        .await
    }

    /// The buckets and when they were made, in the order of names. Blocks.
    ///
    /// # Errors
    /// When the directory can not be read.
    pub(super) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let mut buckets = Vec::new();
        for entry in std::fs::read_dir(self.layout.root())? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if BucketNames.validate_bucket_name(&name) {
                let about = entry.metadata()?;
                buckets.push((name, about.created().or_else(|_| about.modified())?));
            }
        }
        buckets.sort();
        Ok(buckets)
    }

    /// Removes a bucket without objects.
    ///
    /// # Errors
    /// `NoSuchBucket`, `BucketNotEmpty`, or what the file system says.
    pub(super) async fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let guard = Arc::clone(&self.buckets).write_owned().await;
        self.check_bucket(bucket)?;
        let path = self.layout.bucket(bucket);
        let removed = blocking(move || {
            let _guard = guard;
            if has_file(&path)? { Ok(false) } else { std::fs::remove_dir_all(&path).map(|()| true) }
        })
        .await?;
        if removed { Ok(()) } else { Err(s3_error!(BucketNotEmpty)) }
    }
}

fn has_file(directory: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || has_file(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs file operations where they may block; not cut short when the caller goes away.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(S3Error::internal_error)?.map_err(io_error)
}
