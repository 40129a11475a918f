//! Where s3s-fs keeps an object: its content, its metadata, and its checksums, as three files.
//!
//! The trap: the names of the side files carry the whole key in base64, so a file system that
//! allows 255 bytes for a name bounds the key. [`Layout::check`] says so before anything is
//! written.

use std::path::{Path, PathBuf};

use s3s::{S3Error, S3Result, s3_error};

/// The bucket that s3s-fs writes to before an object is published. No client can name it: it is
/// no valid bucket name.
pub(super) const STAGING: &str = ".staging";

/// The longest file name that the usual file systems take.
const MAX_FILE_NAME: usize = 255;

/// The files of a root directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

/// The three files of one object.
#[derive(Debug, Clone)]
pub(super) struct ObjectFiles {
    pub(super) content: PathBuf,
    pub(super) metadata: PathBuf,
    pub(super) internal: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn bucket(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// The directory of the records that say which staged objects are to be published.
    pub(super) fn commits(&self) -> PathBuf {
        self.root.join(".commits")
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> ObjectFiles {
        let side = side_prefix(bucket, key);
        ObjectFiles {
            content: self.root.join(bucket).join(key),
            metadata: self.root.join(format!("{side}.metadata.json")),
            internal: self.root.join(format!("{side}.internal.json")),
        }
    }

    /// The metadata of an upload in parts that is not complete yet.
    pub(super) fn upload_metadata(&self, bucket: &str, key: &str, upload: &str) -> PathBuf {
        let side = side_prefix(bucket, key);
        self.root.join(format!("{side}.upload-{upload}.metadata.json"))
    }

    pub(super) fn upload(&self, upload: &str) -> PathBuf {
        self.root.join(format!(".upload-{upload}.json"))
    }

    pub(super) fn part(&self, upload: &str, number: i32) -> PathBuf {
        self.root.join(format!(".upload_id-{upload}.part-{number}"))
    }

    /// The upload that a file is a part of.
    pub(super) fn upload_of_part(file_name: &str) -> Option<&str> {
        Some(file_name.strip_prefix(".upload_id-")?.split_once(".part-")?.0)
    }

    /// How the side files of everything in a bucket begin.
    pub(super) fn side_prefix(bucket: &str) -> String {
        format!(".bucket-{}.", encode(bucket))
    }

    /// Whether a key can be kept here.
    ///
    /// # Errors
    /// `InvalidArgument` for a key that would leave its bucket or is no file name, `KeyTooLongError` for one whose
    /// files would have too long a name.
    pub(super) fn check(&self, bucket: &str, key: &str) -> S3Result<()> {
        // The last part of `a/` is empty: that key is the directory itself.
        let parts = || key.strip_suffix('/').unwrap_or(key).split('/');
        if key.contains('\0') {
            return Err(s3_error!(InvalidArgument, "a key may not have the character zero"));
        }
        if parts().any(|part| matches!(part, "" | "." | "..")) {
            return Err(s3_error!(InvalidArgument, "a key may not have a part `.`, `..` or empty"));
        }
        if parts().any(|part| part.len() > MAX_FILE_NAME) {
            return Err(too_long());
        }
        fits(&self.object(bucket, key).metadata)
    }

    /// Whether an upload in parts to a key can be kept here, for which names are longer.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(super) fn check_upload(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.check(bucket, key)?;
        fits(&self.upload_metadata(bucket, key, &uuid::Uuid::nil().to_string()))
    }
}

fn fits(path: &Path) -> S3Result<()> {
    let long = path.file_name().is_some_and(|name| name.len() > MAX_FILE_NAME);
    if long { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> S3Error {
    s3_error!(KeyTooLongError, "the file name for this key is longer than {MAX_FILE_NAME} bytes")
}

fn encode(text: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(text)
}

fn side_prefix(bucket: &str, key: &str) -> String {
    format!(".bucket-{}.object-{}", encode(bucket), encode(key))
}

/// What a failed file operation is to a client.
pub(super) fn io_error(error: std::io::Error) -> S3Error {
    use std::io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    match error.kind() {
        NotADirectory | IsADirectory | AlreadyExists | DirectoryNotEmpty => s3_error!(
            InvalidRequest,
            "objects are files here: there is either the object `a` or objects below `a/`"
        ),
        _ => S3Error::internal_error(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_names_no_file_of_its_own_is_refused() {
        let layout = Layout::new(PathBuf::from("root"));
        for key in ["a", "a/b", "a/b/", "..a", "a..", ".a", "a b/\u{e4}", "a\\b"] {
            assert!(layout.check("b", key).is_ok(), "{key}");
        }
        for key in
            ["", "\0", "a\0b", "/", "/a", "a//b", "a//", "./a", "a/./b", "a/..", "../../lock"]
        {
            let error = layout.check("b", key).expect_err(key);
            assert_eq!(error.code().as_str(), "InvalidArgument", "{key}");
        }
        let long = |length| "k".repeat(length);
        assert!(layout.check("b", &long(165)).is_ok());
        assert!(layout.check_upload("b", &long(132)).is_ok());
        for refused in [
            layout.check("b", &long(175)),
            layout.check("b", &format!("a/{}", long(256))),
            layout.check_upload("b", &long(140)),
        ] {
            assert_eq!(refused.expect_err("too long").code().as_str(), "KeyTooLongError");
        }
    }
}
