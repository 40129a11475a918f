//! The data directory, as a service: locked while it runs, so that two processes never share it.

mod lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use plux::{BoxError, Service, ServiceContext};

pub use lock::{DirectoryLock, LockError};

use crate::cloud::{Cloud, CloudService};

/// What the storage service publishes: where each service may keep its files.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
}

impl DataDirectory {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory of one service. It may have to be made.
    pub fn of(&self, service: &str) -> PathBuf {
        self.path.join(service)
    }

    /// The whole data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[derive(Default)]
struct StoragePlugin;

#[plux::plugin(name = "storage")]
impl CloudService for StoragePlugin {
    async fn load(&self, cloud: &Cloud) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Storage { path: cloud.data_directory().to_owned() }))
    }
}

struct Storage {
    path: PathBuf,
}

#[async_trait]
impl Service for Storage {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let path = self.path.clone();
        let _lock = tokio::task::spawn_blocking(move || DirectoryLock::acquire(&path)).await??;
        cx.ready(DataDirectory::at(self.path.clone()));
        cx.stopping().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use plux::testing::{Finding, ServiceTest};

    use super::*;
    use crate::cloud::Settings;

    #[tokio::test(start_paused = true)]
    async fn it_gives_its_lock_back_whenever_it_stops() {
        let directory = tempfile::tempdir().unwrap();
        let data_directory = directory.path().to_owned();
        let cloud = Cloud::new(Settings { data_directory, ..Settings::default() });
        let test = ServiceTest::plugin::<dyn CloudService>("storage", cloud);
        let test = test.publishes::<DataDirectory>();
        test.check().await.unwrap();
        let trial = test.start().await.unwrap();
        let other = test.start().await.unwrap_err();
        assert!(matches!(other, Finding::EndedBeforeReady { .. }), "{other}");
        trial.finish().await.unwrap();
        test.start().await.unwrap().finish().await.unwrap();
    }
}
