//! S3, as a plugin and a service: s3s speaks the protocol, the store keeps the objects.

mod encoding;
mod host;
mod journal;
mod layout;
mod operations;
mod store;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use http_body_util::BodyExt;
use plux::{BoxError, Handle, Service, ServiceContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use tokio::sync::OnceCell;

use self::store::Store;
use crate::aws::{AwsService, Endpoint, Fault, Protocol, Request, Response, full};
use crate::cloud::{Cloud, Credentials};
use crate::storage::DataDirectory;

#[derive(Default)]
struct S3;

#[plux::plugin(name = "s3", requires = ["cloud.services:storage"])]
impl AwsService for S3 {
    async fn should_load(&self, cloud: &Cloud) -> Result<bool, BoxError> {
        Ok(cloud.enabled("s3"))
    }

    async fn load(&self, cloud: &Cloud) -> Result<Arc<dyn Service>, BoxError> {
        let credentials = cloud.credentials().clone();
        Ok(Arc::new(S3Server { credentials, opened: OnceCell::new() }))
    }
}

struct S3Server {
    credentials: Credentials,
    /// Kept across restarts: a root may be opened once in a process.
    opened: OnceCell<(Arc<Store>, S3Service)>,
}

#[async_trait]
impl Service for S3Server {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let data: Handle<DataDirectory> = cx.dependency("cloud.services:storage")?;
        let root = data.get()?.of("s3");
        let (store, s3) = self.opened.get_or_try_init(|| self.open(root)).await?;
        let mended = {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || store.mend()).await??
        };
        if mended > 0 {
            tracing::info!(mended, "finished the writes that an ended process had begun");
        }
        let (endpoint, calls) = Endpoint::channel();
        cx.ready(endpoint);
        calls.serve(&cx, |request| respond(s3.clone(), request)).await;
        Ok(())
    }
}

impl S3Server {
    async fn open(&self, root: PathBuf) -> Result<(Arc<Store>, S3Service), BoxError> {
        let store = tokio::task::spawn_blocking(move || Store::open(&root)).await??;
        let store = Arc::new(store);
        let mut builder = S3ServiceBuilder::new(operations::Operations(Arc::clone(&store)));
        builder.set_auth(OnePair(self.credentials.clone()));
        builder.set_host(host::LocalHosts);
        builder.set_validation(host::BucketNames);
        Ok((store, builder.build()))
    }
}

async fn respond(s3: S3Service, request: Request) -> Response {
    let method = request.method().clone();
    match s3.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(BodyExt::boxed_unsync),
        Err(error) => {
            tracing::error!(error = %BoxError::from(error), "s3 could not answer");
            let fault = Fault::unavailable("s3 could not answer");
            Protocol::S3.answer(&fault, &method, "").map(full)
        }
    }
}

/// The one key pair there is.
struct OnePair(Credentials);

#[async_trait]
impl S3Auth for OnePair {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key {
            Ok(SecretKey::from(self.0.secret_key.as_str()))
        } else {
            Err(s3_error!(InvalidAccessKeyId, "there is no such access key here"))
        }
    }
}

#[cfg(test)]
mod tests {
    use plux::testing::ServiceTest;

    use super::*;
    use crate::cloud::Settings;

    #[tokio::test(start_paused = true)]
    async fn it_comes_back_with_the_store_that_it_has_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        ServiceTest::plugin::<dyn AwsService>("s3", Cloud::new(Settings::default()))
            .given("cloud.services:storage", move || DataDirectory::at(path.clone()))
            .publishes::<Endpoint>()
            .check()
            .await
            .unwrap();
    }
}
