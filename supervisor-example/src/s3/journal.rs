//! How an object gets from the staging bucket to its key, so that a process that is killed leaves
//! either the old object or the new one, each with its own metadata and checksums.
//!
//! A staged object is published in three steps: a record that names the key is put beside it with
//! one rename, which is the moment of decision; the three files are renamed; the record is removed.
//! [`recover`] finishes what has a record and removes what has none.
//!
//! The trap: an object may have no metadata, and then that of the old one has to go. When a record
//! is read again, a missing staged file could mean either, so the record says which there were.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::{Layout, ObjectFiles, STAGING};

/// An object in the staging bucket. Dropped without being published, it is removed.
#[derive(Debug)]
pub(super) struct Staged {
    layout: Layout,
    id: String,
    parts: i32,
}

/// What is to be done with a staged object.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    bucket: String,
    key: String,
    metadata: bool,
    internal: bool,
    /// The upload in parts that ends with this object.
    upload: Option<String>,
}

impl Staged {
    /// A place in the staging bucket. The id serves as key, and as upload id.
    pub(super) fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone(), id: uuid::Uuid::new_v4().to_string(), parts: 0 }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Links an upload in parts under the id, its parts numbered from 1, so that completing it
    /// consumes the links and the upload can be completed again if this process dies. Blocks.
    ///
    /// # Errors
    /// `NotFound` when a part, or the upload itself, is not there.
    pub(super) fn link_upload(
        &mut self,
        bucket: &str,
        key: &str,
        upload: &str,
        parts: impl Iterator<Item = i32>,
    ) -> io::Result<()> {
        let metadata = self.layout.upload_metadata(bucket, key, upload);
        if metadata.exists() {
            fs::hard_link(metadata, self.layout.upload_metadata(STAGING, &self.id, &self.id))?;
        }
        for part in parts {
            self.parts += 1;
            let link = self.layout.part(&self.id, self.parts);
            fs::hard_link(self.layout.part(upload, part), link)?;
        }
        // Last, so that `recover` finds every staged upload by its metadata.
        fs::hard_link(self.layout.upload(upload), self.layout.upload(&self.id))
    }

    /// Gives the staged object its key, in place of the one that was there. Blocks.
    ///
    /// The caller holds the lock of the key, and has checked that the bucket is there.
    ///
    /// # Errors
    /// Before the decision nothing has changed. After it, [`recover`] will finish.
    pub(super) fn publish(self, bucket: &str, key: &str, upload: Option<String>) -> io::Result<()> {
        let staged = self.layout.object(STAGING, &self.id);
        let record = Record {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            metadata: staged.metadata.exists(),
            internal: staged.internal.exists(),
            upload,
        };
        let place = self.layout.object(bucket, key);
        make_room(&place)?;
        let path = self.record();
        let unfinished = path.with_extension("tmp");
        fs::write(&unfinished, serde_json::to_vec(&record)?)?;
        fs::rename(&unfinished, &path)?;
        finish(&self.layout, &path, &self.id, &record)
    }

    fn record(&self) -> PathBuf {
        self.layout.commits().join(format!("{}.json", self.id))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.record().exists() {
            return;
        }
        let ObjectFiles { content, metadata, internal } = self.layout.object(STAGING, &self.id);
        let upload = self.layout.upload(&self.id);
        let upload_metadata = self.layout.upload_metadata(STAGING, &self.id, &self.id);
        let parts = (1..=self.parts).map(|part| self.layout.part(&self.id, part));
        for path in [upload, upload_metadata, content, metadata, internal].into_iter().chain(parts)
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// Finishes every publication that was decided on and removes what was only staged. Blocks.
///
/// To be called before the first request, while nobody else uses the directory. Returns how many
/// publications were finished.
///
/// # Errors
/// When the directory can not be read or written.
pub(super) fn recover(layout: &Layout) -> io::Result<usize> {
    fs::create_dir_all(layout.bucket(STAGING))?;
    fs::create_dir_all(layout.commits())?;
    let mut finished = 0;
    for path in paths_in(&layout.commits())? {
        if path.extension().is_some_and(|extension| extension == "json") {
            redo(layout, &path)?;
            finished += 1;
        } else {
            remove(&path)?;
        }
    }
    for path in paths_in(&layout.bucket(STAGING))? {
        remove(&path)?;
    }
    let prefix = Layout::side_prefix(STAGING);
    for path in paths_in(layout.root())? {
        let name = file_name(&path);
        if let Some(rest) = name.strip_prefix(&prefix) {
            let upload = rest.split_once(".upload-").map(|(_, end)| end);
            if let Some(id) = upload.and_then(|end| end.strip_suffix(".metadata.json")) {
                remove(&layout.upload(id))?;
            }
            remove(&path)?;
        }
    }
    for path in paths_in(layout.root())? {
        let upload = Layout::upload_of_part(file_name(&path));
        if upload.is_some_and(|upload| !layout.upload(upload).exists()) {
            remove(&path)?;
        }
    }
    Ok(finished)
}

/// Finishes one publication. One that can not be finished is given up: the old object stays.
fn redo(layout: &Layout, path: &Path) -> io::Result<()> {
    let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let done = serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from).and_then(
        |record: Record| {
            make_room(&layout.object(&record.bucket, &record.key))?;
            finish(layout, path, id, &record)
        },
    );
    match done {
        Err(error) if error.kind() != ErrorKind::StorageFull => {
            tracing::warn!(record = %path.display(), %error, "an interrupted write is given up");
            remove(path)
        }
        other => other,
    }
}

fn make_room(place: &ObjectFiles) -> io::Result<()> {
    if let Some(parent) = place.content.parent() {
        fs::create_dir_all(parent)?;
    }
    if place.content.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok(()) }
}

fn finish(layout: &Layout, record_path: &Path, id: &str, record: &Record) -> io::Result<()> {
    let staged = layout.object(STAGING, id);
    let place = layout.object(&record.bucket, &record.key);
    rename(&staged.content, &place.content)?;
    for (there, from, to) in [
        (record.metadata, &staged.metadata, &place.metadata),
        (record.internal, &staged.internal, &place.internal),
    ] {
        if there { rename(from, to)? } else { remove(to)? }
    }
    if let Some(upload) = &record.upload {
        remove_upload(layout, &record.bucket, &record.key, upload)?;
    }
    remove(record_path)
}

/// Removes an upload in parts: first what makes it an upload, so that no half of it is left. Blocks.
///
/// # Errors
/// When a file can not be removed.
pub(super) fn remove_upload(
    layout: &Layout,
    bucket: &str,
    key: &str,
    upload: &str,
) -> io::Result<()> {
    remove(&layout.upload(upload))?;
    for path in paths_in(layout.root())? {
        if Layout::upload_of_part(file_name(&path)) == Some(upload) {
            remove(&path)?;
        }
    }
    remove(&layout.upload_metadata(bucket, key, upload))
}

/// Removes an object: the content first, since side files without content are no object. Blocks.
///
/// # Errors
/// When a file can not be removed.
pub(super) fn remove_object(layout: &Layout, bucket: &str, key: &str) -> io::Result<()> {
    let place = layout.object(bucket, key);
    if place.content.is_dir() {
        return Ok(());
    }
    remove(&place.content)?;
    remove(&place.metadata)?;
    remove(&place.internal)
}

fn paths_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Renames what an earlier try may have renamed already.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound && to.exists() => Ok(()),
        other => other,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(())
        }
        other => other,
    }
}
