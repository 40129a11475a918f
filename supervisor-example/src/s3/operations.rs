//! The S3 operations. Reading and listing is s3s-fs's; everything that writes an object is staged
//! by s3s-fs under a name of its own and then published by [`Store`].
//!
//! The trap: s3s-fs puts an object in its place before it checks its digest, copies into the file
//! that is there, and leaves an overwritten object's checksums when an upload in parts completes.
//! Staging keeps all three away from the object that is there.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::encoding::{encode_list, encode_list_v2};
use super::journal::Staged;
use super::layout::STAGING;
use super::store::{Condition, Store, blocking};

/// The MD5 of nothing.
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The operations of a shared store.
pub(super) struct Operations(pub(super) Arc<Store>);

impl Store {
    /// `NoSuchBucket` in place of `NoSuchKey`, where that is so.
    fn no_such(&self, bucket: &str, error: S3Error) -> S3Error {
        match error.code() {
            S3ErrorCode::NoSuchKey => self.check_bucket(bucket).err().unwrap_or(error),
            _ => error,
        }
    }

    /// Whether an object that is there is to be read; the caller keeps it from changing.
    fn check_read(&self, bucket: &str, key: &str, condition: Condition) -> S3Result<()> {
        let Condition { if_match, if_none_match } = condition;
        self.check_condition(bucket, key, &Condition { if_match, if_none_match: None })?;
        let changed = Condition { if_match: None, if_none_match };
        self.check_condition(bucket, key, &changed).map_err(|_| s3_error!(NotModified))
    }

    /// Whether the key is that of a directory; without a closing slash that is no object.
    fn is_directory(&self, bucket: &str, key: &str) -> S3Result<bool> {
        self.layout.check(bucket, key)?;
        let directory = self.layout.object(bucket, key).content.is_dir();
        if directory && !key.ends_with('/') { Err(s3_error!(NoSuchKey)) } else { Ok(directory) }
    }
}

#[async_trait]
impl S3 for Operations {
    async fn put_object(
        &self,
        mut req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        no_tags(req.input.tagging.as_deref())?;
        self.0.check_bucket(&bucket)?;
        self.0.layout.check(&bucket, &key)?;
        if key.ends_with('/') {
            return self.0.files.put_object(req).await;
        }
        let condition = Condition {
            if_match: req.input.if_match.take(),
            if_none_match: req.input.if_none_match.take(),
        };
        // Checked again when the object is published; here it saves the upload.
        self.0.check_condition(&bucket, &key, &condition)?;
        let staged = Staged::new(&self.0.layout);
        STAGING.clone_into(&mut req.input.bucket);
        staged.id().clone_into(&mut req.input.key);
        let response = self.0.files.put_object(req).await?;
        self.0.publish(staged, &bucket, &key, &condition, None).await?;
        Ok(response)
    }

    async fn copy_object(
        &self,
        mut req: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        no_tags(req.input.tagging.as_deref())?;
        self.0.check_bucket(&bucket)?;
        self.0.layout.check(&bucket, &key)?;
        let staged = Staged::new(&self.0.layout);
        STAGING.clone_into(&mut req.input.bucket);
        staged.id().clone_into(&mut req.input.key);
        let response = match req.input.copy_source.clone() {
            CopySource::Bucket { bucket: from, key: source, version_id } => {
                no_version(version_id.as_deref())?;
                self.0.layout.check(&from, &source)?;
                let _reading = self.0.reading(&from, &source).await;
                let copied = self.0.files.copy_object(req).await;
                copied.map_err(|error| self.0.no_such(&from, error))?
            }
            _ => return Err(s3_error!(NotImplemented)),
        };
        self.0.publish(staged, &bucket, &key, &Condition::default(), None).await?;
        Ok(response)
    }

    async fn complete_multipart_upload(
        &self,
        mut req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let upload = req.input.upload_id.clone();
        self.0.check_bucket(&bucket)?;
        self.0.layout.check(&bucket, &key)?;
        self.0.check_upload(&upload)?;
        let condition = Condition {
            if_match: req.input.if_match.take(),
            if_none_match: req.input.if_none_match.take(),
        };
        self.0.check_condition(&bucket, &key, &condition)?;
        let staged = {
            let parts = req.input.multipart_upload.iter_mut().flat_map(|list| &mut list.parts);
            let numbers = renumber(parts.flatten())?;
            let mut staged = Staged::new(&self.0.layout);
            let (bucket, key, upload) = (bucket.clone(), key.clone(), upload.clone());
            blocking(move || {
                match staged.link_upload(&bucket, &key, &upload, numbers.into_iter()) {
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    other => other.map(|()| Some(staged)),
                }
            })
            .await?
            .ok_or_else(|| s3_error!(InvalidPart))?
        };
        STAGING.clone_into(&mut req.input.bucket);
        staged.id().clone_into(&mut req.input.key);
        staged.id().clone_into(&mut req.input.upload_id);
        let mut response = self.0.files.complete_multipart_upload(req).await?;
        if let Some(rest) = response.output.future.take() {
            response.output = rest.await?;
        }
        self.0.publish(staged, &bucket, &key, &condition, Some(upload)).await?;
        response.output.bucket = Some(bucket);
        response.output.key = Some(key);
        Ok(response)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        no_tags(req.input.tagging.as_deref())?;
        self.0.check_bucket(&req.input.bucket)?;
        self.0.layout.check_upload(&req.input.bucket, &req.input.key)?;
        self.0.files.create_multipart_upload(req).await
    }

    async fn upload_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.0.check_upload(&req.input.upload_id)?;
        self.0.files.upload_part(req).await
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        self.0.check_upload(&req.input.upload_id)?;
        match req.input.copy_source.clone() {
            CopySource::Bucket { bucket, key, version_id } => {
                no_version(version_id.as_deref())?;
                self.0.layout.check(&bucket, &key)?;
                let _reading = self.0.reading(&bucket, &key).await;
                let copied = self.0.files.upload_part_copy(req).await;
                copied.map_err(|error| self.0.no_such(&bucket, error))
            }
            _ => Err(s3_error!(NotImplemented)),
        }
    }

    async fn list_parts(
        &self,
        req: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        self.0.check_upload(&req.input.upload_id)?;
        let mut response = self.0.files.list_parts(req).await?;
        if let Some(parts) = &mut response.output.parts {
            parts.sort_by_key(|part| part.part_number);
        }
        Ok(response)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.0.check_upload(&req.input.upload_id)?;
        self.0.files.abort_multipart_upload(req).await
    }

    async fn get_object(
        &self,
        mut req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        no_version(req.input.version_id.as_deref())?;
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let _reading = self.0.reading(&bucket, &key).await;
        if self.0.is_directory(&bucket, &key).map_err(|error| self.0.no_such(&bucket, error))? {
            return Ok(S3Response::new(GetObjectOutput {
                content_length: Some(0),
                e_tag: Some(ETag::Strong(EMPTY.to_owned())),
                ..Default::default()
            }));
        }
        let condition = Condition {
            if_match: req.input.if_match.take(),
            if_none_match: req.input.if_none_match.take(),
        };
        let response = self.0.files.get_object(req).await;
        let response = response.map_err(|error| self.0.no_such(&bucket, error))?;
        self.0.check_read(&bucket, &key, condition)?;
        Ok(response)
    }

    async fn head_object(
        &self,
        mut req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        no_version(req.input.version_id.as_deref())?;
        let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
        let _reading = self.0.reading(&bucket, &key).await;
        if self.0.is_directory(&bucket, &key).map_err(|error| self.0.no_such(&bucket, error))? {
            return Ok(S3Response::new(HeadObjectOutput {
                content_length: Some(0),
                e_tag: Some(ETag::Strong(EMPTY.to_owned())),
                ..Default::default()
            }));
        }
        let condition = Condition {
            if_match: req.input.if_match.take(),
            if_none_match: req.input.if_none_match.take(),
        };
        let response = self.0.files.head_object(req).await?;
        self.0.check_read(&bucket, &key, condition)?;
        Ok(response)
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        no_version(req.input.version_id.as_deref())?;
        self.0.remove(&req.input.bucket, &req.input.key).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in req.input.delete.objects {
            let removed = match no_version(object.version_id.as_deref()) {
                Ok(()) => self.0.remove(&req.input.bucket, &object.key).await,
                refused => refused,
            };
            match removed {
                Ok(()) => {
                    deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
                }
                Err(error) => errors.push(Error {
                    key: Some(object.key),
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(ToOwned::to_owned),
                    ..Default::default()
                }),
            }
        }
        let quiet = req.input.delete.quiet.unwrap_or_default();
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: Some(errors),
            ..Default::default()
        }))
    }

    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        if self.0.check_bucket(&req.input.bucket).is_ok() {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        self.0.files.create_bucket(req).await
    }

    async fn delete_bucket(
        &self,
        req: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.0.remove_bucket(&req.input.bucket).await?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.0.files.head_bucket(req).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.0.files.get_bucket_location(req).await
    }

    async fn list_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let store = Arc::clone(&self.0);
        let buckets = blocking(move || store.buckets()).await?;
        let bucket = |(name, created): (String, SystemTime)| Bucket {
            name: Some(name),
            creation_date: Some(created.into()),
            ..Default::default()
        };
        // Some clients can not read a list that has no owner.
        let owner = Owner { id: Some("local".to_owned()), ..Default::default() };
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.into_iter().map(bucket).collect()),
            owner: Some(owner),
            ..Default::default()
        }))
    }

    async fn list_objects(
        &self,
        req: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let mut response = self.0.files.list_objects(req).await?;
        encode_list(&mut response.output);
        Ok(response)
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let mut response = self.0.files.list_objects_v2(req).await?;
        encode_list_v2(&mut response.output);
        Ok(response)
    }
}

/// Objects have one version, which S3 calls `null`.
fn no_version(id: Option<&str>) -> S3Result<()> {
    match id {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NotImplemented, "objects have no versions here")),
    }
}

fn no_tags(tags: Option<&str>) -> S3Result<()> {
    match tags {
        None | Some("") => Ok(()),
        Some(_) => Err(s3_error!(NotImplemented, "objects have no tags here")),
    }
}

/// The numbers of the parts in their order; the parts are numbered from 1 on without a gap, which
/// s3s-fs wants and S3 does not.
fn renumber<'a>(parts: impl Iterator<Item = &'a mut CompletedPart>) -> S3Result<Vec<i32>> {
    let mut numbers = Vec::new();
    for (at, part) in (1..).zip(parts) {
        let number = part.part_number.replace(at).ok_or_else(|| s3_error!(InvalidPart))?;
        if numbers.last().is_some_and(|&last| number <= last) {
            return Err(s3_error!(InvalidPartOrder));
        }
        numbers.push(number);
    }
    Ok(numbers)
}
